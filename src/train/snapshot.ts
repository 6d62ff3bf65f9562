/**
 * A run as bytes and back: state, settings, trained weights and moments. One safetensors file, whose metadata has the
 * SHA-256 of the whole file with that hash's digits as zeros.
 *
 * @module
 */
import { TrainingError } from "../errors.ts";
import { createHasher } from "../hub/hash.ts";
import type { Parameter, PreTrainedModel } from "../model/mod.ts";
import {
  type Checkpoint,
  encodeSafetensors,
  openSafetensors,
  sourceFromBytes,
  type TensorToWrite,
} from "../weights/mod.ts";
import type { AdamW } from "./adamw.ts";
import type { FullArguments } from "./arguments.ts";
import type { Ranks } from "./distributed/ranks.ts";
import type { TrainerState } from "./training_state.ts";

/** What a snapshot says of its run. */
export interface SnapshotHeader {
  /** Of this layout: 1. */
  version: 1;
  state: TrainerState;
  args: FullArguments;
  /** The steps that AdamW has made with each parameter, by name. */
  optimizer_steps: Record<string, number>;
  /** SHA-256 of the weights that are not trained. */
  frozen: string;
  /** SHA-256 of the training examples; null for a stream. */
  data: string | null;
}

/** Weights by name. */
export type Weights = ReadonlyMap<string, Float32Array>;

/** The parameters that are trained, by name. */
export function trainedParameters(model: PreTrainedModel): Map<string, Parameter> {
  return new Map([...model.named_parameters()].filter(([, parameter]) => parameter.requires_grad));
}

/** The trained weights, as tensors. */
export function weightTensors(model: PreTrainedModel): TensorToWrite[] {
  return Array.from(trainedParameters(model), ([name, parameter]) => ({
    ...{ name: `model.${name}`, dtype: "F32" as const, shape: parameter.shape },
    data: () => parameter.values(),
  }));
}

/** The best weights so far, as tensors. */
export function bestTensors(model: PreTrainedModel, best: Weights): TensorToWrite[] {
  return Array.from(best, ([name, data]) => ({
    ...{ name: `best.${name}`, dtype: "F32" as const, shape: model.get_parameter(name).shape, data },
  }));
}

/** The steps that AdamW has made with each parameter, by name. */
export function optimizerSteps(model: PreTrainedModel, optimizer: AdamW): Record<string, number> {
  const steps: Record<string, number> = {};
  for (const [name, parameter] of trainedParameters(model)) {
    const made = optimizer.stepsOf(parameter);
    if (made !== undefined) steps[name] = made;
  }
  return steps;
}

/**
 * AdamW's moments, and which rows of embeddings ever had a gradient, as tensors. Where ranks share the moments, all of
 * them read the tensors, each in the same order.
 */
export function optimizerTensors(model: PreTrainedModel, optimizer: AdamW): TensorToWrite[] {
  const tensors: TensorToWrite[] = [], { heap } = model.runtime;
  for (const [name, parameter] of trainedParameters(model)) {
    if (optimizer.stepsOf(parameter) === undefined) continue;
    const bytes = (kind: string, length: number, data: () => Uint8Array) =>
      tensors.push({ name: `${kind}.${name}`, dtype: "U8", shape: [length], data });
    bytes("optimizer", optimizer.stateBytes(parameter), () => optimizer.readState(parameter));
    const { touched, shape } = parameter;
    if (touched !== 0) bytes("touched", shape[0], () => heap.u8.subarray(touched, touched + shape[0]));
  }
  return tensors;
}

/** Where the hash stands: the first value of the file's header. */
const BEFORE_HASH = '{"__metadata__":{"sha256":"', HASH_AT = 8 + BEFORE_HASH.length;
const ZEROS = "0".repeat(64);

/** One file of a header and tensors. */
export async function encodeSnapshot(
  header: SnapshotHeader,
  tensors: readonly TensorToWrite[],
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = encodeSafetensors(tensors, { sha256: ZEROS, berth: JSON.stringify(header) });
  bytes.set(new TextEncoder().encode(await sha256([bytes])), HASH_AT);
  return bytes;
}

/**
 * Reads a file of {@linkcode encodeSnapshot}.
 *
 * @throws {TrainingError} if it is damaged, or no such file.
 */
export async function decodeSnapshot(
  bytes: Uint8Array,
): Promise<{ header: SnapshotHeader; tensors: Checkpoint }> {
  const text = (begin: number, end: number) => new TextDecoder("latin1").decode(bytes.subarray(begin, end));
  if (text(8, HASH_AT) !== BEFORE_HASH) {
    throw new TrainingError("Cannot go on from these bytes: they are no state of a Trainer");
  }
  const parts = [bytes.subarray(0, HASH_AT), ZEROS, bytes.subarray(HASH_AT + 64)];
  if (await sha256(parts) !== text(HASH_AT, HASH_AT + 64)) {
    throw new TrainingError("Cannot go on from these bytes: they are damaged");
  }
  const tensors = await openSafetensors(sourceFromBytes("the Trainer's state", bytes));
  return { header: checkHeader(JSON.parse(tensors.metadata.berth ?? "null")), tensors };
}

/** @throws {TrainingError} if a header is of another version. */
export function checkHeader(header: SnapshotHeader | null): SnapshotHeader {
  if (header?.version === 1) return header;
  throw new TrainingError(
    `Cannot go on from this state: its version is ${header?.version}, 1 is wanted; use the berth that made it`,
  );
}

