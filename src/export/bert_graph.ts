/**
 * BERT's encoder, or DistilBERT's, as ONNX operations: what `src/model` computes, on padded batches [B, T]. Pure.
 *
 * @module
 */
import type { BertConfig } from "../model/config.ts";
import type { Family } from "./families.ts";
import type { GraphBuilder, Value } from "./graph_builder.ts";
import type { LayerGraphs } from "./layer_graphs.ts";

/** The inputs of the encoder, int64 [B, T]. */
export interface EncoderInputs {
  readonly input_ids: Value;
  readonly attention_mask: Value;
  /** Absent where the family has none. */
  readonly token_type_ids?: Value;
}

/** Added to the scores of masked tokens: exp(-10000) is 0, in half precision too. */
const MASKED = -10000;

/** The last hidden state [B, T, H]. */
export function encoderGraph(
  layers: LayerGraphs,
  config: BertConfig,
  family: Family,
  prefix: string,
  inputs: EncoderInputs,
): Value {
  const { graph } = layers, mask = maskGraph(graph, inputs.attention_mask);
  let x = embeddingGraph(layers, config, `${prefix}embeddings`, inputs);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const own = (part: string) => `${prefix}${family.layers}.${i}.${part}`;
    const addAndNorm = (dense: string, from: Value, norm: string) => {
      const sum = graph.op("Add", [layers.linear(from, own(dense)), x], own(dense));
      return layers.layerNorm(sum, own(norm), config.layer_norm_eps);
    };
    x = addAndNorm(
      family.attended,
      attentionGraph(layers, config, family, own, x, mask),
      family.attendedNorm,
    );
    const wide = activationGraph(
      graph,
      layers.linear(x, own(family.wide)),
      config.hidden_act,
      own(family.wide),
    );
    x = addAndNorm(family.narrow, wide, family.norm);
  }
  return x;
}

/** The first token's vector through a Linear and its activation, [B, H]. */
export function poolerGraph(layers: LayerGraphs, hidden: Value, name: string, activation: string): Value {
  const first = layers.graph.op("Gather", [hidden, layers.graph.index(0)], name, { axis: { int: 1 } });
  return layers.graph.op(activation, [layers.linear(first, name)], name);
}

/** 0 for real tokens, {@linkcode MASKED} for others: [B, 1, 1, T]. */
function maskGraph(graph: GraphBuilder, attention_mask: Value): Value {
  const place = "attention_mask";
  const wide = graph.op("Unsqueeze", [
    graph.op("Unsqueeze", [attention_mask, graph.integers(1)], place),
    graph.integers(2),
  ], place);
  const real = graph.op("Cast", [wide], place, { to: { element: "float32" } });
  return graph.op("Mul", [graph.op("Sub", [graph.scalar(1), real], place), graph.scalar(MASKED)], place);
}

/** LayerNorm(word[ids] + type[types] + position[0..T)); the types only where there are any. */
function embeddingGraph(
  layers: LayerGraphs,
  config: BertConfig,
  name: string,
  { input_ids, token_type_ids }: EncoderInputs,
): Value {
  const { graph } = layers;
  const lookUp = (table: string, ids: Value) =>
    layers.rows(`${name}.${table}.weight`, (t) => graph.op("Gather", [t, ids], `${name}.${table}`));
  const words = lookUp("word_embeddings", input_ids);
  const typed = token_type_ids
    ? graph.op("Add", [words, lookUp("token_type_embeddings", token_type_ids)], name)
    : words;
  const length = graph.op("Shape", [input_ids], name, { start: { int: 1 }, end: { int: 2 } }); // [1]
  const positions = layers.rows(
    `${name}.position_embeddings.weight`,
    (t) =>
      graph.op("Slice", [t, graph.integers(0), length, graph.integers(0)], `${name}.position_embeddings`),
  );
  const sum = graph.op("Add", [typed, positions], name);
  graph.declare(sum, ["batch_size", "sequence_length", config.hidden_size]);
  return layers.layerNorm(sum, `${name}.LayerNorm`, config.layer_norm_eps);
}

/** softmax(q k^T / sqrt(D) + mask) v for each head, [B, T, H]. */
function attentionGraph(
  layers: LayerGraphs,
  config: BertConfig,
  family: Family,
  own: (part: string) => string,
  x: Value,
  mask: Value,
): Value {
  const { graph } = layers, { num_attention_heads: heads, head_size: d, hidden_size: h } = config;
  const name = own("attention");
  const split = (part: string, perm: readonly number[]) => {
    const y = graph.op("Reshape", [layers.linear(x, own(part)), graph.integers(0, 0, heads, d)], name);
    return graph.op("Transpose", [y], name, { perm: { ints: perm } });
  };
  const q = split(family.query, [0, 2, 1, 3]), k = split(family.key, [0, 2, 3, 1]);
  const v = split(family.value, [0, 2, 1, 3]);
  const products = graph.op("MatMul", [q, k], name); // [B, N, T, T]
  const scores = graph.op("Div", [products, graph.scalar(Math.sqrt(d))], name);
  const weights = graph.op("Softmax", [graph.op("Add", [scores, mask], name)], name, { axis: { int: -1 } });
  const merged = graph.op("Transpose", [graph.op("MatMul", [weights, v], name)], name, {
    perm: { ints: [0, 2, 1, 3] },
  });
  return graph.op("Reshape", [merged, graph.integers(0, 0, h)], name);
}

/** The activation of that name in config.json, written as PyTorch's exporter writes it: runtimes know these patterns. */
export function activationGraph(graph: GraphBuilder, x: Value, name: string, place: string): Value {
  const op = (type: string, ...inputs: Value[]) => graph.op(type, inputs, place);
  const number = (value: number) => graph.scalar(value);
  switch (name) {
    case "gelu": {
      const erf = op("Erf", op("Div", x, number(Math.SQRT2)));
      return op("Mul", op("Mul", x, op("Add", erf, number(1))), number(0.5));
    }
    case "gelu_new":
    case "gelu_pytorch_tanh": {
      const cube = op("Mul", op("Pow", x, number(3)), number(0.044715));
      const inner = op("Mul", op("Add", x, cube), number(Math.sqrt(2 / Math.PI)));
      return op("Mul", op("Mul", x, number(0.5)), op("Add", op("Tanh", inner), number(1)));
    }
    case "silu":
    case "swish":
      return op("Mul", x, op("Sigmoid", x));
    case "relu":
      return op("Relu", x);
    case "tanh":
      return op("Tanh", x);
    default:
      throw new TypeError(`Cannot export hidden_act ${JSON.stringify(name)}`);
  }
}
