/**
 * The tasks of the command line.
 *
 * @module
 */
import { ConfigError } from "../../errors.ts";
import type { HubOptions } from "../../hub/mod.ts";
import type { TrainableModel } from "../../model/mod.ts";
import { type Task, TASK_NAMES, type TaskName } from "./task.ts";
import { textClassification } from "./text_classification.ts";

export * from "./task.ts";

/** The tasks by name. */
export const TASKS: Readonly<Record<TaskName, Task>> = {
  "text-classification": textClassification,
};

/** The task whose head a model has, by the class in its config.json; undefined if there is none. */
export function taskOfModel(architectures: unknown): Task | undefined {
  const names = [architectures ?? []].flat().map(String);
  return TASK_NAMES.map((name) => TASKS[name]).find(({ head }) => names.some((name) => name.endsWith(head)));
}

/**
 * The task of a trained model.
 *
 * @throws {ConfigError} if its class has no head that berth has a task for.
 */
export function requiredTask(action: string, model: string, architectures: unknown): Task {
  const found = taskOfModel(architectures);
  if (found) return found;
  const names = [architectures ?? []].flat().map(String).join(", ") || "model without a head";
  throw new ConfigError(
    `Cannot ${action} "${model}": it is a ${names}, one with a head is wanted; berth train makes one`,
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
