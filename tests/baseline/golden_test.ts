/** TF-IDF, logistic regression on it, and paired tests against scikit-learn and SciPy (make_golden.py). */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readExamples } from "../../scripts/demo/data.ts";
import { DataError } from "../../src/errors.ts";
import { comparePaired } from "../../src/metrics/mod.ts";
import { LogisticRegression, TfidfVectorizer } from "../../src/train/mod.ts";

const golden = JSON.parse(readFileSync(new URL("golden/baseline.json", import.meta.url), "utf8")) as {
  small: { texts: string[]; rows: Record<string, number>[] };
  features: number;
  demo: { labels: number[]; proba: number[][] }[];
  pairs: { first: number[]; second: number[]; p: number; low: number; high: number }[];
};

Deno.test("TF-IDF with 1- and 2-grams is scikit-learn's within 1e-15", () => {
  const { texts, rows } = golden.small, vectorizer = new TfidfVectorizer({ ngram_range: [1, 2] });
  const found = vectorizer.fit(texts).transform([...texts, "the unknown game"]);
  const names = [...vectorizer.vocabulary.keys()];
  found.forEach(({ indices, values }, i) => {
    const row = Object.fromEntries(Array.from(indices, (k, j) => [names[k], values[j]]));
    deepStrictEqual(Object.keys(row).sort(), Object.keys(rows[i]).sort());
    for (const [term, value] of Object.entries(rows[i])) ok(Math.abs(row[term] - value) <= 1e-15, term);
  });
});

Deno.test("logistic regression on TF-IDF is scikit-learn's within 1e-6: two classes and three", () => {
  const train = readExamples("train"), test = readExamples("test").map(({ text }) => text);
  const vectorizer = new TfidfVectorizer({ ngram_range: [1, 2] });
  const features = vectorizer.fit_transform(train.map(({ text }) => text));
  strictEqual(vectorizer.vocabulary.size, golden.features);
  for (const { labels, proba } of golden.demo) {
    const found = LogisticRegression.fit(features, labels, { tol: 1e-7 }).predict_proba(
      vectorizer.transform(test),
    );
    found.forEach((row, i) => row.forEach((p, k) => ok(Math.abs(p - proba[i][k]) < 1e-6, `${i} ${k}`)));
  }
});

Deno.test("the most frequent terms are kept, and texts without words are refused", () => {
  const vectorizer = new TfidfVectorizer({ max_features: 2 }).fit([
    "one two two",
    "two three three",
    "three",
  ]);
  deepStrictEqual([...vectorizer.vocabulary.keys()].sort(), ["three", "two"]);
  throws(() => new TfidfVectorizer().fit(["", "? !", "a"]), DataError);
  throws(() => new TfidfVectorizer({ ngram_range: [2, 1] }), RangeError);
});

Deno.test("paired comparisons: SciPy's binomial p-value, and an interval within 1.5 points of its bootstrap", () => {
  for (const { first, second, p, low, high } of golden.pairs) {
    const { p_value, interval, difference, counts } = comparePaired(first.map(Boolean), second.map(Boolean));
    ok(Math.abs(p_value - p) < 1e-12 * Math.max(1, p), `${p_value} ${p}`);
    const n = first.length, margin = n < 100 ? 0.03 : 0.015;
    const isNear = Math.abs(interval[0] - low) < margin && Math.abs(interval[1] - high) < margin;
    ok(isNear || n < 40, `${interval} ${low} ${high}`); // a bootstrap of five examples means little
    ok(interval[0] <= difference && difference <= interval[1]);
    strictEqual(counts.both + counts.only_first + counts.only_second + counts.neither, n);
  }
});

Deno.test("paired comparisons of equals, and of opposites, are sound", () => {
  const same = comparePaired([true, false], [true, false]);
  deepStrictEqual([same.p_value, same.difference], [1, 0]);
  ok(same.interval[0] < 0 && same.interval[1] > 0);
  const opposite = comparePaired(new Array(3000).fill(true), new Array(3000).fill(false));
  deepStrictEqual([opposite.difference, opposite.p_value], [1, 0]);
  ok(opposite.interval[0] > 0.99 && opposite.interval[1] <= 1);
  throws(() => comparePaired([true], []), DataError);
});
