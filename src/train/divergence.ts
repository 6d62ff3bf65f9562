/**
 * Finds out what is no finite number any more.
 *
 * @module
 */
import { DivergenceError } from "../errors.ts";
import type { Parameter, PreTrainedModel } from "../model/mod.ts";

/**
 * The error of a step whose loss or gradients are not finite; names the first weight, else the first gradient, else the
 * loss.
 *
 * @param step The optimizer step, counted from 1.
 * @param loss Its loss.
 */
export function divergence(model: PreTrainedModel, step: number, loss: number): DivergenceError {
  const weight = firstBad(model, (parameter) => parameter.values());
  const place = weight ??
    firstBad(model, (parameter) => parameter.gradientPointer === 0 ? null : parameter.grad(), "gradient of ");
  const tensor = place?.name ?? "loss", value = place ? `${place.value}, the loss ${loss}` : loss;
  return new DivergenceError(
    `Cannot make step ${step}: ${tensor}${place ? `[${place.index}]` : ""} is ${value}. ` +
      (weight ? "" : "The weights are as the step before left them. ") +
      "A lower learning_rate, a longer warm-up or max_grad_norm may help",
    step,
    tensor,
  );
}

/** The same error with what became of the weights. */
export function diverged({ message, step, tensor }: DivergenceError, outcome: string): DivergenceError {
  return new DivergenceError(`${message}. The weights were not finite any more: ${outcome}`, step, tensor);
}

/** True if all trained weights are finite numbers. */
export function weightsAreFinite(model: PreTrainedModel): boolean {
  return firstBad(model, (parameter) => parameter.values()) === undefined;
}

function firstBad(
  model: PreTrainedModel,
  read: (parameter: Parameter) => Float32Array | null,
  prefix = "",
): { name: string; index: string; value: number } | undefined {
  for (const [name, parameter] of model.named_parameters()) {
    const values = read(parameter), at = values?.findIndex((value) => !Number.isFinite(value)) ?? -1;
    if (at < 0) continue;
    let rest = at;
    const index = parameter.shape.toReversed().map((size) => {
      const place = rest % size;
      rest = Math.floor(rest / size);
      return place;
    });
    return { name: prefix + name, index: index.reverse().join("]["), value: values![at] };
  }
  return undefined;
}
