/**
 * Writes a run's numbers for TensorBoard, as they come.
 *
 * @module
 */
import { appendToFile, folderUrl, listFolder, writeFileWhole } from "../runtime/files.ts";
import { processIdentity } from "../runtime/platform.ts";
import type { TrainerCallback, TrainingEvent } from "../train/mod.ts";
import { eventRecord, headRecord, restartRecord, type TensorBoardEvent } from "./events.ts";

/**
 * An event file in a folder, which TensorBoard follows while it is written.
 *
 * @example
 * ```ts
 * import { TensorBoardWriter } from "@berth/berth";
 *
 * const folder = await Deno.makeTempDir();
 * const writer = await TensorBoardWriter.open(folder);
 * for (let step = 1; step <= 10; step++) writer.add({ step, scalars: { "train/loss": 1 / step } });
 * // tensorboard --logdir FOLDER
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class TensorBoardWriter {
  private constructor(
    /** The file. */
    readonly file: URL,
  ) {}

  /**
   * Begins a file of its own beside those that are in the folder.
   *
   * @param folder Of one run.
   * @param options `step`: where a run goes on; TensorBoard drops what older files say of later steps.
   * @throws {HubError} if it cannot be written.
   */
  static async open(folder: string | URL, options: { step?: number } = {}): Promise<TensorBoardWriter> {
    const base = folderUrl(folder), { step = 0 } = options, wallTime = Date.now() / 1000;
    const before = (await listFolder(base)).filter((name) => name.includes("tfevents")).length;
    const { pid, host } = processIdentity(), own = host.replace(/[^\w-]/g, "_") || "host";
    const name = `events.out.tfevents.${Math.floor(wallTime)}.${own}.${pid}.${before}`;
    const file = new URL(name, base);
    await writeFileWhole(file, [
      headRecord(wallTime),
      ...(step > 0 ? [restartRecord(wallTime, step + 1)] : []),
    ]);
    return new TensorBoardWriter(file);
  }

  /**
   * Adds an event. Numbers are stored as 32-bit floats.
   *
   * @param event The time is now, unless given.
   * @throws {HubError} if it cannot be written.
   */
  add(event: Omit<TensorBoardEvent, "wallTime"> & { wallTime?: number }): void {
    appendToFile(this.file, eventRecord({ wallTime: Date.now() / 1000, ...event }));
  }
}

/** Options of {@linkcode tensorBoardCallback}. */
export interface TensorBoardOptions {
  /** Settings of the run, shown as a table under "Text". */
  settings?: Readonly<Record<string, unknown>>;
}

/**
 * Writes losses, learning rates, gradient norms, followed weights and metrics of evaluations, with the tags that
 * transformers' callback gives them: `train/loss`, `train/learning_rate`, `train/grad_norm`, `train/epoch`, `eval/loss`,
 * `eval/accuracy`. A run that goes on from a checkpoint gets a file of its own in the same folder.
 *
 * @param folder Where the event files go.
 * @returns For a Trainer's `callbacks`.
 *
 * @example
 * ```ts
 * import { tensorBoardCallback, type TrainerOptions } from "@berth/berth";
 *
 * const options: Pick<TrainerOptions, "callbacks"> = { callbacks: [tensorBoardCallback("out/run/tensorboard")] };
 * console.log(options.callbacks?.length); // 1
 * ```
 */
export function tensorBoardCallback(folder: string | URL, options: TensorBoardOptions = {}): TrainerCallback {
  let writer: TensorBoardWriter | undefined;
  const open = async ({ state: { global_step } }: TrainingEvent) => {
    writer = await TensorBoardWriter.open(folder, { step: global_step });
    const { settings } = options;
    if (settings) writer.add({ step: global_step, texts: { settings: table(settings) } });
    return writer;
  };
  return {
    on_train_begin: async (event) => void await open(event),
    on_step_end: ({ step: { step, elapsedMs: _, ...values }, state }) => {
      const watched = state.watch.map(({ name, values }) => [`weights/${name}`, values.at(-1)!]);
      const scalars = { ...tagged("train", values), ...Object.fromEntries(watched) };
      writer?.add({ step, scalars });
    },
    on_evaluate: async (event) => {
      const { metrics, state: { global_step: step } } = event;
      (writer ?? await open(event)).add({ step, scalars: tagged("eval", metrics) });
    },
  };
}

/** Numbers by tag; those named `eval_...` and `test_...` stand under that. */
function tagged(group: string, values: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const known = Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return Object.fromEntries(known.map(([name, value]) => {
    const [, prefix, rest] = /^(eval|test)_(.+)$/.exec(name) ?? [undefined, group, name];
    return [`${prefix}/${rest}`, value];
  }));
}

/** Settings as a table in Markdown. */
function table(settings: Readonly<Record<string, unknown>>): string {
  const text = (value: unknown) => typeof value === "object" ? JSON.stringify(value) : String(value);
  const cell = (value: unknown) => text(value).replace(/[\\|]/g, "\\$&").replace(/\s+/g, " ");
  const rows = Object.entries(settings).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `| ${cell(name)} | ${cell(value)} |`);
  return ["| setting | value |", "| --- | --- |", ...rows].join("\n");
}
