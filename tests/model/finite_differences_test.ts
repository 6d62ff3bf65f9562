/** Every element of every gradient, of every head, loss and adapter, against differences of the loss in f64. */
import "../../src/hub/mod.ts";
import { ok, strictEqual } from "node:assert/strict";
import * as models from "../../src/model/mod.ts";
import { Random } from "../../src/random.ts";
import { dispose, init } from "../../src/runtime/mod.ts";
import { largestDifference } from "../helpers/errors.ts";
import { largest } from "../helpers/golden.ts";
import type { Model } from "../helpers/golden_model.ts";
import type { ReferenceModel, Tokens } from "../reference/bert.ts";
import { HEAD_LOSSES, type ReferenceBatch } from "../reference/heads.ts";
import { numericalGradient } from "../reference/layers.ts";
import { ranking, squaredCosineErrors, triplet } from "../reference/losses.ts";

/** What differs from case to case. */
interface Case {
  /** A model class, and for sequences the problem in brackets. */
  name: string;
  config?: Record<string, unknown>;
  labels?: Partial<ReferenceBatch>;
  lora?: Partial<models.LoraConfigOptions>;
  loss?: models.SentenceLoss;
}

const SHAPE = {
  ...{ vocab_size: 11, hidden_size: 6, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 5 },
  ...{ max_position_embeddings: 9, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
  ...{ seq_classif_dropout: 0, qa_dropout: 0, num_labels: 3, layer_norm_eps: 1e-12 },
};
/** Padding on both sides, holes, one token alone; rows of different lengths. */
const INPUTS = {
  input_ids: [[4, 9, 3, 3, 7], [1, 6, 2, 8], [5], [1, 1, 10, 4, 9]],
  attention_mask: [[1, 0, 1, 1, 1], [0, 1, 1, 1], [1], [1, 1, 1, 0, 1]],
  token_type_ids: [[0, 0, 1, 1, 1], [0, 0, 0, 0], [1], [0, 1, 0, 1, 0]],
  position_ids: [[0, 1, 2, 3, 4], [8, 0, 1, 2], [5], [4, 3, 2, 1, 0]],
};
const WORDS = [[-100, -100, 6, 2, -100], [-100, -100, 8, -100], [3], [-100, 1, -100, -100, 10]];
const TAGS = [[2, -100, 0, 1, 1], [-100, 0, -100, 2], [1], [0, 0, 2, -100, 1]];
const SPANS = { start_positions: [2, 1, 0, 1], end_positions: [4, 3, 0, 4] };
const SEVERAL = [[1, 0, 1], [0, 0, 1], [0.5, 1, 0], [1, 1, 1]];
const ALL = { r: 2, lora_alpha: 5, target_modules: "all-linear" };
const WEIGHTED = { weights: [0.5, 2, 1.25] };

function sentences(
  pooling: string,
  normalize: boolean,
  loss: models.SentenceLoss,
  columns: number,
  reference: ReturnType<typeof ranking>,
): Case {
  return {
    ...{ name: `SentenceTransformer [${pooling}${normalize ? ", normalised" : ""}]`, loss },
    labels: { vectors: { pooling, normalize, columns, loss: reference }, labels: [0.9, -0.2] },
  };
}

const CASES: Case[] = [
  { name: "BertForSequenceClassification [single_label_classification]", labels: { labels: [0, 2, 1, 2] } },
  {
    name: "BertForSequenceClassification [single_label_classification]",
    config: { hidden_act: "tanh", num_attention_heads: 3, layer_norm_eps: 1e-3 },
    labels: { labels: [0, -100, 1, 2], smoothing: 0.2, ...WEIGHTED },
  },
  {
    name: "BertForSequenceClassification [regression]",
    config: { num_labels: 2, hidden_act: "silu" },
    labels: { labels: [[1.5, -0.2], [0, 3], [0.1, 0.2], [-1, -2]] },
  },
  {
    name: "BertForSequenceClassification [multi_label_classification]",
    config: { hidden_act: "gelu_new" },
    labels: { labels: SEVERAL, ...WEIGHTED },
  },
  { name: "BertForTokenClassification", labels: { labels: TAGS, smoothing: 0.1 } },
  {
    name: "BertForTokenClassification",
    config: { hidden_act: "relu" },
    labels: { labels: TAGS, ...WEIGHTED },
  },
  { name: "BertForQuestionAnswering", labels: SPANS },
  { name: "BertForMultipleChoice", labels: { labels: [1, 0], choices: 2, smoothing: 0.3 } },
  { name: "BertForMaskedLM", labels: { labels: WORDS } },
  {
    name: "BertForMaskedLM",
    config: { tie_word_embeddings: false },
    labels: { labels: WORDS, smoothing: 0.1 },
  },
  { name: "BertForNextSentencePrediction", labels: { labels: [1, 0, 0, 1] } },
  { name: "BertForPreTraining", labels: { labels: WORDS, next_sentence_label: [0, 1, 1, 0] } },
  {
    name: "DistilBertForSequenceClassification [single_label_classification]",
    labels: { labels: [0, 2, 1, 2] },
  },
  { name: "DistilBertForSequenceClassification [multi_label_classification]", labels: { labels: SEVERAL } },
  { name: "DistilBertForTokenClassification", labels: { labels: TAGS } },
  { name: "DistilBertForQuestionAnswering", labels: SPANS },
  { name: "DistilBertForMultipleChoice", labels: { labels: [1, 0], choices: 2 } },
  { name: "DistilBertForMaskedLM", labels: { labels: WORDS } },
  sentences("mean", false, new models.MultipleNegativesRankingLoss(), 2, ranking(20)),
  sentences("max", true, new models.MultipleNegativesRankingLoss({ scale: 5 }), 2, ranking(5)),
  sentences(
    "mean_sqrt_len_tokens",
    false,
    new models.CosineSimilarityLoss(),
    2,
    squaredCosineErrors([0.9, -0.2]),
  ),
  sentences("cls", true, new models.TripletLoss({ triplet_margin: 3 }), 3, triplet("euclidean", 3)),
  sentences("mean", true, new models.TripletLoss({ distance_metric: "cosine" }), 3, triplet("cosine", 5)),
  sentences(
    "max",
    false,
    new models.TripletLoss({ distance_metric: "manhattan" }),
    3,
    triplet("manhattan", 5),
  ),
  {
    name: "BertForSequenceClassification [single_label_classification]",
    labels: { labels: [0, 2, 1, 2] },
    lora: { ...ALL, task_type: "SEQ_CLS", bias: "all" },
  },
  {
    name: "BertForTokenClassification",
    labels: { labels: TAGS },
    lora: {
      ...ALL,
      use_rslora: true,
      rank_pattern: { "query": 1, "output.dense": 4 },
      alpha_pattern: { key: 3 },
    },
  },
  { name: "BertForMaskedLM", labels: { labels: WORDS }, lora: ALL },
  {
    name: "DistilBertForQuestionAnswering",
    labels: SPANS,
    lora: { ...ALL, task_type: "QUESTION_ANS", bias: "lora_only" },
  },
];

/** The real tokens of the first texts. */
function realTokens(count: number, types: boolean): Tokens[] {
  return INPUTS.input_ids.slice(0, count).map((row, b) => {
    const columns = row.map((_, t) => t).filter((t) => INPUTS.attention_mask[b][t] === 1);
    const of = (rows: number[][]) => columns.map((t) => rows[b][t]);
    return {
      ...{ ids: of(INPUTS.input_ids), positions: of(INPUTS.position_ids), columns },
      types: types ? of(INPUTS.token_type_ids) : [],
    };
  });
}

/** What the model reads: the first texts, in examples of choices where there are such. */
function inputsOf({ labels, loss }: Case, count: number): models.ModelInputs {
  const { choices, smoothing, weights, vectors, ...own } = labels!;
  const rows = Object.entries(INPUTS).map(([name, all]) => {
    const some = all.slice(0, count);
    return [name, choices ? [some.slice(0, choices), some.slice(choices)] : some];
  });
  return {
    ...Object.fromEntries(rows),
    ...own,
    ...(smoothing === undefined ? {} : { label_smoothing: smoothing }),
    ...(weights === undefined ? {} : { class_weights: weights }),
    ...(vectors === undefined ? {} : { loss, columns: vectors.columns }),
  } as unknown as models.ModelInputs;
}

async function newModel({ name, config, labels }: Case): Promise<Model> {
  const [className, problem] = name.split(/[ \[\]]+/), isDistil = className.startsWith("Distil");
  const problem_type = labels!.vectors ? undefined : problem as models.ProblemType | undefined;
  const Config = isDistil ? models.DistilBertConfig : models.BertConfig;
  const Class = models[className as "BertForMaskedLM"];
  const model = await Class.from_config(
    new Config({ ...SHAPE, problem_type, ...config }),
  ) as unknown as Model;
  const random = new Random(className.length);
  for (const [name, parameter] of model.named_parameters()) {
    const isScale = /LayerNorm\.weight|layer_norm\.weight/.test(name);
    parameter.values().forEach((_, i, all) => all[i] = random.normal(isScale ? 1 : 0, isScale ? 0.2 : 0.4));
    parameter.markWritten();
  }
  return model;
}

for (const one of CASES) {
  const about = [JSON.stringify(one.config), one.lora && `LoRA ${JSON.stringify(one.lora)}`, one.loss?.name];
  Deno.test(`gradients match f64 differences within 2e-5: ${[one.name, ...about].filter(Boolean).join(", ")}`, async () => {
    await init({ threads: 2 });
    const model = await newModel(one), { config } = model, isBert = config.model_type === "bert";
    const { vectors } = one.labels!, count = vectors ? 4 - 4 % vectors.columns : 4;
    if (model instanceof models.SentenceTransformer) {
      model.pooling_mode = vectors!.pooling as models.PoolingMode;
      model.normalize = vectors!.normalize;
    }
    const peft = one.lora && models.get_peft_model(model, new models.LoraConfig(one.lora), { seed: 2 });
    const random = new Random(5);
    for (const { lora_B } of peft?.layers.values() ?? []) lora_B.drawNormal(random, 0.4);
    const weights = new Map(
      Array.from(
        model.named_parameters(),
        ([name, parameter]) => [name, Float64Array.from(parameter.values())],
      ),
    );
    const reference: ReferenceModel = {
      ...{ weights, prefix: vectors ? "" : `${config.model_type}.`, family: isBert ? "bert" : "distilbert" },
      ...{ hidden: config.hidden_size, layers: config.num_hidden_layers, heads: config.num_attention_heads },
      ...{ activation: config.hidden_act, eps: config.layer_norm_eps },
      scaling: (module) => peft!.layers.get(module)!.scaling,
    };
    const [, head] = /For(\w+)$/.exec(one.name.split(" ")[0]) ?? [, "SentenceTransformer"];
    const lossOf = HEAD_LOSSES[config.problem_type ?? head!], texts = realTokens(count, isBert);
    const loss = () => lossOf(reference, { ...one.labels, texts });
    const { loss: value } = model.train().forward(inputsOf(one, count) as never);
    model.backward();
    ok(Math.abs(value! - loss()) < 2e-6 * (1 + loss()), `loss ${value}, expected ${loss()}`);
    const checked: [name: string, difference: number, largest: number][] = [];
    for (const [name, parameter] of model.named_parameters()) {
      const gradient = parameter.grad();
      if (!parameter.requires_grad) {
        strictEqual(gradient, null, name);
        continue;
      }
      const values = weights.get(name)!, kept = values.slice();
      const at = (x: Float64Array) => {
        values.set(x);
        return Float64Array.of(loss());
      };
      const wanted = numericalGradient(at, kept, [1]);
      values.set(kept);
      const own = gradient ?? new Float32Array(parameter.size); // none: the loss does not reach it
      checked.push([name, largestDifference(own, wanted), largest(wanted)]);
    }
    const top = Math.max(...checked.map(([, , size]) => size));
    for (const [name, difference, size] of checked) {
      ok(difference < 2e-5 * size + 1e-6 * top, `${name}: differs by ${difference}, largest ${size}`);
    }
    dispose();
  });
}
