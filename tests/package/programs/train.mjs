// A small fine-tuning run with whichever berth it is given, in whichever runtime; prints what came of it as JSON.
import process from "node:process";

const SENTENCES = ["I love baseball.", "I hate baseball, and rain.", "A fine game!", "Never again."];
const STEPS = 6;

/** @param {typeof import("../../../mod.ts")} berth @param {string[]} args `PROFILE THREADS [dispose]`, `auto` for the best profile. */
export async function train(berth, [profile, threads, end]) {
  const { AdamW, BertForSequenceClassification, BertTokenizer, dispose, init } = berth;
  const runtime = await init({ ...profile !== "auto" && { profile }, threads: Number(threads) });
  const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
  const options = { num_labels: 2, seed: 7, on_report: () => {} };
  const model = await BertForSequenceClassification.from_pretrained("berth-tiny", options);
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 }), losses = [];
  const start = performance.now();
  model.train();
  for (let step = 0; step < STEPS; step++) {
    losses.push(model.forward({ ...tokenizer(SENTENCES), labels: [1, 0, 1, 0] }).loss);
    model.backward();
    optimizer.step({ max_grad_norm: 1 });
    optimizer.zero_grad();
  }
  const stepMs = (performance.now() - start) / STEPS;
  const weights = model.parameters().reduce((hash, parameter) => mix(hash, parameter.values()), 0x811c9dc5);
  const { profile: used, threads: running } = runtime;
  console.log(JSON.stringify({ profile: used, threads: running, losses, weights, stepMs }));
  if (end === "dispose") dispose();
}

/** FNV-1a over the bits of numbers. */
function mix(hash, { buffer, byteOffset, length }) {
  for (const word of new Int32Array(buffer, byteOffset, length)) hash = Math.imul(hash ^ word, 0x01000193);
  return hash;
}

export const args = process.argv.slice(2);
