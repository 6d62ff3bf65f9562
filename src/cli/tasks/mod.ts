/**
 * The tasks of the command line.
 *
 * @module
 */
import { ConfigError } from "../../errors.ts";
import type { HubOptions } from "../../hub/mod.ts";
import type { TrainableModel } from "../../model/mod.ts";
import { TASK_NAMES, type TaskName } from "./names.ts";
import type { Task } from "./task.ts";
import { fillMask } from "./fill_mask.ts";
import { multipleChoice } from "./multiple_choice.ts";
import { questionAnswering } from "./question_answering.ts";
import { textClassification } from "./text_classification.ts";
import { tokenClassification } from "./token_classification.ts";

export * from "./names.ts";
export * from "./task.ts";

/** The tasks by name. */
export const TASKS: Readonly<Record<TaskName, Task>> = {
  "text-classification": textClassification,
  "token-classification": tokenClassification,
  "question-answering": questionAnswering,
  "multiple-choice": multipleChoice,
  "fill-mask": fillMask,
};

/** The task whose head a model has, by the class in its config.json; undefined if there is none. */
export function taskOfModel(architectures: unknown): Task | undefined {
  const names = [architectures ?? []].flat().map(String);
  return TASK_NAMES.map((name) => TASKS[name]).find(({ head }) => names.some((name) => name.endsWith(head)));
}

/**
 * The task of a trained model.
 *
 * @param wanted The task that the user names.
 * @throws {ConfigError} if its class has not the head.
 */
export function requiredTask(
  action: string,
  model: string,
  architectures: unknown,
  wanted: string | undefined,
): Task {
  const found = taskOfModel(architectures);
  if (found && (wanted ?? found.name) === found.name) return found;
  const names = [architectures ?? []].flat().map(String).join(", ") || "model without a head";
  const head = wanted === undefined ? "one with a head" : `one ${TASKS[wanted as TaskName].head}`;
  throw new ConfigError(
    `Cannot ${action} "${model}": it is a ${names}, ${head} is wanted; berth train makes one`,
  );
}

/**
 * Loads a trained model.
 *
 * @throws {ConfigError} if its checkpoint lacks weights.
 */
export async function loadTrained(task: Task, name: string, hub: HubOptions): Promise<TrainableModel> {
  let missing: readonly string[] = [];
  const model = await task.model.from_pretrained(name, {
    ...hub,
    on_report: ({ newlyInitialized }) => missing = newlyInitialized,
  });
  if (missing.length === 0) return model;
  model.dispose();
  throw new ConfigError(
    `Cannot measure "${name}": its checkpoint has no ${missing[0]}; berth train makes it`,
  );
}
