/**
 * What is added to a model after it was made, such as LoRA: told of each step, and added again to a copy on paper.
 *
 * @module
 */
import type { StepContext } from "./context.ts";
import type { Module } from "./module.ts";

/** A model as far as extensions go. */
export interface Extensible extends Module {
  readonly extensions: ModelExtension[];
}

/** Something that was added to a model. */
export interface ModelExtension {
  /** Sees each step before anything is computed. */
  beginForward(context: StepContext): void;
  /** Adds the same to another model of the same class and configuration. */
  addTo(copy: Extensible): void;
}
