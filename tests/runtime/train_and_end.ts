/** A script of its own process: one training step, then nothing but, perhaps, dispose(). Prints the time of its end. */
import process from "node:process";
import { AdamW, BertConfig, BertForSequenceClassification, dispose } from "../../mod.ts";

const shape = {
  vocab_size: 50,
  hidden_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 64,
};
const model = await BertForSequenceClassification.from_config(new BertConfig(shape), {
  runtime: { threads: 2 },
});
model.train().forward({ input_ids: [[1, 2, 3], [4, 5, 6]], labels: [0, 1] });
model.backward();
new AdamW(model.parameters()).step();
console.log(Date.now());
if (process.argv.at(-1) === "dispose();") dispose();
