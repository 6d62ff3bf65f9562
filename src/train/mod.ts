/**
 * Optimizer, schedules, and what a step takes.
 *
 * @module
 */
export {
  AdamW,
  type AdamWOptions,
  type AdamWSettings,
  type FullGroup,
  type ParameterGroup,
} from "./adamw.ts";
export { clip_grad_norm_ } from "./gradient_table.ts";
export type { StateDtype } from "./moments.ts";
export { type NamedParameterGroup, type ParameterGroupOptions, parameterGroups } from "./parameter_groups.ts";
export { formatPlan, type Plan, plan, type PlanBytes, type PlanFlops, type PlanOptions } from "./plan.ts";
export { get_linear_schedule_with_warmup, LearningRateSchedule } from "./schedule.ts";
