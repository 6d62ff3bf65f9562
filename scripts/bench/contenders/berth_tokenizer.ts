/** Our tokenizer: `berth_tokenizer.ts FOLDER [single]`, all texts in one call or text by text. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { BertTokenizer } from "../../../src/tokenizer/mod.ts";
import { ADVERSARIAL, serveTokenizer } from "./tokenizer_inputs.ts";

const [folder, single] = process.argv.slice(2);
const tokenizer = BertTokenizer.from_vocab(readFileSync(`${folder}/vocab.txt`, "utf8"));
const hard = Object.entries(ADVERSARIAL).flatMap(([name, make]): [string, string[]][] => [
  [`${name} 0.1`, [make(1e5)]],
  [`${name} 1`, [make(1e6)]],
]);
const encode = single === "single"
  ? (texts: string[]) => texts.map((text) => tokenizer(text).input_ids)
  : (texts: string[]) => tokenizer(texts).input_ids;
await serveTokenizer(folder, encode, Object.fromEntries(hard));
