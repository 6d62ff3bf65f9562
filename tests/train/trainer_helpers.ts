/** A small model, small data and short runs for tests of the Trainer. */
import { BertConfig, BertForSequenceClassification } from "../../src/model/mod.ts";
import { dispose, init, type Profile } from "../../src/runtime/mod.ts";
import { Random } from "../../src/random.ts";
import { type Example, Trainer, type TrainerOptions, type TrainingArguments } from "../../src/train/mod.ts";

const SHAPE = {
  ...{ vocab_size: 97, hidden_size: 24, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 40 },
  ...{ max_position_embeddings: 40 },
};

/** Examples with two classes: whether token 5 is among the first. */
export function smallExamples(count: number, seed = 1): Example[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const label = random.below(2), length = 3 + random.below(12);
    const input_ids = Array.from({ length }, () => 10 + random.below(80));
    if (label === 1) input_ids[1 + random.below(2)] = 5;
    return { input_ids, label };
  });
}

export const TRAIN: Example[] = smallExamples(37), DEV: Example[] = smallExamples(16, 2);

/** Settings with which much happens in few steps. */
export const BUSY: TrainingArguments = {
  ...{
    num_train_epochs: 3,
    per_device_train_batch_size: 4,
    gradient_accumulation_steps: 2,
    learning_rate: 1e-3,
  },
  ...{
    weight_decay: 0.01,
    warmup_ratio: 0.2,
    eval_strategy: "steps",
    eval_steps: 3,
    logging_steps: 2,
    seed: 7,
  },
  watch: ["bert.encoder.layer.1.output.dense.weight[0][0]"],
};

/** A new model on a fresh backend. */
export async function smallModel(
  options: { threads?: number; profile?: Profile; config?: Record<string, unknown> } = {},
): Promise<BertForSequenceClassification> {
  const { threads = 2, profile, config } = options;
  await init({ threads, profile });
  return await BertForSequenceClassification.from_config(new BertConfig({ ...SHAPE, ...config }), {
    seed: 3,
  });
}

/** A Trainer of a new small model. */
export async function smallTrainer(
  options: Partial<TrainerOptions<BertForSequenceClassification>> = {},
  model?: BertForSequenceClassification,
): Promise<Trainer<BertForSequenceClassification>> {
  return new Trainer({
    ...{ model: model ?? await smallModel(), train_dataset: TRAIN, eval_dataset: DEV, args: BUSY },
    ...options,
  });
}

/** All weights of a model. */
export function weightsOf(model: BertForSequenceClassification): Map<string, Float32Array> {
  return new Map(
    Array.from(model.named_parameters(), ([name, parameter]) => [name, parameter.values().slice()]),
  );
}

/** Runs with a backend of its own. */
export async function withBackend(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } finally {
    dispose();
  }
}
