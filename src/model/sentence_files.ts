/**
 * The small files of a sentence-transformers folder: which modules there are, how they pool, how long texts may be.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import { folderUrl, writeFileWhole } from "../runtime/files.ts";
import { type ConfigObject, type ModelFiles, parseConfigJson } from "../weights/mod.ts";
import { POOLING_MODES, type PoolingMode } from "./sentence_pooling.ts";

/** How similar two vectors are. */
export type SimilarityFunction = "cosine" | "dot" | "euclidean" | "manhattan";

const SIMILARITIES: readonly string[] = ["cosine", "dot", "euclidean", "manhattan"];

/** What the small files say. */
export interface SentenceSettings {
  pooling_mode: PoolingMode;
  /** Whether vectors are made 1 long. */
  normalize: boolean;
  /** Tokens of a text at most; undefined: the tokenizer's limit. */
  max_seq_length: number | undefined;
  do_lower_case: boolean;
  /** Texts to put before others, by name. */
  prompts: Readonly<Record<string, string>>;
  default_prompt_name: string | null;
  similarity_fn_name: SimilarityFunction;
}

/** What a folder without such files gets. */
export const DEFAULT_SETTINGS: SentenceSettings = {
  ...{ pooling_mode: "mean", normalize: false, max_seq_length: undefined, do_lower_case: false },
  ...{ prompts: {}, default_prompt_name: null, similarity_fn_name: "cosine" },
};

/** The keys by which older versions chose the pooling. */
const OLD_POOLING_KEYS: Readonly<Record<PoolingMode, string>> = {
  cls: "pooling_mode_cls_token",
  max: "pooling_mode_max_tokens",
  mean: "pooling_mode_mean_tokens",
  mean_sqrt_len_tokens: "pooling_mode_mean_sqrt_len_tokens",
};
const OTHER_POOLING_KEYS = ["pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken"];

/** Reads a JSON object, or an empty one if there is no such file. */
async function readObject(files: ModelFiles, name: string): Promise<ConfigObject> {
  const bytes = await files.read(name);
  return bytes ? parse(bytes, name) : {};
}

function parse(bytes: Uint8Array | string, name: string): ConfigObject {
  try {
    return parseConfigJson(bytes);
  } catch (error) {
    throw new ConfigError((error as Error).message.replace("config.json", name), { cause: error });
  }
}

function fail(file: string, key: string, value: unknown, wanted: string): never {
  throw new ConfigError(`Cannot use ${key} ${JSON.stringify(value)} of ${file}: ${wanted} is wanted`);
}

/**
 * Reads the settings, and where the transformer's own files are.
 *
 * @throws {ConfigError} if there are modules or ways of pooling that berth has not.
 */
export async function readSentenceSettings(
  files: ModelFiles,
): Promise<{ settings: SentenceSettings; transformer: ModelFiles }> {
  const modules = await readModules(files);
  const path = modules.get("Transformer") ?? "", transformer = path === "" ? files : within(files, path);
  const lengths = await readObject(transformer, "sentence_bert_config.json");
  const { max_seq_length = null, do_lower_case = false } = lengths;
  if (max_seq_length !== null && !(Number.isInteger(max_seq_length) && max_seq_length as number > 1)) {
    fail("sentence_bert_config.json", "max_seq_length", max_seq_length, "a whole number above 1");
  }
  const { prompts, default_prompt_name = null, similarity_fn_name } = await readObject(
    files,
    "config_sentence_transformers.json",
  );
  const similarity = similarity_fn_name ?? "cosine";
  if (!SIMILARITIES.includes(String(similarity))) {
    fail(
      "config_sentence_transformers.json",
      "similarity_fn_name",
      similarity,
      `one of ${SIMILARITIES.join(", ")}`,
    );
  }
  const pooling = modules.get("Pooling");
  return {
    transformer,
    settings: {
      pooling_mode: pooling === undefined
        ? "mean"
        : poolingMode(await readObject(files, `${pooling}/config.json`)),
      normalize: modules.has("Normalize"),
      max_seq_length: max_seq_length as number | null ?? undefined,
      do_lower_case: do_lower_case === true,
      prompts: textTable(prompts),
      default_prompt_name: typeof default_prompt_name === "string" ? default_prompt_name : null,
      similarity_fn_name: similarity as SimilarityFunction,
    },
  };
}

