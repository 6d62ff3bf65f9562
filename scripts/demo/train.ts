/** The demo's training loop and evaluation: encode, forward, loss, backward, clip, step, schedule. */
import {
  AdamW,
  type BertForSequenceClassification,
  type BertTokenizer,
  get_linear_schedule_with_warmup,
  parameterGroups,
  predict,
} from "../../mod.ts";
import { Random } from "../../src/random.ts";
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
  /** The evaluation after the last step. */
  last: Evaluation;
}

/** What a caller may follow. */
export interface TrainListener {
  onStep(step: number, total: number, record: StepRecord): void;
  /** Before training and after every epoch. */
  onEvaluation(record: EvaluationRecord): void;
}

/** Probabilities [examples][labels] and the mean loss. */
export interface Evaluation {
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
  return { probabilities, accuracy: right / examples.length, loss };
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
  const { learning_rate: lr, weight_decay } = settings;
  const optimizer = new AdamW(parameterGroups(model, { weight_decay }), { lr });
  const perEpoch = Math.ceil(trainSet.length / settings.batch_size), total = perEpoch * settings.epochs;
  const schedule = get_linear_schedule_with_warmup(
    optimizer,
    Math.round(total * settings.warmup_ratio),
    total,
  );
  const watched = model.get_parameter(
    `bert.encoder.layer.${model.config.num_hidden_layers - 1}.output.dense.weight`,
  );
  const watch = { name: `${watched.name}[0][0]`, values: [] as number[] };
  const steps: StepRecord[] = [], evaluations: EvaluationRecord[] = [];
  const shuffler = new Random(settings.seed, 2), start = performance.now();
  const measure = async (epoch: number) => {
    const evaluation = await evaluate(model, tokenizer, testSet), { accuracy, loss } = evaluation;
    const record = { step: steps.length, epoch, accuracy, loss };
    evaluations.push(record);
    listener.onEvaluation(record);
    return evaluation;
  };
  model.seed(settings.seed);
  model.train();
  let last = await measure(0);
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    const order = shuffler.shuffle(trainSet.slice());
    for (let at = 0; at < order.length; at += settings.batch_size) {
      const batch = order.slice(at, at + settings.batch_size);
      const encoded = tokenizer(batch.map(({ text }) => text), { truncation: true });
      const { loss } = model.forward({ ...encoded, labels: batch.map(({ label }) => label) });
      model.backward();
      const learning_rate = schedule.get_last_lr()[0];
      const { grad_norm } = optimizer.step({ max_grad_norm: settings.max_grad_norm });
      schedule.step();
      optimizer.zero_grad();
      watch.values.push(watched.item(0, 0));
      const done = steps.length + 1;
      const record = {
        step: done,
        epoch: done / perEpoch,
        loss: loss!,
        learning_rate,
        grad_norm,
        elapsedMs: performance.now() - start,
      };
      steps.push(record);
      listener.onStep(done, total, record);
    }
    last = await measure(epoch + 1);
  }
  optimizer.dispose();
  return { steps, evaluations, watch, last, elapsedMs: performance.now() - start };
}