/** What a run must share with the one that it goes on from; else its numbers would be others. */
const MUST_AGREE = [
  ...["seed", "per_device_train_batch_size", "gradient_accumulation_steps", "group_by_length"] as const,
  ...["dataloader_drop_last", "shuffle_buffer_size", "state_dtype", "optim", "exact"] as const,
];
/** What it means if a checkpoint of an earlier berth does not say it. */
const ABSENT: Partial<FullArguments> = { exact: false };

/**
 * Fails if a snapshot is of another run.
 *
 * @throws {TrainingError} with what differs.
 */
export function checkAgreement(
  header: SnapshotHeader,
  own: Pick<SnapshotHeader, "args" | "frozen" | "data">,
  trained: ReadonlyMap<string, Parameter>,
  tensors: Checkpoint,
  prefix: string,
): void {
  const refuse = (problem: string): never => {
    throw new TrainingError(`Cannot go on from step ${header.state.global_step}: ${problem}`);
  };
  for (const name of MUST_AGREE) {
    const before = header.args[name] ?? ABSENT[name];
    if (before !== own.args[name]) {
      refuse(`it was made with ${name} ${before}, now it is ${own.args[name]}`);
    }
  }
  for (const [name, parameter] of trained) {
    const stored = tensors.tensors.get(prefix + name);
    if (!stored) refuse(`it has no weights of "${name}", which is trained now`);
    else if (stored.byteLength !== parameter.size * 4) {
      refuse(`"${name}" was of shape [${stored.shape}], now it is [${parameter.shape}]`);
    }
  }
  if (header.frozen !== own.frozen) refuse("the weights that are not trained are others than they were");
  if (header.data !== null && header.data !== own.data) {
    refuse("the training examples are others than they were");
  }
}

/** Sets the trained weights of all ranks from a file that the first has. */
export async function loadWeights(
  model: PreTrainedModel,
  tensors: Checkpoint | undefined,
  prefix: string,
  ranks: Ranks,
): Promise<void> {
  for (const [name, parameter] of trainedParameters(model)) {
    await tensors?.readFloat32(prefix + name, () => parameter.values());
    ranks.share(parameter.values());
    parameter.markWritten();
  }
}

/** Sets AdamW's moments on all ranks from a file that the first has. */
export async function loadOptimizer(
  model: PreTrainedModel,
  optimizer: AdamW,
  tensors: Checkpoint | undefined,
  steps: Readonly<Record<string, number>>,
  ranks: Ranks,
): Promise<void> {
  for (const [name, parameter] of trainedParameters(model)) {
    if (!Object.hasOwn(steps, name)) continue;
    const read = async (kind: string, length: number) => {
      const found = await tensors?.read(`${kind}.${name}`);
      if (found && found.bytes.length !== length) {
        throw new TrainingError(
          `Cannot go on: ${kind} of "${name}" has ${found.bytes.length} bytes, expected ${length}`,
        );
      }
      return found?.bytes;
    };
    const moments = await read("optimizer", optimizer.stateBytes(parameter));
    optimizer.restoreState(parameter, steps[name], moments);
    if (!optimizer.isSharded) ranks.share(optimizer.readState(parameter));
    const { touched, shape: [rows] } = parameter, { heap } = model.runtime;
    if (touched === 0) continue;
    const marks = await read("touched", rows), own = heap.u8.subarray(touched, touched + rows);
    if (marks) own.set(marks);
    ranks.share(own);
  }
}

/** The best weights of a snapshot that the first rank has, if it has them. */
export async function readBest(
  model: PreTrainedModel,
  tensors: Checkpoint | undefined,
  ranks: Ranks,
  prefix = "best.",
): Promise<Weights | undefined> {
  const best = new Map<string, Float32Array>(), names = tensors ? [...tensors.tensors.keys()] : [];
  const has = new Set(ranks.fromFirst(names));
  for (const [name, parameter] of trainedParameters(model)) {
    if (!has.has(prefix + name)) return undefined;
    const values = new Float32Array(parameter.size);
    await tensors?.readFloat32(prefix + name, values);
    ranks.share(values);
    best.set(name, values);
  }
  return best;
}

/** SHA-256 of the weights that are not trained, by name and value. */
export async function hashFrozen(model: PreTrainedModel): Promise<string> {
  return await hashWeights([...model.named_parameters()].filter(([, { requires_grad }]) => !requires_grad));
}

/** SHA-256 of weights, by name and value. */
export async function hashWeights(parameters: Iterable<[string, Parameter]>): Promise<string> {
  const hasher = await createHasher("sha256", 0), encoder = new TextEncoder(), block = 1 << 20;
  for (const [name, parameter] of parameters) {
    hasher.update(encoder.encode(`${name} [${parameter.shape}]\n`));
    for (let at = 0; at < parameter.size; at += block) {
      const values = parameter.values().slice(at, at + block); // a copy: some hashes take no shared memory
      hasher.update(new Uint8Array(values.buffer));
    }
  }
  return hasher.hex();
}

/** SHA-256 of texts and bytes, one after the other. */
export async function sha256(parts: readonly (string | Uint8Array)[]): Promise<string> {
  const hasher = await createHasher("sha256", 0), encoder = new TextEncoder();
  for (const part of parts) hasher.update(typeof part === "string" ? encoder.encode(part) : part);
  return hasher.hex();
}

/** SHA-256 of examples, as lines of JSON. */
export async function hashExamples(examples: Iterable<unknown>): Promise<string> {
  const hasher = await createHasher("sha256", 0), encoder = new TextEncoder();
  let lines = "";
  for (const example of examples) {
    lines += JSON.stringify(example) + "\n";
    if (lines.length < 1 << 16) continue;
    hasher.update(encoder.encode(lines));
    lines = "";
  }
  hasher.update(encoder.encode(lines));
  return hasher.hex();
}
