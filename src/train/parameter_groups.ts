/**
 * Parameters in groups for an optimizer: no weight decay where it does harm, smaller learning rates for lower layers.
 *
 * @module
 */
import { nameMatcher } from "../model/freeze.ts";
import type { NamePattern, Parameter, PreTrainedModel } from "../model/mod.ts";
import type { ParameterGroup } from "./adamw.ts";

/** Names of parameters that do not decay: biases and normalisations, as in transformers. */
const NO_DECAY: NamePattern = /(^|\.)bias$|layer_?norm|(^|\.|_)norm(\.|$)/i;

/** Options of {@linkcode parameterGroups}. */
export interface ParameterGroupOptions {
  /** Learning rate of the head and, without `layer_decay`, of all. Default: that of the optimizer. */
  lr?: number;
  /** Weight decay of the groups that decay. Default 0.01. */
  weight_decay?: number;
  /** Names of parameters that do not decay. Default: biases and LayerNorms. */
  no_decay?: NamePattern;
  /**
   * Each layer learns by this factor less than the one above it: the head and the pooler at `lr`, the top layer at
   * `lr * layer_decay`, the embeddings at `lr * layer_decay ** (layers + 1)`. Wants `lr`. Default 1: all alike.
   */
  layer_decay?: number;
  /** Learning rates of parameters by name, in place of those above; the first pattern that matches counts. */
  rates?: readonly { readonly match: NamePattern; readonly lr: number }[];
}

/** A group and what it holds. */
export interface NamedParameterGroup extends ParameterGroup {
  /** `head`, `layer 3`, `embeddings`, or `parameters` if all learn alike; ` without decay` behind it. */
  name: string;
}

/**
 * The trained parameters of a model in groups, for `AdamW`. Frozen ones are left out: make groups after freezing.
 *
 * @returns Groups that are not empty, from the top of the model to its bottom.
 * @throws {RangeError} if an option is out of range, or `layer_decay` is given without `lr`.
 * @example
 * ```ts
 * import { AdamW, BertForSequenceClassification, dispose, parameterGroups } from "@berth/berth";
 * const model = await BertForSequenceClassification.from_pretrained("berth-tiny", { num_labels: 2 });
 * const groups = parameterGroups(model, { lr: 1e-3, weight_decay: 0.01, layer_decay: 0.9 });
 * const optimizer = new AdamW(groups);
 * for (const { name, lr } of groups) console.log(name, lr); // head 0.001, head without decay 0.001, layer 1 0.0009 ...
 * dispose();
 * ```
 */
export function parameterGroups(
  model: PreTrainedModel,
  options: ParameterGroupOptions = {},
): NamedParameterGroup[] {
  const { lr, weight_decay = 0.01, no_decay = NO_DECAY, layer_decay = 1, rates = [] } = options;
  if (!(layer_decay > 0 && layer_decay <= 1)) {
    throw new RangeError(`Cannot use layer_decay ${layer_decay}: a number above 0, 1 at most, is wanted`);
  }
  if (layer_decay < 1 && lr === undefined) {
    throw new RangeError(`Cannot use layer_decay ${layer_decay} without lr: it is a factor of that`);
  }
  const isPlain = nameMatcher(no_decay),
    special = rates.map(({ match, lr }) => ({ matches: nameMatcher(match), lr }));
  const layers = model.config.num_hidden_layers,
    groups = new Map<string, NamedParameterGroup & { depth: number }>();
  for (const [name, parameter] of model.named_parameters()) {
    if (!parameter.requires_grad) continue;
    const depth = layer_decay === 1 ? 0 : depthOf(name, layers), plain = isPlain(name);
    const rate = special.find(({ matches }) => matches(name))?.lr ??
      (lr === undefined ? lr : lr * layer_decay ** depth);
    const key = `${depth} ${plain} ${rate}`;
    const place = layer_decay === 1 ? "parameters" : placeName(depth, layers);
    const group = groups.get(key) ?? {
      ...{ name: place + (plain ? " without decay" : ""), depth, params: [] },
      ...{ weight_decay: plain ? 0 : weight_decay, ...(rate === undefined ? {} : { lr: rate }) },
    };
    (group.params as Parameter[]).push(parameter);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => a.depth - b.depth).map(({ depth: _, ...group }) => group);
}

/** How far below the head a parameter stands: 0 for head and pooler, then the layers, then the embeddings. */
function depthOf(name: string, layers: number): number {
  const layer = /(^|\.)layer\.(\d+)\./.exec(name);
  if (layer) return layers - Number(layer[2]);
  return /(^|\.)embeddings\./.test(name) ? layers + 1 : 0;
}

function placeName(depth: number, layers: number): string {
  return depth === 0 ? "head" : depth > layers ? "embeddings" : `layer ${layers - depth}`;
}
