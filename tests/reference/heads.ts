/** The loss of every head in plain f64, from the real tokens of a batch and its labels. */
import { activate, encode, linear, norm, pool, product, type ReferenceModel, type Tokens } from "./bert.ts";
import { binaryCrossEntropy, crossEntropy, meanSquaredError, poolRows, type VectorLoss } from "./losses.ts";

/** A batch: real tokens, and labels as the heads take them. */
export interface ReferenceBatch {
  texts: readonly Tokens[];
  labels?: readonly number[] | readonly (readonly number[])[];
  next_sentence_label?: readonly number[];
  start_positions?: readonly number[];
  end_positions?: readonly number[];
  /** Choices of an example. */
  choices?: number;
  smoothing?: number;
  weights?: number[];
  /** Of sentence vectors. */
  vectors?: { pooling: string; normalize: boolean; columns: number; loss: VectorLoss };
}

type HeadLoss = (model: ReferenceModel, batch: ReferenceBatch) => number;

const join = (rows: Float64Array[]) => Float64Array.from(rows.flatMap((row) => [...row]));

/** Scores of one vector a text. */
function scoreTexts(model: ReferenceModel, { texts }: ReferenceBatch, name: string): Float64Array {
  const pooled = texts.map((text) => pool(model, encode(model, text)));
  return linear(model, name, join(pooled), model.hidden);
}

/** Labels of real tokens, in their order. */
function tokenLabels({ texts, labels }: ReferenceBatch): number[] {
  return texts.flatMap(({ columns }, b) => columns.map((t) => (labels as number[][])[b][t]));
}

function scorePairs(model: ReferenceModel, batch: ReferenceBatch, labels: readonly number[]): number {
  return crossEntropy(scoreTexts(model, batch, "cls.seq_relationship"), labels, 2);
}

function scoreWords(model: ReferenceModel, batch: ReferenceBatch): number {
  const { hidden: h, weights, prefix, family } = model, isBert = family === "bert";
  const states = join(batch.texts.map((text) => encode(model, text)));
  const names = isBert
    ? ["cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.decoder"]
    : ["vocab_transform", "vocab_layer_norm", "vocab_projector"];
  const features = norm(model, names[1], activate(model, linear(model, names[0], states, h)));
  const decoder = weights.get(`${names[2]}.weight`) ??
    weights.get(`${prefix}embeddings.word_embeddings.weight`)!;
  const bias = weights.get(`${names[2]}.bias`) ?? weights.get("cls.predictions.bias")!, v = bias.length;
  const scores = product(features, decoder, h).map((x, i) => x + bias[i % v]);
  return crossEntropy(scores, tokenLabels(batch), v, batch);
}

const single: HeadLoss = (model, batch) => {
  const scores = scoreTexts(model, batch, "classifier");
  return crossEntropy(scores, batch.labels as number[], scores.length / batch.texts.length, batch);
};
const flat = ({ labels }: ReferenceBatch) => (labels as number[][]).flat();

/** The losses, by the ends of the classes' names and, for sequences, the problem. */
export const HEAD_LOSSES: Readonly<Record<string, HeadLoss>> = {
  single_label_classification: single,
  regression: (model, batch) => meanSquaredError(scoreTexts(model, batch, "classifier"), flat(batch)),
  multi_label_classification: (model, batch) =>
    binaryCrossEntropy(scoreTexts(model, batch, "classifier"), flat(batch), batch.weights),
  TokenClassification: (model, batch) => {
    const states = join(batch.texts.map((text) => encode(model, text)));
    const scores = linear(model, "classifier", states, model.hidden), labels = tokenLabels(batch);
    return crossEntropy(scores, labels, scores.length / labels.length, batch);
  },
  QuestionAnswering: (model, { texts, start_positions, end_positions }) => {
    let loss = 0;
    texts.forEach((text, b) => {
      const scores = linear(model, "qa_outputs", encode(model, text), model.hidden), n = text.ids.length;
      for (const [side, positions] of [start_positions!, end_positions!].entries()) {
        const own = Float64Array.from({ length: n }, (_, t) => scores[2 * t + side]);
        loss += crossEntropy(own, [text.columns.indexOf(positions[b])], n) / (2 * texts.length);
      }
    });
    return loss;
  },
  MultipleChoice: (model, batch) =>
    crossEntropy(scoreTexts(model, batch, "classifier"), batch.labels as number[], batch.choices!, batch),
  MaskedLM: scoreWords,
  NextSentencePrediction: (model, batch) => scorePairs(model, batch, batch.labels as number[]),
  PreTraining: (model, batch) =>
    scoreWords(model, batch) + scorePairs(model, batch, batch.next_sentence_label!),
  SentenceTransformer: (model, { texts, vectors }) => {
    const rows = texts.map((text) => {
      const pooled = poolRows(encode(model, text), model.hidden, vectors!.pooling);
      const length = vectors!.normalize ? Math.sqrt(pooled.reduce((all, x) => all + x * x, 0)) : 1;
      return pooled.map((x) => x / length);
    });
    return vectors!.loss(rows, texts.length / vectors!.columns);
  },
};
