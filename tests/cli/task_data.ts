/** Small files with a rule to be learnt, for each task. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Random } from "../../src/random.ts";

const NAMES = ["Ada", "Grace", "Alan", "Donald", "Barbara", "Linus"];
const PLACES = ["Rome", "Paris", "London", "New York", "Berlin", "Tokyo"];

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)];
}

/** Sentences as CoNLL: people and places. */
export function conllText(count: number, seed: number): string {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const place = pick(random, PLACES).split(" ").map((word, i) => `${word} ${i === 0 ? "B" : "I"}-LOC`);
    const isFirst = random.below(2) === 0, person = `${pick(random, NAMES)} B-PER`;
    const lines = isFirst
      ? [person, "visited O", ...place, ". O"]
      : ["In O", ...place, "there O", "was O", person, ". O"];
    return lines.join("\n") + "\n";
  }).join("\n");
}

/** Questions as a SQuAD file; one in four has no answer. */
export function squadText(count: number, seed: number): string {
  const random = new Random(seed);
  const paragraphs = Array.from({ length: count }, (_, i) => {
    const name = pick(random, NAMES), place = pick(random, PLACES), kind = random.below(4);
    const context = `${name} lives in ${place} and is happy .`;
    const [question, text] = kind < 2
      ? ["Who is happy ?", name]
      : kind === 2
      ? ["Where is it ?", place]
      : ["When was it ?", ""];
    const answers = text === "" ? [] : [{ text, answer_start: context.indexOf(text) }];
    return { context, qas: [{ id: `q${i}`, question, answers, is_impossible: text === "" }] };
  });
  return JSON.stringify({ version: "v2.0", data: [{ title: "t", paragraphs }] });
}

/** Rows with three choices, of which one names the place of the text. */
export function choiceText(count: number, seed: number): string {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const choices = random.shuffle([...PLACES]).slice(0, 3), label = random.below(3);
    return JSON.stringify({ context: `We go to ${choices[label]}.`, choices, label }) + "\n";
  }).join("");
}

/** Documents of two sentences. */
export function corpusText(count: number, seed: number): string {
  const random = new Random(seed);
  const sentence = () => `${pick(random, NAMES)} went to ${pick(random, PLACES)} by train.`;
  return Array.from({ length: count }, () => `${sentence()}\n${sentence()}\n`).join("\n");
}

/** Writes files into a folder and gives a function that tells their paths. */
export function writeFiles(
  folder: URL,
  files: Record<string, string | Uint8Array>,
): (name: string) => string {
  for (const [name, content] of Object.entries(files)) writeFileSync(new URL(name, folder), content);
  return (name) => fileURLToPath(new URL(name, folder));
}
