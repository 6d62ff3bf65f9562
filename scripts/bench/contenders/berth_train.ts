/** Training steps of berth: `berth_train.ts JOB`, see training_job.ts. */
import process from "node:process";
import { AdamW, BertConfig, BertForSequenceClassification, init } from "../../../mod.ts";
import { hashWeights } from "../../notebook/hashed_weights.ts";
import { speak } from "./speak.mjs";
import type { TrainingJob } from "./training_job.ts";

const job = JSON.parse(process.argv[2]) as TrainingJob, { input_ids, labels } = job;
await init({ threads: job.threads });

function prepare(dropout: number): { step(): number; dispose(): void } {
  const rates = { hidden_dropout_prob: dropout, attention_probs_dropout_prob: dropout };
  const model = new BertForSequenceClassification(new BertConfig({ ...job.config, ...rates }));
  hashWeights(model, () => {});
  const { lr, fused_backward } = job;
  const optimizer = new AdamW(model.parameters(), { lr, weight_decay: 0, fused_backward });
  model.train();
  return {
    step: () => {
      const { loss } = model.forward({ input_ids, labels });
      model.backward();
      optimizer.step();
      optimizer.zero_grad();
      return loss!;
    },
    dispose: () => (optimizer.dispose(), model.dispose()),
  };
}

const checked = prepare(0), losses = Array.from({ length: job.checkSteps }, checked.step);
checked.dispose();
const training = prepare(job.dropout ? 0.1 : 0);
await speak(losses, () => {
  const start = performance.now();
  training.step();
  return performance.now() - start;
});
