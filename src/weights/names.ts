/**
 * Which tensor of a checkpoint belongs to which parameter of a BERT: names of all ages, of PyTorch and TensorFlow.
 * What is unused or missing is told as transformers tells it.
 *
 * @module
 */

/** Where a parameter's values come from. */
export interface NameSource {
  /** The tensor's name in the checkpoint. */
  readonly name: string;
  /** Whether its two dimensions are swapped there, as in TensorFlow's kernels. */
  readonly transpose: boolean;
}

/** What {@linkcode matchNames} finds. */
export interface NameMatch {
  /** For each parameter that the checkpoint has, in the model's order, its tensor. Tied parameters may share one. */
  readonly matched: ReadonlyMap<string, NameSource>;
  /** The tensors that the model has no place for, by today's names, in the checkpoint's order. */
  readonly unused: string[];
  /** The parameters that the checkpoint lacks, in the model's order. */
  readonly missing: string[];
}

/** The parameters of the head whose decoder is tied to the word embeddings begin so. */
const TIED_HEAD = "cls.predictions.";

/**
 * Matches a checkpoint's names with a model's. Understood are `gamma` and `beta` in a LayerNorm, a base prefix that
 * is missing or too many, the `module.` of DataParallel, TensorFlow's `bert/encoder/layer_0/.../kernel`, and
 * the two names of tied tensors (`cls.predictions.decoder.*`). `position_ids` and the slots of TensorFlow's
 * optimizer are left out without a word.
 *
 * @param checkpointNames The names in the checkpoint.
 * @param parameterNames The names in the model.
 * @param basePrefix The prefix of the base model's parameters in a model with a head. Default `"bert"`.
 * @returns The pairs and what is left over on both sides.
 */
export function matchNames(
  checkpointNames: Iterable<string>,
  parameterNames: Iterable<string>,
  basePrefix = "bert",
): NameMatch {
  const parameters = [...parameterNames];
  const wanted = new Set(parameters);
  const names = [...checkpointNames];
  const found = new Map<string, NameSource>();
  for (const name of names) {
    if (wanted.has(name)) found.set(name, { name, transpose: false });
  }
  const rest = new Map<string, NameSource>();
  for (const name of names) {
    const today = wanted.has(name) ? null : todaysName(name);
    if (today === null) continue;
    const parameter = withPrefix(today.name, wanted, basePrefix);
    const source = { name, transpose: today.transpose };
    if (wanted.has(parameter) && !found.has(parameter)) found.set(parameter, source);
    else rest.set(parameter, source);
  }
  if (parameters.some((name) => name.startsWith(TIED_HEAD))) shareTied(wanted, found, rest, basePrefix);
  const missing: string[] = [];
  const matched = new Map<string, NameSource>();
  for (const name of parameters) {
    const source = found.get(name);
    if (source === undefined) missing.push(name);
    else matched.set(name, source);
  }
  return { matched, unused: [...rest.keys()], missing };
}

// One tensor serves all names of a tied pair; a second one in the checkpoint is not unused.
function shareTied(
  wanted: ReadonlySet<string>,
  found: Map<string, NameSource>,
  rest: Map<string, NameSource>,
  basePrefix: string,
): void {
  const pairs = [
    [`${basePrefix}.embeddings.word_embeddings.weight`, `${TIED_HEAD}decoder.weight`],
    [`${TIED_HEAD}bias`, `${TIED_HEAD}decoder.bias`],
  ];
  for (const pair of pairs) {
    const name = pair.find((name) => found.has(name)) ?? pair.find((name) => rest.has(name));
    if (name === undefined) continue;
    const source = (found.get(name) ?? rest.get(name))!;
    for (const tied of pair) {
      rest.delete(tied);
      if (wanted.has(tied) && !found.has(tied)) found.set(tied, source);
    }
  }
}

// The parameter that the name means: itself, or with the base prefix taken away or added.
function withPrefix(name: string, wanted: ReadonlySet<string>, basePrefix: string): string {
  const prefix = `${basePrefix}.`;
  const without = name.startsWith(prefix) ? name.slice(prefix.length) : name;
  return [name, without, prefix + name].find((candidate) => wanted.has(candidate)) ?? name;
}

// The name that today's transformers gives; null for what is no weight.
function todaysName(name: string): NameSource | null {
  if (name.includes("/")) return fromTensorFlow(name);
  const plain = name.replace(/^module\./, "")
    .replace(/LayerNorm\.gamma$/, "LayerNorm.weight")
    .replace(/LayerNorm\.beta$/, "LayerNorm.bias");
  return /(^|\.)position_ids$/.test(plain) ? null : { name: plain, transpose: false };
}

// bert/encoder/layer_0/attention/self/query/kernel -> bert.encoder.layer.0.attention.self.query.weight, transposed.
function fromTensorFlow(name: string): NameSource | null {
  const parts = name.replace(/:0$/, "").split("/");
  if (parts.some((part) => /^(adam_[mv]|global_step|AdamWeightDecayOptimizer(_1)?)$/.test(part))) return null;
  const last = parts.pop()!;
  const path = parts.map((part) => part.replace(/^layer_(?:\._)?(\d+)$/, "layer.$1")).join(".");
  const weight = /^(kernel|gamma|output_weights)$/.test(last) ? "weight" : last;
  const bias = /^(beta|output_bias)$/.test(last) ? "bias" : weight;
  const leaf = last.endsWith("_embeddings") ? `${last}.weight` : bias;
  return { name: `${path}.${leaf}`, transpose: last === "kernel" };
}
