/**
 * Training a part of a model: freezing by name, BitFit, new top layers.
 *
 * @module
 */
import { Random } from "../random.ts";
import type { ModelClass, PreTrainedModel } from "./pretrained_model.ts";

/**
 * Which parameters are meant: a regular expression that matches in their names; a text that is a whole name, the name
 * of a module, or has `*` for anything (`"bert.embeddings"`, `"*.bias"`); or several of these.
 */
export type NamePattern = RegExp | string | readonly (RegExp | string)[];

/** What of a model is trained. */
export interface FreezeReport {
  /** Parameters that the call has changed. */
  changed: number;
  /** Parameters that are trained now, and their weights. */
  trainable: { parameters: number; weights: number };
  /** All parameters, and their weights. */
  total: { parameters: number; weights: number };
}

/** @ignore A test of names. */
export function nameMatcher(pattern: NamePattern): (name: string) => boolean {
  if (typeof pattern === "string") {
    const source = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*");
    const expression = new RegExp(`^${source}(\\..*)?$`, "s");
    return (name) => expression.test(name);
  }
  if (pattern instanceof RegExp) return (name) => name.search(pattern) >= 0;
  if (!Array.isArray(pattern)) {
    throw new RangeError(
      `Cannot find parameters by ${pattern}: a text, a regular expression or several are wanted`,
    );
  }
  const matchers = pattern.map(nameMatcher);
  return (name) => matchers.some((matches) => matches(name));
}

/**
 * Freezes parameters: they get no gradient, and nothing is kept or computed that only they would need. Call it before
 * the optimizer is made.
 *
 * @throws {RangeError} if the pattern matches no parameter.
 * @example
 * ```ts
 * import { BertForSequenceClassification, dispose, freeze, unfreeze } from "@berth/berth";
 * const model = await BertForSequenceClassification.from_pretrained("berth-tiny", { num_labels: 2 });
 * freeze(model, ["bert.embeddings", /layer\.0\./]);
 * console.log(unfreeze(model, "*.LayerNorm").trainable); // { parameters: ..., weights: ... }
 * dispose();
 * ```
 */
export function freeze(model: PreTrainedModel, pattern: NamePattern): FreezeReport {
  const matches = requireMatch(model, pattern, "freeze");
  return setTrained(model, (name, trained) => trained && !matches(name));
}

/**
 * Trains parameters again.
 *
 * @throws {RangeError} if the pattern matches no parameter.
 */
export function unfreeze(model: PreTrainedModel, pattern: NamePattern): FreezeReport {
  const matches = requireMatch(model, pattern, "unfreeze");
  return setTrained(model, (name, trained) => trained || matches(name));
}

function requireMatch(
  model: PreTrainedModel,
  pattern: NamePattern,
  action: string,
): (name: string) => boolean {
  const matches = nameMatcher(pattern);
  for (const [name] of model.named_parameters()) if (matches(name)) return matches;
  throw new RangeError(`Cannot ${action} ${pattern}: ${model.typeName} has no parameter of that name`);
}

function setTrained(
  model: PreTrainedModel,
  isTrained: (name: string, before: boolean) => boolean,
): FreezeReport {
  const trainable = { parameters: 0, weights: 0 }, total = { parameters: 0, weights: 0 };
  let changed = 0;
  for (const [name, parameter] of model.named_parameters()) {
    const trained = isTrained(name, parameter.requires_grad);
    if (trained !== parameter.requires_grad) changed++;
    parameter.requires_grad = trained;
    for (const count of trained ? [trainable, total] : [total]) {
      count.parameters++;
      count.weights += parameter.size;
    }
  }
  return { changed, trainable, total };
}

/**
 * BitFit (Ben Zaken et al., https://arxiv.org/abs/2106.10199): trains biases and the head, freezes all else.
 *
 * @param options `also`: other parameters to train. Default none.
 */
export function bitfit(model: PreTrainedModel, options: { also?: NamePattern } = {}): FreezeReport {
  const also = nameMatcher(options.also ?? []), isHead = headMatcher(model);
  return setTrained(model, (name) => /(^|\.)bias$/.test(name) || isHead(name) || also(name));
}

/** @ignore True for the names of parameters that are no part of the encoder; false for all in a model without a head. */
export function headMatcher(model: PreTrainedModel): (name: string) => boolean {
  const { base_model_prefix } = model.constructor as unknown as ModelClass<PreTrainedModel>;
  return (name) => base_model_prefix !== "" && !name.startsWith(`${base_model_prefix}.`);
}

/**
 * Draws the top layers of the encoder, and its pooler, anew: with few examples they are often better learnt than unlearnt
 * (Zhang et al., https://arxiv.org/abs/2006.05987).
 *
 * @param layers How many layers, counted from the top.
 * @param options `seed`: of the new weights, default 0. `pooler`: whether it is drawn too, default true.
 * @returns The names of the parameters that were drawn.
 * @throws {RangeError} if the model has fewer layers.
 */
export function reinitialize(
  model: PreTrainedModel,
  layers: number,
  options: { seed?: number; pooler?: boolean } = {},
): string[] {
  const { seed = 0, pooler = true } = options, all = model.config.num_hidden_layers;
  if (!(Number.isInteger(layers) && layers >= 0 && layers <= all)) {
    throw new RangeError(
      `Cannot draw the top ${layers} layers anew: a whole number from 0 to ${all} is wanted`,
    );
  }
  const random = new Random(seed), drawn: string[] = [];
  for (const [name, parameter] of model.named_parameters()) {
    const layer = /(^|\.)layer\.(\d+)\./.exec(name);
    const meant = layer ? Number(layer[2]) >= all - layers : pooler && /(^|\.)pooler\./.test(name);
    if (!meant || /\.lora_[AB]\./.test(name)) continue;
    model.initializeParameter(parameter, random);
    drawn.push(name);
  }
  return drawn;
}
