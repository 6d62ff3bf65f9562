/** Pipelines against Python's transformers on the same checkpoints: 100 texts each, odd ones among them. */
import { ok, strictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  type Answer,
  type Classification,
  dispose,
  type FeatureArray,
  type FilledMask,
  type FoundEntity,
  pipeline,
  type Question,
} from "../../mod.ts";
import { answerRows, entityRows, same } from "./same.ts";

interface Golden<Input, Output> {
  inputs: Input[][];
  runs: { inputs: number; options: Record<string, unknown>; outputs: Output[] }[];
}

const FOLDER = new URL("golden/", import.meta.url);

/** Runs of one task: inputs, options, what Python gave. */
function* runsOf<Input, Output>(task: string): Generator<[Input[], Record<string, never>, Output[]]> {
  const { inputs, runs }: Golden<Input, Output> = JSON.parse(
    readFileSync(new URL(`${task}.json`, FOLDER), "utf8"),
  );
  for (const run of runs) yield [inputs[run.inputs], run.options as Record<string, never>, run.outputs];
}

const about = (options: object, i: number, input: unknown) =>
  `${JSON.stringify(options)}, input ${i} ${JSON.stringify(input)}`;

Deno.test("text-classification: labels and scores within 1e-5 of Python's", async () => {
  const classify = await pipeline("text-classification", new URL("text-classification/", FOLDER));
  for (
    const [texts, options, wanted] of runsOf<string, Classification | Classification[]>("text-classification")
  ) {
    const found = await classify(texts, options);
    strictEqual(found.length, 100);
    found.forEach((item, i) => same(item, wanted[i], about(options, i, texts[i])));
  }
  await classify.dispose();
  dispose();
});

Deno.test("token-classification: entities, words and places of every strategy equal Python's", async () => {
  const find = await pipeline("ner", new URL("token-classification/", FOLDER));
  for (const [texts, options, wanted] of runsOf<string, unknown[][]>("token-classification")) {
    const found: FoundEntity[][] = await find(texts, options);
    found.forEach((entities, i) => {
      const place = about(options, i, texts[i]);
      same(
        entityRows(entities),
        wanted[i],
        place,
      );
    });
  }
  dispose();
});

Deno.test("question-answering: answers, places and scores equal Python's", async () => {
  const answer = await pipeline("question-answering", new URL("question-answering/", FOLDER));
  for (const [questions, options, wanted] of runsOf<Question, unknown[][]>("question-answering")) {
    const found: (Answer | Answer[])[] = await answer(questions, options);
    found.forEach((answers, i) =>
      same(
        answerRows(answers),
        wanted[i],
        about(options, i, questions[i]),
      )
    );
  }
  dispose();
});

Deno.test("fill-mask: words, texts and scores equal Python's, with targets and several gaps too", async () => {
  const fill = await pipeline("fill-mask", new URL("fill-mask/", FOLDER));
  for (const [texts, options, wanted] of runsOf<string, FilledMask[] | FilledMask[][]>("fill-mask")) {
    const found = await fill(texts, options);
    found.forEach((filled, i) => same(filled, wanted[i], about(options, i, texts[i])));
  }
  dispose();
});

Deno.test("feature-extraction: vectors within 1e-5 of Python's; of one text, and of many in one array", async () => {
  const extract = await pipeline("feature-extraction", new URL("feature-extraction/", FOLDER));
  for (const [texts, options, wanted] of runsOf<string, number[] | number[][]>("feature-extraction")) {
    const together: FeatureArray = await extract(texts, options), rows = together.tolist();
    strictEqual(together.dims[0], texts.length);
    for (const [i, text] of texts.entries()) {
      const expected = wanted[i], place = about(options, i, text);
      same(rows[i].slice(0, expected.length), expected, place);
      ok(rows[i].slice(expected.length).flat().every((x) => x === 0), place);
      if (i < 5) same((await extract(text, options)).tolist(), [expected], place);
    }
  }
  dispose();
});
