/**
 * Follows single weights over a run.
 *
 * @module
 */
import type { Parameter, PreTrainedModel } from "../model/mod.ts";

/** Reads one weight. */
export interface Watch {
  readonly name: string;
  read(): number;
}

/**
 * Finds the weights to follow.
 *
 * @param names Such as `bert.pooler.dense.weight[0][0]` or `bert.pooler.dense.weight[0,0]`.
 * @throws {RangeError} if there is no such parameter or place.
 */
export function findWatches(model: PreTrainedModel, names: readonly string[]): Watch[] {
  return names.map((name) => {
    const [, path, places] = /^([^[\]]+)((?:\[[\d, ]+\])*)$/.exec(name) ?? [];
    if (!path) {
      throw new RangeError(
        `Cannot watch "${name}": a weight such as bert.pooler.dense.weight[0][0] is wanted`,
      );
    }
    const parameter: Parameter = model.get_parameter(path), indices = places.match(/\d+/g)?.map(Number) ?? [];
    if (indices.length !== parameter.shape.length) {
      throw new RangeError(
        `Cannot watch "${name}": its shape is [${parameter.shape}], as many indices are wanted`,
      );
    }
    const read = () => parameter.item(...indices);
    read();
    return { name, read };
  });
}
