/**
 * How much each word speaks for a class: integrated gradients (Sundararajan et al., 2017) or gradient x input, over the
 * word embeddings, from the model's own backward pass.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { Turns } from "../runtime/turns.ts";
import type { BertTokenizer } from "../tokenizer/mod.ts";
import type { Parameter } from "./parameter.ts";
import type { SequenceClassifier } from "./sequence_classification.ts";
import type { TextOrPair } from "./text_batches.ts";

/** Options of {@linkcode attributions}. */
export interface AttributionOptions {
  /**
   * `integrated_gradients` (the default): the mean gradient on the way from a text of [MASK] tokens to the text, times
   * the difference of the two; the scores add up, but for the number of steps, to the difference of the two logits.
   * `gradient_x_input`: the gradient at the text, times its word vectors.
   */
  method?: "integrated_gradients" | "gradient_x_input";
  /** Points on that way, in the middles of as many equal parts. Default 8. */
  steps?: number;
  /** The class of each text whose logit is explained. Default: the highest logit's; for regression the value. */
  targets?: readonly number[];
  /** Longer texts are cut to this many tokens. Default: the tokenizer's, or the model's, limit. */
  max_length?: number;
  /** Called after every text. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the work. */
  signal?: AbortSignal;
}

/** A token's, or a word's, share in a class's logit. */
export interface AttributedSpan {
  /** It is `text.slice(start, end)`, of the second text if `pair` is true. */
  start: number;
  /** The end, exclusive. */
  end: number;
  /** True for the second text of a pair. */
  pair: boolean;
  /** Above 0 it speaks for the class, below 0 against it. */
  score: number;
}

/** What speaks for a class in one text. */
export interface Attribution {
  /** The class's number. */
  target: number;
  /** Its logit. */
  logit: number;
  /** The word pieces, [CLS] and [SEP] left out. */
  tokens: AttributedSpan[];
  /** The words: the sums of their pieces. */
  words: AttributedSpan[];
  /** The sum of all scores, those of [CLS] and [SEP] too. */
  total: number;
}

/**
 * Explains a classifier's answers word by word. Dropout is off; the gradients of all parameters are forgotten; else the
 * model stays as it is (weights of its `eval` mode are packed anew).
 *
 * @param model Any classifier of sequences.
 * @param tokenizer The model's own, with a [MASK] token.
 * @param texts Texts or pairs.
 * @returns One attribution a text.
 * @throws {RangeError} if `steps` is no whole number above 0, or a target is no class; {DataError} if the tokenizer has no
 * [MASK] token, which integrated gradients start from.
 *
 * @example
 * ```ts
 * import { attributions, BertForSequenceClassification, BertTokenizer, dispose } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const model = await BertForSequenceClassification.from_pretrained("berth-tiny", { on_report: () => {} });
 * const text = "I love baseball.", [{ words }] = await attributions(model, tokenizer, [text]);
 * for (const { start, end, score } of words) console.log(text.slice(start, end), score);
 * dispose();
 * ```
 */
export async function attributions(
  model: SequenceClassifier,
  tokenizer: BertTokenizer,
  texts: readonly TextOrPair[],
  options: AttributionOptions = {},
): Promise<Attribution[]> {
  const { method = "integrated_gradients", steps = 8, targets, onProgress, signal } = options;
  if (!Number.isInteger(steps) || steps < 1) {
    throw new RangeError(`Cannot explain in ${steps} steps: a whole number above 0 is wanted`);
  }
  if (texts.length === 0) return [];
  const max_length = options.max_length ??
    Math.min(tokenizer.model_max_length, model.config.max_position_embeddings);
  const rows = tokenizer([...texts], { truncation: true, max_length, return_offsets_mapping: true });
  const explainer = new Explainer(
    model,
    method === "gradient_x_input" ? 0 : steps,
    baseOf(tokenizer, method),
  );
  const turns = new Turns(), found: Attribution[] = [];
  try {
    for (let i = 0; i < texts.length; i++) {
      signal?.throwIfAborted();
      const input_ids = rows.input_ids[i] as number[], token_type_ids = rows.token_type_ids?.[i] as number[];
      const sequences = rows.sequence_ids(i), words = rows.word_ids(i);
      const { scores, target, logit } = explainer.explain(
        { input_ids: [input_ids], ...(token_type_ids ? { token_type_ids: [token_type_ids] } : {}) },
        sequences.map((sequence) => sequence === null),
        targets?.[i],
      );
      const spans = scores.map((score, t): AttributedSpan => {
        const [start, end] = rows.offset_mapping![i][t] as [number, number];
        return { start, end, pair: sequences[t] === 1, score };
      });
      const own = spans.flatMap((span, t) => sequences[t] === null ? [] : [{ span, word: words[t] }]);
      found.push({
        ...{ target, logit, tokens: own.map(({ span }) => span), words: merged(own) },
        total: scores.reduce((a, b) => a + b, 0),
      });
      onProgress?.(i + 1, texts.length);
      await turns.yield();
    }
  } finally {
    explainer.end();
  }
  return found;
}

