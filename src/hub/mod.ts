/**
 * Finds, reads and writes the files of models.
 *
 * @module
 */
export { openModelFiles } from "./model_files.ts";
export { BertTokenizer } from "./tokenizer.ts";
