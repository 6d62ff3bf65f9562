// Training steps with the npm package, in the runtime that runs this: `package_steps.mjs PROFILE THREADS`. Copied beside the
// installed package.
import process from "node:process";
import { AdamW, BertForSequenceClassification, BertTokenizer, init } from "@berth/berth";
import { speak } from "./speak.mjs";

const CHECKED = 6, STEPS = 20;
const SENTENCES = [
  "I love baseball.",
  "I hate baseball, and rain.",
  "A fine game!",
  "Never again, says the umpire.",
];

const [profile, threads] = process.argv.slice(2);
await init({ profile, threads: Number(threads) });
const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
const options = { num_labels: 2, seed: 7, on_report: () => {} };
const model = await BertForSequenceClassification.from_pretrained("berth-tiny", options);
const optimizer = new AdamW(model.parameters(), { lr: 1e-4 });
const batch = { ...tokenizer([...SENTENCES, ...SENTENCES]), labels: [1, 0, 1, 0, 1, 0, 1, 0] };
model.train();

function step() {
  const { loss } = model.forward(batch);
  model.backward();
  optimizer.step({ max_grad_norm: 1 });
  optimizer.zero_grad();
  return loss;
}

await speak(Array.from({ length: CHECKED }, step), () => {
  const start = performance.now();
  for (let i = 0; i < STEPS; i++) step();
  return (performance.now() - start) / STEPS;
});
