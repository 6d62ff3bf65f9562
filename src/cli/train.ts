/**
 * `berth train`: files of examples -> a fine-tuned model, with its report, metrics, receipt and checkpoints.
 *
 * @module
 */
import type { Communicator } from "../distributed/mod.ts";
import type { TrainableModel } from "../model/mod.ts";
import { folderUrl } from "../runtime/files.ts";
import { dispose } from "../runtime/mod.ts";
import { onStopSignal } from "../runtime/platform.ts";
import { type Metrics, Trainer, type TrainOutput } from "../train/mod.ts";
import { overfittingAdvice } from "./advice.ts";
import { type Command, type CommandInput, defineCommand } from "./command.ts";
import { PeakMemory } from "./peak_memory.ts";
import { type PreparedRun, prepareRun } from "./prepared_run.ts";
import { onAllRanks, passesOfRun, scaleOf, startOnRank } from "./ranks.ts";
import { formatClasses, formatMetrics } from "./results.ts";
import { keeper, narrator, trackers } from "./run_callbacks.ts";
import { RUN_FILE } from "./run_file.ts";
import { RunLog } from "./run_log.ts";
import { writeRunReport } from "./run_report.ts";
import { CONFIG_FLAGS, type FullSettings, settingsOf } from "./run_settings.ts";
import { type Outcome, severalRuns, tellOutcomes } from "./several_runs.ts";
import { SIGNAL_CODES } from "./stop_signal.ts";
import { TASKS } from "./tasks/mod.ts";
import type { Terminal } from "./terminal.ts";

const FLAGS = {
  seeds: {
    kind: "numbers",
    help: "trains once with each seed, into seed-N/; tells mean and standard deviation",
  },
  resume: { kind: "switch", help: "goes on from the newest whole checkpoint of --out, if there is one" },
  ...CONFIG_FLAGS,
} as const;

/** What a run writes besides the model. */
const RUN_FILES = ["report.html", "figures/", "metrics.jsonl", "receipt.json", RUN_FILE];

export const command: Command = defineCommand({
  usage: "--train FILE [--model NAME] [--eval FILE] [--test FILE] [--out FOLDER]",
  about: `Fine-tunes a model. The task is told by the file, or by --task:
${Object.values(TASKS).map(({ name, about }) => `  ${name.padEnd(22)}${about}`).join("\n")}
Settings that no flag gives are chosen by the sizes of model and data, and told. Writes into --out:
model/ (for berth and transformers), report.html with figures/ and results.json, metrics.jsonl, tensorboard/,
receipt.json, run.json (the settings), checkpoint-N/. Ctrl-C writes a checkpoint and ends; --resume goes on from it,
with the same result.`,
  flags: FLAGS,
  examples: [
    [
      "berth train --train train.tsv --test test.tsv --out out/run",
      "fine-tunes berth-tiny, which berth carries",
    ],
    [
      "berth train -m bert-base-uncased --train reviews.csv --text review --label stars --eval-size 0.1",
      "a model from the hub; a tenth of the examples are put aside",
    ],
    [
      "berth train --config out/run/run.json --learning-rate 1e-4 --out out/second",
      "the same run with another rate",
    ],
    ["berth train --train train.conll --test test.conll -m bert-base-cased", "a tagger; entity F1"],
    ["berth train --train squad.json --eval-size 0.1 --lora-rank 8", "answers in texts, by LoRA"],
    [
      "berth train --train corpus.txt --task fill-mask -m out/base",
      "goes on with pre-training on plain text",
    ],
    ["berth train --train huge.csv --stream --max-steps 20000", "a file that need not fit into memory"],
    [
      "berth train --train train.tsv --folds 5 --out out/folds",
      "five models, each measured on the fifth it has not seen",
    ],
    [
      "berth train --train train.tsv --test test.tsv --seeds 1,2,3",
      "mean and standard deviation of three seeds",
    ],
    ["berth train --config out/run/run.json --resume", "goes on where the run was stopped"],
  ],
  run: (input) =>
    onAllRanks(input.terminal, async (communicator) => {
      try {
        return await train(input, communicator);
      } finally {
        dispose();
      }
    }),
});

async function train(
  { values, terminal, json }: CommandInput<typeof FLAGS>,
  communicator: Communicator,
): Promise<number> {
  const { resume = false, seeds } = values,
    given = await settingsOf(values),
    runs = severalRuns(given, seeds);
  const isGiven = values.gradient_accumulation_steps !== undefined, first = communicator.rank === 0;
  const once = (settings: FullSettings) =>
    trainOnce(settings, terminal, communicator, { resume, keepsPasses: resume && !isGiven });
  await startOnRank(given, communicator);
  if (!runs) {
    const { code, result, written } = await once(given);
    if (result && first) await tell(terminal, json, written, result);
    return code;
  }
  const done: Outcome[] = [];
  for (const { name, settings } of runs) {
    terminal.note(`\n${name}`);
    const { code, result } = await once(settings);
    if (!result) return code;
    done.push({ name, out: settings.out, metrics: result.metrics });
  }
  if (first) await tellOutcomes(given.out, done, terminal, json);
  return 0;
}

