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

/** The word embeddings, within the base model. */
const WORDS = "embeddings.word_embeddings.weight";

/** The tied parameters of heads that predict words, BERT's and DistilBERT's, and what each is tied to. */
const TIED: readonly (readonly [name: string, partner: string])[] = [
  ["cls.predictions.decoder.weight", WORDS],
  ["cls.predictions.decoder.bias", "cls.predictions.bias"],
  ["vocab_projector.weight", WORDS],
];

/** Heads with tied parameters have a parameter of such a name. */
const TIED_HEAD = /^(cls\.predictions|vocab_projector)\./;

/** What is no weight: a buffer of old models, and the slots of TensorFlow's optimizers. */
const IGNORED = /(^|\.)(position_ids|adam_[mv]|global_step|AdamWeightDecayOptimizer(_1)?)$/;

/**
 * Matches a checkpoint's names with a model's. Understood are `gamma` and `beta` in a LayerNorm, a base prefix that
 * is missing or too many, the `module.` of DataParallel, TensorFlow's `bert/encoder/layer_0/.../kernel`, and
 * the two names of tied tensors (`cls.predictions.decoder.*`, `vocab_projector.weight`). `position_ids` and the slots of TensorFlow's
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
  const names = [...checkpointNames];
  const wanted = new Set(parameters);
  const found = new Map<string, NameSource>();
  const rest = new Map<string, NameSource>();
  // Names of today come first, so that an older name never takes their place.
  for (const name of names.filter((name) => wanted.has(name))) found.set(name, { name, transpose: false });
  for (const name of names.filter((name) => !wanted.has(name))) {
    const [plain, transpose] = todaysName(name);
    const prefix = `${basePrefix}.`;
    const without = plain.startsWith(prefix) ? plain.slice(prefix.length) : plain;
    const parameter = [plain, without, prefix + plain].find((candidate) => wanted.has(candidate)) ?? plain;
    const isNew = wanted.has(parameter) && !found.has(parameter);
    if (!IGNORED.test(plain)) (isNew ? found : rest).set(parameter, { name, transpose });
  }
  if (parameters.some((name) => TIED_HEAD.test(name))) shareTied(wanted, found, rest, basePrefix);
  const present = parameters.filter((name) => found.has(name));
  return {
    matched: new Map(present.map((name) => [name, found.get(name)!])),
    unused: [...rest.keys()],
    missing: parameters.filter((name) => !found.has(name)),
  };
}

// One tensor serves all names of a tied pair; a second one in the checkpoint is not unused.
function shareTied(
  wanted: ReadonlySet<string>,
  found: Map<string, NameSource>,
  rest: Map<string, NameSource>,
  basePrefix: string,
): void {
  for (const [name, partner] of TIED) {
    const pair = [partner === WORDS ? `${basePrefix}.${WORDS}` : partner, name];
    const [source] = [found, rest].flatMap((names) => pair.flatMap((name) => names.get(name) ?? []));
    for (const tied of source ? pair : []) {
      rest.delete(tied);
      if (wanted.has(tied) && !found.has(tied)) found.set(tied, source);
    }
  }
}

// The name that today's transformers gives. TensorFlow separates the parts by "/":
// bert/encoder/layer_0/attention/self/query/kernel is bert.encoder.layer.0.attention.self.query.weight, transposed.
function todaysName(name: string): [name: string, transpose: boolean] {
  let plain = name.replace(/^module\./, "");
  if (name.includes("/")) {
    plain = plain.replace(/:0$/, "").replaceAll("/", ".").replace(/\.layer_(\._)?/, ".layer.")
      .replace(/_embeddings$/, "$&.weight").replace(/(kernel|output_weights)$/, "weight").replace(
        /output_bias$/,
        "bias",
      );
  }
  plain = plain.replace(/LayerNorm\.gamma$/, "LayerNorm.weight").replace(
    /LayerNorm\.beta$/,
    "LayerNorm.bias",
  );
  return [plain, /\/kernel(:0)?$/.test(name)];
}
