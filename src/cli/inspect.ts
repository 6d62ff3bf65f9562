/**
 * `berth inspect`: a model's modules, parameters, and what a step takes.
 *
 * @module
 */
import { openModelFiles } from "../hub/mod.ts";
import { PaperRuntime, withRuntime } from "../runtime/mod.ts";
import { formatPlan, plan } from "../train/mod.ts";
import { openCheckpoint } from "../weights/mod.ts";
import { type Command, defineCommand, MODEL_FLAGS } from "./command.ts";
import { hubOptions, modelClass, readConfig } from "./models.ts";

export const command: Command = defineCommand({
  usage: "MODEL [--batch-size 8] [--sequence-length 128]",
  about:
    "Shows a model without loading it: its modules as PyTorch prints them, its parameters, and the memory and\n" +
    "arithmetic that a step takes.",
  words: [1, 1],
  flags: {
    revision: MODEL_FLAGS.revision,
    cache_dir: MODEL_FLAGS.cache_dir,
    local_files_only: MODEL_FLAGS.local_files_only,
    batch_size: { kind: "number", help: "sequences of the step; 8" },
    sequence_length: { kind: "number", help: "tokens of each; 128, or the model's limit" },
    threads: { kind: "number", help: "threads of the step; default: all logical cores" },
    inference: { kind: "switch", help: "plans a step without training" },
    gradient_checkpointing: { kind: "switch", help: "plans it with gradient checkpointing" },
    tensors: { kind: "switch", help: "lists the checkpoint's tensors too" },
  },
  examples: [
    ["berth inspect berth-tiny", "modules, parameters, memory"],
    ["berth inspect bert-base-uncased --batch-size 16 --sequence-length 128", "whether such a step fits"],
    ["berth inspect out/run/model --tensors --json", "everything, for a program"],
  ],
  async run({ values, positionals: [name], terminal, json }) {
    const hub = hubOptions(values, terminal),
      { ModelClass, config } = modelClass(await readConfig(name, hub));
    const { batch_size, sequence_length = Math.min(128, config.max_position_embeddings), threads } = values;
    const model = withRuntime(new PaperRuntime(threads), () => new ModelClass(config));
    const planned = plan(config, {
      ...{ model: ModelClass, batch_size, sequence_length, threads, training: !values.inference },
      gradient_checkpointing: values.gradient_checkpointing,
    });
    const parameters = Array.from(model.named_parameters(), ([key, { shape }]) => ({ name: key, shape }));
    const tensors = values.tensors ? await tensorsOf(name, hub) : undefined;
    if (json) {
      const { lengths: _, ...numbers } = planned;
      const result = { model: name, class: ModelClass.name, config, parameters, tensors, plan: numbers };
      return await terminal.out(JSON.stringify(result) + "\n");
    }
    const list = tensors?.map(({ name, dtype, shape }) => `${name}  ${dtype} [${shape.join(", ")}]`) ?? [];
    await terminal.out(
      [String(model), "", ...list, ...(list.length ? [""] : []), formatPlan(planned), ""].join("\n"),
    );
  },
});

async function tensorsOf(name: string, hub: ReturnType<typeof hubOptions>) {
  const checkpoint = await openCheckpoint(await openModelFiles(name, hub));
  try {
    return Array.from(checkpoint.tensors, ([name, { dtype, shape }]) => ({ name, dtype, shape }));
  } finally {
    checkpoint.close();
  }
}
