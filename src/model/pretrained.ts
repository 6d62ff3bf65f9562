/**
 * Loading and saving a model as a folder, and the report of what a checkpoint did not fit.
 *
 * @module
 */
import { ConfigError, WeightsError } from "../errors.ts";
import { openModelFiles } from "../hub/model_files.ts";
import { type HubOptions, takeHubOptions } from "../hub/options.ts";
import { Random } from "../random.ts";
import type { InitOptions } from "../runtime/mod.ts";
import { folderUrl, writeFileWhole } from "../runtime/files.ts";
import {
  type Checkpoint,
  matchNames,
  type ModelFiles,
  openCheckpoint,
  parseConfigJson,
  safetensorsChunks,
} from "../weights/mod.ts";
import { type BertConfig, type BertConfigOptions, sortedKeys } from "./config.ts";
import { type ModelExtension, savedValues } from "./extension.ts";
import type { Parameter } from "./parameter.ts";
import { checkWeights } from "./step_room.ts";

/** Options of `from_pretrained`. Keys of the configuration may be given too: they replace those of config.json. */
export interface FromPretrainedOptions extends BertConfigOptions, HubOptions {
  /** Starts the backend, if it does not run yet. */
  runtime?: InitOptions;
  /** Draws weights anew that the checkpoint has in another shape, instead of failing. Default false. */
  ignore_mismatched_sizes?: boolean;
  /** Seed of the newly initialised weights. Default 0. */
  seed?: number;
  /** Gets the report; default: it is printed as a warning if there is something to say. */
  on_report?: (report: LoadReport) => void;
}

/** What a model needs so that it can be loaded and saved. */
export interface Loadable {
  readonly typeName: string;
  readonly config: BertConfig;
  loadReport: LoadReport | undefined;
  readonly extensions: readonly ModelExtension[];
  named_parameters(): Iterable<[string, Parameter]>;
  initializeParameter(parameter: Parameter, random: Random): void;
}

/** Which weights came from the checkpoint, in transformers' sense. */
export class LoadReport {
  /**
   * A report of these lists.
   *
   * @param checkpoint The name that was asked for.
   * @param model The model's class.
   * @param unused Names in the checkpoint that the model has no place for.
   * @param newlyInitialized Names that the checkpoint lacks.
   * @param mismatched Names that it has in another shape; drawn anew.
   */
  constructor(
    readonly checkpoint: string,
    readonly model: string,
    readonly unused: readonly string[],
    readonly newlyInitialized: readonly string[],
    readonly mismatched: readonly string[],
  ) {}

  /** True if every weight came from the checkpoint and none was left. */
  get isComplete(): boolean {
    return this.unused.length + this.newlyInitialized.length + this.mismatched.length === 0;
  }

  /** The report in transformers' words; empty if it is complete. */
  toString(): string {
    const { checkpoint, model } = this, lines: string[] = [];
    if (this.unused.length > 0) {
      lines.push(
        `Some weights of the model checkpoint at ${checkpoint} were not used when initializing ${model}: ${
          list(this.unused)
        }`,
        `- This IS expected if you are initializing ${model} from the checkpoint of a model trained on another task or ` +
          "with another architecture (e.g. initializing a BertForSequenceClassification model from a BertForPreTraining model).",
        `- This IS NOT expected if you are initializing ${model} from the checkpoint of a model that you expect to be ` +
          "exactly identical (initializing a BertForSequenceClassification model from a BertForSequenceClassification model).",
      );
    }
    const drawn = [...this.newlyInitialized, ...this.mismatched];
    if (drawn.length > 0) {
      lines.push(
        `Some weights of ${model} were not initialized from the model checkpoint at ${checkpoint} and are newly ` +
          `initialized: ${list(drawn)}`,
        "You should probably TRAIN this model on a down-stream task to be able to use it for predictions and inference.",
      );
    }
    return lines.join("\n");
  }
}

function list(names: readonly string[]): string {
  return `[${names.map((name) => `'${name}'`).join(", ")}]`;
}

