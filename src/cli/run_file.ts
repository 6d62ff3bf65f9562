/**
 * run.json: a run's settings in a file, by the names of the flags. Paths in it are as on the command line.
 *
 * @module
 */
import { nearest } from "../data/problem.ts";
import { fileUrl, readText, writeFileWhole } from "../runtime/files.ts";
import { fullArguments } from "../train/arguments.ts";
import type { Flag } from "./flags.ts";
import { chooseSettings } from "./defaults.ts";
import { RUN_FLAGS, type RunSettings } from "./training_flags.ts";
import { UsageError } from "./usage_error.ts";

/** The name of the file that `berth train` leaves beside the model. */
export const RUN_FILE = "run.json";

/**
 * Reads a run's settings.
 *
 * @throws {UsageError} if there is no such file, it is no JSON, or a setting is unknown or of another kind.
 */
export async function readRunFile(file: string | URL): Promise<RunSettings> {
  const name = String(file), refuse = (problem: string) => new UsageError(`Cannot use ${name}: ${problem}`);
  const text = await readText(file instanceof URL ? file : fileUrl(file));
  if (text === null) throw refuse("there is no such file");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw refuse(`it is no JSON (${(error as Error).message})`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw refuse("an object is wanted");
  const { $schema: _, ...settings } = json as Record<string, unknown>;
  for (const [key, value] of Object.entries(settings)) {
    const flag = Object.hasOwn(RUN_FLAGS, key) ? RUN_FLAGS[key as keyof RunSettings] : undefined;
    if (!flag) {
      const near = nearest(key, Object.keys(RUN_FLAGS));
      throw refuse(`there is no setting "${key}"${near ? `; do you mean "${near}"?` : ""}`);
    }
    if (!fits(flag, value)) throw refuse(`"${key}" is ${JSON.stringify(value)}, ${wanted(flag)} is wanted`);
  }
  return settings as RunSettings;
}

/** Writes a run's settings. */
export async function writeRunFile(file: URL, settings: RunSettings): Promise<void> {
  await writeFileWhole(file, [new TextEncoder().encode(JSON.stringify(settings, null, 2) + "\n")]);
}

function fits({ kind, choices }: Flag, value: unknown): boolean {
  const isList = (type: string) => Array.isArray(value) && value.every((one) => typeof one === type);
  if (kind === "number") return typeof value === "number";
  if (kind === "switch") return typeof value === "boolean";
  if (kind === "list" || kind === "names") {
    return isList("string") && (!choices || (value as string[]).every((one) => choices.includes(one)));
  }
  if (kind === "numbers") return isList("number");
  if (kind === "json") return typeof value === "object";
  return typeof value === "string" && (choices?.includes(value) ?? true);
}

function wanted({ kind, choices }: Flag): string {
  if (choices) return `${kind === "names" ? "a list of" : "one of"} ${choices.join(", ")}`;
  const words = {
    text: "a text",
    number: "a number",
    switch: "true or false",
    list: "a list of texts",
    names: "a list of texts",
  };
  return { ...words, numbers: "a list of numbers", json: "an object" }[kind];
}

/** What depends on the model or the data. */
const BY_SIZE = ["eval_strategy", "learning_rate", "per_device_train_batch_size", "num_train_epochs"];

/** The JSON schema of run.json (draft 2020-12). */
export function runFileSchema(): Record<string, unknown> {
  const defaults: Record<string, unknown> = {
    ...fullArguments({}, true),
    ...chooseSettings({}, { rows: undefined, hidden_size: Infinity }).settings,
    ...{ model: "berth-tiny", out: "out/run", save_strategy: "epoch", save_total_limit: 2, merge: true },
    ...{ report_to: ["tensorboard"], baseline: true, explain: true },
  };
  for (const name of BY_SIZE) delete defaults[name];
  const texts = { type: "array", items: { type: "string" } };
  const types: Record<Flag["kind"], object> = {
    ...{
      text: { type: "string" },
      number: { type: "number" },
      switch: { type: "boolean" },
      list: texts,
      names: texts,
    },
    ...{ numbers: { type: "array", items: { type: "number" } }, json: { type: "object" } },
  };
  const properties = Object.entries(RUN_FLAGS).map((
    [name, { kind, help, ...flag }]: [string, Flag],
  ) => [name, {
    ...types[kind],
    description: help,
    ...(flag.choices ? kind === "names" ? { items: { enum: flag.choices } } : { enum: flag.choices } : {}),
    ...(name in defaults ? { default: defaults[name] } : {}),
  }]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A run of berth train",
    type: "object",
    properties: { $schema: { type: "string" }, ...Object.fromEntries(properties) },
    additionalProperties: false,
  };
}
