/**
 * Keeps a run: writes its checkpoints, goes on from them or from bytes, and has the best weights so far.
 *
 * @module
 */
import { type DivergenceError, TrainingError } from "../errors.ts";
import type { TrainableModel } from "../model/mod.ts";
import type { FileChunks } from "../runtime/files.ts";
import type { BertTokenizer } from "../tokenizer/mod.ts";
import type { Checkpoint, ModelFiles } from "../weights/mod.ts";
import type { FullArguments } from "./arguments.ts";
import type { CheckpointStore } from "./checkpoint_store.ts";
import {
  findCheckpoint,
  OPTIMIZER_FILE,
  prepareStore,
  withCheckpoint,
  writeCheckpoint,
} from "./checkpoints.ts";
import type { Ranks } from "./distributed/ranks.ts";
import { diverged, weightsAreFinite } from "./divergence.ts";
import type { EventBody } from "./events.ts";
import { decodeSnapshot, readBest, type SnapshotHeader, type Weights } from "./snapshot.ts";
import type { TrainingRun } from "./training_run.ts";

/** What a snapshot holds; the first rank has it. */
interface Opened {
  header: SnapshotHeader;
  weights: Checkpoint;
  moments: Checkpoint;
}

/** Gives the run, which is begun with the settings of a snapshot if there is none. */
type RunOf = (header?: SnapshotHeader) => TrainingRun;

/** Keeps a run of one model. */
export class RunKeeper {
  /** The weights of the best evaluation, if no checkpoint of the store has them. */
  #best: Weights | undefined;
  /** True once the best weights have replaced the last ones. */
  replaced = false;

  constructor(
    readonly model: TrainableModel,
    readonly args: FullArguments,
    readonly store: CheckpointStore | undefined,
    readonly tokenizer: BertTokenizer | undefined,
    readonly ranks: Ranks,
    readonly tell: (event: EventBody) => Promise<void>,
  ) {}

  /** Gets the store ready for a new run. */
  async begin(overwrite: boolean): Promise<void> {
    await this.ranks.onFirst(async () => {
      if (this.store) await prepareStore(this.store, overwrite);
    });
  }

  /** Writes a checkpoint. */
  async save(run: TrainingRun): Promise<void> {
    const { store, args, tokenizer } = this, { global_step, best_global_step } = run.state;
    if (!store) throw new TrainingError("Cannot write a checkpoint: there is no output_dir and no store");
    const texts = Object.entries(tokenizer?.to_files() ?? {}).map(([name, text]) => ({
      ...{ name, chunks: () => [new TextEncoder().encode(text)] },
    }));
    const files = [...await run.files(this.#best), ...texts];
    await this.ranks.onFirst(
      () =>
        writeCheckpoint(store, global_step, files, {
          ...{ limit: args.save_total_limit, best: best_global_step, keepsBest: args.load_best_model_at_end },
        }),
      run.isSharded ? () => drain(files.find(({ name }) => name === OPTIMIZER_FILE)!) : undefined,
    );
    await this.tell({ type: "save", step: global_step });
  }

  /** Goes on from a checkpoint, if there is one. */
  async resume(run: RunOf, from: true | number | string | URL): Promise<void> {
    const onSkip = (step: number, reason: string) => this.tell({ type: "checkpoint_skipped", step, reason });
    await this.#load(run, await this.#find(from, onSkip));
  }

  /** Finds a checkpoint, which the first rank gets; the others get that there is one. */
  async #find(
    from: true | number | string | URL,
    onSkip: (step: number, reason: string) => Promise<void> = () => Promise.resolve(),
  ): Promise<ModelFiles | boolean> {
    let files: ModelFiles | undefined;
    await this.ranks.onFirst(async () => {
      files = await findCheckpoint(this.store, from, onSkip);
    });
    const isThere = this.ranks.fromFirst(files !== undefined);
    return files ?? isThere;
  }

  async #load(run: RunOf, files: ModelFiles | boolean): Promise<void> {
    if (files === false) return;
    if (files === true) return await this.#takeUp(run, "");
    await withCheckpoint(
      files,
      (header, weights, moments) => this.#takeUp(run, "", { header, weights, moments }),
    );
  }

  /** Goes on from a snapshot. */
  async #takeUp(run: RunOf, prefix: string, opened?: Opened): Promise<void> {
    const header = this.ranks.fromFirst(opened?.header)!;
    this.replaced = false;
    await run(header).load(header, opened?.weights, prefix, opened?.moments);
    this.#best = await readBest(this.model, opened?.moments, this.ranks);
  }

  /** The run in one array. */
  async bytes(run: TrainingRun): Promise<Uint8Array<ArrayBuffer>> {
    const { best_global_step: best, global_step } = run.state;
    const elsewhere = this.args.load_best_model_at_end && best !== null && best !== global_step;
    return await run.bytes(this.#best ?? (elsewhere ? await this.#stored(best) : undefined));
  }

  /** Goes on from such an array. */
  async restore(run: RunOf, bytes: Uint8Array): Promise<void> {
    let opened: Opened | undefined;
    await this.ranks.onFirst(async () => {
      const { header, tensors } = await decodeSnapshot(bytes);
      opened = { header, weights: tensors, moments: tensors };
    });
    await this.#takeUp(run, "model.", opened);
  }

  /** Keeps the weights of the best evaluation so far. True if a checkpoint must be written for that. */
  keepBest(run: TrainingRun): boolean {
    if (!this.args.load_best_model_at_end) return false;
    this.#best = this.store ? undefined : run.weights();
    return this.store !== undefined;
  }

  /** Sets the weights of the best evaluation. */
  async loadBest(run: TrainingRun): Promise<void> {
    const { best_global_step: best } = run.state;
    if (!this.args.load_best_model_at_end || best === null) return;
    for (const [name, values] of this.#best ?? await this.#stored(best)) {
      const parameter = this.model.get_parameter(name);
      parameter.values().set(values);
      parameter.markWritten();
    }
    this.replaced = true;
  }

  /** A checkpoint's trained weights. */
  async #stored(step: number): Promise<Weights> {
    const files = await this.#find(step),
      read = (weights?: Checkpoint) => readBest(this.model, weights, this.ranks, "");
    return (typeof files === "boolean"
      ? await read()
      : await withCheckpoint(files, (_, weights) => read(weights)))!;
  }

  /** After weights that are not finite goes back to the newest whole checkpoint; the error says so. */
  async recover(run: TrainingRun, error: DivergenceError): Promise<DivergenceError> {
    if (weightsAreFinite(this.model)) return error;
    const files = this.store ? await this.#find(true) : false;
    await this.#load(() => run, files);
    const place = typeof files === "boolean" ? "the last checkpoint" : files.name;
    return diverged(error, files ? `went back to ${place}` : "there is no checkpoint to go back to");
  }
}

/** Goes through a file as its writer does: another rank is writing it, with the help of this one. */
async function drain({ chunks }: FileChunks): Promise<void> {
  for await (const _ of chunks());
}
