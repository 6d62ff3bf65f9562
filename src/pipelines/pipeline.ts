/**
 * pipeline: a task's name and a model's name -> a function of texts.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import { BertTokenizer, type HubOptions, openModelFiles, takeHubOptions } from "../hub/mod.ts";
import {
  BertForMaskedLM,
  BertForQuestionAnswering,
  BertForSequenceClassification,
  BertForTokenClassification,
  BertModel,
  DistilBertForMaskedLM,
  DistilBertForQuestionAnswering,
  DistilBertForSequenceClassification,
  DistilBertForTokenClassification,
  DistilBertModel,
  type FromPretrainedOptions,
  type InferenceWeights,
  PreTrainedModel,
} from "../model/mod.ts";
import type { InitOptions } from "../runtime/mod.ts";
import { parseConfigJson } from "../weights/mod.ts";
import type { PipelineParts } from "./base.ts";
import { type FeatureExtractionOptions, FeatureExtractionPipeline } from "./feature_extraction.ts";
import { type FillMaskOptions, FillMaskPipeline } from "./fill_mask.ts";
import { type QuestionAnsweringOptions, QuestionAnsweringPipeline } from "./question_answering.ts";
import { type TokenClassificationOptions, TokenClassificationPipeline } from "./token_classification.ts";
import { type TextClassificationOptions, TextClassificationPipeline } from "./text_classification.ts";

/** The tasks by name, with the options of their calls. */
export interface PipelineCallOptions {
  /** Labels of texts. */
  "text-classification": TextClassificationOptions;
  /** Another name of it. */
  "sentiment-analysis": TextClassificationOptions;
  /** Entities in texts. */
  "token-classification": TokenClassificationOptions;
  /** Another name of it. */
  "ner": TokenClassificationOptions;
  /** Answers in texts. */
  "question-answering": QuestionAnsweringOptions;
  /** Words for gaps. */
  "fill-mask": FillMaskOptions;
  /** Vectors of texts. */
  "feature-extraction": FeatureExtractionOptions;
}

/** The name of a task. */
export type PipelineTask = keyof PipelineCallOptions;

/** The pipeline of a task; `D` are the call options that `pipeline` was given. */
export type PipelineOf<T extends PipelineTask, D> = T extends "text-classification" | "sentiment-analysis"
  ? TextClassificationPipeline<D & TextClassificationOptions>
  : T extends "question-answering" ? QuestionAnsweringPipeline<D & QuestionAnsweringOptions>
  : T extends "token-classification" | "ner" ? TokenClassificationPipeline
  : T extends "fill-mask" ? FillMaskPipeline
  : FeatureExtractionPipeline;

/** Options of {@linkcode pipeline} itself. */
export interface PipelineOptions extends HubOptions {
  /** The form of the weights: `fp32` (as `auto`, the default), or 8 bits, `q8` or `int8`. A model itself stays as it is by default. */
  dtype?: "auto" | "fp32" | "q8" | "int8";
  /** The tokenizer, or the name of its model. Default: the model's; it is wanted where a model itself is given. */
  tokenizer?: BertTokenizer | string | URL;
  /** Starts the backend, if it does not run yet. */
  runtime?: InitOptions;
}

/** A model class that loads. */
interface Loader {
  from_pretrained(this: never, name: string | URL, options: FromPretrainedOptions): Promise<PreTrainedModel>;
}

/** What a task needs. */
interface Task {
  /** The class of each `model_type`. */
  readonly classes: Readonly<Record<string, Loader>>;
  /** How the names of these classes end. */
  readonly suffix: string;
  /** How the names of classes end whose checkpoints have the head; null: none is needed. */
  readonly checkpoints: readonly string[] | null;
  /** The model that the package carries, if it has the head. */
  readonly default_model: string | null;
  readonly make: new (parts: PipelineParts<never, never>) => unknown;
}

const TASKS: Readonly<Record<string, Task>> = {
  "text-classification": {
    classes: { bert: BertForSequenceClassification, distilbert: DistilBertForSequenceClassification },
    suffix: "ForSequenceClassification",
    checkpoints: ["ForSequenceClassification"],
    default_model: null,
    make: TextClassificationPipeline,
  },
  "token-classification": {
    classes: { bert: BertForTokenClassification, distilbert: DistilBertForTokenClassification },
    suffix: "ForTokenClassification",
    checkpoints: ["ForTokenClassification"],
    default_model: null,
    make: TokenClassificationPipeline,
  },
  "question-answering": {
    classes: { bert: BertForQuestionAnswering, distilbert: DistilBertForQuestionAnswering },
    suffix: "ForQuestionAnswering",
    checkpoints: ["ForQuestionAnswering"],
    default_model: null,
    make: QuestionAnsweringPipeline,
  },
  "fill-mask": {
    classes: { bert: BertForMaskedLM, distilbert: DistilBertForMaskedLM },
    suffix: "ForMaskedLM",
    checkpoints: ["ForMaskedLM", "ForPreTraining"],
    default_model: "berth-tiny",
    make: FillMaskPipeline,
  },
  "feature-extraction": {
    classes: { bert: BertModel, distilbert: DistilBertModel },
    suffix: "Model",
    checkpoints: null,
    default_model: "berth-tiny",
    make: FeatureExtractionPipeline,
  },
};

/** How the class names of each `model_type` begin. */
const FAMILIES: Readonly<Record<string, string>> = { bert: "Bert", distilbert: "DistilBert" };

const ALIASES: Readonly<Record<string, string>> = {
  "sentiment-analysis": "text-classification",
  "ner": "token-classification",
};

