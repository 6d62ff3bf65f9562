/**
 * The usual two groups of parameters.
 *
 * @module
 */
import type { Parameter, PreTrainedModel } from "../model/mod.ts";
import type { ParameterGroup } from "./adamw.ts";

/** Names of parameters without weight decay. */
const PLAIN = /(^|\.)bias$|LayerNorm/;

/** The trained parameters in two groups: weight matrices, which decay, and biases and LayerNorms, which do not. */
export function decayGroups(model: PreTrainedModel, weight_decay: number): ParameterGroup[] {
  const decayed: Parameter[] = [], plain: Parameter[] = [];
  for (const [name, parameter] of model.named_parameters()) {
    if (parameter.requires_grad) (PLAIN.test(name) ? plain : decayed).push(parameter);
  }
  return [{ params: decayed, weight_decay }, { params: plain, weight_decay: 0 }];
}
