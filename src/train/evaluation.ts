/**
 * A model's outputs and loss over a data set, for any head.
 *
 * @module
 */
import { accuracy } from "../metrics/mod.ts";
import type { InferenceWeights, TrainableModel } from "../model/mod.ts";
import type { Tensor } from "../runtime/tensor.ts";
import { Turns } from "../runtime/turns.ts";
import { type Dataset, isStream, plainBatches, settled } from "./dataset.ts";
import type { Ranks } from "./distributed/ranks.ts";
import type { Metrics } from "./events.ts";
import type { BatchInputs, InputMaker } from "./features.ts";

/** Numbers of one example in nested arrays, such as its logits [K]. */
export type Values = number | Values[];

/** What a model made of a data set. */
export interface EvalPrediction {
  /** The logits of each example; by the output's name if the head has several outputs. Tokens have no padding. */
  predictions: Values[] | Record<string, Values[]>;
  /** The labels of each example. */
  label_ids: unknown[];
}

/** What {@linkcode Trainer.predict} gives. */
export interface PredictionOutput extends EvalPrediction {
  /** `test_loss` and other metrics, as far as there were labels. */
  metrics: Metrics;
}

/** Outputs of heads that are gathered. */
const OUTPUTS = [
  ...["logits", "start_logits", "end_logits", "prediction_logits", "seq_relationship_logits"] as const,
];

/** How a data set is evaluated. */
export interface EvaluationOptions {
  batch_size: number;
  inputs: InputMaker;
  weights: InferenceWeights;
  /** Gathers no outputs. */
  lossOnly: boolean;
  /** Each works on its share of the batches; all get all outputs. */
  ranks: Ranks;
  /** Called after every batch. */
  onBatch(done: number, total: number | undefined): Promise<void>;
  signal?: AbortSignal;
}

/** Runs a model on a data set, in inference mode, in the examples' order. */
export async function evaluateDataset(
  model: TrainableModel,
  dataset: Dataset,
  { batch_size, inputs, weights, lossOnly, ranks, onBatch, signal }: EvaluationOptions,
): Promise<Evaluation> {
  const evaluation = new Evaluation(lossOnly), turns = new Turns(), wasTraining = model.training;
  const examples = settled(dataset), total = isStream(examples) ? undefined : examples.length;
  const { rank, size } = ranks.communicator, own: BatchResult[] = [];
  let number = 0, done = 0;
  try {
    model.eval({ weights });
    for await (const some of plainBatches(examples, batch_size)) {
      signal?.throwIfAborted();
      if (number % size === rank) {
        const batch = inputs.inputs(some, number, false);
        own.push(batchResult(number, batch, model.forward(batch), lossOnly));
      }
      number++;
      await onBatch(done += some.length, total);
      await turns.yield();
    }
  } finally {
    if (wasTraining) model.train();
  }
  const all = ranks.patiently(() => ranks.gather(own)).flat();
  for (const result of all.sort((a, b) => a.number - b.number)) evaluation.add(result);
  return evaluation;
}

/** What a batch gave. */
interface BatchResult {
  /** Counts the batches of all ranks. */
  number: number;
  samples: number;
  loss?: number;
  outputs: Record<string, Values[]>;
  labels: readonly unknown[];
}

function batchResult(
  number: number,
  inputs: BatchInputs,
  output: { readonly loss: number | undefined },
  lossOnly: boolean,
): BatchResult {
  const outputs: Record<string, Values[]> = {}, samples = inputs.input_ids.length, { loss } = output;
  if (lossOnly) return { number, samples, loss, outputs, labels: [] };
  for (const name of OUTPUTS) {
    const tensor = (output as Record<string, unknown>)[name] as Tensor | undefined;
    if (tensor) outputs[name] = unpadded(name, tensor, inputs);
  }
  return { number, samples, loss, outputs, labels: [...inputs.labels ?? labelPairs(inputs)] };
}

/** Adds up what batches give. */
export class Evaluation {
  readonly #outputs: Record<string, Values[]> = {};
  readonly #labels: unknown[] = [];
  #loss = 0;
  #samples = 0;
  #labelled = 0;

  /** @param lossOnly Gathers no outputs. */
  constructor(readonly lossOnly: boolean) {}

  /** Examples so far. */
  get samples(): number {
    return this.#samples;
  }

  /** Adds what a batch gave. */
  add({ samples, loss, outputs, labels }: BatchResult): void {
    this.#samples += samples;
    if (loss !== undefined) {
      this.#loss += loss * samples;
      this.#labelled += samples;
    }
    for (const [name, rows] of Object.entries(outputs)) {
      const all = this.#outputs[name] ??= [];
      for (const row of rows) all.push(row);
    }
    for (const label of labels) this.#labels.push(label);
  }

  /** All outputs. */
  prediction(): EvalPrediction {
    const names = Object.keys(this.#outputs);
    const predictions = names.length === 1 ? this.#outputs[names[0]] : this.#outputs;
    return { predictions, label_ids: this.#labels };
  }

  /** The mean loss over the examples, and the metrics, each name with the prefix. */
  metrics(prefix: string, compute?: (prediction: EvalPrediction) => Metrics): Metrics {
    const found: Metrics = this.#labelled > 0 ? { loss: this.#loss / this.#labelled } : {};
    if (!this.lossOnly && this.#labelled > 0) {
      Object.assign(found, (compute ?? defaultMetrics)(this.prediction()));
    }
    const named = Object.entries(found).map(([name, value]) => [
      name.startsWith(`${prefix}_`) ? name : `${prefix}_${name}`,
      value,
    ]);
    return Object.fromEntries(named);
  }
}

/** Labels of a head that has two a sequence. */
function labelPairs({ start_positions, end_positions }: BatchInputs): unknown[] {
  return start_positions?.map((start, i) => [start, end_positions[i]]) ?? [];
}

/** The rows of an output; of what has a number for each token, those of the example's tokens. */
function unpadded(name: string, tensor: Tensor, { input_ids }: BatchInputs): Values[] {
  const rows = tensor.arraySync() as Values[];
  if (tensor.rank < 3 && !/^(start|end)_/.test(name)) return rows;
  return rows.map((row, i) => (row as Values[]).slice(0, input_ids[i].length));
}

/** The accuracy, if the labels are classes of whole sequences. */
function defaultMetrics({ predictions, label_ids }: EvalPrediction): Metrics {
  const rows = predictions as number[][];
  const isClasses = Array.isArray(predictions) && label_ids.length === rows.length && rows[0].length > 1 &&
    label_ids.every((label) => Number.isInteger(label));
  if (!isClasses) return {};
  return { accuracy: accuracy(label_ids as number[], rows.map((row) => row.indexOf(Math.max(...row)))) };
}
