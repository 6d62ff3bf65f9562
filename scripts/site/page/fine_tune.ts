/** The page's training loop: encode, forward, loss, backward, clip, step, schedule. */
import {
  AdamW,
  type BertForSequenceClassification,
  type BertTokenizer,
  get_linear_schedule_with_warmup,
  type Parameter,
  predict,
} from "@berth/berth";
import { Random } from "../../../src/random.ts";
import type { Example, StepReport, TrainingData, TrainSettings } from "./messages.ts";

/** Longer sentences are cut to this many tokens. */
const MAX_TOKENS = 128;

/** What the caller follows. */
export interface Listener {
  onStep(report: StepReport): void;
  /** Before training and after each epoch. */
  onJudged(step: number, accuracy: number): void;
  /** Awaited after each step: lets messages in, and waits while training is stopped. */
  turn(): Promise<void>;
}

/** The share of examples whose label the model finds. */
async function accuracyOn(
  model: BertForSequenceClassification,
  tokenizer: BertTokenizer,
  examples: readonly Example[],
): Promise<number> {
  const predictions = await predict(model, tokenizer, examples.map(({ text }) => text), {
    max_length: MAX_TOKENS,
  });
  const right = predictions.filter(({ scores }, i) =>
    scores.indexOf(Math.max(...scores)) === examples[i].label
  );
  return right.length / examples.length;
}

/** Fine-tunes; gives the number of steps. The same data and settings give the same model on every machine. */
export async function fineTune(
  model: BertForSequenceClassification,
  tokenizer: BertTokenizer,
  { train, test }: TrainingData,
  settings: TrainSettings,
  listener: Listener,
): Promise<number> {
  const { epochs, batch_size, learning_rate } = settings,
    isPlain = (name: string) => /bias|LayerNorm/.test(name);
  const parameters = [...model.named_parameters()];
  const group = (wanted: (name: string) => boolean): Parameter[] =>
    parameters.filter(([name]) => wanted(name)).map(([, parameter]) => parameter);
  const optimizer = new AdamW([
    { params: group((name) => !isPlain(name)), weight_decay: 0.01 },
    { params: group(isPlain), weight_decay: 0 },
  ], { lr: learning_rate });
  const total = Math.ceil(train.length / batch_size) * epochs;
  const schedule = get_linear_schedule_with_warmup(optimizer, Math.round(total / 10), total);
  const random = new Random(0, 2);
  let step = 0, elapsedMs = 0;
  try {
    model.seed(0);
    listener.onJudged(0, await accuracyOn(model.eval(), tokenizer, test));
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = random.shuffle(train.slice());
      for (let at = 0; at < order.length; at += batch_size) {
        const start = performance.now(), batch = order.slice(at, at + batch_size);
        const encoded = tokenizer(batch.map(({ text }) => text), {
          truncation: true,
          max_length: MAX_TOKENS,
        });
        const { loss } = model.train().forward({ ...encoded, labels: batch.map(({ label }) => label) });
        model.backward();
        optimizer.step({ max_grad_norm: 1 });
        schedule.step();
        optimizer.zero_grad();
        elapsedMs += performance.now() - start;
        listener.onStep({ step: ++step, total, loss: loss!, elapsedMs });
        await listener.turn();
      }
      listener.onJudged(step, await accuracyOn(model.eval(), tokenizer, test));
    }
  } finally {
    optimizer.dispose();
    model.eval();
  }
  return step;
}
