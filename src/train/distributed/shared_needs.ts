/**
 * What a step of several ranks takes on the rank that takes most, found on paper.
 *
 * @module
 */
import { alone } from "../../distributed/alone.ts";
import type { PreTrainedModel } from "../../model/mod.ts";
import { stateBytes, type StateDtype } from "../moments.ts";
import { blocksOfTree } from "./exact_tree.ts";
import { FlatGradients } from "./flat_gradients.ts";
import { Shards } from "./shards.ts";

/** How ranks share a step. */
export interface SharedStep {
  ranks: number;
  /** Passes of each rank. */
  passes: number;
  exact: boolean;
  isSharded: boolean;
  state_dtype: StateDtype;
}

/** Bytes of the gradients, and how many fewer the optimizer takes. */
export function sharedNeeds(
  model: PreTrainedModel,
  { ranks, passes, exact, isSharded, state_dtype }: SharedStep,
): { gradients: number; saved: number } {
  const layout = new FlatGradients(model), gradients = layout.size * 4 * (exact ? blocksOfTree(passes) : 1);
  if (!isSharded) return { gradients, saved: 0 };
  const parameters = layout.places.map(({ parameter }) => parameter);
  const sum = (bytesOf: (parameter: typeof parameters[number]) => number) =>
    parameters.reduce((sum, parameter) => sum + bytesOf(parameter), 0);
  const parts = Array.from({ length: ranks }, (_, rank) => {
    const shards = new Shards(layout, { ...alone, rank, size: ranks });
    return sum((parameter) => stateBytes(parameter, state_dtype, shards.own(parameter)));
  });
  return { gradients, saved: sum((parameter) => stateBytes(parameter, state_dtype)) - Math.max(...parts) };
}
