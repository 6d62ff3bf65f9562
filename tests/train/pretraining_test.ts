/** A BERT from nothing, on languages whose rules are known, and the rows that it is trained on. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { parseDocuments, sentencePairs, textBlocks } from "../../src/data/mod.ts";
import { DataError } from "../../src/errors.ts";
import { BertForMaskedLM, BertForPreTraining } from "../../src/model/mod.ts";
import { type FilledMask, pipeline } from "../../src/pipelines/mod.ts";
import { Random } from "../../src/random.ts";
import { BertTokenizer } from "../../src/tokenizer/mod.ts";
import {
  dataCollatorForLanguageModeling,
  type Features,
  pretrain,
  type PretrainingProgress,
} from "../../src/train/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { hasPython, runPython } from "../helpers/python.ts";
import { withBackend } from "./trainer_helpers.ts";

const SYLLABLES = "ba de fi go ku la me ni po ru sa te vi zo".split(" ");
const SHAPE = {
  ...{ hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 128 },
  ...{ hidden_dropout_prob: 0, attention_probs_dropout_prob: 0, initializer_range: 0.1 },
};

/** A noun and the one verb that goes with it. */
function clause(noun: number): string {
  const stem = SYLLABLES[noun % 14] + SYLLABLES[Math.floor(noun / 14)];
  return `${stem}n ${stem}s`;
}

/** Documents of one line: seven clauses, each with any of 12 nouns. */
function clauses(seed: number, documents: number): string[] {
  const random = new Random(seed);
  return Array.from(
    { length: documents },
    () => Array.from({ length: 7 }, () => clause(random.below(12))).join(" "),
  );
}

/** A document a topic; all its sentences are about the topic's three nouns. */
function topics(seed: number, lines: number): string {
  const random = new Random(seed);
  const sentence = (topic: number) =>
    Array.from({ length: 3 }, () => clause(3 * topic + random.below(3))).join(" ") + ".";
  return Array.from(
    { length: 8 },
    (_, topic) => Array.from({ length: lines }, () => sentence(topic)).join("\n"),
  ).join("\n\n");
}

/** The share of places where the highest score is the label's; -100 is no label. */
function share(scores: number[][], labels: number[]): number {
  const places = labels.flatMap((label, i) => label >= 0 ? [i] : []);
  const isRight = (i: number) => scores[i].indexOf(Math.max(...scores[i])) === labels[i];
  return places.filter(isRight).length / places.length;
}

/** The best word for the gap by our pipeline; transformers must give the same, with the same score. */
async function bestWord(folder: URL, text: string): Promise<string> {
  const [best] = await (await pipeline("fill-mask", folder))(text, { top_k: 1 }) as FilledMask[];
  if (hasPython("transformers")) {
    const theirs = await runPython(new URL("fill_mask.py", import.meta.url), folder, text) as FilledMask;
    deepStrictEqual({ ...theirs, score: 0 }, { token_str: best.token_str, score: 0, missing: [] });
    ok(Math.abs(theirs.score - best.score) < 1e-4, `${theirs.score}, ${best.score}`);
  }
  return best.token_str;
}

Deno.test("pre-training learns which verb goes with a noun, and the folder is a checkpoint for all", async () => {
  await withBackend(() =>
    withFolder(async (folder) => {
      const told: PretrainingProgress[] = [], documents = clauses(1, 2000);
      const { model, tokenizer, rows, training, evaluation } = await pretrain({
        ...{ documents, eval_documents: clauses(3, 30), max_length: 16, config: SHAPE },
        vocabulary: { vocab_size: 200 },
        args: { max_steps: 220, learning_rate: 3e-3, output_dir: folder, save_strategy: "no" },
        onProgress: (progress) => told.push(progress),
      });
      strictEqual(rows, 2000);
      strictEqual(training.global_step, 220);
      deepStrictEqual([...new Set(told.map(({ stage }) => stage))], ["texts", "tokens", "rows"]);

      const held = textBlocks(clauses(2, 150), tokenizer, { max_length: 16 });
      const collate = dataCollatorForLanguageModeling({ tokenizer });
      const batch = collate(held as Features[], { random: new Random(5), training: false });
      const logits = (model as BertForMaskedLM).forward(batch).logits.arraySync().flat();
      const labels = (batch.labels as number[][]).flat(), counts = new Map<number, number>();
      for (const id of labels) if (id >= 0) counts.set(id, (counts.get(id) ?? 0) + 1);
      const unigram = Math.max(...counts.values()) / labels.filter((id) => id >= 0).length;
      const accuracy = share(logits, labels);
      console.log(
        `masked words: ${accuracy.toFixed(3)} right; the most frequent word: ${unigram.toFixed(3)}`,
      );
      ok(accuracy > 0.85 && unigram < 0.1, `${accuracy}, ${unigram}`);
      ok(evaluation!.eval_loss < 1);

      const text = `${clause(2)} ${clause(5).split(" ")[0]} [MASK] ${clause(9)}`;
      strictEqual(await bestWord(folder, text), clause(5).split(" ")[1]);
      const loaded = await BertForMaskedLM.from_pretrained(folder), input_ids = batch.input_ids;
      deepStrictEqual(loaded.eval().forward({ input_ids }).logits.arraySync().flat(), logits);
    })
  );
});