/** The token that stands for "no word". */
function baseOf({ mask_token_id }: BertTokenizer, method: AttributionOptions["method"]): number {
  if (mask_token_id !== null || method === "gradient_x_input") return mask_token_id ?? 0;
  throw new DataError(
    'Cannot explain by integrated gradients: the tokenizer has no [MASK]; use "gradient_x_input"',
  );
}

/** Adds up the pieces of each word. */
function merged(tokens: readonly { span: AttributedSpan; word: number | null }[]): AttributedSpan[] {
  const words: AttributedSpan[] = [];
  tokens.forEach(({ span, word }, i) => {
    const before = tokens[i - 1], last = words.at(-1);
    if (last && before.word === word && before.span.pair === span.pair) {
      last.end = span.end;
      last.score += span.score;
    } else words.push({ ...span });
  });
  return words;
}

/** The inputs of one text. */
interface OneText {
  input_ids: [number[]];
  token_type_ids?: [number[]];
}

/** A model that is set up so that only the gradients of position vectors are computed. */
class Explainer {
  readonly #words: Parameter;
  readonly #positions: Parameter;
  readonly #before: { training: boolean; dropout: SequenceClassifier["dropoutState"]; trained: boolean[] };

  /** @param steps Points of integrated gradients; 0 for gradient x input. @param base The token that they start from. */
  constructor(readonly model: SequenceClassifier, readonly steps: number, readonly base: number) {
    const parameters = model.parameters();
    const named = (ending: string) => parameters.find(({ name }) => name.endsWith(ending))!;
    this.#words = named("embeddings.word_embeddings.weight");
    this.#positions = named("embeddings.position_embeddings.weight");
    this.#before = {
      ...{ training: model.training, dropout: model.dropoutState },
      trained: parameters.map(({ requires_grad }) => requires_grad),
    };
    model.zero_grad();
    for (const parameter of parameters) parameter.requires_grad = parameter === this.#positions;
    model.train().without_dropout = true;
  }

  /** Makes the model what it was. */
  end(): void {
    const { model } = this, { training, dropout, trained } = this.#before;
    model.parameters().forEach((parameter, i) => parameter.requires_grad = trained[i]);
    model.without_dropout = false;
    model.dropoutState = dropout;
    model.zero_grad();
    if (!training) model.eval();
  }

  /** The score of each token for a class's logit. @param fixed Tokens that integrated gradients leave as they are. */
  explain(inputs: OneText, fixed: readonly boolean[], wanted: number | undefined) {
    const ids = inputs.input_ids[0], h = this.#words.shape[1], { base } = this;
    const { target, logit } = this.#choose(inputs, wanted);
    const own = ids.map((id) => this.#vector(id));
    const gradient = new Float64Array(ids.length * h); // [T, H]
    const add = () => this.#gradient(inputs, target, ids.length).forEach((x, i) => gradient[i] += x);
    if (this.steps === 0) add();
    else {
      const from = this.#vector(base), kept = new Set(ids.filter((id, t) => fixed[t] || id === base));
      const moving = new Set(ids.filter((id) => !kept.has(id)));
      try {
        for (let k = 0; k < this.steps; k++) {
          for (const id of moving) this.#write(id, own[ids.indexOf(id)], from, (k + 0.5) / this.steps);
          add();
        }
      } finally {
        for (const id of moving) this.#write(id, own[ids.indexOf(id)], from, 1);
      }
      ids.forEach((id, t) => own[t] = moving.has(id) ? own[t].map((x, j) => x - from[j]) : own[t].fill(0));
    }
    const passes = Math.max(1, this.steps);
    const scores = own.map((vector, t) =>
      vector.reduce((sum, x, j) => sum + x * gradient[t * h + j], 0) / passes
    );
    return { scores, target, logit };
  }

  /** The class that is explained, and its logit. */
  #choose(inputs: OneText, wanted: number | undefined): { target: number; logit: number } {
    const logits = this.model.forward(inputs).logits.dataSync() as Float32Array;
    const target = wanted ?? logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
    if (target in logits) return { target, logit: logits[target] };
    throw new RangeError(`Cannot explain class ${target}: there are ${logits.length}, counted from 0`);
  }

  /** The gradient of a class's logit by the sum of each token's three embeddings, [T, H]: that of its position. */
  #gradient(inputs: OneText, target: number, tokens: number): Float32Array {
    const { model } = this;
    this.#positions.zero_grad();
    model.forward(inputs);
    const one = new Float32Array(model.config.num_labels);
    one[target] = 1;
    model.backward({ logits: one });
    return this.#positions.grad()!.subarray(0, tokens * this.#positions.shape[1]);
  }

  #vector(id: number): Float64Array {
    const h = this.#words.shape[1];
    return Float64Array.from(this.#words.values().subarray(id * h, (id + 1) * h));
  }

  /** Puts the word's vector at a place between two others. */
  #write(id: number, to: Float64Array, from: Float64Array, share: number): void {
    const row = to.map((x, j) => from[j] + share * (x - from[j]));
    this.#words.values().set(share === 1 ? to : row, id * to.length);
    if (share === 1) this.#words.markWritten();
  }
}
