/** Splits keep shares and repeat for a seed; class weights are scikit-learn's; a report finds what is wrong. */
import { deepStrictEqual, match, notDeepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  balanceClasses,
  compute_class_weight,
  dataReport,
  formatDataReport,
  train_test_split,
} from "../../src/data/mod.ts";
import { DataError } from "../../src/errors.ts";
import { BertTokenizer } from "../../src/hub/mod.ts";
import fc from "../helpers/property.ts";

const numbered = (labels: number[]) => labels.map((label, id) => ({ id, label }));

Deno.test("a split puts each class aside by its share, every example once, the same for a seed", () => {
  const labels = fc.array(fc.nat(3), { minLength: 4, maxLength: 80 });
  fc.assert(
    fc.property(
      labels,
      fc.double({ min: 0.05, max: 0.9, noNaN: true }),
      fc.nat(9),
      (labels, test_size, seed) => {
        const examples = numbered(labels), wanted = Math.ceil(labels.length * test_size);
        if (wanted >= labels.length) return;
        const { train, test } = train_test_split(examples, { test_size, seed });
        strictEqual(test.length, wanted);
        deepStrictEqual([...train, ...test].sort((a, b) => a.id - b.id), examples);
        for (const label of new Set(labels)) {
          const share = labels.filter((other) => other === label).length * wanted / labels.length;
          ok(Math.abs(test.filter((example) => example.label === label).length - share) < 1);
        }
        deepStrictEqual(train_test_split(examples, { test_size, seed }), { train, test });
      },
    ),
  );
  const examples = numbered(Array.from({ length: 100 }, (_, i) => i % 2));
  notDeepStrictEqual(train_test_split(examples, { seed: 1 }), train_test_split(examples, { seed: 2 }));
  strictEqual(train_test_split(examples, { test_size: 7 }).test.length, 7);
  throws(() => train_test_split(examples, { test_size: 100 }), DataError);
  throws(() => train_test_split([], {}), /0 of|of 0 examples/);
});

Deno.test("class weights are scikit-learn's; classes are made as large as each other", () => {
  deepStrictEqual(compute_class_weight([0, 0, 0, 1]), [4 / 6, 2]);
  deepStrictEqual(compute_class_weight([0, 2, 2], 4), [1.5, 0, 0.75, 0]);
  throws(() => compute_class_weight([0, 5], 2), /example 1 has the label 5, wanted 0 to 1/);
  throws(() => compute_class_weight([]), /no examples/);
  const examples = numbered([0, 0, 0, 0, 0, 1, 1, 2]);
  const count = (all: { label: number }[]) =>
    [0, 1, 2].map((k) => all.filter(({ label }) => label === k).length);
  const over = balanceClasses(examples), under = balanceClasses(examples, { method: "under", seed: 3 });
  deepStrictEqual([count(over), count(under)], [[5, 5, 5], [1, 1, 1]]);
  deepStrictEqual(over.slice(0, 8), examples);
  ok(over.filter(({ id }) => id === 5).length >= 2 && over.filter(({ id }) => id === 6).length >= 2);
});

Deno.test("a report finds duplicates, conflicts, leaks, empty texts and lengths in tokens", async () => {
  const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
  const examples = [
    { text: "A fine game.", label: 1 },
    { text: "a  fine game. ", label: 0 },
    { text: "Rain.", label: 0 },
    { text: "Rain.", label: 0 },
    { text: " ", label: 0 },
    { text: "word ".repeat(40), label: 1 },
    { text: "Unknown." },
  ];
  const test = [{ text: "rain.", label: 0 }, { text: "Snow.", label: 1 }];
  const report = dataReport(examples, { test, tokenizer, max_length: 32, labels: ["bad", "good"] });
  deepStrictEqual(report.labels, [{ label: "bad", count: 4 }, { label: "good", count: 2 }]);
  deepStrictEqual([report.duplicates, report.conflicts, report.leaks, report.empty, report.unlabeled], [
    [1, 3],
    [[0, 1]],
    [0],
    [4],
    1,
  ]);
  const { input_ids } = tokenizer(examples.map(({ text }) => text), { truncation: false });
  const lengths = input_ids.map((ids) => ids.length).sort((a, b) => a - b);
  deepStrictEqual([report.lengths!.min, report.lengths!.median, report.lengths!.max], [
    2,
    lengths[3],
    lengths[6],
  ]);
  strictEqual(report.lengths!.truncated, 1 / 7);
  const text = formatDataReport(report, ["a note"]);
  match(text, /^a note\n7 examples\n {2}bad {3}4 {2}57.1 %\n {2}good {2}2 {2}28.6 %\ntokens: 2 to /);
  match(text, /1 texts with different labels: \(0, 1\)/);
  match(text, /1 of the test set whose text is among these: 0/);
  deepStrictEqual(dataReport([{ text: "a", label: 0.5 }, { text: "b", label: 2 }]).values, {
    min: 0.5,
    mean: 1.25,
    max: 2,
  });
  deepStrictEqual(dataReport([{ text: "a", label: [1, 0, 1] }]).labels, [{ label: "0", count: 1 }, {
    label: "2",
    count: 1,
  }]);
  deepStrictEqual(dataReport([]).examples, 0);
});