Deno.test("pre-training learns that sentences with one topic follow each other", async () => {
  await withBackend(() =>
    withFolder(async (folder) => {
      const { model, tokenizer } = await pretrain({
        ...{ documents: parseDocuments(topics(1, 300)), max_length: 24, config: SHAPE, next_sentence: true },
        vocabulary: { vocab_size: 200 },
        args: { max_steps: 160, learning_rate: 3e-3, output_dir: folder, save_strategy: "no" },
      });
      const rows = sentencePairs(parseDocuments(topics(2, 60)), tokenizer, { max_length: 24 });
      const labels = rows.map((row) => row.next_sentence_label),
        majority = labels.filter((l) => l === 1).length / rows.length;
      const columns = {
        input_ids: rows.map((row) => row.input_ids),
        token_type_ids: rows.map((row) => row.token_type_ids),
      };
      const output = (model as BertForPreTraining).forward(columns);
      const accuracy = share(output.seq_relationship_logits.arraySync(), labels);
      console.log(`next sentences: ${accuracy.toFixed(3)} right; the majority: ${majority.toFixed(3)}`);
      ok(accuracy > 0.95 && majority > 0.3 && majority < 0.7, `${accuracy}, ${majority}`);
      await bestWord(folder, clause(1).split(" ")[0] + " [MASK]");
    })
  );
});

const LETTERS = "abcdefghijklmnopqrstuvwxyz".split("");
const tokenizer = BertTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...LETTERS]);
const letters = (ids: number[]): string =>
  tokenizer.convert_ids_to_tokens(ids).join("").replaceAll(/\[|\]/g, "|");

Deno.test("documents are parted by empty lines", () => {
  deepStrictEqual(parseDocuments("\ufeffa b\r\nc\r\n\r\n \r\nd\n\t\n\n\ne\n"), ["a b\r\nc", "d", "e"]);
  deepStrictEqual(parseDocuments(" \n\n"), []);
});

Deno.test("blocks hold all tokens, in order, each row but the last full", () => {
  const documents = ["a b c d e f g", "", "h", "i j k", "l m n o p"];
  const rows = textBlocks(documents, tokenizer, { max_length: 6 }).map(({ input_ids }) => letters(input_ids));
  deepStrictEqual(rows, [
    ...["|CLS|abcd|SEP|", "|CLS|efg|SEP|", "|CLS|h|SEP|ij|SEP|", "|CLS|k|SEP|lm|SEP|", "|CLS|nop|SEP|"],
  ]);
  deepStrictEqual(textBlocks([], tokenizer), []);
  throws(() => textBlocks(["a"], tokenizer, { max_length: 2 }), /rows of 2 tokens: a whole number from 3 on/);
});

Deno.test("pairs go on within a document or are from another, half and half, and every sentence begins in some row", () => {
  // Document i is made of letter i; the sentences of "a" are told apart by length.
  const documents = LETTERS.map((letter, i) =>
    Array.from({ length: 5 + i % 7 }, (_, line) => `${letter} `.repeat(1 + line % 5)).join("\n")
  );
  const rows = sentencePairs(documents, tokenizer, { max_length: 15, dupe_factor: 20, seed: 3 });
  let random = 0;
  for (const { input_ids, token_type_ids, next_sentence_label } of rows) {
    const [, first, second] = /^\|CLS\|([a-z]+)\|SEP\|([a-z]+)\|SEP\|$/.exec(letters(input_ids))!;
    strictEqual(new Set(first).size, 1);
    strictEqual(next_sentence_label, Number(first[0] !== second[0]));
    ok(input_ids.length <= 15 && token_type_ids.length === input_ids.length);
    strictEqual(token_type_ids.indexOf(1), first.length + 2);
    random += next_sentence_label;
  }
  ok(Math.abs(random / rows.length - 0.5) < 0.05, `${random} of ${rows.length}`);
  deepStrictEqual(new Set(rows.map(({ input_ids }) => letters(input_ids)[5])), new Set(LETTERS));
  deepStrictEqual(sentencePairs(documents, tokenizer, { max_length: 15, dupe_factor: 20, seed: 3 }), rows);
  ok(rows.filter(({ input_ids }) => input_ids.length < 15).length > rows.length / 50);
});

Deno.test("what gives no pairs is refused", async () => {
  const refused = (documents: string[], options: object, message: RegExp) =>
    throws(() => sentencePairs(documents, tokenizer, options), message);
  refused(["a\nb"], {}, /1 documents have text, two or more are wanted/);
  refused(["a", "b"], {}, /no document has two lines/);
  refused(["a\nb", "c"], { random_next_prob: 2 }, /random_next_prob 2: a number from 0 to 1/);
  refused(["a\nb", "c"], { max_length: 4 }, /rows of 4 tokens: a whole number from 5 on/);
  await rejects(pretrain({ documents: ["a b", "c d"], next_sentence: true }), DataError);
});
