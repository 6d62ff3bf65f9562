/**
 * BERT's encoder as ONNX operations: what `src/model` computes, on padded batches [B, T]. Pure.
 *
 * @module
 */
import type { BertConfig } from "../model/config.ts";
import type { GraphBuilder, Value } from "./graph_builder.ts";
import type { LayerGraphs } from "./layer_graphs.ts";

/** The inputs of the encoder, int64 [B, T]. */
export interface EncoderInputs {
  readonly input_ids: Value;
  readonly attention_mask: Value;
  readonly token_type_ids: Value;
}

/** Added to the scores of masked tokens: exp(-10000) is 0. onnxruntime's attention fusion knows this value. */
const MASKED = -10000;

/** The last hidden state [B, T, H]. */
export function encoderGraph(
  layers: LayerGraphs,
  config: BertConfig,
  prefix: string,
  inputs: EncoderInputs,
): Value {
  const mask = maskGraph(layers.graph, inputs.attention_mask);
  let x = embeddingGraph(layers, config, `${prefix}embeddings`, inputs);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const name = `${prefix}encoder.layer.${i}`;
    const attended = attentionGraph(layers, config, `${name}.attention.self`, x, mask);
    const residual = (dense: string, from: Value, to: Value) =>
      layers.layerNorm(
        layers.graph.op("Add", [layers.linear(from, `${dense}.dense`), to], dense),
        `${dense}.LayerNorm`,
        config.layer_norm_eps,
      );
    x = residual(`${name}.attention.output`, attended, x);
    const wide = activationGraph(
      layers.graph,
      layers.linear(x, `${name}.intermediate.dense`),
      config.hidden_act,
      `${name}.intermediate`,
    );
    x = residual(`${name}.output`, wide, x);
  }
  return x;
}

/** The first token's vector through Linear and tanh, [B, H]. */
export function poolerGraph(layers: LayerGraphs, hidden: Value, name: string): Value {
  const first = layers.graph.op("Gather", [hidden, layers.graph.index(0)], name, { axis: { int: 1 } });
  return layers.graph.op("Tanh", [layers.linear(first, `${name}.dense`)], name);
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

/** LayerNorm(word[ids] + type[types] + position[0..T)) */
function embeddingGraph(
  layers: LayerGraphs,
  config: BertConfig,
  name: string,
  { input_ids, token_type_ids }: EncoderInputs,
): Value {
  const { graph } = layers;
  const lookUp = (table: string, ids: Value) =>
    layers.rows(`${name}.${table}.weight`, (t) => graph.op("Gather", [t, ids], `${name}.${table}`));
  const words = lookUp("word_embeddings", input_ids), types = lookUp("token_type_embeddings", token_type_ids);
  const length = graph.op("Shape", [input_ids], name, { start: { int: 1 }, end: { int: 2 } }); // [1]
  const positions = layers.rows(
    `${name}.position_embeddings.weight`,
    (t) =>
      graph.op("Slice", [t, graph.integers(0), length, graph.integers(0)], `${name}.position_embeddings`),
  );
  const sum = graph.op("Add", [graph.op("Add", [words, types], name), positions], name);
  graph.declare(sum, ["batch_size", "sequence_length", config.hidden_size]);
  return layers.layerNorm(sum, `${name}.LayerNorm`, config.layer_norm_eps);
}

/** softmax(q k^T / sqrt(D) + mask) v for each head, [B, T, H]. */
function attentionGraph(layers: LayerGraphs, config: BertConfig, name: string, x: Value, mask: Value): Value {
  const { graph } = layers, { num_attention_heads: heads, head_size: d, hidden_size: h } = config;
  const split = (part: string, perm: readonly number[]) => {
    const y = graph.op(
      "Reshape",
      [layers.linear(x, `${name}.${part}`), graph.integers(0, 0, heads, d)],
      name,
    );
    return graph.op("Transpose", [y], name, { perm: { ints: perm } });
  };
  const q = split("query", [0, 2, 1, 3]), k = split("key", [0, 2, 3, 1]), v = split("value", [0, 2, 1, 3]);
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
