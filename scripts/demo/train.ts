/** The demo's training and evaluation. */
import { type BertForSequenceClassification, type BertTokenizer, predict, Trainer } from "../../mod.ts";
import { PeakMemory } from "../../src/cli/peak_memory.ts";
import type { EvaluationRecord, StepRecord } from "../../src/report/mod.ts";
import type { Example } from "./data.ts";

export interface TrainSettings {
  epochs: number;
  batch_size: number;
  learning_rate: number;
  warmup_ratio: number;
  weight_decay: number;
  max_grad_norm: number;
  seed: number;
}

/** The demo's settings. */
export const DEMO_SETTINGS: TrainSettings = {
  ...{ epochs: 6, batch_size: 16, learning_rate: 2e-4, warmup_ratio: 0.1, weight_decay: 0.01 },
  ...{ max_grad_norm: 1, seed: 0 },
};

/** What a run leaves for the report. */
export interface TrainRecord {
  steps: StepRecord[];
  evaluations: EvaluationRecord[];
  watch: { name: string; values: number[] };
  elapsedMs: number;
  peak: PeakMemory;
  /** The evaluation after the last step. */
  last: Evaluation;
}

/** What a caller may follow. */
export interface TrainListener {
  onStep(step: number, total: number, record: StepRecord): void;
  /** Before training and after every epoch. */
  onEvaluation(record: { step: number; accuracy: number }): void;
}

/** Logits and probabilities [examples][labels], and the mean loss. */
export interface Evaluation {
  logits: number[][];
  probabilities: number[][];
  accuracy: number;
  loss: number;
}

/** Runs the model on examples. */
export async function evaluate(
  model: BertForSequenceClassification,
  tokenizer: BertTokenizer,
  examples: Example[],
): Promise<Evaluation> {
  const predictions = await predict(model, tokenizer, examples.map(({ text }) => text));
  const probabilities = predictions.map(({ scores }) => scores);
  const right = probabilities.filter((p, i) => argmax(p) === examples[i].label).length;
  const loss = probabilities.reduce((sum, p, i) => sum - Math.log(p[examples[i].label]), 0) / examples.length;
  const logits = predictions.map((prediction) => prediction.logits);
  return { logits, probabilities, accuracy: right / examples.length, loss };
}

export function argmax(values: number[]): number {
  return values.indexOf(Math.max(...values));
}

/** Fine-tunes the model, and evaluates it before training and after every epoch. */
export async function train(
  model: BertForSequenceClassification,
  tokenizer: BertTokenizer,
  trainSet: Example[],
  testSet: Example[],
  settings: TrainSettings,
  listener: TrainListener,
): Promise<TrainRecord> {
  const { epochs: num_train_epochs, batch_size, ...args } = settings, start = performance.now();
  const steps: StepRecord[] = [], evaluations: EvaluationRecord[] = [];
  const peak = new PeakMemory(model);
  const trainer = new Trainer({
    ...{ model, tokenizer, train_dataset: trainSet, eval_dataset: testSet },
    args: {
      ...{ ...args, num_train_epochs, eval_strategy: "epoch", eval_on_start: true },
      ...{ per_device_train_batch_size: batch_size, per_device_eval_batch_size: 32 },
      watch: [`bert.encoder.layer.${model.config.num_hidden_layers - 1}.output.dense.weight[0][0]`],
    },
    callbacks: [peak.callback, {
      on_step_end: ({ step, state }) => {
        steps.push({ ...step, tokens: state.num_input_tokens_seen });
        listener.onStep(step.step, state.max_steps, step);
      },
      on_evaluate: ({ metrics, elapsedMs: durationMs, state: { global_step: step, epoch } }) => {
        const record = { step, epoch, accuracy: metrics.eval_accuracy, loss: metrics.eval_loss, durationMs };
        evaluations.push(record);
        listener.onEvaluation(record);
      },
    }],
  });
  await trainer.train();
  const [watch] = trainer.state.watch, elapsedMs = performance.now() - start;
  await trainer.dispose();
  const last = await evaluate(model, tokenizer, testSet);
  return { steps, evaluations, watch, last, elapsedMs, peak };
}
