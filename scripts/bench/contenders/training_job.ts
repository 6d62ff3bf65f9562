/** A training step of BERT that every contender makes from the same hash weights, tokens and settings. */
import type { BertConfigOptions } from "../../../mod.ts";
import { tokens } from "./bits.ts";

/** What a training contender is given, as JSON in its only or last argument. */
export interface TrainingJob {
  threads: number;
  /** As in config.json; dropout is set apart. */
  config: BertConfigOptions;
  input_ids: number[][];
  labels: number[];
  lr: number;
  /** berth's AdamW changes each weight in the backward pass. Default false. */
  fused_backward?: boolean;
  /** Losses of so many steps without dropout are what is compared. */
  checkSteps: number;
  /** Whether the timed steps have dropout 0.1, as training has by default. */
  dropout: boolean;
}

/** The shapes that are compared. */
export const SHAPES = {
  "bert-base": {},
  "4 layers of bert-base": { num_hidden_layers: 4 },
  "MiniLM": {
    ...{ hidden_size: 384, num_hidden_layers: 6, num_attention_heads: 12, intermediate_size: 1536 },
  },
  "berth-tiny": {
    ...{ vocab_size: 8192, max_position_embeddings: 128 },
    ...{ hidden_size: 128, num_hidden_layers: 4, num_attention_heads: 2, intermediate_size: 512 },
  },
} satisfies Record<string, BertConfigOptions>;

/** Rows of full length, so that no program can leave out padding. */
export function trainingJob(
  shape: keyof typeof SHAPES,
  batch: number,
  width: number,
  rest: Pick<TrainingJob, "threads" | "checkSteps" | "dropout">,
): TrainingJob {
  const config: BertConfigOptions = { vocab_size: 30522, num_labels: 2, ...SHAPES[shape] };
  const input_ids = tokens(batch, width, config.vocab_size!);
  return { ...rest, config, input_ids, labels: input_ids.map((_, b) => b % 2), lr: 1e-5 };
}
