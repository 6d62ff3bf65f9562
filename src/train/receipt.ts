/**
 * A run's receipt: what went in and came out, as hashes, and the loss of every step.
 *
 * @module
 */
import { TrainingError } from "../errors.ts";
import { assetUrl } from "../runtime/assets.ts";
import { folderUrl, readText, writeFileWhole } from "../runtime/files.ts";
import type { Profile } from "../runtime/mod.ts";
import { readBytes, runtimeName } from "../runtime/platform.ts";
import type { FullArguments } from "./arguments.ts";
import { type Dataset, isStream, settled } from "./dataset.ts";
import { hashExamples, hashWeights, sha256 } from "./snapshot.ts";
import type { TrainerOptions } from "./trainer_options.ts";
import type { TrainerState } from "./training_state.ts";

/** What a run leaves in `receipt.json`. Hashes are SHA-256. */
export interface RunReceipt {
  /** Of this layout: 1. */
  version: 1;
  /** Where it ran, such as `deno 2.9.6`. */
  runtime: string;
  /** The build of the kernels, and the hash of its file. */
  kernels: { profile: Profile; sha256: string };
  /** The model's class, and the hash of its configuration. */
  model: { type: string; config: string };
  /** All weights before the first step, and when the run ended. */
  weights: { base: string | null; final: string };
  /** The examples, as lines of JSON; null for a stream or none. */
  data: { train: string | null; eval: string | null };
  /** The tokenizer's files; null without a tokenizer. */
  tokenizer: string | null;
  /** The settings. */
  args: FullArguments;
  /** Optimizer steps done. */
  global_step: number;
  /** The loss of each step. */
  losses: readonly number[];
  /** The norm of all gradients of each step; null where it was not measured. */
  grad_norms: readonly (number | null)[];
}

/** Writes the receipt of a run that has ended. */
export async function writeReceipt(
  folder: string | URL,
  options: TrainerOptions,
  args: FullArguments,
  state: Readonly<TrainerState>,
): Promise<void> {
  const { model, train_dataset, eval_dataset, tokenizer } = options, { profile } = model.runtime;
  const receipt: RunReceipt = {
    ...{ version: 1, runtime: runtimeName() },
    kernels: { profile, sha256: await hashKernels(profile) },
    model: { type: model.typeName, config: await sha256([JSON.stringify(model.config)]) },
    weights: { base: state.base_weights, final: await hashWeights(model.named_parameters()) },
    data: { train: await hashDataset(train_dataset), eval: await hashDataset(eval_dataset) },
    tokenizer: tokenizer ? await sha256(Object.entries(tokenizer.to_files()).flat()) : null,
    ...{ args, global_step: state.global_step, losses: state.losses, grad_norms: state.grad_norms },
  };
  const bytes = new TextEncoder().encode(JSON.stringify(receipt, null, 2) + "\n");
  await writeFileWhole(new URL("receipt.json", folderUrl(folder)), [bytes]);
}

/** SHA-256 of the kernels that run. */
export async function hashKernels(profile: Profile): Promise<string> {
  return await sha256([await readBytes(assetUrl(`kernels_${profile}.wasm`))]);
}

/** SHA-256 of examples in memory; null for a stream or none. */
export async function hashDataset(dataset: Dataset | undefined): Promise<string | null> {
  const examples = dataset && settled(dataset);
  return examples && !isStream(examples) ? await hashExamples(examples) : null;
}

/**
 * Reads a run's receipt.
 *
 * @param folder The run's `output_dir`.
 * @throws {TrainingError} if there is none, or it is damaged.
 */
export async function readReceipt(folder: string | URL): Promise<RunReceipt> {
  const file = new URL("receipt.json", folderUrl(folder)), text = await readText(file);
  if (text === null) throw new TrainingError(`Cannot verify the run: there is no receipt.json in ${folder}`);
  try {
    const receipt = JSON.parse(text) as RunReceipt;
    if (receipt.version === 1 && Array.isArray(receipt.losses)) return receipt;
  } catch {
    // No JSON: told as any other damage.
  }
  throw new TrainingError(
    `Cannot verify the run: receipt.json in ${folder} is damaged or of another version`,
  );
}
