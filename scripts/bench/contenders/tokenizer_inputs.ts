/** What the tokenizers encode, and the side of those that run in Deno: jobs are `KIND INPUT`. */
import { readFileSync } from "node:fs";
import { speak } from "./speak.mjs";

/** A megabyte of each, for which a bad algorithm takes a time that grows with the square. */
export const ADVERSARIAL: Readonly<Record<string, (length: number) => string>> = {
  "one word": (length) => "x".repeat(length),
  "accents": (length) => "a" + "\u0301\u0316".repeat(length / 2),
  "accents with tone marks": (length) => "\u0301\u302e".repeat(length / 2),
  "punctuation": (length) => "!".repeat(length),
  "brackets": (length) => "[MAS".repeat(length / 4),
  "ideographs": (length) => "\u4e2d".repeat(length),
  "emoji": (length) => "\u{1f600}".repeat(length / 2),
};

/** The sentences of a file, and all of them over and over as one text of a million characters. */
export function inputsOf(tsv: string): Record<"sentences" | "text", string[]> {
  const sentences = tsv.split("\n").filter((line) => line !== "");
  let text = "";
  while (text.length < 1e6) text += sentences.join(" ") + " ";
  return { sentences, text: [text.slice(0, 1e6)] };
}

/** Sums that differ if any id differs in value or order. */
export function checkOf(ids: readonly ArrayLike<number>[]): number[] {
  let count = 0, sum = 0;
  for (const row of ids) {
    for (let i = 0; i < row.length; i++) sum = (sum * 31 + row[i]) % 1e9, count++;
  }
  return [count, sum];
}

/** Speaks as a contender over files made by the suite: `inputs.json` in `folder`. */
export async function serveTokenizer(
  folder: string,
  encode: (texts: string[]) => readonly ArrayLike<number>[],
  more: Readonly<Record<string, string[]>> = {},
): Promise<void> {
  const inputs = { ...JSON.parse(readFileSync(`${folder}/inputs.json`, "utf8")), ...more };
  await speak([...checkOf(encode(inputs.sentences)), ...checkOf(encode(inputs.text))], (job) => {
    const start = performance.now();
    encode(inputs[job]);
    return performance.now() - start;
  });
}
