/**
 * The typed errors of berth. A message says the action, the state and what was wanted:
 * `Cannot load "bert.pooler.dense.weight": its shape is [384, 312], expected [384, 384]`.
 *
 * @module
 */

/** Base class of all errors that berth throws on purpose: `error instanceof BerthError` tells them from bugs. */
export class BerthError extends Error {
  /** The name of the class. */
  override name: string = "BerthError";
}

/** The runtime lacks something that was asked for (SIMD, memory, a backend), or is not in the right state. */
export class RuntimeError extends BerthError {
  /** The name of the class. */
  override name: string = "RuntimeError";
}

/** A model or a step does not fit into memory; thrown before anything is allocated for it. */
export class MemoryError extends RuntimeError {
  /** The name of the class. */
  override name: string = "MemoryError";

  /**
   * An error with its numbers.
   *
   * @param message What was to be done, and the numbers.
   * @param neededBytes Bytes that are wanted beyond those in use.
   * @param freeBytes Bytes that are left.
   */
  constructor(message: string, readonly neededBytes: number, readonly freeBytes: number) {
    super(message);
  }
}

/** A model configuration has a missing, contradictory or unsupported value. */
export class ConfigError extends BerthError {
  /** The name of the class. */
  override name: string = "ConfigError";
}

/** A weight file is malformed, or its tensors do not fit the model. */
export class WeightsError extends BerthError {
  /** The name of the class. */
  override name: string = "WeightsError";
}

/** A tokenizer file is malformed, of another kind, or a tokenizer call contradicts itself. */
export class TokenizerError extends BerthError {
  /** The name of the class. */
  override name: string = "TokenizerError";
}

/** A model's files cannot be found, fetched, verified or written. */
export class HubError extends BerthError {
  /** The name of the class. */
  override name: string = "HubError";
}

/** Examples or batches are malformed: ragged rows, unknown labels, ids out of range. */
export class DataError extends BerthError {
  /** The name of the class. */
  override name: string = "DataError";
}

/** A training run cannot begin, go on or be checked: its checkpoint is damaged, or of another run. */
export class TrainingError extends BerthError {
  /** The name of the class. */
  override name: string = "TrainingError";
}

/** A loss, gradient or weight is no finite number any more; the step that would have used it was not made. */
export class DivergenceError extends TrainingError {
  /** The name of the class. */
  override name: string = "DivergenceError";

  /**
   * An error with its place.
   *
   * @param message What happened.
   * @param step The optimizer step, counted from 1.
   * @param tensor What is not finite: `loss`, a parameter's name, or `gradient of <name>`.
   */
  constructor(message: string, readonly step: number, readonly tensor: string) {
    super(message);
  }
}

/** A request to a service is refused. */
export class RequestError extends BerthError {
  /** The name of the class. */
  override name: string = "RequestError";

  /**
   * An error with its HTTP status.
   *
   * @param status What HTTP calls it: 400 malformed, 404 not there, 409 in conflict, 413 too large, and so on.
   * @param message What was to be done, what is, and what is wanted.
   */
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** The processes of a run cannot talk to each other: no engine, the wrong one, or a rank that does not answer. */
export class CommunicationError extends RuntimeError {
  /** The name of the class. */
  override name: string = "CommunicationError";
}
