/** A golden case's model, and its loss: what the case defines where the model has none. */
import "../../src/hub/mod.ts";
import { ok } from "node:assert/strict";
import * as models from "../../src/model/mod.ts";
import { AdamW, get_linear_schedule_with_warmup } from "../../src/train/mod.ts";
import { largestDifference } from "./errors.ts";
import { type Golden, largest } from "./golden.ts";

export type Model = models.EncoderModel<string>;

/** Every case: those of the shared make_models.py, and those of tests/model/golden/make_heads.py. */
export const CASES = [
  ...["base_model", "sequence_single_label", "sequence_regression", "sequence_multi_label", "token"],
  ...["question_answering", "multiple_choice", "masked_lm", "next_sentence", "pretraining"],
  ...["odd_sizes", "long", "one_token", "relu_eps", "gelu_new"],
  ...["distilbert_model", "distilbert_sequence", "distilbert_multi_label", "distilbert_token"],
  ...["distilbert_question_answering", "distilbert_multiple_choice", "distilbert_masked_lm", "silu", "tanh"],
  ...["masked_lm_tanh_gelu", "masked_lm_untied", "sequence_smoothed", "sequence_smoothed_weighted"],
  ...["multi_label_weighted", "token_smoothed", "token_weighted"],
];

/** Loads a case's model, in training mode; all of its weights must come from the checkpoint. */
export async function goldenModel({ json, folder }: Golden): Promise<Model> {
  const ModelClass = models[json.class_ as keyof typeof models] as unknown as {
    from_pretrained(name: URL, options: object): Promise<Model>;
  };
  const on_report = (report: models.LoadReport) => ok(report.isComplete, String(report));
  return (await ModelClass.from_pretrained(folder, { on_report })).train();
}

/** True if the case's loss is the sum of the means of the outputs' squares. */
export function isBare({ json }: Golden): boolean {
  return /^(Distil)?BertModel$/.test(json.class_);
}

/** What forward takes; the reference's losses count masked positions too. */
export function goldenInputs({ inputs, json }: Golden): models.ModelInputs {
  return { ...inputs, ...json.options, keep_padding: true } as models.ModelInputs;
}

/** The case's optimizer and schedule. */
export function goldenOptimizer(model: Model, training: Golden["json"]["training"]) {
  const decay: models.Parameter[] = [], plain: models.Parameter[] = [];
  for (const [name, parameter] of model.named_parameters()) {
    (/bias|LayerNorm|layer_norm/.test(name) ? plain : decay).push(parameter);
  }
  const optimizer = new AdamW([
    { params: decay, weight_decay: training.weight_decay },
    { params: plain, weight_decay: 0 },
  ], { lr: training.lr });
  const { warmup_steps, total_steps } = training;
  return { optimizer, schedule: get_linear_schedule_with_warmup(optimizer, warmup_steps, total_steps) };
}

/** Fails unless every gradient is within 1e-4 of its tensor's largest. */
export function checkGradients(
  golden: Golden,
  model: Model,
  gradientOf: (parameter: models.Parameter) => ArrayLike<number> | null,
): void {
  const top = Math.max(...Array.from(golden.gradients.values(), largest));
  const left = new Set(golden.gradients.keys());
  for (const [name, parameter] of model.named_parameters()) {
    const wanted = golden.gradients.get(name);
    if (!wanted) continue; // PyTorch had none: a parameter that the loss does not reach
    left.delete(name);
    const error = largestDifference(gradientOf(parameter) ?? new Float32Array(parameter.size), wanted);
    // A gradient that is zero but for rounding, as the key biases', is measured by the largest of all.
    const tolerance = Math.max(1e-4 * largest(wanted), 1e-6 * top);
    ok(
      error <= tolerance,
      `${golden.name}: gradient of ${name} differs by ${error}, at most ${tolerance} is wanted`,
    );
  }
  ok(left.size === 0, `${golden.name}: no parameter for ${[...left]}`);
}

/** |actual - wanted| / |wanted|, where below 1e-3 the rounding of larger numbers counts: 1e-3 stands for |wanted| then. */
export function relative(actual: number, wanted: number): number {
  return Math.abs(actual - wanted) / Math.max(1e-3, Math.abs(wanted));
}
