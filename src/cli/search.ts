/**
 * `berth search`: trains with different settings and tells which do best.
 *
 * @module
 */
import { folderUrl, writeFileWhole } from "../runtime/files.ts";
import { dispose } from "../runtime/mod.ts";
import { hyperparameterSearch, type SearchTrial, type TrainingArguments } from "../train/mod.ts";
import { type Command, defineCommand } from "./command.ts";
import { prepareRun } from "./prepared_run.ts";
import { Progress } from "./progress.ts";
import { shortNumber } from "./results.ts";
import { RUN_FILE, writeRunFile } from "./run_file.ts";
import { CONFIG_FLAGS, settingsOf } from "./run_settings.ts";
import { searchSpace } from "./search_space.ts";
import { withStopSignal } from "./stop_signal.ts";
import type { RunSettings } from "./training_flags.ts";
import { UsageError } from "./usage_error.ts";

const METHODS = ["grid", "random", "halving"] as const;

export const command: Command = defineCommand({
  usage: "--train FILE --try NAME=VALUES [--try ...] [--method random] [--trials 10]",
  about:
    `Trains with different settings, measures each on --eval or on examples that are put aside, and prints them, the
best first. VALUES are a list, 1e-5,3e-5,1e-4, or a range, 1e-5..1e-3 (even by the logarithm if it spans a factor of 10
or more). Takes the flags of berth train. Writes trials.jsonl and run.json, with the best settings, into --out.`,
  flags: {
    try: { kind: "list", value: "NAME=VALUES", help: "a setting and what is tried; may be repeated" },
    method: {
      ...{ kind: "text", value: "NAME", choices: METHODS },
      help: "grid (every combination), random, or halving (the better ones go on); random",
    },
    trials: { kind: "number", help: "how many are drawn; 10" },
    halving_factor: {
      kind: "number",
      help: "of halving: one of so many goes on, with so many times the steps; 3",
    },
    metric: { kind: "text", value: "NAME", help: "what tells the best, such as accuracy or f1; loss" },
    ...CONFIG_FLAGS,
  },
  examples: [
    [
      "berth search --train train.tsv --try learning-rate=1e-4..2e-3 --try num-train-epochs=3,5 --trials 8",
      "eight draws",
    ],
    [
      "berth search --train train.tsv --method halving --trials 9 --try learning-rate=1e-5..1e-2 --metric accuracy",
      "nine draws, of which the best three, then the best one go on",
    ],
    ["berth train --config out/search/run.json --out out/best", "trains with what was found"],
  ],
  async run({ values, terminal, json }) {
    const { method = "random", trials = 10, halving_factor, metric = "loss" } = values;
    if (!values.try) throw new UsageError("Cannot search without --try NAME=VALUES; --help shows how");
    const space = searchSpace(values.try, method), settings = await settingsOf(values);
    const name = values.out ?? "out/search", out = folderUrl(name);
    try {
      const run = await prepareRun(settings, terminal);
      if (run.choice) terminal.note(run.choice);
      if (!run.sets.eval) throw new UsageError("Cannot search without --eval FILE or --eval-size SHARE");
      const model_init = async () => (await run.loadModel()).model, first = await model_init();
      const { model: _, ...options } = run.trainerOptions(first), told: SearchTrial[] = [];
      first.dispose();
      const progress = new Progress(terminal, "search", "steps");
      const found = await withStopSignal((signal) =>
        hyperparameterSearch({
          ...{ ...options, model_init, space, method: method as "grid", n_trials: trials, metric, signal },
          ...{ halving_factor, seed: settings.seed, args: trialArguments(options.args!) },
          callbacks: [{
            on_step_end: ({ step, state }) =>
              progress.update(step.step, state.max_steps, `trial ${told.length}`),
          }],
          onTrial: (trial) => {
            terminal.note(lineOf(trial, metric));
            told.push({ ...trial });
          },
        })
      );
      const lines = found.trials.map((trial) => JSON.stringify(trial) + "\n");
      await writeFileWhole(new URL("trials.jsonl", out), [new TextEncoder().encode(lines.join(""))]);
      await writeRunFile(new URL(RUN_FILE, out), {
        ...run.settings,
        ...found.best.values as RunSettings,
      });
      const ranked = [
        found.best,
        ...found.trials.filter((trial) => trial !== found.best).sort(order(metric)),
      ];
      await terminal.out(
        json ? JSON.stringify(found) + "\n" : ranked.map((trial) => lineOf(trial, metric) + "\n").join(""),
      );
      terminal.note(`wrote ${name}: trials.jsonl ${RUN_FILE}`);
    } finally {
      dispose();
    }
  },
});

/** A trial is measured at its end only, unless it may stop early; it leaves no checkpoints. */
function trialArguments(args: TrainingArguments): TrainingArguments {
  const stopsEarly = (args.early_stopping_patience ?? 0) > 0;
  return {
    ...args,
    save_strategy: "no",
    ...(stopsEarly ? {} : { eval_strategy: "no", load_best_model_at_end: false }),
  };
}

function valueOf({ metrics }: SearchTrial, metric: string): number | undefined {
  return metrics?.[metric.startsWith("eval_") ? metric : `eval_${metric}`];
}

/** More steps first, then the better ones. */
function order(metric: string): (a: SearchTrial, b: SearchTrial) => number {
  const sign = metric.endsWith("loss") ? 1 : -1,
    cost = (trial: SearchTrial) => sign * (valueOf(trial, metric) ?? sign * Infinity);
  return (a, b) => b.steps - a.steps || cost(a) - cost(b) || a.number - b.number;
}

/** A trial as a line: its metric, steps and values. */
function lineOf(trial: SearchTrial, metric: string): string {
  const value = valueOf(trial, metric), values = Object.entries(trial.values);
  const told = value === undefined ? "diverged" : `${metric} ${shortNumber(value)}`;
  const settings = values.map(([name, one]) => `${name} ${typeof one === "number" ? shortNumber(one) : one}`);
  return [`trial ${trial.number}`, told, `${trial.steps} steps`, ...settings].join("  ");
}
