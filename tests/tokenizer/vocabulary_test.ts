/** Training a vocabulary, against huggingface/tokenizers (see golden/make_vocabularies.py). */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { mergePieces } from "../../src/tokenizer/merge_pieces.ts";
import {
  BertTokenizer,
  TokenizerError,
  trainVocabulary,
  type VocabularyOptions,
  type VocabularyProgress,
} from "../../src/tokenizer/mod.ts";
import { Normalizer } from "../../src/tokenizer/normalizer.ts";
import { resolveSettings } from "../../src/tokenizer/tokenizer_options.ts";
import { WordCounts } from "../../src/tokenizer/word_counts.ts";
import { readJsonLines } from "./reference.ts";

interface Case {
  corpus: "texts" | "counts";
  options: VocabularyOptions;
  vocabulary: string[];
}

const GOLDEN = new URL("golden/", import.meta.url);
const CASES: Case[] = JSON.parse(Deno.readTextFileSync(new URL("vocabularies.json", GOLDEN)));
const TEXTS = readJsonLines<{ text: string }>(new URL("uncased/single.jsonl", GOLDEN)).map(({ text }) =>
  text
);
const WORDS = [...new Set(TEXTS.flatMap((text) => text.split(" ")))].filter((word) => /^[a-z]+$/i.test(word))
  .sort();
const CORPORA = { texts: TEXTS, counts: WORDS.map((word, i) => `${word} `.repeat(i * 7919 % 4999)) };

const prefixOf = ({ options }: Case): string => options.continuing_subword_prefix ?? "##";

/** How many pieces there are before the first merge, and how many of these begin with the prefix. */
function firstPieces(golden: Case): { all: number; continuing: number } {
  const special = golden.options.special_tokens ?? ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
  const prefix = prefixOf(golden), { vocabulary } = golden;
  const isContinuing = (token: string) => token.startsWith(prefix) && [...token].length === prefix.length + 1;
  let plain = special.length;
  while ([...vocabulary[plain]].length === 1) plain++;
  let all = plain;
  while (isContinuing(vocabulary[all] ?? "")) all++;
  return { all, continuing: all - plain };
}

for (const golden of CASES) {
  const { corpus, options, vocabulary } = golden, name = `${corpus} with ${JSON.stringify(options)}`;
  const { all, continuing } = firstPieces(golden);

  Deno.test(`${name}: merging gives huggingface/tokenizers' ${vocabulary.length} tokens, ties too`, () => {
    const words = new WordCounts(new Normalizer(resolveSettings(options)));
    for (const text of CORPORA[corpus]) words.add(text);
    const merged = mergePieces(words, vocabulary.slice(0, all), {
      ...{ vocab_size: 30_000, min_frequency: 2, ...options },
      ...{ continuing_subword_prefix: prefixOf(golden), report: () => {} },
    });
    deepStrictEqual(merged, vocabulary);
    ok(vocabulary.length > all + 100);
  });

  Deno.test(
    `${name}: the ${corpus === "counts" ? "" : `first ${all} `}tokens are those of huggingface/tokenizers`,
    async () => {
      const own = await trainVocabulary(CORPORA[corpus], options);
      deepStrictEqual(own.slice(0, all - continuing), vocabulary.slice(0, all - continuing));
      const sorted = vocabulary.slice(all - continuing, all)
        .sort((a, b) =>
          a.slice(prefixOf(golden).length).codePointAt(0)! - b.slice(prefixOf(golden).length).codePointAt(0)!
        );
      deepStrictEqual(own.slice(all - continuing, all), sorted);
      if (corpus === "counts") deepStrictEqual(own.toSorted(), vocabulary.toSorted());
      else ok(own.length === vocabulary.length || vocabulary.length < options.vocab_size!);
    },
  );
}

Deno.test("the order of the texts, and whether they arrive one by one, makes no difference", async () => {
  const stream = async function* () {
    for (const text of TEXTS.toReversed()) yield await Promise.resolve(text);
  };
  deepStrictEqual(
    await trainVocabulary(stream(), { vocab_size: 1200 }),
    await trainVocabulary(TEXTS, { vocab_size: 1200 }),
  );
});

Deno.test("a tokenizer of a trained vocabulary knows every word of its texts", async () => {
  const texts = TEXTS.filter((text) => text.length > 0);
  const options = { vocab_size: 2000, limit_alphabet: null, do_lower_case: false };
  const tokenizer = BertTokenizer.from_vocab(await trainVocabulary(texts, options), options);
  strictEqual(tokenizer.mask_token_id, 4);
  const unknown = texts.filter((text) => tokenizer(text).input_ids.includes(tokenizer.unk_token_id!));
  // Only a word of over 100 characters is unknown to every vocabulary.
  deepStrictEqual(unknown.filter((text) => !/\S{101}/.test(text)), []);
});

Deno.test("a long text without spaces and a text of many words are read", async () => {
  const words = Array.from({ length: 5000 }, (_, i) => `w${i.toString(2)}`).join(" ");
  const vocabulary = await trainVocabulary(["ab".repeat(300_000), words], { vocab_size: 60 });
  deepStrictEqual(vocabulary.slice(5, 11), ["0", "1", "a", "b", "w", "##0"]);
  ok(vocabulary.includes("##abab"));
  strictEqual(vocabulary.length, 60);
});

Deno.test("no texts give the special tokens, and too small a size all characters", async () => {
  deepStrictEqual(await trainVocabulary([]), ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]);
  deepStrictEqual(await trainVocabulary(["ba"], { vocab_size: 0, special_tokens: [] }), ["a", "b", "##a"]);
});

Deno.test("progress tells both stages", async () => {
  const seen: VocabularyProgress[] = [];
  const texts = Array.from({ length: 2000 }, (_, i) => `${TEXTS[i % TEXTS.length]}`);
  await trainVocabulary(texts, { vocab_size: 1024, progress_callback: (progress) => seen.push(progress) });
  deepStrictEqual(seen.filter(({ stage }) => stage === "texts"), [
    { stage: "texts", status: "progress", loaded: 1024, total: 2000, progress: 51.2 },
    { stage: "texts", status: "done", loaded: 2000, total: 2000, progress: 100 },
  ]);
  const tokens = seen.filter(({ stage }) => stage === "tokens");
  deepStrictEqual(tokens.at(-1), {
    ...{ stage: "tokens", status: "done", loaded: 1024, total: 1024, progress: 100 },
  });
  ok(tokens.length > 2);
});

Deno.test("what is no text or no option is refused", async () => {
  const refused: [unknown, VocabularyOptions, RegExp][] = [
    ["one text", {}, /texts is "one text", wanted a list/],
    [["a", 5], {}, /text 1 is 5, wanted text/],
    [["a"], { vocab_size: -1 }, /vocab_size is -1, wanted a whole number/],
    [["a"], { vocab_size: 1e9 }, /vocab_size is 1000000000, wanted at most 10000000/],
    [["a"], { special_tokens: "[UNK]" as unknown as string[] }, /special_tokens is "\[UNK\]", wanted a list/],
    [["a"], { do_lower_case: 1 as unknown as boolean }, /do_lower_case is 1, wanted a boolean/],
  ];
  for (const [texts, options, message] of refused) {
    await rejects(
      trainVocabulary(texts as string[], options),
      (error) => error instanceof TokenizerError && message.test(error.message),
    );
  }
});
