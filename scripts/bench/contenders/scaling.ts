/** Training steps of the MiniLM shape, dropout and AdamW included: `scaling.ts THREADS`; jobs are `B,T,LAYERS`. */
import process from "node:process";
import { AdamW, BertConfig, BertForSequenceClassification, init } from "../../../mod.ts";
import { hashWeights } from "../../notebook/hashed_weights.ts";
import { hashRun, tokens } from "./bits.ts";
import { speak } from "./speak.mjs";

await init({ threads: Number(process.argv[2]) });

interface Training {
  step(): number;
  hash(): string;
  dispose(): void;
}

function prepare(batch: number, width: number, layers: number): Training {
  const shape = {
    hidden_size: 384,
    num_hidden_layers: layers,
    num_attention_heads: 12,
    intermediate_size: 1536,
  };
  const model = new BertForSequenceClassification(new BertConfig(shape));
  hashWeights(model, () => {});
  const optimizer = new AdamW(model.parameters(), { lr: 1e-5 });
  const input_ids = tokens(batch, width, model.config.vocab_size), labels = input_ids.map((_, i) => i % 2);
  const losses: number[] = [];
  model.train();
  return {
    step: () => {
      const start = performance.now();
      losses.push(model.forward({ input_ids, labels }).loss!);
      model.backward();
      optimizer.step();
      optimizer.zero_grad();
      return performance.now() - start;
    },
    hash: () => hashRun(losses, model),
    dispose: () => (optimizer.dispose(), model.dispose()),
  };
}

let current = "", training: Training | undefined;
await speak([], (job) => {
  if (job !== current) {
    training?.dispose();
    const [batch, width, layers] = job.split(",").map(Number);
    training = prepare(batch, width, layers);
    training.step();
    current = job;
  }
  return { ms: training!.step(), hash: training!.hash() };
});
