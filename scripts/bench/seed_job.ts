/**
 * The notebook's job at the full bert-base-uncased shape, from hash weights: 100 steps in both variants, compared with
 * PyTorch's losses, and the time of a step.
 *
 *     deno run -A scripts/bench/seed_job.ts ../shared/reference/seed_job.json [--threads 2] [--steps 100]
 */
import { parseArgs } from "node:util";
import { readFileSync } from "node:fs";
import process from "node:process";
import { AdamW, BertConfig, BertForSequenceClassification, dispose, init } from "../../mod.ts";
import { hashWeights } from "../notebook/hashed_weights.ts";

interface Run {
  losses: number[];
  watch: number[];
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string" },
    steps: { type: "string", default: "100" },
    profile: { type: "string" },
  },
});
const golden = JSON.parse(readFileSync(positionals[0], "utf8")) as Record<"notebook" | "adamw", Run> & {
  input_ids: number[][];
  labels: number[];
  lr: number;
};
const runtime = await init({
  threads: flags.threads ? Number(flags.threads) : undefined,
  profile: flags.profile as "simd" | undefined,
});
console.log(`profile ${runtime.profile}, ${runtime.threads} threads`);
let failed = false;
for (const kind of ["notebook", "adamw"] as const) {
  const config = new BertConfig({ num_labels: 2, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 });
  const model = new BertForSequenceClassification(config);
  hashWeights(model, () => {});
  const optimizer = kind === "notebook"
    ? new AdamW(model.parameters(), { lr: golden.lr, variant: "transformers" })
    : new AdamW(model.parameters(), { lr: golden.lr, weight_decay: 0 });
  const watched = model.get_parameter("bert.encoder.layer.11.output.dense.weight");
  const times: number[] = [];
  let lossError = 0, watchError = 0;
  model.train();
  for (let step = 0; step < Number(flags.steps); step++) {
    const start = performance.now();
    const { loss } = model.forward({ input_ids: golden.input_ids, labels: golden.labels });
    model.backward();
    optimizer.step();
    if (kind === "adamw") optimizer.zero_grad();
    times.push(performance.now() - start);
    lossError = Math.max(lossError, Math.abs(loss! - golden[kind].losses[step]) / golden[kind].losses[step]);
    watchError = Math.max(watchError, Math.abs(watched.item(0, 0) - golden[kind].watch[step + 1]));
  }
  times.sort((a, b) => a - b);
  console.log(
    `${kind}: largest relative loss error ${lossError.toExponential(2)}, watched weight ${
      watchError.toExponential(2)
    }, ` +
      `median step ${times[times.length >> 1].toFixed(0)} ms, fastest ${times[0].toFixed(0)} ms, ` +
      `resident ${(process.memoryUsage().rss / 2 ** 30).toFixed(2)} GiB`,
  );
  failed ||= !(lossError < 1e-4 && watchError < 1e-7);
  optimizer.dispose();
  model.dispose();
}
dispose();
if (failed) process.exit(1);
