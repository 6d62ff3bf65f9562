/**
 * Which task it is: by the user's word, else by what the training file looks like, else by the head that the model has.
 *
 * @module
 */
import { planColumns } from "../../data/columns.ts";
import { BerthError } from "../../errors.ts";
import { type FileRecord, readRecords } from "../../datasets/records.ts";
import type { RunSettings } from "../training_flags.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage_error.ts";
import { fileKind, nameOf, readOptions } from "./files.ts";
import type { TaskName } from "./names.ts";
import type { InputFile } from "./task.ts";

/** A task, and why it is that one. */
export interface ChosenTask {
  readonly name: TaskName;
  /** A sentence for the user; empty if nothing was guessed. */
  readonly note: string;
}

/**
 * Chooses the task.
 *
 * @param ofModel The task whose head the model has.
 * @throws {UsageError} if the file is plain text, which no labels go with.
 */
export async function chooseTask(
  input: InputFile,
  settings: RunSettings,
  terminal: Terminal,
  ofModel: TaskName | undefined,
): Promise<ChosenTask> {
  if (settings.task !== undefined) return { name: settings.task as TaskName, note: "" };
  if (settings.stream) return { name: "text-classification", note: "" };
  const options = readOptions(input, settings, terminal), kind = await fileKind(input, settings, options);
  const chosen = (name: TaskName, why: string): ChosenTask => ({ name, note: `the task is ${name}: ${why}` });
  if (kind === "conll") return chosen("token-classification", "the file has a word and its tag on each line");
  if (kind === "squad") return chosen("question-answering", "the file is one of SQuAD");
  const first = await firstRecord(input, settings, terminal);
  const byColumns = first && taskOfColumns(first);
  if (byColumns) return chosen(...byColumns);
  if (first && hasLabels(first, settings)) return { name: "text-classification", note: "" };
  if (kind === "text") {
    throw new UsageError(
      `Cannot tell what to learn from ${
        nameOf(input)
      }: it is plain text; --task fill-mask trains a language model on ` +
        "it, --task token-classification reads a word and its tag from each line, --format csv reads columns",
    );
  }
  // Most checkpoints that nobody has fine-tuned have the head for masked words, which says nothing.
  if (ofModel === undefined || ofModel === "fill-mask" || ofModel === "text-classification") {
    return { name: "text-classification", note: "" };
  }
  return chosen(ofModel, "the model has that head");
}

/** The first row, if the file has one; what is wrong with the file is told by the task that reads it. */
async function firstRecord(
  input: InputFile,
  settings: RunSettings,
  terminal: Terminal,
): Promise<FileRecord | undefined> {
  try {
    for await (const record of readRecords(input, readOptions(input, settings, terminal))) return record;
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
  }
}

function taskOfColumns({ values }: FileRecord): [name: TaskName, why: string] | undefined {
  const has = (...names: string[]) => names.find((name) => Object.hasOwn(values, name));
  const lists = Object.keys(values).filter((name) => Array.isArray(values[name]));
  const words = ["tokens", "words"].find((name) => lists.includes(name));
  const tags = lists.find((name) => /^(\w+_)?tags$|^labels?$/.test(name));
  if (words && tags) return ["token-classification", `"${words}" and "${tags}" are lists`];
  if (has("question") && has("context") && has("answers")) {
    return ["question-answering", "there are question, context and answers"];
  }
  if (has("ending0") && has("ending1")) return ["multiple-choice", "there are ending0, ending1, ..."];
  if (lists.includes("choices")) return ["multiple-choice", '"choices" is a list'];
}

/** True if a column looks like labels. */
function hasLabels({ name, values }: FileRecord, { text, text_pair, label }: RunSettings): boolean {
  try {
    return planColumns(name, Object.keys(values), { text, text_pair, label }).label !== null;
  } catch {
    return false;
  }
}
