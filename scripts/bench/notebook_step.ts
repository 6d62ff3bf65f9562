/**
 * The time of one training step of the notebook's job (bert-base shape, 2 x 6 tokens, AdamW), ours and PyTorch's in
 * turns, on the same number of threads. Losses are checked against the reference file if one is given.
 *
 *     deno task bench:notebook --python PYTHON [--reference seed_job.json] [--threads 2] [--rounds 3] [--steps 8]
 *
 * PYTHON needs torch and transformers.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { AdamW, BertConfig, BertForSequenceClassification, dispose, init } from "../../mod.ts";
import { folderUrl, writeFileWhole } from "../../src/runtime/files.ts";
import { logicalCores } from "../../src/runtime/platform.ts";
import { hashWeights } from "../notebook/hashed_weights.ts";

const { values: flags } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    reference: { type: "string" },
    threads: { type: "string", default: String(logicalCores()) },
    rounds: { type: "string", default: "3" },
    steps: { type: "string", default: "8" },
  },
});
const threads = Number(flags.threads), steps = Number(flags.steps);
/** The first steps compile code and take memory. */
const WARM_UP = 2;

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function pytorch(fused: boolean): number[] {
  const script = fileURLToPath(new URL("./notebook_step.py", import.meta.url));
  const args = [script, String(threads), String(steps + WARM_UP), ...(fused ? ["fused"] : [])];
  const output = execFileSync(flags.python, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return output.trim().split("\n").map(Number).slice(WARM_UP);
}

/** Steps from the hash weights; the losses must be the reference's. */
async function berth(): Promise<number[]> {
  await init({ threads });
  const config = { num_labels: 2, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
  const model = new BertForSequenceClassification(new BertConfig(config));
  hashWeights(model, () => {});
  const optimizer = new AdamW(model.parameters(), { lr: 1e-5, weight_decay: 0 });
  const wanted = flags.reference
    ? JSON.parse(readFileSync(flags.reference, "utf8")).adamw.losses as number[]
    : [];
  const input_ids = [[101, 1045, 2293, 3598, 1012, 102], [101, 1045, 5223, 3598, 1012, 102]];
  const times: number[] = [];
  model.train();
  for (let step = 0; step < steps + WARM_UP; step++) {
    const start = performance.now();
    const { loss } = model.forward({ input_ids, labels: [1, 0] });
    model.backward();
    optimizer.step();
    optimizer.zero_grad();
    times.push(performance.now() - start);
    if (step in wanted && !(Math.abs(loss! - wanted[step]) < 1e-4 * wanted[step])) {
      throw new Error(
        `Cannot trust the times: the loss of step ${step} is ${loss}, expected ${wanted[step]}`,
      );
    }
  }
  dispose();
  return times.slice(WARM_UP);
}

const results: Record<string, number[]> = { berth: [], "PyTorch AdamW": [], "PyTorch AdamW fused": [] };
for (let round = 0; round < Number(flags.rounds); round++) {
  results.berth.push(...await berth());
  results["PyTorch AdamW"].push(...pytorch(false));
  results["PyTorch AdamW fused"].push(...pytorch(true));
}
const ours = median(results.berth);
const rows = Object.entries(results).map(([name, times]) => ({
  ...{ name, medianMs: median(times), minMs: Math.min(...times), maxMs: Math.max(...times) },
  ratioOfMedians: ours / median(times),
}));
console.log(
  `bert-base, 2 x 6 tokens, ${threads} threads, ${results.berth.length} steps each in ${flags.rounds} turns`,
);
for (const { name, medianMs, minMs, maxMs, ratioOfMedians } of rows) {
  const spread = `${minMs.toFixed(0)}-${maxMs.toFixed(0)}`;
  console.log(
    `${name.padEnd(22)} ${medianMs.toFixed(0).padStart(6)} ms (${spread})   berth / it: ${
      ratioOfMedians.toFixed(2)
    }`,
  );
}
const file = new URL("notebook_step.json", folderUrl("out/bench"));
await writeFileWhole(file, [new TextEncoder().encode(JSON.stringify({ threads, rows }, null, 2))]);
process.exit(0);
