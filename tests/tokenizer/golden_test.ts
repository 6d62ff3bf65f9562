/** The tokenizer against transformers, on small files that are part of the repository (see golden/*.py). */

import { strictEqual } from "node:assert/strict";
import { checkFeature, type Feature, setUp } from "./features.ts";
import { checkCalls, checkDecodings, checkSingles, loadVocab, readJsonLines } from "./reference.ts";

for (const name of ["uncased", "cased"]) {
  const folder = new URL(`golden/${name}/`, import.meta.url);
  const tokenizer = loadVocab(folder, name === "uncased");

  Deno.test(`${name}: 200 texts give transformers' ids, tokens, offsets, words and special tokens mask`, () => {
    strictEqual(checkSingles(tokenizer, folder), 200);
  });

  Deno.test(`${name}: 60 batch calls give transformers' columns, overflow and errors`, () => {
    strictEqual(checkCalls(tokenizer, folder), 60);
  });

  Deno.test(`${name}: 40 rows of ids decode to transformers' texts`, () => {
    strictEqual(checkDecodings(tokenizer, folder), 40);
  });
}

Deno.test("112 calls of random set-ups equal transformers': added tokens, words, sides, maps, decoding", () => {
  const vocab = Deno.readTextFileSync(new URL("golden/uncased/vocab.txt", import.meta.url));
  const features = readJsonLines<Feature>(new URL("golden/features.jsonl", import.meta.url));
  strictEqual(
    features.reduce((calls, feature) => calls + checkFeature(setUp(vocab, feature), feature), 0),
    112,
  );
});
