/**
 * The names of the tasks.
 *
 * @module
 */

/** The tasks, as pipelines are called. */
export const TASK_NAMES = [
  ...["text-classification", "token-classification", "question-answering", "multiple-choice"] as const,
  ...["fill-mask"] as const,
];

/** The name of a task. */
export type TaskName = (typeof TASK_NAMES)[number];
