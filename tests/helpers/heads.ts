/** Every model class with a head, small, and a batch of given lengths with labels for it. */
import * as models from "../../src/model/mod.ts";
import type { Model } from "./golden_model.ts";

const SHAPE = {
  ...{ vocab_size: 61, hidden_size: 24, num_hidden_layers: 3, num_attention_heads: 3, intermediate_size: 40 },
  ...{ max_position_embeddings: 160, num_labels: 4 },
};
/** BERT's configuration of the models here. */
export const BERT = new models.BertConfig(SHAPE);
/** DistilBERT's. */
export const DISTILBERT = new models.DistilBertConfig(SHAPE);

/** A model class, its configuration, and what its forward takes. */
export interface Head {
  name: string;
  ModelClass: { new (config: models.BertConfig): Model };
  config: models.BertConfig;
  inputs(lengths: number[]): models.ModelInputs & Record<string, unknown>;
}

type Labels = (ids: number[][]) => Record<string, unknown>;

/** Labels of the first tokens, of so many as a plan takes for granted. */
const words = (ids: number[][]) => {
  let left = Math.ceil(0.15 * ids.flat().length);
  return ids.map((row) => row.map((id) => left-- > 0 ? (id + 5) % 61 : -100));
};
const pairs = (ids: number[][]) => ids.map((_, b) => b % 2);
const LABELS: Record<string, Labels> = {
  SequenceClassification: (ids) => ({ labels: ids.map((_, b) => b % 4) }),
  TokenClassification: (ids) => ({ labels: ids.map((row) => row.map((id) => id % 5 === 0 ? -100 : id % 4)) }),
  QuestionAnswering: (ids) => ({
    start_positions: ids.map(() => 0),
    end_positions: ids.map((row) => row.length - 1),
  }),
  MultipleChoice: () => ({ labels: [1] }),
  MaskedLM: (ids) => ({ labels: words(ids) }),
  NextSentencePrediction: (ids) => ({ labels: pairs(ids) }),
  PreTraining: (ids) => ({ labels: words(ids), next_sentence_label: pairs(ids) }),
};

/** All heads of both families. */
export const HEADS: Head[] = [["Bert", BERT] as const, ["DistilBert", DISTILBERT] as const].flatMap(
  ([family, config]) =>
    Object.entries(LABELS).flatMap(([task, labels]) => {
      const name = `${family}For${task}`, found = models[name as keyof typeof models];
      if (!found) return [];
      const inputs = (lengths: number[]) => {
        const ids = lengths.map((n, b) => Array.from({ length: n }, (_, t) => 1 + (7 * b + 3 * t) % 60));
        return { input_ids: task === "MultipleChoice" ? [ids] : ids, ...labels(ids) };
      };
      return [{ name, ModelClass: found as unknown as Head["ModelClass"], config, inputs }];
    }),
);

/** A new model of a head. */
export async function newModel({ ModelClass, config }: Head, seed = 3): Promise<Model> {
  const from = ModelClass as unknown as {
    from_config(config: models.BertConfig, options: object): Promise<Model>;
  };
  return await from.from_config(config, { seed });
}
