/** A small training run in the profile `simd`, in whichever runtime runs this: `bits_run.ts THREADS`. */
import process from "node:process";
import { BertConfig } from "../../../src/model/config.ts";
import { BertForSequenceClassification } from "../../../src/model/sequence_classification.ts";
import { init } from "../../../src/runtime/mod.ts";
import { AdamW } from "../../../src/train/adamw.ts";
import { hashRun, tokens } from "./bits.ts";
import { speak } from "./speak.mjs";

const STEPS = 20;

const { profile, threads } = await init({ profile: "simd", threads: Number(process.argv[2]) });
const shape = {
  vocab_size: 2000,
  hidden_size: 96,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  intermediate_size: 400,
};
const start = performance.now();
const model = await BertForSequenceClassification.from_config(new BertConfig(shape), { seed: 1 });
const optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
const input_ids = tokens(9, 37, 2000).map((row, i) => row.slice(0, 37 - 3 * i)),
  labels = input_ids.map((_, i) => i % 2);
const losses: number[] = [];
model.train();
for (let step = 0; step < STEPS; step++) {
  losses.push(model.forward({ input_ids, labels }).loss!);
  model.backward();
  optimizer.step({ max_grad_norm: 1 });
  optimizer.zero_grad();
}
const ms = performance.now() - start;
await speak(losses, () => ms, { hash: hashRun(losses, model), ms, profile, threads });
