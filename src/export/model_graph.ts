/**
 * A model's class, configuration and weights -> its whole ONNX graph, with optimum's names of inputs and outputs. Pure.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import type { BertConfig } from "../model/config.ts";
import { activationGraph, encoderGraph, type EncoderInputs, poolerGraph } from "./bert_graph.ts";
import { FAMILIES, type Family } from "./families.ts";
import { GraphBuilder, type Value } from "./graph_builder.ts";
import { LayerGraphs, type NamedTensor, type WeightType } from "./layer_graphs.ts";
import type { Graph } from "./onnx_file.ts";

const BATCH = "batch_size", TOKENS = "sequence_length", CHOICES = "num_choices";

/** What a head builds on. */
interface HeadContext {
  readonly layers: LayerGraphs;
  readonly graph: GraphBuilder;
  readonly config: BertConfig;
  readonly family: Family;
  /** [B, T, H] */
  readonly hidden: Value;
  /** The pooled vector [B, H]; made when it is asked for. */
  pooled(): Value;
}

/** What each class puts on the encoder, by the end of its name. */
const HEADS: Readonly<Record<string, (context: HeadContext) => void>> = {
  Model({ graph, config: { hidden_size }, family, hidden, pooled }) {
    graph.output(hidden, "last_hidden_state", [BATCH, TOKENS, hidden_size]);
    if (family === FAMILIES.Bert) graph.output(pooled(), "pooler_output", [BATCH, hidden_size]);
  },
  ForSequenceClassification({ graph, layers, config, pooled }) {
    graph.output(layers.linear(pooled(), "classifier"), "logits", [BATCH, config.num_labels]);
  },
  ForMultipleChoice({ graph, layers, pooled }) {
    const scores = layers.linear(pooled(), "classifier"); // [B * choices, 1]
    const choices = graph.op("Shape", ["input_ids"], "logits", { start: { int: 1 }, end: { int: 2 } });
    const shape = graph.op("Concat", [graph.integers(-1), choices], "logits", { axis: { int: 0 } });
    graph.output(graph.op("Reshape", [scores, shape], "logits"), "logits", [BATCH, CHOICES]);
  },
  ForTokenClassification({ graph, layers, config, hidden }) {
    graph.output(layers.linear(hidden, "classifier"), "logits", [BATCH, TOKENS, config.num_labels]);
  },
  ForQuestionAnswering({ graph, layers, hidden }) {
    const both = layers.linear(hidden, "qa_outputs"); // [B, T, 2]
    ["start_logits", "end_logits"].forEach((name, i) => {
      const logits = graph.op("Gather", [both, graph.index(i)], name, { axis: { int: 2 } });
      graph.output(logits, name, [BATCH, TOKENS]);
    });
  },
  ForMaskedLM(context) {
    const { graph, config } = context;
    graph.output(predictionGraph(context), "logits", [BATCH, TOKENS, config.vocab_size]);
  },
  ForNextSentencePrediction({ graph, layers, pooled }) {
    graph.output(layers.linear(pooled(), "cls.seq_relationship"), "logits", [BATCH, 2]);
  },
  ForPreTraining(context) {
    const { graph, layers, config, pooled } = context;
    graph.output(predictionGraph(context), "prediction_logits", [BATCH, TOKENS, config.vocab_size]);
    graph.output(layers.linear(pooled(), "cls.seq_relationship"), "seq_relationship_logits", [BATCH, 2]);
  },
};

/** Word scores [B, T, V]: transform, then the word embedding's table, unless there is one of its own. */
function predictionGraph({ graph, layers, config, family, hidden }: HeadContext): Value {
  const { dense, norm, decoder, bias } = family.words;
  const active = activationGraph(graph, layers.linear(hidden, dense), config.hidden_act, dense);
  const features = layers.layerNorm(active, norm, config.layer_norm_eps);
  const table = layers.tensors.has(decoder) ? decoder : `${family.prefix}embeddings.word_embeddings.weight`;
  return layers.tableLinear(features, table, bias, decoder.replace(/\.weight$/, ""));
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
  const [, familyName, head] = /^((?:Distil)?Bert)(.*)$/.exec(typeName) ?? [];
  if (head === undefined || !Object.hasOwn(HEADS, head)) {
    const known = Object.keys(HEADS).map((end) => `Bert${end}`).join(", ");
    throw new ConfigError(`Cannot export a ${typeName} to ONNX: one of ${known} is wanted, or DistilBERT's`);
  }
  const family = FAMILIES[familyName as keyof typeof FAMILIES];
  const graph = new GraphBuilder(), layers = new LayerGraphs(graph, tensors, type);
  const prefix = head === "Model" ? "" : family.prefix, pooler = family.pooler.replace(family.prefix, prefix);
  const hidden = encoderGraph(
    layers,
    config,
    family,
    prefix,
    inputsOf(graph, family, head === "ForMultipleChoice"),
  );
  const pooled = () => poolerGraph(layers, hidden, pooler, family.poolerActivation);
  HEADS[head]({ layers, graph, config, family, hidden, pooled });
  if (layers.unused.length > 0) {
    throw new ConfigError(
      `Cannot export the ${typeName} to ONNX: it has the weight "${
        layers.unused[0]
      }", which none of its layers reads; \
an adapter has to be merged first`,
    );
  }
  return graph.build(typeName);
}

/** The inputs; those of several choices as rows of their own. */
function inputsOf(graph: GraphBuilder, family: Family, choices: boolean): EncoderInputs {
  const dims = choices ? [BATCH, CHOICES, TOKENS] : [BATCH, TOKENS];
  const input = (name: string) => {
    const value = graph.input(name, "int64", dims);
    if (!choices) return value;
    const width = graph.op("Shape", [value], name, { start: { int: 2 }, end: { int: 3 } });
    const shape = graph.op("Concat", [graph.integers(-1), width], name, { axis: { int: 0 } });
    return graph.op("Reshape", [value, shape], name);
  };
  const input_ids = input("input_ids"), attention_mask = input("attention_mask");
  return {
    input_ids,
    attention_mask,
    ...(family.hasTokenTypes ? { token_type_ids: input("token_type_ids") } : {}),
  };
}
