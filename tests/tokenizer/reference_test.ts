/** The tokenizer against transformers, on the large reference set; see golden_test.ts for a small one that is always there. */

import { existsSync } from "node:fs";
import { ok } from "node:assert/strict";
import { checkCalls, checkDecodings, checkSingles, loadVocab } from "./reference.ts";

for (const name of ["uncased", "cased"]) {
  const folder = new URL(`../../../shared/reference/tokenizer/${name}/`, import.meta.url);
  Deno.test({
    name:
      `${name}: ids, tokens, offsets, words, masks, overflow, errors and decoded texts equal transformers'` +
      " (needs ../shared/reference/tokenizer)",
    ignore: !existsSync(new URL("vocab.txt", folder)),
    fn() {
      const tokenizer = loadVocab(folder, name === "uncased");
      ok(checkSingles(tokenizer, folder) > 2900);
      ok(checkCalls(tokenizer, folder) === 600);
      ok(checkDecodings(tokenizer, folder) === 300);
    },
  });
}
