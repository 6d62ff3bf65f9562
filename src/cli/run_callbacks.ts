/**
 * What follows a run: its log and settings in files, its progress on the terminal.
 *
 * @module
 */
import { tensorBoardCallback } from "../tensorboard/mod.ts";
import type { TrainerCallback } from "../train/mod.ts";
import { Progress } from "./progress.ts";
import { shortNumber } from "./results.ts";
import { RUN_FILE, writeRunFile } from "./run_file.ts";
import type { RunLog } from "./run_log.ts";
import type { Terminal } from "./terminal.ts";
import type { RunSettings } from "./training_flags.ts";

/** Writes the settings, as soon as the run may begin, and steps and evaluations into the log. */
export function keeper(log: RunLog, settings: RunSettings): TrainerCallback {
  let before = 0;
  return {
    on_train_begin: async ({ state }) => {
      await log.begin(state);
      await writeRunFile(new URL(RUN_FILE, log.file), settings);
      before = log.elapsedMs;
    },
    on_step_end: ({ step, state: { num_input_tokens_seen: tokens } }) =>
      log.add({ type: "step", ...step, elapsedMs: before + step.elapsedMs, tokens }),
    on_evaluate: ({ metrics, elapsedMs: durationMs, state: { global_step: step, epoch } }) =>
      log.add({ type: "evaluate", step, epoch, metrics, durationMs }),
  };
}

/** What follows a run for other programs. */
export function trackers(
  { report_to = ["tensorboard"], ...settings }: RunSettings,
  out: URL,
): TrainerCallback[] {
  return report_to.includes("tensorboard")
    ? [tensorBoardCallback(new URL("tensorboard/", out), { settings })]
    : [];
}

/** Shows how a run goes. */
export function narrator(terminal: Terminal): TrainerCallback {
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
