/**
 * `berth find-lr`: tries learning rates from low to high and draws how the loss goes.
 *
 * @module
 */
import { learningRatePlot } from "../report/mod.ts";
import { folderUrl, writeFileWhole } from "../runtime/files.ts";
import { dispose } from "../runtime/mod.ts";
import { findLearningRate } from "../train/mod.ts";
import { type Command, defineCommand } from "./command.ts";
import { prepareRun } from "./prepared_run.ts";
import { Progress } from "./progress.ts";
import { CONFIG_FLAGS, settingsOf } from "./run_settings.ts";
import { withStopSignal } from "./stop_signal.ts";

export const command: Command = defineCommand({
  usage: "--train FILE [--model NAME] [--steps 100]",
  about:
    `Tries learning rates on the training data, each step a higher one, and suggests the one at which the loss falls
fastest. Takes the flags of berth train; writes learning_rate.svg and learning_rate.json into --out; prints the rate.`,
  flags: {
    min_lr: { kind: "number", help: "the first rate; 1e-7" },
    max_lr: { kind: "number", help: "the last rate; 1" },
    steps: { kind: "number", help: "steps; 100" },
    ...CONFIG_FLAGS,
  },
  examples: [
    ["berth find-lr --train train.tsv --out out/rates", "a rate for berth-tiny, with its picture"],
    [
      "berth train --train train.tsv --learning-rate $(berth find-lr -q --train train.tsv)",
      "trains with the rate that was found",
    ],
  ],
  async run({ values, terminal, json }) {
    const { min_lr, max_lr, steps } = values;
    const settings = await settingsOf({ ...values, eval_size: values.eval_size ?? 0 });
    const out = folderUrl(values.out ?? "out/find-lr");
    try {
      const run = await prepareRun(settings, terminal), { model } = await run.loadModel();
      const progress = new Progress(terminal, "find-lr", "steps");
      const found = await withStopSignal((signal) =>
        findLearningRate(run.trainerOptions(model), {
          ...definedOf({ min_lr, max_lr, steps }),
          ...{ signal, onProgress: (done, total) => progress.update(done, total) },
        })
      );
      const write = (name: string, text: string) =>
        writeFileWhole(new URL(name, out), [new TextEncoder().encode(text)]);
      await write("learning_rate.svg", learningRatePlot(found));
      await write("learning_rate.json", JSON.stringify(found, null, 2) + "\n");
      const suggestion = Number(found.suggestion.toPrecision(3));
      await terminal.out(json ? JSON.stringify({ ...found, suggestion }) + "\n" : `${suggestion}\n`);
      terminal.note(`wrote ${values.out ?? "out/find-lr"}: learning_rate.svg learning_rate.json`);
    } finally {
      dispose();
    }
  },
});

/** What is given. */
function definedOf<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
