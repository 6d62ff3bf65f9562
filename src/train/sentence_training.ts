/**
 * Fine-tunes a SentenceTransformer on tuples of texts.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { SentenceLoss, SentenceTransformer } from "../model/mod.ts";
import { Random } from "../random.ts";
import { Turns } from "../runtime/turns.ts";
import { AdamW } from "./adamw.ts";
import { parameterGroups } from "./parameter_groups.ts";
import { get_linear_schedule_with_warmup } from "./schedule.ts";

/** An example: as many texts as the loss wants, in its order, and a label if it wants one. */
export interface SentenceExample {
  /** For instance (anchor, positive) or (anchor, positive, negative). */
  texts: readonly string[];
  /** For `CosineSimilarityLoss`: how similar the two are, from -1 to 1. */
  label?: number;
}

/** Options of {@linkcode trainSentences}. */
export interface SentenceTrainingOptions {
  /** Passes over the examples. Default 1. */
  epochs?: number;
  /** Examples of a step. Default 16. */
  batch_size?: number;
  /** The highest learning rate. Default 2e-5. */
  learning_rate?: number;
  /** The share of the steps over which the learning rate rises; then it falls to 0. Default 0.1. */
  warmup_ratio?: number;
  /** Of weight matrices. Default 0.01. */
  weight_decay?: number;
  /** Gradients of a larger norm are scaled down to it. Default 1. */
  max_grad_norm?: number;
  /** Of the order of the examples and of dropout. Default 0. */
  seed?: number;
  /** Called after every step. */
  onStep?: (
    step: { step: number; steps: number; loss: number; learning_rate: number; grad_norm: number },
  ) => void;
  /** Ends the training between two steps, with the signal's reason as the error. */
  signal?: AbortSignal;
}

/** The stream of random numbers that the order comes from. */
const ORDER_STREAM = 3;

/**
 * Trains on the examples in random order with AdamW, warm-up and linear decay. The model is in inference mode after it.
 *
 * @returns The loss of each step.
 * @throws {DataError} if there are no examples or they have different numbers of texts; the signal's reason if it is raised.
 * @example
 * ```ts
 * import { dispose, MultipleNegativesRankingLoss, SentenceTransformer, trainSentences } from "@berth/berth";
 * const model = await SentenceTransformer.from_pretrained("berth-tiny");
 * const examples = [
 *   { texts: ["The home team won.", "A victory for the hosts."] },
 *   { texts: ["Rain all day.", "It is wet outside."] },
 * ];
 * const losses = await trainSentences(model, examples, new MultipleNegativesRankingLoss(), { epochs: 3 });
 * console.log(losses.length); // 3
 * dispose();
 * ```
 */
export async function trainSentences(
  model: SentenceTransformer,
  examples: readonly SentenceExample[],
  loss: SentenceLoss,
  options: SentenceTrainingOptions = {},
): Promise<number[]> {
  const { epochs = 1, batch_size = 16, learning_rate = 2e-5, warmup_ratio = 0.1, weight_decay = 0.01 } =
    options;
  const { max_grad_norm = 1, seed = 0, onStep, signal } = options, tokenizer = model.requireTokenizer();
  const columns = checkExamples(examples);
  for (const [name, value] of Object.entries({ epochs, batch_size })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new RangeError(`Cannot train with ${name} ${value}: a whole number above 0 is wanted`);
  }
  const optimizer = new AdamW(parameterGroups(model, { weight_decay }), { lr: learning_rate });
  const steps = epochs * Math.ceil(examples.length / batch_size), losses: number[] = [];
  const schedule = get_linear_schedule_with_warmup(optimizer, Math.round(steps * warmup_ratio), steps);
  const random = new Random(seed, ORDER_STREAM), turns = new Turns(), max_length = model.max_seq_length;
  model.seed(seed);
  model.train();
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = random.shuffle(examples.slice());
      for (let at = 0; at < order.length; at += batch_size) {
        signal?.throwIfAborted();
        const batch = order.slice(at, at + batch_size);
        const texts = Array.from(
          { length: columns },
          (_, column) => batch.map((example) => example.texts[column]),
        );
        const { input_ids } = tokenizer(texts.flat(), { truncation: true, max_length });
        const labels = batch[0].label === undefined ? undefined : batch.map(({ label }) => label ?? NaN);
        const output = model.forward({ input_ids, columns, loss, labels });
        model.backward();
        const rate = schedule.get_last_lr()[0], { grad_norm } = optimizer.step({ max_grad_norm });
        schedule.step();
        optimizer.zero_grad();
        losses.push(output.loss!);
        onStep?.({
          step: losses.length,
          steps,
          loss: output.loss!,
          learning_rate: rate,
          grad_norm: grad_norm!,
        });
        await turns.yield();
      }
    }
  } finally {
    optimizer.dispose();
    model.zero_grad();
    model.eval();
  }
  return losses;
}

/** The number of texts of each example. */
function checkExamples(examples: readonly SentenceExample[]): number {
  if (examples.length === 0) throw new DataError("Cannot train: there are no examples");
  const columns = examples[0].texts.length, hasLabel = examples[0].label !== undefined;
  examples.forEach(({ texts, label }, i) => {
    if (texts.length === columns && (label !== undefined) === hasLabel) return;
    throw new DataError(
      `Cannot train: example ${i} has ${texts.length} texts and ${label === undefined ? "no" : "a"} label, ` +
        `${columns} and ${hasLabel ? "a" : "no"} label are wanted, as in the first`,
    );
  });
  return columns;
}