/** The paths of the modules by their classes' names; empty without modules.json. */
async function readModules(files: ModelFiles): Promise<Map<string, string>> {
  const bytes = await files.read("modules.json");
  if (!bytes) return new Map();
  const text = `{"modules":${new TextDecoder().decode(bytes)}}`, { modules } = parse(text, "modules.json");
  const found = new Map<string, string>();
  for (const module of Array.isArray(modules) ? modules : [null]) {
    const { type, path } = (module ?? {}) as ConfigObject, kind = String(type).split(".").at(-1)!;
    if (
      !["Transformer", "Pooling", "Normalize"].includes(kind) || typeof path !== "string" || found.has(kind)
    ) {
      fail("modules.json", "the module", module, "one Transformer, one Pooling and at most one Normalize");
    }
    found.set(kind, path);
  }
  const order = [...found.keys()].join();
  if (!/^Transformer(,Pooling(,Normalize)?)?$/.test(order)) {
    fail("modules.json", "the modules", order, "Transformer, Pooling, Normalize, in this order,");
  }
  return found;
}

function poolingMode(config: ConfigObject): PoolingMode {
  const file = "1_Pooling/config.json";
  if (config.include_prompt === false) fail(file, "include_prompt", false, "true");
  const chosen = config.pooling_mode !== undefined
    ? [config.pooling_mode].flat()
    : [...Object.entries(OLD_POOLING_KEYS), ...OTHER_POOLING_KEYS.map((key) => [key, key])]
      .filter(([, key]) => config[key] === true).map(([mode]) => mode);
  if (chosen.length === 0) return "mean";
  if (chosen.length > 1 || !POOLING_MODES.includes(chosen[0] as PoolingMode)) {
    fail(file, "pooling_mode", chosen, `one of ${POOLING_MODES.join(", ")}`);
  }
  return chosen[0] as PoolingMode;
}

function textTable(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === "string"));
}

/** A folder within a model's. */
function within(files: ModelFiles, path: string): ModelFiles {
  return {
    name: `${files.name}/${path}`,
    read: (name) => files.read(`${path}/${name}`),
    open: (name) => files.open(`${path}/${name}`),
  };
}

/** Writes the small files, with the keys that all versions of sentence-transformers read. */
export async function writeSentenceSettings(
  folder: string | URL,
  settings: SentenceSettings,
  size: number,
): Promise<void> {
  const base = folderUrl(folder), { pooling_mode, normalize, max_seq_length, do_lower_case } = settings;
  const { prompts, default_prompt_name, similarity_fn_name } = settings;
  const kinds = ["Transformer", "Pooling", ...normalize ? ["Normalize"] : []];
  const modules = kinds.map((kind, idx) => ({
    ...{ idx, name: String(idx), path: idx === 0 ? "" : `${idx}_${kind}` },
    type: `sentence_transformers.models.${kind}`,
  }));
  const switches = Object.entries(OLD_POOLING_KEYS).map(([mode, key]) => [key, mode === pooling_mode]);
  const pooling = {
    ...{ word_embedding_dimension: size, ...Object.fromEntries(switches) },
    ...{ ...Object.fromEntries(OTHER_POOLING_KEYS.map((key) => [key, false])), include_prompt: true },
  };
  const files: Record<string, unknown> = {
    "1_Pooling/config.json": pooling,
    ...(normalize ? { "2_Normalize/config.json": {} } : {}),
    "sentence_bert_config.json": { max_seq_length: max_seq_length ?? null, do_lower_case },
    "config_sentence_transformers.json": { prompts, default_prompt_name, similarity_fn_name },
    "modules.json": modules,
  };
  for (const [name, value] of Object.entries(files)) {
    const text = JSON.stringify(value, null, 2) + "\n";
    await writeFileWhole(new URL(name, base), [new TextEncoder().encode(text)]);
  }
}
