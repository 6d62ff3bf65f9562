/**
 * The settings of LoRA, with the keys, defaults and file of PEFT (https://github.com/huggingface/peft).
 *
 * @module
 */
import { ConfigError } from "../../errors.ts";
import { sortedKeys } from "../config.ts";

/** What the adapted model is for: decides which head is trained with the adapter. */
export type TaskType = "SEQ_CLS" | "TOKEN_CLS" | "QUESTION_ANS" | "FEATURE_EXTRACTION";

/** Heads that PEFT trains and saves without being asked. */
const TASK_HEADS: Readonly<Record<TaskType, readonly string[]>> = {
  SEQ_CLS: ["classifier", "score"],
  TOKEN_CLS: ["classifier", "score"],
  QUESTION_ANS: ["qa_outputs"],
  FEATURE_EXTRACTION: [],
};

/** Keys of PEFT that change what is computed and are not supported: they must be off. */
const UNSUPPORTED = [
  ...["use_dora", "use_qalora", "lora_bias", "fan_in_fan_out", "alora_invocation_tokens"],
  ...["layer_replication", "trainable_token_indices", "target_parameters", "arrow_config", "velora_config"],
  ...["kasa_config", "monteclora_config", "layers_pattern", "use_bdlora"],
];

/** The most weights of a rank: a file that asks for more is wrong or hostile. */
const MAX_RANK = 65_536;

/** The keys of PEFT's `LoraConfig` that berth understands. */
export interface LoraConfigOptions {
  /** The rank of the matrices. Default 8. */
  r?: number;
  /** The product is scaled by `lora_alpha / r`. Default 8. */
  lora_alpha?: number;
  /** Dropout of the inputs of lora_A, in training. Default 0. */
  lora_dropout?: number;
  /**
   * The Linear modules to adapt: ends of names (`["query", "value"]`), a regular expression that matches whole names, or
   * `"all-linear"`. Default: queries and values.
   */
  target_modules?: readonly string[] | string | null;
  /** Modules to leave out: ends of names or a regular expression. Default none. */
  exclude_modules?: readonly string[] | string | null;
  /** Only layers of these numbers. Default all. */
  layers_to_transform?: readonly number[] | number | null;
  /** The biases that are trained too: `all`, those of adapted modules (`lora_only`), or `none`, the default. */
  bias?: "none" | "all" | "lora_only";
  /** Scales by `lora_alpha / sqrt(r)` instead. Default false. */
  use_rslora?: boolean;
  /** Ends of names of modules that are trained whole and saved with the adapter, such as `classifier`. Default: by `task_type`. */
  modules_to_save?: readonly string[] | null;
  /** What the model is for: adds the head to `modules_to_save`. Default none. */
  task_type?: TaskType | null;
  /** True: A uniform, B zero, so that the model starts as it was; `"gaussian"`: A normal; false: B random too. Default true. */
  init_lora_weights?: boolean | "gaussian";
  /** Ranks of single modules, by the end of the name or a regular expression. */
  rank_pattern?: Readonly<Record<string, number>>;
  /** `lora_alpha` of single modules. */
  alpha_pattern?: Readonly<Record<string, number>>;
  /** Where the base model came from. */
  base_model_name_or_path?: string | null;
}

/**
 * Settings of LoRA. Keys that berth does not know are kept and written back.
 *
 * @example
 * ```ts
 * import { LoraConfig } from "@berth/berth";
 * const config = new LoraConfig({ r: 8, lora_alpha: 16, target_modules: ["query", "value"], task_type: "SEQ_CLS" });
 * console.log(config.modules_to_save); // ["classifier", "score"]
 * ```
 */
export class LoraConfig {
  /** The rank. */
  readonly r: number;
  /** The product is scaled by `lora_alpha / r`. */
  readonly lora_alpha: number;
  /** Dropout of the inputs of lora_A. */
  readonly lora_dropout: number;
  /** Which modules are adapted; null: queries and values. */
  readonly target_modules: readonly string[] | string | null;
  /** Which modules are left out. */
  readonly exclude_modules: readonly string[] | string | null;
  /** Which layers are adapted; null: all. */
  readonly layers_to_transform: readonly number[] | null;
  /** Which biases are trained. */
  readonly bias: "none" | "all" | "lora_only";
  /** Whether the scale is `lora_alpha / sqrt(r)`. */
  readonly use_rslora: boolean;
  /** Modules that are trained whole. */
  readonly modules_to_save: readonly string[] | null;
  /** What the model is for. */
  readonly task_type: TaskType | null;
  /** How the matrices begin. */
  readonly init_lora_weights: boolean | "gaussian";
  /** Ranks of single modules. */
  readonly rank_pattern: Readonly<Record<string, number>>;
  /** `lora_alpha` of single modules. */
  readonly alpha_pattern: Readonly<Record<string, number>>;
  /** Where the base model came from. */
  readonly base_model_name_or_path: string | null;
  /** Keys of an adapter_config.json that berth does not use. */
  readonly other: Readonly<Record<string, unknown>>;

