/**
 * An adapter as a folder, in PEFT's format: adapter_config.json and adapter_model.safetensors.
 *
 * @module
 */
import { ConfigError, WeightsError } from "../../errors.ts";
import { openModelFiles } from "../../hub/model_files.ts";
import type { HubOptions } from "../../hub/options.ts";
import { folderUrl, writeFileWhole } from "../../runtime/files.ts";
import { openSafetensors, openTorch, parseConfigJson, safetensorsChunks } from "../../weights/mod.ts";
import type { Parameter } from "../parameter.ts";
import { LoraConfig } from "./config.ts";

const CONFIG = "adapter_config.json",
  WEIGHTS = "adapter_model.safetensors",
  OLD_WEIGHTS = "adapter_model.bin";
const PREFIX = "base_model.model.";
/** Second copies of what stands in the file anyway, where PEFT trains all biases. */
const REPEATED = /\.(modules_to_save|original_module)\.(.*\.)?bias$/;

/** Where an adapter's files are: a folder, a URL of a folder, or an id on the Hugging Face hub. */
export type AdapterSource = string | URL;

/** Reads an adapter's settings. */
export async function readAdapterConfig(source: AdapterSource, options: HubOptions): Promise<LoraConfig> {
  const json = await (await openModelFiles(source, options)).read(CONFIG);
  if (!json) throw new ConfigError(`Cannot load the adapter "${source}": it has no ${CONFIG}`);
  return new LoraConfig(parseConfigJson(json));
}

/**
 * Reads an adapter's tensors into parameters. Of biases, the name with `base_layer.` in it counts too.
 *
 * @throws {WeightsError} if one is missing, has another shape, or the file has one that the model has no place for.
 */
export async function readAdapterWeights(
  source: AdapterSource,
  options: HubOptions,
  parameters: ReadonlyMap<string, Parameter>,
): Promise<void> {
  const files = await openModelFiles(source, options);
  const file = await files.open(WEIGHTS), old = file ? null : await files.open(OLD_WEIGHTS);
  if (!file && !old) throw new WeightsError(`Cannot load the adapter "${source}": it has no ${WEIGHTS}`);
  const checkpoint = file ? await openSafetensors(file) : await openTorch(old!);
  try {
    const missing = new Map(parameters);
    for (const [name, { shape }] of checkpoint.tensors) {
      if (REPEATED.test(name)) continue;
      const own = name.startsWith(PREFIX)
        ? name.slice(PREFIX.length).replace(/\.base_layer\.bias$/, ".bias")
        : "";
      const parameter = missing.get(own);
      if (!parameter) throw new WeightsError(`Cannot load "${name}": the adapted model has no place for it`);
      if (shape.join() !== parameter.shape.join()) {
        throw new WeightsError(
          `Cannot load "${name}": its shape is [${shape.join(", ")}], expected [${
            parameter.shape.join(", ")
          }]`,
        );
      }
      await checkpoint.readFloat32(name, () => parameter.values());
      parameter.markWritten();
      missing.delete(own);
    }
    for (const name of missing.keys()) {
      throw new WeightsError(`Cannot load the adapter: ${WEIGHTS} lacks "${name}"`);
    }
  } finally {
    checkpoint.close();
  }
}

/** Writes an adapter: each file whole or not at all, the configuration last. */
export async function writeAdapter(
  folder: string | URL,
  config: LoraConfig,
  parameters: ReadonlyMap<string, Parameter>,
  adapted: ReadonlySet<string>,
): Promise<void> {
  const base = folderUrl(folder);
  const tensors = Array.from(parameters, ([name, parameter]) => {
    const module = name.replace(/\.bias$/, "");
    const own = module !== name && adapted.has(module) ? `${module}.base_layer.bias` : name;
    return {
      ...{ name: PREFIX + own, dtype: "F32" as const, shape: parameter.shape },
      data: () => parameter.values(),
    };
  });
  await writeFileWhole(new URL(WEIGHTS, base), safetensorsChunks(tensors, { format: "pt" }));
  const text = JSON.stringify(config, null, 2) + "\n";
  await writeFileWhole(new URL(CONFIG, base), [new TextEncoder().encode(text)]);
}
