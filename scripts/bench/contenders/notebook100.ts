/**
 * The notebook's job at the full bert-base-uncased shape, from hash weights: `notebook100.ts THREADS REFERENCE STEPS`.
 * A job is the optimizer, `notebook` or `adamw`; the answer is the median step, and the largest differences from
 * PyTorch's losses and watched weight.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { AdamW, BertConfig, BertForSequenceClassification, init } from "../../../mod.ts";
import { hashWeights } from "../../notebook/hashed_weights.ts";
import { median } from "../harness.ts";
import { speak } from "./speak.mjs";

interface Golden {
  losses: number[];
  watch: number[];
}

const [threads, reference, steps] = process.argv.slice(2);
const golden = JSON.parse(readFileSync(reference, "utf8")) as Record<"notebook" | "adamw", Golden> & {
  input_ids: number[][];
  labels: number[];
  lr: number;
};
await init({ threads: Number(threads) });

await speak([], (job) => {
  const config = new BertConfig({ num_labels: 2, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 });
  const model = new BertForSequenceClassification(config), wanted = golden[job as "notebook" | "adamw"];
  hashWeights(model, () => {});
  const optimizer = job === "notebook"
    ? new AdamW(model.parameters(), { lr: golden.lr, variant: "transformers" })
    : new AdamW(model.parameters(), { lr: golden.lr, weight_decay: 0 });
  const watched = model.get_parameter("bert.encoder.layer.11.output.dense.weight");
  const times: number[] = [];
  let lossError = 0, watchError = 0;
  model.train();
  for (let step = 0; step < Number(steps); step++) {
    const start = performance.now();
    const { loss } = model.forward({ input_ids: golden.input_ids, labels: golden.labels });
    model.backward();
    optimizer.step();
    if (job === "adamw") optimizer.zero_grad(); // the notebook never does
    times.push(performance.now() - start);
    lossError = Math.max(lossError, Math.abs(loss! - wanted.losses[step]) / wanted.losses[step]);
    watchError = Math.max(watchError, Math.abs(watched.item(0, 0) - wanted.watch[step + 1]));
  }
  optimizer.dispose();
  model.dispose();
  return { ms: median(times), min: Math.min(...times), max: Math.max(...times), lossError, watchError };
});