  /**
   * Reads the keys and checks them.
   *
   * @param options Keys of an adapter_config.json.
   * @throws {ConfigError} if a value is of the wrong type or range, or asks for what berth has not.
   */
  constructor(options: LoraConfigOptions & Record<string, unknown> = {}) {
    const {
      peft_type = "LORA",
      r = 8,
      lora_alpha = 8,
      lora_dropout = 0,
      target_modules = null,
      exclude_modules = null,
      layers_to_transform = null,
      bias = "none",
      use_rslora = false,
      modules_to_save = null,
      task_type = null,
      init_lora_weights = true,
      rank_pattern = {},
      alpha_pattern = {},
      base_model_name_or_path = null,
      ...other
    } = options;
    check(peft_type === "LORA", "peft_type", peft_type, '"LORA"');
    check(isRank(r), "r", r, RANK);
    check(typeof lora_alpha === "number" && lora_alpha > 0, "lora_alpha", lora_alpha, "a number above 0");
    const isProbability = typeof lora_dropout === "number" && lora_dropout >= 0 && lora_dropout < 1;
    check(isProbability, "lora_dropout", lora_dropout, "a number from 0 to below 1");
    for (const [key, value] of Object.entries({ target_modules, exclude_modules })) {
      check(value === null || typeof value === "string" || isNames(value), key, value, NAMES);
    }
    const layers = typeof layers_to_transform === "number" ? [layers_to_transform] : layers_to_transform;
    const areLayers = layers === null || Array.isArray(layers) && layers.every(Number.isInteger);
    check(areLayers, "layers_to_transform", layers_to_transform, "whole numbers");
    check(["none", "all", "lora_only"].includes(bias), "bias", bias, '"none", "all" or "lora_only"');
    check(typeof use_rslora === "boolean", "use_rslora", use_rslora, "true or false");
    check(modules_to_save === null || isNames(modules_to_save), "modules_to_save", modules_to_save, NAMES);
    const tasks = Object.keys(TASK_HEADS).join(", ");
    check(
      task_type === null || Object.hasOwn(TASK_HEADS, task_type),
      "task_type",
      task_type,
      `one of ${tasks}`,
    );
    const isStart = typeof init_lora_weights === "boolean" || init_lora_weights === "gaussian";
    check(isStart, "init_lora_weights", init_lora_weights, 'true, false or "gaussian"');
    check(isTable(rank_pattern, isRank), "rank_pattern", rank_pattern, `names with ${RANK}`);
    check(isTable(alpha_pattern, (value) => value > 0), "alpha_pattern", alpha_pattern, "names with numbers");
    for (const key of UNSUPPORTED) {
      check(isOff(other[key]), key, other[key], "nothing, as berth has no such adapters,");
    }
    const heads = task_type === null ? [] : TASK_HEADS[task_type];
    const saved = [...new Set([...modules_to_save ?? [], ...heads])];
    this.r = r;
    this.lora_alpha = lora_alpha;
    this.lora_dropout = lora_dropout;
    this.target_modules = target_modules;
    this.exclude_modules = exclude_modules;
    this.layers_to_transform = layers;
    this.bias = bias;
    this.use_rslora = use_rslora;
    this.modules_to_save = saved.length > 0 ? saved : null;
    this.task_type = task_type;
    this.init_lora_weights = init_lora_weights;
    this.rank_pattern = rank_pattern;
    this.alpha_pattern = alpha_pattern;
    this.base_model_name_or_path = base_model_name_or_path;
    this.other = other;
  }

  /** The keys of an adapter_config.json that PEFT reads. */
  toJSON(): Record<string, unknown> {
    const { other, ...known } = this;
    return sortedKeys({ ...other, ...known, peft_type: "LORA", inference_mode: true });
  }
}

const RANK = "a whole number from 1 to 65536", NAMES = "names or a regular expression";

function isOff(value: unknown): boolean {
  return !value || typeof value === "object" && Object.keys(value).length === 0;
}

function isRank(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= MAX_RANK;
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === "string");
}

function isTable(value: unknown, isValid: (value: number) => boolean): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every(isValid);
}

function check(isValid: boolean, key: string, value: unknown, wanted: string): void {
  if (isValid) return;
  throw new ConfigError(`Cannot use LoRA with ${key} ${JSON.stringify(value)}: ${wanted} is wanted`);
}
