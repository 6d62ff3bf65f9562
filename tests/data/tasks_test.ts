/** Tagged words, answers in texts and multiple choice, down to the tokens. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { alignTags, choiceExamples, parseConll, parseSquad, spanFeatures } from "../../src/data/mod.ts";
import { DataError } from "../../src/errors.ts";
import { BertTokenizer } from "../../src/hub/mod.ts";
import fc from "../helpers/property.ts";

const CONLL = `-DOCSTART- -X- O O

EU NNP B-NP B-ORG
rejects VBZ B-VP O

Anderlecht NNP B-NP I-ORG
. . O O
`;

const refused = (run: () => unknown, message: RegExp) =>
  throws(run, (error) => error instanceof DataError && message.test(error.message));

Deno.test("CoNLL is read by its columns; tags go to the first piece of each word, as in transformers", async () => {
  for (const text of [CONLL, "\ufeff" + CONLL.replaceAll("\n", "\r\n"), CONLL.replaceAll(" ", "\t")]) {
    const { examples, labels } = parseConll(text);
    deepStrictEqual(labels, ["O", "B-ORG", "I-ORG"]);
    deepStrictEqual(examples, [
      { words: ["EU", "rejects"], tags: ["B-ORG", "O"] },
      { words: ["Anderlecht", "."], tags: ["I-ORG", "O"] },
    ]);
  }
  deepStrictEqual(parseConll(CONLL, { tag_column: 1 }).examples[0].tags, ["NNP", "VBZ"]);
  const { examples, labels } = parseConll(CONLL),
    tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
  const encoding = tokenizer(examples.map(({ words }) => words), { is_split_into_words: true });
  examples.forEach(({ words, tags }, row) => {
    const word_ids = encoding.word_ids(row), numbers = tags.map((tag) => labels.indexOf(tag));
    const aligned = alignTags(word_ids, numbers),
      all = alignTags(word_ids, numbers, { label_all_tokens: true });
    strictEqual(aligned.length, encoding.input_ids[row].length);
    deepStrictEqual(aligned.filter((label) => label >= 0), numbers);
    words.forEach((_, word) => {
      const pieces = word_ids.flatMap((own, i) => own === word ? [i] : []);
      strictEqual(aligned[pieces[0]], numbers[word]);
      ok(pieces.slice(1).every((i) => aligned[i] === -100));
      ok(pieces.every((i) => all[i] === numbers[word]));
    });
  });
  deepStrictEqual(alignTags([null, 0, 0, 1, null, null], [5, 6]), [-100, 5, -100, 6, -100, -100]);
});

Deno.test("what is no CoNLL is refused with its line", () => {
  refused(() => parseConll("a O\nb B X\n"), /"CoNLL", line 2: there are 3 columns, expected 2 as in line 1/);
  refused(() => parseConll("a\n"), /line 1: there are 1 columns, a word and its tag are wanted/);
  refused(
    () => parseConll("a O\n\nb B-X\n", { labels: ["O"] }),
    /line 3: the tag "B-X" is unknown; there are "O"/,
  );
  refused(() => parseConll("\n\n"), /it has no words/);
  refused(() => parseConll("a O\n", { tag_column: 7 }), /line 1: there is no column 7/);
  refused(() => alignTags([0, 1], [4]), /piece 1 belongs to word 1, and there are 1 tags/);
});

/** A SQuAD file; places are counted in code points, as Python counts. */
function squad(context: string, answers: { text: string; answer_start: number }[], more: object = {}) {
  return JSON.stringify({
    data: [{ paragraphs: [{ context, qas: [{ id: "q", question: "Who?", answers, ...more }] }] }],
  });
}

Deno.test("SQuAD's answers are found behind emoji; unanswerable questions have none", () => {
  const context = "😀 Ada wrote it.";
  deepStrictEqual(parseSquad(squad(context, [{ text: "Ada", answer_start: 2 }])), [
    { id: "q", question: "Who?", context, answers: [{ text: "Ada", answer_start: 3 }] },
  ]);
  const impossible = parseSquad(squad(context, [], { is_impossible: true, plausible_answers: [] }));
  deepStrictEqual(impossible[0].answers, []);
});

