/** The character classes against the reference's, over all of Unicode. */

import { createHash } from "node:crypto";
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  decompose,
  isChinese,
  isMark,
  isNonStarter,
  isPunctuation,
  isRemoved,
  isSpace,
  lower,
} from "../../src/tokenizer/unicode.ts";

const golden = JSON.parse(Deno.readTextFileSync(new URL("golden/unicode.json", import.meta.url)));

const chars: string[] = [];
for (let code = 0; code < 0x110000; code++) {
  if (code < 0xd800 || code >= 0xe000) chars.push(String.fromCodePoint(code));
}

function bounds(test: (char: string) => boolean): number[] {
  const result: number[] = [];
  let inside = false;
  for (const char of chars) {
    if (test(char) === inside) continue;
    inside = !inside;
    result.push(char.codePointAt(0)!);
  }
  return inside ? [...result, 0x110000] : result;
}

function digest(change: (char: string) => string): string {
  const hex = (text: string): string =>
    Array.from(text, (char) => char.codePointAt(0)!.toString(16)).join("+");
  const lines = chars.filter((char) => change(char) !== char).map((char) =>
    `${hex(char)} ${hex(change(char))}`
  );
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}

const classes = {
  removed: isRemoved,
  punctuation: isPunctuation,
  chinese: isChinese,
  mark: (char: string) => decompose(char).length === char.length && isMark(decompose(char)),
  nonStarter: (char: string) => decompose(char) === char && isNonStarter(char),
  space: (char: string) => isSpace(char) && !"\x0b\x0c\x85".includes(char),
};
for (const [name, test] of Object.entries(classes)) {
  Deno.test(`the class "${name}" holds the characters that the reference's holds`, () => {
    deepStrictEqual(bounds(test), golden[name]);
  });
}

Deno.test("every character's lower case and decomposition are the reference's", () => {
  strictEqual(digest(lower), golden.lower, "lower");
  strictEqual(digest(decompose), golden.decomposed, "decomposed");
});