/** What came of a run; no result if a signal has ended it. */
interface TrainedRun {
  code: number;
  result?: { out: string; metrics: Metrics; classes?: Parameters<typeof formatClasses>[0] };
  written: readonly string[];
}

async function trainOnce(
  given: FullSettings,
  terminal: Terminal,
  communicator: Communicator,
  { resume, keepsPasses }: { resume: boolean; keepsPasses: boolean },
): Promise<TrainedRun> {
  const startedAt = new Date().toISOString(),
    out = folderUrl(given.out),
    run = await prepareRun(given, terminal);
  const { data, sets, settings } = run, summary = run.summary();
  terminal.note([...data.notes, summary.text].join("\n"));
  const { model, adapter } = await run.loadModel();
  terminal.note(described(run, model));
  const log = new RunLog(new URL("metrics.jsonl", out)), options = run.trainerOptions(model);
  const args = keepsPasses ? await passesOfRun(options.args!, communicator) : options.args;
  const peak = new PeakMemory(model);
  const trainer = new Trainer({
    ...{ ...options, args, communicator },
    callbacks: [keeper(log, settings), ...trackers(settings, out), peak.callback, narrator(terminal)],
  });
  if (resume) await trainer.load_checkpoint(true);
  const { stopped, signal, global_step, metrics } = await untilStopped(trainer, terminal);
  if (stopped === "signal") {
    const by = signal ?? "a signal that another rank got";
    if (communicator.rank === 0) {
      terminal.error(`berth: ended by ${by} after step ${global_step}; --resume goes on from there`);
    }
    return { code: SIGNAL_CODES[signal ?? "SIGTERM"], written: [] };
  }
  if (communicator.rank === 0) await adapter?.save_pretrained(new URL("adapter/", out));
  const isMerged = settings.merge ?? true;
  if (isMerged) await trainer.save_model(new URL("model/", out));
  const { state } = trainer;
  await trainer.dispose();
  const test = sets.test ?? sets.eval;
  const tested = test && await run.measure(model, test, sets.test ? "test" : "eval", communicator);
  if (communicator.rank === 0) {
    const scale = scaleOf(communicator, metrics);
    await writeRunReport({ run, model, log, state, tested, summary, startedAt, peak, scale, out });
    const advice = overfittingAdvice(log.evaluations, settings);
    if (advice !== "") terminal.note(advice);
  }
  model.dispose();
  const result = {
    ...{ out: settings.out, global_step, stopped, metrics: { ...metrics, ...tested?.metrics } },
    ...(tested?.results.perClass ? { classes: tested.results.perClass } : {}),
  };
  const models = [...(isMerged ? ["model/"] : []), ...(adapter ? ["adapter/"] : [])];
  return { code: 0, result, written: [...models, ...RUN_FILES] };
}

/** Trains to the end, or to the step in which a signal comes. */
async function untilStopped(
  trainer: Trainer,
  terminal: Terminal,
): Promise<TrainOutput & { signal?: string }> {
  const stop = new AbortController();
  const stopListening = onStopSignal((signal) => {
    terminal.note(`${signal}: ends after this step, with a checkpoint; once more ends at once`);
    stop.abort(signal);
  });
  try {
    return { ...await trainer.train({ signal: stop.signal }), signal: stop.signal.reason };
  } finally {
    stopListening();
  }
}

/** Writes what came of the run. */
async function tell(
  terminal: Terminal,
  json: boolean,
  written: readonly string[],
  result: NonNullable<TrainedRun["result"]>,
): Promise<void> {
  if (json) return await terminal.out(JSON.stringify(result) + "\n");
  const classes = result.classes ? `\n${formatClasses(result.classes)}` : "";
  await terminal.out(formatMetrics(result.metrics) + classes);
  terminal.note(`wrote ${result.out}: ${written.join(" ")}`);
}

/** The model, what of it is trained, what computes, and what was chosen. */
function described({ settings, runtime, choice }: PreparedRun, model: TrainableModel): string {
  const millions = (count: number) => `${(count / 1e6).toFixed(2)} M`;
  const all = model.num_parameters(), trained = model.num_parameters({ only_trainable: true });
  const share = trained < all ? `, ${trained.toLocaleString("en-US")} of them trained` : "";
  const lines = [
    `${settings.model}: ${
      millions(all)
    } parameters${share}; ${runtime.threads} threads, profile ${runtime.profile}`,
  ];
  return [...lines, choice].filter((line) => line !== "").join("\n");
}
