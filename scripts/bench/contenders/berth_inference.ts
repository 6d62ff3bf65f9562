/** BertModel in inference mode: `berth_inference.ts JOB`, see inference.mjs. */
import process from "node:process";
import { BertConfig, type BertConfigOptions, BertModel, init } from "../../../mod.ts";
import { hashWeights } from "../../notebook/hashed_weights.ts";
import { serveInference } from "./inference.mjs";

interface Job {
  threads: number;
  config: BertConfigOptions;
  batches: Record<string, number[][]>;
}

const { threads, config, batches } = JSON.parse(process.argv[2]) as Job;
await init({ threads });
const model = new BertModel(new BertConfig({ ...config }));
hashWeights(model, () => {});
model.eval();
await serveInference(batches, (input_ids: number[][]) => () => {
  const output = model.forward({ input_ids });
  output.pooler_output.dataSync();
  return output.last_hidden_state.dataSync();
});
