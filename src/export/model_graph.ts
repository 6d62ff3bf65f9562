/**
 * A model's class, configuration and weights -> its whole ONNX graph, with optimum's names of inputs and outputs. Pure.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import type { BertConfig } from "../model/config.ts";
import { activationGraph, encoderGraph, type EncoderInputs, poolerGraph } from "./bert_graph.ts";
import { GraphBuilder, type Value } from "./graph_builder.ts";
import { LayerGraphs, type NamedTensor, type WeightType } from "./layer_graphs.ts";
import type { Graph } from "./onnx_file.ts";

const BATCH = "batch_size", TOKENS = "sequence_length", CHOICES = "num_choices";

/** What a head builds on. */
interface HeadContext {
  readonly layers: LayerGraphs;
  readonly graph: GraphBuilder;
  readonly config: BertConfig;
  /** [B, T, H] */
  readonly hidden: Value;
  /** The pooled vector [B, H]; made when it is asked for. */
  pooled(): Value;
}

/** What each class puts on the encoder. */
const HEADS: Readonly<Record<string, (context: HeadContext) => void>> = {
  BertModel({ graph, config: { hidden_size }, hidden, pooled }) {
    graph.output(hidden, "last_hidden_state", [BATCH, TOKENS, hidden_size]);
    graph.output(pooled(), "pooler_output", [BATCH, hidden_size]);
  },
  BertForSequenceClassification({ graph, layers, config, pooled }) {
    graph.output(layers.linear(pooled(), "classifier"), "logits", [BATCH, config.num_labels]);
  },
  BertForMultipleChoice({ graph, layers, pooled }) {
    const scores = layers.linear(pooled(), "classifier"); // [B * choices, 1]
    const choices = graph.op("Shape", ["input_ids"], "logits", { start: { int: 1 }, end: { int: 2 } });
    const shape = graph.op("Concat", [graph.integers(-1), choices], "logits", { axis: { int: 0 } });
    graph.output(graph.op("Reshape", [scores, shape], "logits"), "logits", [BATCH, CHOICES]);
  },
  BertForTokenClassification({ graph, layers, config, hidden }) {
    graph.output(layers.linear(hidden, "classifier"), "logits", [BATCH, TOKENS, config.num_labels]);
  },
  BertForQuestionAnswering({ graph, layers, hidden }) {
    const both = layers.linear(hidden, "qa_outputs"); // [B, T, 2]
    ["start_logits", "end_logits"].forEach((name, i) => {
      const logits = graph.op("Gather", [both, graph.index(i)], name, { axis: { int: 2 } });
      graph.output(logits, name, [BATCH, TOKENS]);
    });
  },
  BertForMaskedLM(context) {
    const { graph, config } = context;
    graph.output(predictionGraph(context), "logits", [BATCH, TOKENS, config.vocab_size]);
  },
  BertForNextSentencePrediction({ graph, layers, pooled }) {
    graph.output(layers.linear(pooled(), "cls.seq_relationship"), "logits", [BATCH, 2]);
  },
  BertForPreTraining(context) {
    const { graph, layers, config, pooled } = context;
    graph.output(predictionGraph(context), "prediction_logits", [BATCH, TOKENS, config.vocab_size]);
    graph.output(layers.linear(pooled(), "cls.seq_relationship"), "seq_relationship_logits", [BATCH, 2]);
  },
};

/** Word scores [B, T, V]: transform, then the word embedding's own table. */
function predictionGraph({ graph, layers, config, hidden }: HeadContext): Value {
  const name = "cls.predictions", transform = `${name}.transform`;
  const dense = layers.linear(hidden, `${transform}.dense`);
  const active = activationGraph(graph, dense, config.hidden_act, transform);
  const features = layers.layerNorm(active, `${transform}.LayerNorm`, config.layer_norm_eps);
  return layers.tiedLinear(features, "bert.embeddings.word_embeddings.weight", `${name}.bias`, name);
}

/**
 * The graph of a model.
 *
 * @param typeName The model's class.
 * @param config Its configuration.
 * @param tensors All its weights, by their names in the checkpoint.
 * @param type The form of the weights.
 * @throws {ConfigError} if there is no graph for that class, or weights are missing or left over.
 */
export function modelGraph(
  typeName: string,
  config: BertConfig,
  tensors: ReadonlyMap<string, NamedTensor>,
  type: WeightType,
): Graph {
  if (!Object.hasOwn(HEADS, typeName)) {
    const known = Object.keys(HEADS).join(", ");
    throw new ConfigError(`Cannot export a ${typeName} to ONNX: one of ${known} is wanted`);
  }
  const graph = new GraphBuilder(), layers = new LayerGraphs(graph, tensors, type);
  const prefix = typeName === "BertModel" ? "" : "bert.";
  const hidden = encoderGraph(layers, config, prefix, inputsOf(graph, typeName === "BertForMultipleChoice"));
  HEADS[typeName]({
    layers,
    graph,
    config,
    hidden,
    pooled: () => poolerGraph(layers, hidden, `${prefix}pooler`),
  });
  if (layers.unused.length > 0) {
    throw new ConfigError(
      `Cannot export the ${typeName} to ONNX: it has the weight "${layers.unused[0]}", which \
none of its layers reads`,
    );
  }
  return graph.build(typeName);
}

/** The inputs; those of several choices as rows of their own. */
function inputsOf(graph: GraphBuilder, choices: boolean): EncoderInputs {
  const dims = choices ? [BATCH, CHOICES, TOKENS] : [BATCH, TOKENS];
  const input = (name: string) => {
    const value = graph.input(name, "int64", dims);
    if (!choices) return value;
    const width = graph.op("Shape", [value], name, { start: { int: 2 }, end: { int: 3 } });
    const shape = graph.op("Concat", [graph.integers(-1), width], name, { axis: { int: 0 } });
    return graph.op("Reshape", [value, shape], name);
  };
  return {
    input_ids: input("input_ids"),
    attention_mask: input("attention_mask"),
    token_type_ids: input("token_type_ids"),
  };
}
