/**
 * Models and the backend, as flags ask for them.
 *
 * @module
 */
import { type HubOptions, openModelFiles, progressBar } from "../hub/mod.ts";
import { init, type InitOptions, type Profile, type Runtime } from "../runtime/mod.ts";
import { type ConfigObject, parseConfigJson } from "../weights/mod.ts";
import { ConfigError } from "../errors.ts";
import type { MODEL_FLAGS, RUNTIME_FLAGS } from "./command.ts";
import type { FlagValues } from "./flags.ts";
import * as models from "../model/mod.ts";
import type { BertConfig, FromPretrainedOptions, PreTrainedModel } from "../model/mod.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

type ModelValues = Omit<FlagValues<typeof MODEL_FLAGS>, "model">;
/** How the backend is asked for. */
export type RuntimeSettings = FlagValues<typeof RUNTIME_FLAGS>;

/** A model's class. */
interface ModelType {
  new (config: BertConfig): PreTrainedModel;
  readonly name: string;
  readonly config_class: typeof BertConfig;
  from_pretrained(name: string, options: FromPretrainedOptions): Promise<PreTrainedModel>;
}

/** How models are found, with progress of downloads. */
export function hubOptions(values: ModelValues, terminal: Terminal): Omit<HubOptions, "signal"> {
  const { revision, cache_dir, local_files_only } = values;
  return { revision, cache_dir, local_files_only, progress_callback: progressBar(terminal.progressStream) };
}

/** How a file of examples is found: with progress and the hub's settings if it is not on this machine. */
export function locationOptions(
  input: string,
  values: ModelValues,
  terminal: Terminal,
): Omit<HubOptions, "signal"> {
  return /^(https?|hf):/.test(input) ? hubOptions(values, terminal) : {};
}

/** Starts the backend. */
export async function startRuntime(values: RuntimeSettings): Promise<Runtime> {
  return await init(runtimeOptions(values));
}

function runtimeOptions({ threads, profile }: RuntimeSettings): InitOptions {
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) {
    throw new UsageError(`Cannot use --threads ${threads}: a whole number above 0 is wanted`);
  }
  return { threads, profile: profile as Profile | undefined };
}

/** The value of a flag that must be there. */
export function required<T>(value: T | undefined, flag: string): T {
  if (value !== undefined) return value;
  throw new UsageError(`Cannot go on without ${flag}; --help shows how`);
}

/**
 * A model's config.json.
 *
 * @throws {ConfigError} if there is none.
 */
export async function readConfig(model: string, options: HubOptions): Promise<ConfigObject> {
  const json = await (await openModelFiles(model, options)).read("config.json");
  if (!json) throw new ConfigError(`Cannot load the model "${model}": it has no config.json`);
  return parseConfigJson(json);
}

/**
 * The class and configuration of a model, by its config.json.
 *
 * @throws {ConfigError} if berth has no such class.
 */
export function modelClass(json: ConfigObject): { ModelClass: ModelType; config: BertConfig } {
  const named = [json.architectures ?? []].flat().map(String);
  const bare = json.model_type === "distilbert" ? "DistilBertModel" : "BertModel";
  const name = [...named, bare].find((one) => Object.hasOwn(models, one))!;
  const ModelClass = (models as unknown as Record<string, ModelType>)[name];
  return { ModelClass, config: new ModelClass.config_class(json) };
}
