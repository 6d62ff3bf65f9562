/**
 * `berth train`: files of examples -> a fine-tuned model, with its report, metrics, receipt and checkpoints.
 *
 * @module
 */
import { compute_class_weight, dataReport, formatDataReport } from "../data/mod.ts";
import { BertTokenizer } from "../hub/mod.ts";
import { AutoModelForSequenceClassification, type SequenceClassifier } from "../model/mod.ts";
import { folderUrl, writeFileWhole } from "../runtime/files.ts";
import { dispose } from "../runtime/mod.ts";
import { onStopSignal } from "../runtime/platform.ts";
import { fullArguments } from "../train/arguments.ts";
import {
  type Metrics,
  Trainer,
  type TrainerCallback,
  type TrainingArguments,
  type TrainOutput,
} from "../train/mod.ts";
import { type Command, type CommandInput, defineCommand } from "./command.ts";
import { hubOptions, readConfig, required, startRuntime } from "./models.ts";
import { Progress } from "./progress.ts";
import { formatClasses, formatMetrics, metricsOf, shortNumber, testResults } from "./results.ts";
import { type KnownLabels, numbersOf } from "./known_labels.ts";
import { readRunData, type RunData } from "./run_data.ts";
import { readRunFile, RUN_FILE, writeRunFile } from "./run_file.ts";
import { RunLog } from "./run_log.ts";
import { runReport } from "./run_report.ts";
import type { Terminal } from "./terminal.ts";
import { ARGUMENT_FLAGS, RUN_FLAGS, type RunSettings } from "./training_flags.ts";
import { UsageError } from "./usage_error.ts";

const FLAGS = {
  config: {
    kind: "text",
    value: "FILE",
    help: "a file with such settings (berth schema); flags go before it",
  },
  resume: { kind: "switch", help: "goes on from the newest whole checkpoint of --out, if there is one" },
  ...RUN_FLAGS,
} as const;

/** Settings with what a run must have. */
type FullSettings = RunSettings & { model: string; train: string; out: string };

/** Exit codes of a run that a signal ended. */
const SIGNAL_CODES: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

export const command: Command = defineCommand({
  usage: "--train FILE [--model NAME] [--eval FILE] [--test FILE] [--out FOLDER]",
  about:
    `Fine-tunes a classifier: one label, several labels, or numbers, as the label column says. Writes into --out:
model/ (for berth and transformers), report.html, metrics.jsonl, receipt.json, run.json (the settings),
checkpoint-N/. Ctrl-C writes a checkpoint and ends; --resume goes on from it, with the same result.`,
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
    ["berth train --config out/run/run.json --resume", "goes on where the run was stopped"],
  ],
  run: async (input) => {
    try {
      return await train(input);
    } finally {
      dispose();
    }
  },
});

async function train({ values, terminal, json }: CommandInput<typeof FLAGS>): Promise<number> {
  const { config, resume = false, ...flags } = values, startedAt = new Date().toISOString();
  const settings = completed({ ...(config === undefined ? {} : await readRunFile(config)), ...flags });
  const out = folderUrl(settings.out), hub = hubOptions(settings, terminal);
  checkArguments(argumentsOf(settings, false));
  const labels = savedLabels(await readConfig(settings.model, hub));
  const data = await readRunData(settings, terminal, (found) => agreed(found, settings.label_names, labels));
  const tokenizer = await BertTokenizer.from_pretrained(settings.model, hub);
  const { max_length } = settings, names = data.known.labels;
  const test = data.test ?? data.eval;
  const report = dataReport(data.train, { test, tokenizer, max_length, labels: names });
  terminal.note(formatDataReport(report, data.notes));
  const runtime = await startRuntime(settings);
  const model = await loadModel(settings, data.known, terminal);
  terminal.note(
    `${settings.model}: ${(model.num_parameters() / 1e6).toFixed(2)} M parameters; ` +
      `${runtime.threads} threads, profile ${runtime.profile}`,
  );
  const log = new RunLog(new URL("metrics.jsonl", out));
  const trainer = new Trainer({
    ...{ model, tokenizer, train_dataset: data.train, eval_dataset: data.eval },
    args: { ...argumentsOf(settings, data.eval !== undefined), ...classWeights(settings, data) },
    compute_metrics: metricsOf(data.known.problem_type),
    callbacks: [keeper(log, settings), narrator(terminal)],
  });
  if (resume) await trainer.load_checkpoint(true);
  const { stopped, signal, global_step, metrics } = await untilStopped(trainer, terminal);
  if (stopped === "signal") {
    terminal.error(`berth: ended by ${signal} after step ${global_step}; --resume goes on from there`);
    return SIGNAL_CODES[signal];
  }
  await trainer.save_model(new URL("model/", out));
  const tested = test && await trainer.predict(test, { metric_key_prefix: data.test ? "test" : "eval" });
  const results = tested && testResults(tested, test!, data.known.problem_type, names);
  const html = runReport({ settings, data, model, log, state: trainer.state, results, startedAt });
  await writeFileWhole(new URL("report.html", out), [new TextEncoder().encode(html)]);
  await tell(terminal, json, {
    ...{ out: settings.out, global_step, stopped, metrics: { ...metrics, ...tested?.metrics } },
    ...(results?.perClass ? { classes: results.perClass } : {}),
  });
  await trainer.dispose();
  return 0;
}

/** Trains to the end, or to the step in which a signal comes. */
async function untilStopped(trainer: Trainer, terminal: Terminal): Promise<TrainOutput & { signal: string }> {
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
  result: { out: string; metrics: Metrics; classes?: Parameters<typeof formatClasses>[0] },
): Promise<void> {
  if (json) return await terminal.out(JSON.stringify(result) + "\n");
  const classes = result.classes ? `\n${formatClasses(result.classes)}` : "";
  await terminal.out(formatMetrics(result.metrics) + classes);
  terminal.note(`wrote ${result.out}: model/ report.html metrics.jsonl receipt.json ${RUN_FILE}`);
}

