/** npm's @huggingface/tokenizers, text by text: `npm_tokenizer.ts FOLDER MODULES`. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { serveTokenizer } from "./tokenizer_inputs.ts";

const [folder, modules] = process.argv.slice(2);
const read = (name: string) => JSON.parse(readFileSync(`${folder}/${name}.json`, "utf8"));
const { Tokenizer } = await import(
  pathToFileURL(`${modules}/@huggingface/tokenizers/dist/tokenizers.mjs`).href
);
const tokenizer: { encode(text: string): { ids: number[] } } = new Tokenizer(
  read("tokenizer"),
  read("tokenizer_config"),
);
await serveTokenizer(folder, (texts) => texts.map((text) => tokenizer.encode(text).ids));