/** Makes a model of a folder's config.json and weights. */
export async function loadPretrained<T extends Loadable>(
  ModelClass: {
    new (config: BertConfig): T;
    readonly config_class: typeof BertConfig;
  },
  name: string | URL | ModelFiles,
  options: FromPretrainedOptions,
): Promise<T> {
  const [hubOptions, others] = takeHubOptions(options), { progress_callback } = hubOptions;
  const { runtime: _, ignore_mismatched_sizes, seed = 0, on_report, ...overrides } = others;
  const files = await openModelFiles(name, hubOptions);
  const json = await files.read("config.json");
  if (!json) throw new ConfigError(`Cannot load the model "${files.name}": it has no config.json`);
  const config = new ModelClass.config_class(mergeConfig(parseConfigJson(json), overrides));
  checkWeights(ModelClass, config);
  const checkpoint = await openCheckpoint(files);
  let model: T | undefined;
  try {
    model = new ModelClass(config);
    const parameters = new Map(model.named_parameters());
    const names = matchNames(checkpoint.tensors.keys(), parameters.keys(), config.model_type);
    const mismatched: string[] = [];
    let loaded = 0;
    for (const [own, source] of names.matched) {
      const parameter = parameters.get(own)!;
      if (!sameShape(checkpoint, source, parameter, ignore_mismatched_sizes ?? false)) mismatched.push(own);
      else await readParameter(checkpoint, source, parameter);
      const total = names.matched.size, progress = 100 * ++loaded / total;
      progress_callback?.({
        status: "load",
        name: files.name,
        file: checkpoint.name,
        progress,
        loaded,
        total,
      });
    }
    const random = new Random(seed);
    for (const missing of [...names.missing, ...mismatched]) {
      model.initializeParameter(parameters.get(missing)!, random);
    }
    const report = new LoadReport(
      files.name,
      model.typeName,
      names.unused,
      names.missing,
      mismatched,
    );
    model.loadReport = report;
    if (on_report) on_report(report);
    else if (!report.isComplete) console.warn(String(report));
    return model;
  } catch (error) {
    for (const [, parameter] of model?.named_parameters() ?? []) parameter.dispose();
    throw error;
  } finally {
    checkpoint.close();
  }
}

/** The file's keys with the caller's; a new number of labels replaces the label names. */
function mergeConfig(
  file: Record<string, unknown>,
  overrides: BertConfigOptions,
): BertConfigOptions & Record<string, unknown> {
  const { num_labels, id2label } = overrides;
  const merged: BertConfigOptions & Record<string, unknown> = { ...file, ...overrides };
  if (id2label && !overrides.label2id) delete merged.label2id;
  if (num_labels !== undefined && !id2label && Object.keys(merged.id2label ?? {}).length !== num_labels) {
    delete merged.id2label;
    delete merged.label2id;
  }
  return merged;
}

interface Source {
  name: string;
  transpose: boolean;
}

function sameShape(checkpoint: Checkpoint, source: Source, parameter: Parameter, ignore: boolean): boolean {
  const stored = [...checkpoint.tensors.get(source.name)!.shape];
  if (source.transpose) stored.reverse();
  if (stored.length === parameter.shape.length && stored.every((n, i) => n === parameter.shape[i])) {
    return true;
  }
  if (ignore) return false;
  throw new WeightsError(
    `Cannot load "${source.name}": its shape is [${stored.join(", ")}], expected [${
      parameter.shape.join(", ")
    }]; ` +
      "ignore_mismatched_sizes draws it anew",
  );
}

async function readParameter(checkpoint: Checkpoint, source: Source, parameter: Parameter): Promise<void> {
  if (source.transpose) {
    const [rows, columns] = parameter.shape, stored = new Float32Array(parameter.size);
    await checkpoint.readFloat32(source.name, stored);
    const values = parameter.values();
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) values[i * columns + j] = stored[j * rows + i];
    }
  } else {
    await checkpoint.readFloat32(source.name, () => parameter.values());
  }
  parameter.markWritten();
}

/** What a saved model's config.json says; of span extractors no labels: transformers takes their two ends for labels. */
export function savedConfig(model: Pick<Loadable, "config" | "typeName">): Record<string, unknown> {
  const { id2label, label2id, ...json } = model.config.toJSON();
  const labels = model.typeName.endsWith("ForQuestionAnswering") ? {} : { id2label, label2id };
  return sortedKeys({ ...json, ...labels, architectures: [model.typeName], dtype: "float32" });
}

/** Writes config.json and model.safetensors into a folder. */
export async function savePretrained(model: Loadable, folder: string | URL): Promise<void> {
  const base = folderUrl(folder);
  for (const [name, chunks] of Object.entries(savedFiles(model, model.extensions))) {
    await writeFileWhole(new URL(name, base), chunks);
  }
}

/**
 * The files of a saved model, in the order in which they are written.
 *
 * @param merged What was added to the model and is to be a part of the weights. Default: nothing; it keeps its own tensors.
 */
export function savedFiles(
  model: Loadable,
  merged: readonly ModelExtension[] = [],
): Record<string, Iterable<Uint8Array<ArrayBuffer>>> {
  const tensors = Array.from(model.named_parameters()).flatMap(([name, parameter]) => {
    const data = savedValues(merged, name, parameter);
    return data ? [{ name, dtype: "F32" as const, shape: parameter.shape, data }] : [];
  });
  const config = JSON.stringify(savedConfig(model), null, 2) + "\n";
  return {
    "model.safetensors": safetensorsChunks(tensors, { format: "pt" }),
    "config.json": [new TextEncoder().encode(config)],
  };
}