const FORMS: Readonly<Record<string, InferenceWeights>> = {
  auto: "packed",
  fp32: "packed",
  q8: "int8",
  int8: "int8",
};

/**
 * A model and its tokenizer as one function, as in transformers and transformers.js.
 *
 * @param task `text-classification` (or `sentiment-analysis`), `token-classification` (or `ner`),
 * `question-answering`, `fill-mask`, `feature-extraction`.
 * @param model A folder, a URL, an id on the Hugging Face hub, `"berth-tiny"`, or a model itself (then with `tokenizer`).
 * Default: `"berth-tiny"` where it has the head.
 * @param options How the model is found and run, and options of the task's calls that do not give them.
 * @throws {ConfigError} if there is no such task, the checkpoint has not the head that it needs, or an option is wrong;
 * {HubError}, {WeightsError}, {TokenizerError} as `from_pretrained`.
 * @example
 * ```ts
 * import { dispose, pipeline } from "@berth/berth";
 * const extract = await pipeline("feature-extraction", "berth-tiny");
 * const features = await extract(["A fine game.", "Rain."], { pooling: "mean", normalize: true });
 * console.log(features.dims); // [2, 128]
 * await extract.dispose();
 * dispose();
 * ```
 */
export async function pipeline<
  T extends PipelineTask,
  const D extends PipelineCallOptions[T] = PipelineCallOptions[T],
>(
  task: T,
  model?: string | URL | PreTrainedModel | null,
  options: PipelineOptions & D = {} as D,
): Promise<PipelineOf<T, D>> {
  const name = ALIASES[task] ?? task, definition = taskOf(name);
  const [hubOptions, others] = takeHubOptions<PipelineOptions & D>(options);
  const { dtype, tokenizer, runtime, ...defaults } = others as PipelineOptions;
  const weights = formOf(dtype ?? "auto"), ownsModel = !(model instanceof PreTrainedModel);
  const source = model ?? definition.default_model;
  if (source === null) {
    throw new ConfigError(`Cannot make a ${name} pipeline without a model: berth-tiny has no head for it`);
  }
  const own = tokenizer ?? (ownsModel ? source as string | URL : undefined);
  if (own === undefined) {
    throw new ConfigError(
      `Cannot make a ${name} pipeline of a model alone: its tokenizer is wanted (option tokenizer)`,
    );
  }
  const words = own instanceof BertTokenizer ? own : await BertTokenizer.from_pretrained(own, hubOptions);
  const loaded = source instanceof PreTrainedModel
    ? checkClass(source, name, definition)
    : await load(source, name, definition, { ...hubOptions, runtime });
  if (!loaded.training && (ownsModel || dtype !== undefined)) loaded.eval({ weights });
  const parts = { task: name, model: loaded, tokenizer: words, weights, ownsModel, defaults };
  return new definition.make(parts as PipelineParts<never, never>) as PipelineOf<T, D>;
}

function taskOf(name: string): Task {
  if (Object.hasOwn(TASKS, name)) return TASKS[name];
  const known = [...Object.keys(TASKS), ...Object.keys(ALIASES)].join(", ");
  throw new ConfigError(`Cannot make a pipeline for ${JSON.stringify(name)}: one of ${known} is wanted`);
}

function formOf(dtype: string): InferenceWeights {
  if (Object.hasOwn(FORMS, dtype)) return FORMS[dtype];
  const known = Object.keys(FORMS).join(", ");
  throw new ConfigError(`Cannot run with dtype ${JSON.stringify(dtype)}: one of ${known} is wanted`);
}

function checkClass(model: PreTrainedModel, name: string, { classes, suffix }: Task): PreTrainedModel {
  const names = Object.keys(classes).map((type) => FAMILIES[type] + suffix);
  if (names.includes(model.typeName)) return model;
  throw new ConfigError(
    `Cannot make a ${name} pipeline of a ${model.typeName}: a ${names.join(" or ")} is wanted`,
  );
}

/** Loads a model; fails if the checkpoint lacks weights of the head. */
async function load(
  source: string | URL,
  name: string,
  { classes, suffix, checkpoints }: Task,
  options: HubOptions & { runtime?: InitOptions },
): Promise<PreTrainedModel> {
  const json = await (await openModelFiles(source, options)).read("config.json");
  if (!json) throw new ConfigError(`Cannot load the model "${source}": it has no config.json`);
  const config = parseConfigJson(json), type = String(config.model_type ?? "bert");
  if (!Object.hasOwn(classes, type)) {
    const known = Object.keys(classes).join(", ");
    throw new ConfigError(
      `Cannot load the model "${source}": its model_type is ${type}, one of ${known} is wanted`,
    );
  }
  const noHead = (what: string) =>
    new ConfigError(`Cannot make a ${name} pipeline of "${source}": the checkpoint is of ${what}; \
train a ${FAMILIES[type]}${suffix} first`);
  const saved = [config.architectures ?? []].flat().map(String);
  const hasHead = (architecture: string) => checkpoints!.some((end) => architecture.endsWith(end));
  if (checkpoints && saved.length > 0 && !saved.some(hasHead)) {
    throw noHead(`a ${saved.join(", ")}`);
  }
  let missing: readonly string[] = [];
  const model = await classes[type].from_pretrained.call(classes[type] as never, source, {
    ...options,
    on_report: ({ newlyInitialized }) =>
      missing = newlyInitialized.filter((weight) => checkpoints !== null || !weight.startsWith("pooler.")),
  });
  if (missing.length === 0) return model;
  model.dispose();
  throw noHead(`another model: it has no ${missing[0]}`);
}