function completed(settings: RunSettings): FullSettings {
  const train = required(settings.train, "--train FILE, the training examples");
  if (settings.eval !== undefined && settings.eval_size !== undefined) {
    throw new UsageError("Cannot use --eval and --eval-size together: one of them is wanted");
  }
  return { ...settings, train, model: settings.model ?? "berth-tiny", out: settings.out ?? "out/run" };
}

/** The Trainer's arguments. @param evaluates Whether there is something to evaluate on. */
function argumentsOf(settings: FullSettings, evaluates: boolean): TrainingArguments {
  const given = Object.keys(ARGUMENT_FLAGS).map((name) => [name, settings[name as keyof RunSettings]]);
  const args = Object.fromEntries(given.filter(([, value]) => value !== undefined)) as TrainingArguments;
  return {
    ...(evaluates ? { eval_strategy: "epoch" } : {}),
    ...(args.save_steps === undefined ? { save_strategy: "epoch" } : {}),
    ...{ save_total_limit: 2, ...args, output_dir: settings.out },
  };
}

/** Refuses wrong arguments before anything is loaded. */
function checkArguments(args: TrainingArguments): void {
  try {
    fullArguments({ ...args, eval_strategy: args.eval_strategy ?? "epoch" }, true);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

function classWeights(
  { balanced, class_weights }: FullSettings,
  { train, known }: RunData,
): TrainingArguments {
  if (!balanced) return {};
  if (class_weights) {
    throw new UsageError("Cannot use --balanced and --class-weights together: one of them is wanted");
  }
  return {
    class_weights: compute_class_weight(train.map(({ label }) => label as number), known.labels.length),
  };
}

/** The labels that a classifier's checkpoint has. */
function savedLabels({ architectures, id2label }: Record<string, unknown>): readonly string[] | undefined {
  const isClassifier = /ForSequenceClassification$/.test(String([architectures ?? []].flat()[0] ?? ""));
  return isClassifier && id2label ? Object.values(id2label) : undefined;
}

/** The classes by the names that the user gives, else as the checkpoint has them, if it knows all of the file's. */
function agreed(
  found: KnownLabels,
  given: readonly string[] | undefined,
  saved: readonly string[] | undefined,
): KnownLabels {
  if (found.problem_type === "regression") return found;
  const labels = given ?? (saved && numbersOf(found.labels, saved) ? saved : found.labels);
  return { ...found, labels };
}

async function loadModel(
  settings: FullSettings,
  { problem_type, labels }: KnownLabels,
  terminal: Terminal,
): Promise<SequenceClassifier> {
  const names = problem_type === "regression" ? ["LABEL_0"] : labels;
  return await AutoModelForSequenceClassification.from_pretrained(settings.model, {
    ...hubOptions(settings, terminal),
    id2label: Object.fromEntries(names.map((label, id) => [String(id), label])),
    label2id: Object.fromEntries(names.map((label, id) => [label, id])),
    ...{ num_labels: names.length, problem_type, ignore_mismatched_sizes: true, seed: settings.seed ?? 42 },
    on_report: ({ newlyInitialized, mismatched }) => {
      const drawn = [...newlyInitialized, ...mismatched];
      if (drawn.length > 0) terminal.note(`new weights: ${drawn.join(", ")}`);
    },
  });
}

/** Writes the settings, as soon as the run may begin, and steps and evaluations into the log. */
function keeper(log: RunLog, settings: FullSettings): TrainerCallback {
  let before = 0;
  return {
    on_train_begin: async ({ state }) => {
      await log.begin(state);
      await writeRunFile(new URL(RUN_FILE, log.file), settings);
      before = log.elapsedMs;
    },
    on_step_end: ({ step, state: { num_input_tokens_seen: tokens } }) =>
      log.add({ type: "step", ...step, elapsedMs: before + step.elapsedMs, tokens }),
    on_evaluate: ({ metrics, state: { global_step: step, epoch } }) =>
      log.add({ type: "evaluate", step, epoch, metrics }),
  };
}

/** Shows how a run goes. */
function narrator(terminal: Terminal): TrainerCallback {
  let progress: Progress, tokens = 0, evaluating: Progress | undefined;
  return {
    on_train_begin: ({ state }) => {
      if (state.global_step > 0) terminal.note(`going on from step ${state.global_step}`);
      progress = new Progress(terminal, "train", "steps");
      tokens = state.num_input_tokens_seen;
    },
    on_step_end: ({ step: { step, loss, elapsedMs }, state }) => {
      const rate = Math.round((state.num_input_tokens_seen - tokens) / elapsedMs * 1000);
      progress.update(
        step,
        state.max_steps,
        `loss ${loss.toFixed(4)}  ${rate.toLocaleString("en-US")} tokens/s`,
      );
    },
    on_prediction_step: ({ done, total }) => {
      evaluating ??= new Progress(terminal, "evaluate", "examples");
      if (terminal.isTerminal && done !== total) evaluating.update(done, total);
      if (done === total) evaluating = undefined;
    },
    on_evaluate: ({ metrics, state }) => {
      const facts = Object.entries(metrics).map(([name, value]) => `${name} ${shortNumber(value)}`);
      terminal.note(`step ${state.global_step}: ${facts.join(", ")}`);
    },
    on_save: ({ step }) => terminal.note(`checkpoint of step ${step} written`),
    on_checkpoint_skipped: ({ step, reason }) =>
      terminal.note(`checkpoint of step ${step} skipped: ${reason}`),
  };
}
