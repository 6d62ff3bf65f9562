/**
 * Optimizer, schedules and metrics.
 *
 * @module
 */
export {
  AdamW,
  type AdamWOptions,
  type AdamWSettings,
  clip_grad_norm_,
  type FullGroup,
  type ParameterGroup,
} from "./adamw.ts";
export {
  accuracy,
  type ClassificationReport,
  classificationReport,
  type ClassScores,
  confusionCounts,
} from "./metrics.ts";
export { get_linear_schedule_with_warmup, LearningRateSchedule } from "./schedule.ts";
