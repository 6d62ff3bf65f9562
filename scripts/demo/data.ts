/** The demo's sentences: fans about baseball games, each positive (1) or negative (0). */
import { readFileSync } from "node:fs";
import { DataError } from "../../mod.ts";

export interface Example {
  text: string;
  label: number;
}

export const LABELS = ["negative", "positive"] as const;

/** Reads one of the two files beside this one. */
export function readExamples(name: "train" | "test"): Example[] {
  const lines = readFileSync(new URL(`./data/${name}.tsv`, import.meta.url), "utf8").trimEnd().split("\n");
  return lines.slice(1).map((line, i) => {
    const [text, label] = line.split("\t");
    if (label !== "0" && label !== "1") {
      throw new DataError(`Cannot read ${name}.tsv: line ${i + 2} has no label 0 or 1`);
    }
    return { text, label: Number(label) };
  });
}