Deno.test("what is no SQuAD file is refused with its place", () => {
  refused(() => parseSquad('{"data":\n [}'), /"SQuAD", line 2, column \d+: there is no JSON/);
  refused(() => parseSquad("[]"), /line 1, column 1: data is not there, a list is wanted/);
  refused(
    () => parseSquad('{"data":[{"paragraphs":[{"context":1}]}]}'),
    /line 1, column 36: data\[0\].paragraphs\[0\].context is something else, a text is wanted/,
  );
  refused(
    () => parseSquad(squad("abc", [{ text: "b", answer_start: 0 }])),
    /line 1, column 88: .*qas\[0\].answers\[0\] is wrong: the answer "b" is not at answer_start 0; it is elsewhere/,
  );
  refused(() => parseSquad(squad("abc", [{ text: "b", answer_start: -1 }])), /is not at answer_start/);
  refused(() => parseSquad('{"data":[null]}'), /data\[0\].paragraphs/);
});

Deno.test("answers become positions of tokens, in each window that holds them whole", async () => {
  const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
  const words = fc.array(
    fc.constantFrom("Ada", "baseball", "é", "😀", "unbelievably", "the", "game,", "(1843)"),
    { minLength: 30, maxLength: 80 },
  );
  fc.assert(
    fc.property(words, fc.nat(29), fc.integer({ min: 1, max: 3 }), (words, first, count) => {
      const context = words.join(" "), text = words.slice(first, first + count).join(" ");
      const answer_start = words.slice(0, first).join(" ").length + (first > 0 ? 1 : 0);
      const example = { id: "q", question: "Who?", context, answers: [{ text, answer_start }] };
      const { features, examples, offsets } = spanFeatures(tokenizer, [example], {
        max_length: 40,
        doc_stride: 16,
      });
      ok(features.length >= 1 && examples.every((own) => own === 0));
      let found = 0;
      features.forEach(({ input_ids, start_positions: begin, end_positions: end }, row) => {
        ok(input_ids.length <= 40 && offsets[row].length === input_ids.length);
        const inside = offsets[row].filter((offset) => offset !== null);
        const holds = inside[0][0] <= answer_start &&
          inside[inside.length - 1][1] >= answer_start + text.length;
        strictEqual(begin > 0, holds);
        if (!holds) return strictEqual(end, 0);
        found++;
        strictEqual(context.slice(offsets[row][begin]![0], offsets[row][end]![1]), text);
      });
      ok(found >= 1 || features.length > 1);
    }),
    { numRuns: 60 },
  );
  const none = spanFeatures(tokenizer, [{ id: "q", question: "Who?", context: "Nobody.", answers: [] }]);
  deepStrictEqual([none.features[0].start_positions, none.features[0].end_positions], [0, 0]);
  deepStrictEqual(spanFeatures(tokenizer, []).features, []);
});

Deno.test("SWAG's rows and lists of choices become choices", () => {
  const swag = { sent1: "It rains.", sent2: "She", ending1: "swims.", ending0: "sings.", label: "1" };
  deepStrictEqual(choiceExamples([swag]), [{
    text: "It rains.",
    choices: ["She sings.", "She swims."],
    label: 1,
  }]);
  deepStrictEqual(choiceExamples([{ question: "2 + 2?", choices: ["3", "4"], label: -1 }]), [
    { text: "2 + 2?", choices: ["3", "4"] },
  ]);
  refused(
    () => choiceExamples([{ ...swag, label: 2 }]),
    /"rows", line 1, column "label": the label is "2", wanted 0 to 1/,
  );
  refused(() => choiceExamples([swag, { ...swag, ending2: "x" }]), /line 2: there are 3 choices, expected 2/);
  refused(
    () => choiceExamples([{ choices: ["a", "b"] }]),
    /no column holds the context; there are "choices"/,
  );
  match(choiceExamples([{ context: "c", choices: ["a", "b"], label: 0 }])[0].text, /c/);
});
