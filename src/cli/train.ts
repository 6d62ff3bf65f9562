/**
 * `berth train`: files of examples -> a fine-tuned model, with its report, metrics, receipt and checkpoints.
 *
 * @module
 */
import type { TrainableModel } from "../model/mod.ts";
import { folderUrl, writeFileWhole } from "../runtime/files.ts";
import { dispose } from "../runtime/mod.ts";
import { onStopSignal } from "../runtime/platform.ts";
import { type Metrics, Trainer, type TrainOutput } from "../train/mod.ts";
import { type Command, type CommandInput, defineCommand } from "./command.ts";
import { type PreparedRun, prepareRun } from "./prepared_run.ts";
import { formatClasses, formatMetrics } from "./results.ts";
import { keeper, narrator } from "./run_callbacks.ts";
import { RUN_FILE } from "./run_file.ts";
import { RunLog } from "./run_log.ts";
import { runReport } from "./run_report.ts";
import { CONFIG_FLAGS, settingsOf } from "./run_settings.ts";
import { SIGNAL_CODES } from "./stop_signal.ts";
import type { Terminal } from "./terminal.ts";

const FLAGS = {
  resume: { kind: "switch", help: "goes on from the newest whole checkpoint of --out, if there is one" },
  ...CONFIG_FLAGS,
} as const;

/** What a run writes besides the model. */
const RUN_FILES = ["report.html", "metrics.jsonl", "receipt.json", RUN_FILE];

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
  const { resume = false } = values, startedAt = new Date().toISOString(), given = await settingsOf(values);
  const out = folderUrl(given.out), run = await prepareRun(given, terminal);
  const { data, sets, settings } = run, summary = run.summary();
  terminal.note([...data.notes, summary.text].join("\n"));
  const { model, adapter } = await run.loadModel();
  terminal.note(described(run, model));
  const log = new RunLog(new URL("metrics.jsonl", out));
  const trainer = new Trainer({
    ...run.trainerOptions(model),
    callbacks: [keeper(log, settings), narrator(terminal)],
  });
  if (resume) await trainer.load_checkpoint(true);
  const { stopped, signal, global_step, metrics } = await untilStopped(trainer, terminal);
  if (stopped === "signal") {
    terminal.error(`berth: ended by ${signal} after step ${global_step}; --resume goes on from there`);
    return SIGNAL_CODES[signal];
  }
  await adapter?.save_pretrained(new URL("adapter/", out));
  const isMerged = settings.merge ?? true;
  if (isMerged) await trainer.save_model(new URL("model/", out));
  const test = sets.test ?? sets.eval;
  const tested = test && await run.measure(model, test, sets.test ? "test" : "eval");
  const results = tested?.results;
  const html = runReport({ settings, data, model, log, state: trainer.state, results, summary, startedAt });
  await writeFileWhole(new URL("report.html", out), [new TextEncoder().encode(html)]);
  const written = [...(isMerged ? ["model/"] : []), ...(adapter ? ["adapter/"] : []), ...RUN_FILES];
  await tell(terminal, json, written, {
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
  written: readonly string[],
  result: { out: string; metrics: Metrics; classes?: Parameters<typeof formatClasses>[0] },
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
