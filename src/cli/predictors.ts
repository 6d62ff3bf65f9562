/**
 * What `berth predict` makes of texts, for each task.
 *
 * @module
 */
import type { TextExample } from "../data/mod.ts";
import { ConfigError } from "../errors.ts";
import { pipeline, type PipelineOptions } from "../pipelines/mod.ts";

/** What came of one text: rows of a table, and an object. */
export interface Predicted {
  readonly rows: readonly (readonly (string | number)[])[];
  readonly json: object;
}

/** Predicts some texts. */
export type Predictor = (examples: readonly TextExample[]) => Promise<Predicted[]>;

/** Options of the pipelines and of their calls. */
export type PredictorOptions = Omit<PipelineOptions, "signal">;

interface CallOptions {
  readonly batch_size?: number;
}

/** The tasks by name. */
export const TASKS: Readonly<Record<string, typeof classifier>> = {
  "text-classification": classifier,
  "token-classification": tagger,
  "question-answering": answerer,
  "fill-mask": filler,
};

/** The task whose examples are no plain texts. */
export const CHOICE_TASK = "multiple-choice";

/** How the names of classes end whose models have the head of a task. */
const HEADS: readonly [end: string, task: string][] = [
  ["ForSequenceClassification", "text-classification"],
  ["ForTokenClassification", "token-classification"],
  ["ForQuestionAnswering", "question-answering"],
  ["ForMultipleChoice", CHOICE_TASK],
  ["ForMaskedLM", "fill-mask"],
  ["ForPreTraining", "fill-mask"],
];

/**
 * The task of a model, by the class in its config.json.
 *
 * @throws {ConfigError} if there is none for it.
 */
export function taskOf(model: string, architectures: unknown): string {
  const names = [architectures ?? []].flat().map(String);
  const found = HEADS.find(([end]) => names.some((name) => name.endsWith(end)));
  if (found) return found[1];
  throw new ConfigError(
    `Cannot predict with "${model}": it is a ${
      names.join(", ") || "model without a head"
    }, one with a head is wanted; ` +
      "berth train makes one, berth embed needs none",
  );
}

function round(score: number): string {
  return score.toFixed(6);
}

function columns({ text, text_pair }: TextExample): string[] {
  return text_pair === undefined ? [text] : [text, text_pair];
}

async function classifier(model: string, options: PredictorOptions, call: CallOptions): Promise<Predictor> {
  const classify = await pipeline("text-classification", model, options);
  return async (examples) => {
    const all = await classify(examples, { ...call, top_k: null });
    return all.map((found, i) => {
      const [{ label, score }] = found,
        scores = Object.fromEntries(found.map((one) => [one.label, one.score]));
      return { rows: [[label, round(score), ...columns(examples[i])]], json: { label, score, scores } };
    });
  };
}

async function tagger(model: string, options: PredictorOptions, call: CallOptions): Promise<Predictor> {
  const find = await pipeline("token-classification", model, options);
  return async (examples) => {
    const texts = examples.map(({ text }) => text);
    const all = await find(texts, { ...call, aggregation_strategy: "simple" });
    return all.map((entities, i) => ({
      rows: entities.map((
        { entity_group, score, start, end },
      ) => [entity_group!, round(score), texts[i].slice(start, end), texts[i]]),
      json: { entities },
    }));
  };
}

async function answerer(model: string, options: PredictorOptions, call: CallOptions): Promise<Predictor> {
  const answer = await pipeline("question-answering", model, options);
  return async (examples) => {
    const all = await answer(
      examples.map(({ text, text_pair = "" }) => ({ question: text, context: text_pair })),
      call,
    );
    return all.map((found, i) => ({
      rows: [[found.answer, round(found.score), examples[i].text]],
      json: { ...found },
    }));
  };
}

async function filler(model: string, options: PredictorOptions, call: CallOptions): Promise<Predictor> {
  const fill = await pipeline("fill-mask", model, options);
  return async (examples) => {
    const all = await fill(examples.map(({ text }) => text), call);
    return all.map((gaps) => ({
      rows: gaps.flat().map(({ token_str, score, sequence }) => [token_str, round(score), sequence]),
      json: { words: gaps },
    }));
  };
}
