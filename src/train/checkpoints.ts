/**
 * A run's checkpoints: which are kept, which one is the newest whole one.
 *
 * @module
 */
import { BerthError, TrainingError } from "../errors.ts";
import { type FileChunks, folderUrl } from "../runtime/files.ts";
import { type Checkpoint, type ModelFiles, openCheckpoint, openSafetensors } from "../weights/mod.ts";
import { type CheckpointStore, FolderStore, readChecked, writeChecked } from "./checkpoint_store.ts";
import { checkHeader, type SnapshotHeader } from "./snapshot.ts";

/** Files of a checkpoint beside the model's own. */
export const STATE_FILE = "trainer_state.json", ARGS_FILE = "training_args.json";
export const OPTIMIZER_FILE = "optimizer.safetensors", MODEL_FILE = "model.safetensors";
const REQUIRED = [STATE_FILE, ARGS_FILE, OPTIMIZER_FILE, MODEL_FILE];

/**
 * Begins a new run in a store.
 *
 * @throws {TrainingError} if it has checkpoints, unless they may go.
 */
export async function prepareStore(store: CheckpointStore, overwrite: boolean): Promise<void> {
  await store.prepare();
  const steps = await store.list();
  if (steps.length > 0 && !overwrite) {
    throw new TrainingError(
      `Cannot begin a new run: there is ${
        store.nameOf(steps.at(-1)!)
      } of an earlier one; resume_from_checkpoint ` +
        "(--resume) goes on with it, overwrite_output_dir (--overwrite-output-dir) removes it",
    );
  }
  for (const step of steps) await store.remove(step);
}

/**
 * The checkpoint to go on from.
 *
 * @param from True: the newest that is whole; a number: that of a step; else a checkpoint's folder.
 * @param onSkip Gets each newer one that is damaged.
 * @returns Undefined if the newest is wanted and there is none at all.
 * @throws {TrainingError} if there are some but all are damaged, {HubError} if the one that is wanted is damaged.
 */
export async function findCheckpoint(
  store: CheckpointStore | undefined,
  from: true | number | string | URL,
  onSkip: (step: number, reason: string) => Promise<void>,
): Promise<ModelFiles | undefined> {
  if (typeof from === "string" || from instanceof URL) return await checkpointAt(folderUrl(from));
  if (!store) throw new TrainingError("Cannot go on from a checkpoint: there is no output_dir and no store");
  await store.prepare();
  if (typeof from === "number") return await readChecked(store, from, REQUIRED);
  const steps = await store.list();
  let last = "";
  for (const step of steps.toReversed()) {
    try {
      return await readChecked(store, step, REQUIRED);
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      await onSkip(step, last = error.message);
    }
  }
  if (steps.length > 0) {
    throw new TrainingError(`Cannot go on: none of ${steps.length} checkpoints is whole (${last})`);
  }
  return undefined;
}

/** A checkpoint by its folder. */
async function checkpointAt(folder: URL): Promise<ModelFiles> {
  const step = /\/checkpoint-(\d+)\/$/.exec(folder.pathname)?.[1];
  if (step === undefined) {
    throw new TrainingError(
      `Cannot go on from ${folder.pathname}: a folder named checkpoint-<step> is wanted`,
    );
  }
  return await readChecked(new FolderStore(new URL("..", folder)), Number(step), REQUIRED);
}

/**
 * Reads a checkpoint: what it says of its run, all weights, and what is in the optimizer's file.
 *
 * @throws {TrainingError} if it was written by another version.
 */
export async function withCheckpoint<T>(
  files: ModelFiles,
  read: (header: SnapshotHeader, weights: Checkpoint, moments: Checkpoint) => Promise<T>,
): Promise<T> {
  const json = async (name: string) => JSON.parse(new TextDecoder().decode((await files.read(name))!));
  const { berth, ...state } = await json(STATE_FILE);
  const header = checkHeader({ ...berth, state, args: await json(ARGS_FILE) });
  const weights = await openCheckpoint(files);
  const moments = await openSafetensors((await files.open(OPTIMIZER_FILE))!);
  try {
    return await read(header, weights, moments);
  } finally {
    weights.close();
    moments.close();
  }
}

/** Writes a checkpoint, then removes those that need not be kept. */
export async function writeCheckpoint(
  store: CheckpointStore,
  step: number,
  files: readonly FileChunks[],
  options: { limit: number | undefined; best: number | null; keepsBest: boolean },
): Promise<void> {
  await writeChecked(store, step, files);
  if (options.limit === undefined) return;
  const steps = (await store.list()).filter((other) => other <= step),
    kept = new Set(steps.slice(-options.limit));
  if (options.keepsBest) {
    if (options.best !== null) kept.add(options.best);
    for (const other of [...kept]) kept.add(await bestOf(store, other) ?? other);
  }
  for (const other of steps) if (!kept.has(other)) await store.remove(other);
}

/** The step of the best evaluation when a checkpoint was made. */
async function bestOf(store: CheckpointStore, step: number): Promise<number | null> {
  const bytes = await (await store.read(step)).read(STATE_FILE);
  try {
    return JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array(0))).best_global_step ?? null;
  } catch {
    return null; // damaged: it is skipped when it is read
  }
}
