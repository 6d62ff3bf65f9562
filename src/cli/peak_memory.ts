/**
 * The memory of a run at its peak.
 *
 * @module
 */
import type { TrainableModel } from "../model/mod.ts";
import { peakMemoryBytes } from "../runtime/platform.ts";
import type { TrainerCallback } from "../train/mod.ts";

/** Looks at the memory after every pass. */
export class PeakMemory {
  /** Bytes of WASM memory in use at the peak so far. */
  wasmBytes = 0;

  /** @param model The model that is trained. */
  constructor(readonly model: Pick<TrainableModel, "runtime">) {}

  /** Bytes of the whole process at its peak; `undefined` where that cannot be known. */
  get processBytes(): number | undefined {
    return peakMemoryBytes();
  }

  /** For the Trainer. */
  get callback(): TrainerCallback {
    const look = () => {
      const { memoryLimit, freeBytes } = this.model.runtime;
      this.wasmBytes = Math.max(this.wasmBytes, memoryLimit - freeBytes);
    };
    return { on_substep_end: look, on_step_end: look, on_prediction_step: look };
  }
}
