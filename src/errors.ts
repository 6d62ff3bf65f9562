/**
 * The typed errors of berth. A message says the action, the state and what was wanted:
 * `Cannot load "bert.pooler.dense.weight": its shape is [384, 312], expected [384, 384]`.
 *
 * @module
 */

/** Base class of all errors that berth throws on purpose: `error instanceof BerthError` tells them from bugs. */
export class BerthError extends Error {
  override name = "BerthError";
}

/** The runtime lacks something that was asked for (SIMD, memory, a backend), or is not in the right state. */
export class RuntimeError extends BerthError {
  override name = "RuntimeError";
}

/** A model configuration has a missing, contradictory or unsupported value. */
export class ConfigError extends BerthError {
  override name = "ConfigError";
}

/** A weight file is malformed, or its tensors do not fit the model. */
export class WeightsError extends BerthError {
  override name = "WeightsError";
}

/** A tokenizer file is malformed, of another kind, or a tokenizer call contradicts itself. */
export class TokenizerError extends BerthError {
  override name = "TokenizerError";
}

/** A model's files cannot be found, fetched, verified or written. */
export class HubError extends BerthError {
  override name = "HubError";
}

/** Examples or batches are malformed: ragged rows, unknown labels, ids out of range. */
export class DataError extends BerthError {
  override name = "DataError";
}
