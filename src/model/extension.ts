/**
 * What is added to a model after it was made, such as LoRA: told of each step, and added again to a copy on paper.
 *
 * @module
 */
import type { StepContext } from "./context.ts";
import type { Module } from "./module.ts";
import type { Parameter } from "./parameter.ts";

/** A model as far as extensions go. */
export interface Extensible extends Module {
  readonly extensions: ModelExtension[];
}

/** Something that was added to a model. */
export interface ModelExtension {
  /** Sees each step before anything is computed. */
  beginForward(context: StepContext): void;
  /** What a saved model has of a parameter: other values, nothing (null), or the parameter itself (undefined). */
  savedValues(name: string): (() => Float32Array) | null | undefined;
  /** Adds the same to another model of the same class and configuration. */
  addTo(copy: Extensible): void;
}

/** What a saved model has of a parameter: values, or nothing (null). */
export function savedValues(
  extensions: readonly ModelExtension[],
  name: string,
  parameter: Parameter,
): (() => Float32Array) | null {
  const own = extensions.map((extension) => extension.savedValues(name)).find((values) =>
    values !== undefined
  );
  return own === undefined ? () => parameter.values() : own;
}
