/**
 * Keeps a run: writes its checkpoints, goes on from them or from bytes, and has the best weights so far.
 *
 * @module
 */
import { type DivergenceError, TrainingError } from "../errors.ts";
import type { TrainableModel } from "../model/mod.ts";
import type { BertTokenizer } from "../tokenizer/mod.ts";
import type { ModelFiles } from "../weights/mod.ts";
import type { FullArguments } from "./arguments.ts";
import type { CheckpointStore } from "./checkpoint_store.ts";
import { findCheckpoint, prepareStore, withCheckpoint, writeCheckpoint } from "./checkpoints.ts";
import { diverged, weightsAreFinite } from "./divergence.ts";
import type { EventBody } from "./events.ts";
import { decodeSnapshot, readBest, type Weights } from "./snapshot.ts";
import type { TrainingRun } from "./training_run.ts";

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
    readonly tell: (event: EventBody) => Promise<void>,
  ) {}

  /** Gets the store ready for a new run. */
  async begin(overwrite: boolean): Promise<void> {
    if (this.store) await prepareStore(this.store, overwrite);
  }

  /** Writes a checkpoint. */
  async save(run: TrainingRun): Promise<void> {
    const { store, args, tokenizer } = this, { global_step, best_global_step } = run.state;
    if (!store) throw new TrainingError("Cannot write a checkpoint: there is no output_dir and no store");
    const texts = Object.entries(tokenizer?.to_files() ?? {}).map(([name, text]) => ({
      ...{ name, chunks: () => [new TextEncoder().encode(text)] },
    }));
    await writeCheckpoint(store, global_step, [...await run.files(this.#best), ...texts], {
      ...{ limit: args.save_total_limit, best: best_global_step, keepsBest: args.load_best_model_at_end },
    });
    await this.tell({ type: "save", step: global_step });
  }

  /** Goes on from a checkpoint, if there is one. */
  async resume(run: () => TrainingRun, from: true | number | string | URL): Promise<void> {
    const onSkip = (step: number, reason: string) => this.tell({ type: "checkpoint_skipped", step, reason });
    const files = await findCheckpoint(this.store, from, onSkip);
    if (files) await this.#load(run, files);
  }

  async #load(run: () => TrainingRun, files: ModelFiles): Promise<void> {
    await withCheckpoint(files, async (header, weights, moments) => {
      this.replaced = false;
      await run().load(header, weights, "", moments);
      this.#best = await readBest(this.model, moments);
    });
  }

  /** The run in one array. */
  async bytes(run: TrainingRun): Promise<Uint8Array<ArrayBuffer>> {
    const { best_global_step: best, global_step } = run.state;
    const elsewhere = this.args.load_best_model_at_end && best !== null && best !== global_step;
    return await run.bytes(this.#best ?? (elsewhere ? await this.#stored(best) : undefined));
  }

  /** Goes on from such an array. */
  async restore(run: () => TrainingRun, bytes: Uint8Array): Promise<void> {
    const { header, tensors } = await decodeSnapshot(bytes);
    this.replaced = false;
    await run().load(header, tensors, "model.", tensors);
    this.#best = await readBest(this.model, tensors);
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
    const files = await findCheckpoint(this.store, step, () => Promise.resolve());
    return (await withCheckpoint(files!, (_, weights) => readBest(this.model, weights, "")))!;
  }

  /** After weights that are not finite goes back to the newest whole checkpoint; the error says so. */
  async recover(run: TrainingRun, error: DivergenceError): Promise<DivergenceError> {
    if (weightsAreFinite(this.model)) return error;
    const files = this.store && await findCheckpoint(this.store, true, () => Promise.resolve());
    if (files) await this.#load(() => run, files);
    return diverged(error, files ? `went back to ${files.name}` : "there is no checkpoint to go back to");
  }
}
