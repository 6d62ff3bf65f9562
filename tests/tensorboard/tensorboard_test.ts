/** Event files, against the standard's numbers and TensorBoard's own reader. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readExamples } from "../../scripts/demo/data.ts";
import { BertTokenizer } from "../../src/hub/mod.ts";
import { BertForSequenceClassification } from "../../src/model/mod.ts";
import { dispose } from "../../src/runtime/mod.ts";
import { crc32c, maskedCrc32c } from "../../src/tensorboard/crc32c.ts";
import { tensorBoardCallback, TensorBoardWriter } from "../../src/tensorboard/mod.ts";
import { type Metrics, Trainer, type TrainingStep } from "../../src/train/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { hasPython, runPython } from "../helpers/python.ts";

const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);

Deno.test("crc32c gives the numbers of RFC 3720, and masks them as TFRecord does", () => {
  deepStrictEqual(
    [new Uint8Array(32), new Uint8Array(32).fill(255), ascending, ascending.toReversed()].map(crc32c),
    [0x8a9136aa, 0x62a8ab43, 0x46dd794e, 0x113fdb5c],
  );
  strictEqual(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
  strictEqual(maskedCrc32c(new Uint8Array(0)), 0xa282ead8);
});

/** The data of a file's records, checked. */
function records(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(view.getBigUint64(at, true));
    strictEqual(view.getUint32(at + 8, true), maskedCrc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    strictEqual(view.getUint32(at + 12 + length, true), maskedCrc32c(data));
    found.push(data);
    at += 16 + length;
  }
  return found;
}

Deno.test("a file is whole records: the version, then an event each", async () => {
  await withFolder(async (folder) => {
    const writer = await TensorBoardWriter.open(folder);
    writer.add({ wallTime: 1.5, step: 3, scalars: { a: 0.25 } });
    const [head, event] = records(readFileSync(writer.file));
    ok(new TextDecoder().decode(head).endsWith("brain.Event:2"));
    deepStrictEqual([...event], [
      ...[0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f], // wall_time: 1.5
      ...[0x10, 3], // step: 3
      ...[0x2a, 10, 0x0a, 8, 0x0a, 1, 0x61, 0x15, 0, 0, 0x80, 0x3e], // summary { value { tag: "a", simple_value: 0.25 } }
    ]);
  });
});

/** Runs some steps; gives what was told. */
async function run(
  folder: URL,
  callback: ReturnType<typeof tensorBoardCallback>,
  max_steps: number,
  resume: boolean,
) {
  const steps: TrainingStep[] = [], evaluations: { step: number; metrics: Metrics }[] = [];
  const examples = readExamples("train").slice(0, 64);
  const trainer = new Trainer({
    model: await BertForSequenceClassification.from_pretrained("berth-tiny", { on_report: () => {} }),
    ...{ tokenizer: await BertTokenizer.from_pretrained("berth-tiny"), train_dataset: examples },
    ...{
      eval_dataset: examples.slice(0, 8),
      callbacks: [callback, {
        on_step_end: ({ step }) => void steps.push(step),
        on_evaluate: ({ metrics, state }) => void evaluations.push({ step: state.global_step, metrics }),
      }],
    },
    args: {
      ...{
        output_dir: fileURLToPath(folder),
        max_steps: 8,
        eval_strategy: "steps",
        eval_steps: 2,
        eval_on_start: true,
      },
      ...{ save_strategy: "steps", save_steps: 4, watch: ["classifier.bias[0]"] },
    },
  });
  const stop = new AbortController();
  if (resume) await trainer.load_checkpoint(4);
  steps.length = 0;
  if (max_steps < 8) {
    callback.on_substep_end = ({ state }) => state.global_step >= max_steps - 1 ? stop.abort() : undefined;
  }
  await trainer.train({ signal: stop.signal });
  const watch = trainer.state.watch[0].values;
  dispose();
  return { steps, evaluations, watch };
}

Deno.test({
  name:
    "TensorBoard reads a run's scalars and settings, and those of a run that went on from an earlier step",
  ignore: !hasPython("tensorboard"),
  fn: async () => {
    await withFolder(async (folder) => {
      const board = new URL("tensorboard/", folder),
        settings = { learning_rate: 5e-5, "a|b": ["x", 1], none: undefined };
      const first = await run(folder, tensorBoardCallback(board, { settings }), 6, false);
      const second = await run(folder, tensorBoardCallback(board, { settings }), 8, true);
      strictEqual(readdirSync(board).length, 2);
      const { scalars, texts, plugins } = await runPython(
        new URL("read_events.py", import.meta.url),
        board,
      ) as {
        scalars: Record<string, [number, number][]>;
        texts: Record<string, [number, string][]>;
        plugins: Record<string, string>;
      };
      const steps = [...first.steps.filter(({ step }) => step <= 4), ...second.steps];
      deepStrictEqual(steps.map(({ step }) => step), [1, 2, 3, 4, 5, 6, 7, 8]);
      const pairs = (of: (step: TrainingStep) => number) =>
        steps.map((step) => [step.step, Math.fround(of(step))]);
      deepStrictEqual(scalars["train/loss"], pairs(({ loss }) => loss));
      deepStrictEqual(scalars["train/learning_rate"], pairs(({ learning_rate }) => learning_rate));
      deepStrictEqual(scalars["train/grad_norm"], pairs(({ grad_norm }) => grad_norm!));
      deepStrictEqual(
        scalars["weights/classifier.bias[0]"],
        steps.map(({ step }) => [step, Math.fround(second.watch[step])]),
      );
      const evaluations = [...first.evaluations.filter(({ step }) => step <= 4), ...second.evaluations];
      deepStrictEqual(evaluations.map(({ step }) => step), [0, 2, 4, 6, 8]);
      deepStrictEqual(
        scalars["eval/loss"],
        evaluations.map(({ step, metrics }) => [step, Math.fround(metrics.eval_loss)]),
      );
      strictEqual(scalars["eval/accuracy"].length, 5);
      const table = '| setting | value |\n| --- | --- |\n| learning_rate | 0.00005 |\n| a\\|b | ["x",1] |';
      deepStrictEqual(texts.settings[0], [0, table]);
      strictEqual(plugins.settings, "text");
    });
  },
});
