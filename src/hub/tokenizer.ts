/**
 * The tokenizer that finds its own files and writes them.
 *
 * @module
 */
import { folderUrl, writeFileWhole } from "../runtime/files.ts";
import { BertTokenizer as PureBertTokenizer, type TokenizerOptions } from "../tokenizer/mod.ts";
import type { ModelFiles } from "../weights/source.ts";
import { openModelFiles } from "./model_files.ts";
import { type HubOptions, takeHubOptions } from "./options.ts";

const SMALL_FILES = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];

/**
 * {@linkcode PureBertTokenizer} with `from_pretrained` and `save_pretrained`.
 *
 * @example
 * ```ts
 * import { BertTokenizer } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny"); // or "google-bert/bert-base-uncased"
 * console.log(tokenizer.tokenize("A safe berth.")); // ["a", "safe", "ber", "##th", "."]
 * ```
 */
export class BertTokenizer extends PureBertTokenizer {
  /**
   * Loads a tokenizer.
   *
   * @param name `"berth-tiny"`, a folder's path, the URL of a folder, a model's id on the hub, or its files.
   * @param options How files are found, and options of the tokenizer that go before what its files say.
   * @throws {HubError} if there is no such model, {TokenizerError} if its files are no BERT tokenizer's.
   */
  static async from_pretrained(
    name: string | URL | ModelFiles,
    options: HubOptions & TokenizerOptions = {},
  ): Promise<BertTokenizer> {
    const [hubOptions, tokenizerOptions] = takeHubOptions(options);
    const files = await readTokenizerFiles(await openModelFiles(name, hubOptions));
    return BertTokenizer.from_files(files, tokenizerOptions);
  }

  /**
   * Writes the files that `from_pretrained` and transformers read: vocab.txt, tokenizer.json, tokenizer_config.json,
   * special_tokens_map.json. Each is written whole or not at all.
   *
   * @param folder Where to; it is made if there is none.
   * @throws {HubError} if they cannot be written.
   */
  async save_pretrained(folder: string | URL): Promise<void> {
    const base = folderUrl(folder);
    for (const [name, text] of Object.entries(this.to_files())) {
      await writeFileWhole(new URL(name, base), [new TextEncoder().encode(text)]);
    }
  }
}

/** Reads what is needed: vocab.txt only without tokenizer.json, which has the vocabulary too. */
async function readTokenizerFiles(model: ModelFiles): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  const read = async (name: string): Promise<boolean> => {
    const bytes = await model.read(name);
    if (bytes) files[name] = bytes;
    return bytes !== null;
  };
  await Promise.all(SMALL_FILES.map(read));
  if (await read("tokenizer.json") || await read("vocab.txt")) return files;
  // None: the names of other files, and the model's type, tell which tokenizer it is.
  await read("config.json");
  for (const name of await model.list?.() ?? []) files[name] ??= new Uint8Array(0);
  return files;
}
