/**
 * The tokenizer that finds its own files.
 *
 * @module
 */
import { BertTokenizer as PureBertTokenizer, type TokenizerFiles } from "../tokenizer/mod.ts";
import { openModelFiles } from "./model_files.ts";

const FILES = ["vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];

/** {@linkcode PureBertTokenizer} with `from_pretrained`. */
export class BertTokenizer extends PureBertTokenizer {
  /**
   * Loads a tokenizer.
   *
   * @param name `"berth-tiny"`, a folder's path, or the URL of a folder.
   * @throws {HubError} if there is no such folder, {TokenizerError} if its files are no BERT tokenizer's.
   */
  static async from_pretrained(name: string | URL): Promise<BertTokenizer> {
    const source = openModelFiles(name);
    const entries = await Promise.all(FILES.map(async (file) => [file, await source.read(file)] as const));
    return BertTokenizer.from_files(Object.fromEntries(entries.filter(([, bytes]) => bytes !== null)) as TokenizerFiles);
  }
}
