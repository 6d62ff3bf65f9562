/**
 * `berth verify`: proves a run by making some of its steps again.
 *
 * @module
 */
import { TrainingError } from "../errors.ts";
import { BertTokenizer } from "../hub/mod.ts";
import { folderUrl } from "../runtime/files.ts";
import { dispose } from "../runtime/mod.ts";
import { BertConfig } from "../model/mod.ts";
import { FolderStore, verifyRun } from "../train/mod.ts";
import { adapt, groupsOf } from "./adaptation.ts";
import { type Command, defineCommand, RUNTIME_FLAGS } from "./command.ts";
import { readConfig, required, startRuntime } from "./models.ts";
import { contextOf } from "./prepared_run.ts";
import { Progress } from "./progress.ts";
import { readTrainingPart } from "./run_data.ts";
import { readRunFile, RUN_FILE } from "./run_file.ts";
import { repeatable } from "./tasks/files.ts";
import { requiredTask } from "./tasks/mod.ts";

export const command: Command = defineCommand({
  usage: "FOLDER [--steps 10] [--from STEP]",
  about:
    `Makes some steps of a run again, from one of its checkpoints, and compares every loss, gradient norm and
weight with what the run left, to the last bit. Exit code 0 if all are the same, 1 if not. The training file must still
be where run.json says.`,
  words: [1, 1],
  flags: {
    steps: { kind: "number", help: "steps to make again; 10" },
    from: { kind: "number", value: "STEP", help: "the checkpoint to begin from; default: the last but one" },
    train: { kind: "text", value: "FILE", help: "the training examples, if they are elsewhere now" },
    threads: RUNTIME_FLAGS.threads,
  },
  examples: [["berth verify out/run", "the last steps again"], [
    "berth verify out/run --from 100 --steps 50",
    "others",
  ]],
  async run({ values, positionals: [folder], terminal, json: asJson }) {
    const base = folderUrl(folder), settings = await readRunFile(new URL(RUN_FILE, base));
    const train = required(values.train ?? settings.train, "--train FILE, the training examples");
    try {
      const model = await newestCheckpoint(base), json = await readConfig(model, {});
      const task = requiredTask("verify", folder, json.architectures, settings.task);
      const config = new BertConfig(json), labels = task.labelsOf(config);
      const file = settings.stream ? train : await repeatable(train);
      const data = await readTrainingPart(task, file, settings, terminal, labels);
      const tokenizer = await BertTokenizer.from_pretrained(model);
      const context = contextOf(settings, tokenizer, config, data.known);
      const { steps, from, threads } = values, progress = new Progress(terminal, "verify", "steps");
      if (threads !== undefined) await startRuntime({ threads, profile: settings.profile });
      const found = await verifyRun(folder, {
        ...{ train_dataset: data.stream ?? task.rows(data.train, context, false), tokenizer, steps, from },
        ...{ data_collator: task.collator?.(context), ...groupsOf(settings) },
        adapt: (model) => void adapt(model, settings, task),
        onProgress: (done, total) => progress.update(done, total),
      });
      const { ok, difference, compared } = found, last = found.from + found.steps;
      await terminal.out(
        asJson
          ? JSON.stringify(found) + "\n"
          : ok
          ? `the same bits: steps ${found.from + 1} to ${last}, ${compared.join(", ")}\n`
          : `different: ${difference}\n`,
      );
      return ok ? 0 : 1;
    } finally {
      dispose();
    }
  },
});

/** The folder of a run's newest checkpoint: it has the configuration and the tokenizer of the model that is trained. */
async function newestCheckpoint(run: URL): Promise<string> {
  const step = (await new FolderStore(run).list()).at(-1);
  if (step !== undefined) return new URL(`checkpoint-${step}/`, run).href;
  throw new TrainingError(`Cannot verify ${run.pathname}: it has no checkpoint`);
}
