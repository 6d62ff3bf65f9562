/** BERT and DistilBERT in plain f64 loops, read by the names of their checkpoints: finite differences are taken of it. */
import { activations, attention, layerNorm } from "./layers.ts";

/** Weights by their names in the model. */
export type Weights = ReadonlyMap<string, Float64Array>;

/** Real tokens of one text. */
export interface Tokens {
  ids: readonly number[];
  types: readonly number[];
  positions: readonly number[];
  /** Where they stand in the batch's rows. */
  columns: readonly number[];
}

/** Where the weights of one model stand, and what is not in their shapes. */
export interface ReferenceModel {
  weights: Weights;
  /** Before the encoder's names: `bert.`, or nothing. */
  prefix: string;
  family: "bert" | "distilbert";
  hidden: number;
  layers: number;
  heads: number;
  activation: string;
  eps: number;
  /** `scaling` of the LoRA on a module. */
  scaling(module: string): number;
}

const NAMES = {
  bert: {
    layer: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attended: "attention.output.dense",
    firstNorm: "attention.output.LayerNorm",
    up: "intermediate.dense",
    down: "output.dense",
    secondNorm: "output.LayerNorm",
  },
  distilbert: {
    layer: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    attended: "attention.out_lin",
    firstNorm: "sa_layer_norm",
    up: "ffn.lin1",
    down: "ffn.lin2",
    secondNorm: "output_layer_norm",
  },
};

function weightOf({ weights }: ReferenceModel, name: string): Float64Array {
  const found = weights.get(name);
  if (!found) throw new Error(`The reference has no "${name}"; it has ${[...weights.keys()].join(", ")}`);
  return found;
}

/** y[n, O] = x[n, I] W^T + b, and scaling * x A^T B^T where the module has LoRA. */
export function linear(model: ReferenceModel, name: string, x: Float64Array, inputs: number): Float64Array {
  const y = product(x, weightOf(model, `${name}.weight`), inputs), bias = weightOf(model, `${name}.bias`);
  const a = model.weights.get(`${name}.lora_A.weight`);
  if (a) {
    const inner = product(x, a, inputs), factor = model.scaling(name);
    product(inner, weightOf(model, `${name}.lora_B.weight`), a.length / inputs)
      .forEach((value, i) => y[i] += factor * value);
  }
  return y.map((value, i) => value + bias[i % bias.length]);
}

/** y[n, O] = x[n, I] w[O, I]^T */
export function product(x: Float64Array, w: Float64Array, inputs: number): Float64Array {
  const n = x.length / inputs, outputs = w.length / inputs, y = new Float64Array(n * outputs);
  for (let i = 0; i < n; i++) {
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let k = 0; k < inputs; k++) sum += x[i * inputs + k] * w[o * inputs + k];
      y[i * outputs + o] = sum;
    }
  }
  return y;
}

/** LayerNorm of a module. */
export function norm(model: ReferenceModel, name: string, x: Float64Array): Float64Array {
  const { hidden, eps } = model;
  return layerNorm(x, weightOf(model, `${name}.weight`), weightOf(model, `${name}.bias`), hidden, eps);
}

/** The activation of the feed-forward layers. */
export function activate({ activation }: ReferenceModel, x: Float64Array): Float64Array {
  return x.map(activations[activation]);
}

const sum = (a: Float64Array, b: Float64Array) => a.map((x, i) => x + b[i]);

/** The last hidden states [n, H] of one text. */
export function encode(model: ReferenceModel, { ids, types, positions }: Tokens): Float64Array {
  const { prefix, family, hidden: h, heads } = model, names = NAMES[family], n = ids.length;
  const table = (name: string) => model.weights.get(`${prefix}embeddings.${name}_embeddings.weight`);
  let x = new Float64Array(n * h);
  for (const [name, rows] of [["word", ids], ["position", positions], ["token_type", types]] as const) {
    const values = table(name);
    if (values) x = x.map((value, i) => value + values[rows[Math.floor(i / h)] * h + i % h]);
  }
  x = norm(model, `${prefix}embeddings.LayerNorm`, x) as Float64Array<ArrayBuffer>;
  for (let layer = 0; layer < model.layers; layer++) {
    const of = (part: string) => `${prefix}${names.layer}.${layer}.${part}`;
    const [q, k, v] = [names.query, names.key, names.value].map((part) => linear(model, of(part), x, h));
    const attended = linear(model, of(names.attended), attention(q, k, v, n, n, heads, h / heads), h);
    const middle = norm(model, of(names.firstNorm), sum(x, attended));
    const up = activate(model, linear(model, of(names.up), middle, h));
    const down = linear(model, of(names.down), up, up.length / n);
    x = norm(model, of(names.secondNorm), sum(middle, down)) as Float64Array<ArrayBuffer>;
  }
  return x;
}

/** The pooled vector [H] of the first token: BERT's tanh, DistilBERT's relu. */
export function pool(model: ReferenceModel, states: Float64Array): Float64Array {
  const { hidden: h, prefix, family } = model, first = states.slice(0, h);
  return family === "bert"
    ? linear(model, `${prefix}pooler.dense`, first, h).map(Math.tanh)
    : linear(model, "pre_classifier", first, h).map(activations.relu);
}
