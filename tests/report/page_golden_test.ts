/** What a report shows of a test, against scikit-learn's numbers (make_page_golden.py). */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { textResults } from "../../src/cli/tasks/text_results.ts";
import { trainingReport } from "../../src/report/mod.ts";
import { BARE } from "./runs.ts";

interface Golden {
  one: {
    logits: number[][];
    labels: number[];
    confusion: number[][];
    bins: [count: number, confidence: number, accuracy: number][];
    scores: number[][];
    worst: number[];
    uncertain: number[];
  } & Record<"accuracy" | "mcc" | "log_loss" | "brier" | "ece", number>;
  several: { logits: number[][]; labels: number[][]; scores: number[][] };
  numbers:
    & { predictions: number[]; labels: number[]; worst: number[] }
    & Record<"rmse" | "mae" | "r2", number>;
}

const golden: Golden = JSON.parse(readFileSync(new URL("golden/page.json", import.meta.url), "utf8"));
const near = (actual: number, wanted: number) => ok(Math.abs(actual - wanted) < 1e-9, `${actual}, ${wanted}`);
const examplesOf = <L>(labels: readonly L[]) => labels.map((label, i) => ({ text: `text ${i}`, label }));
const textsOf = (rows: readonly { text: string }[]) => rows.map(({ text }) => Number(text.slice(5)));

Deno.test("one class a text: confusion, scores, calibration, order of the hardest are scikit-learn's within 1e-9", () => {
  const { logits, labels, ...wanted } = golden.one, names = ["a", "b", "c"];
  const known = { problem_type: "single_label_classification", labels: names } as const;
  const found = textResults({ predictions: logits, label_ids: labels }, examplesOf(labels), known);
  deepStrictEqual(found.confusion!.counts, wanted.confusion);
  found.perClass!.forEach(({ precision, recall, f1, support }, k) =>
    [precision, recall, f1, support].forEach((score, j) => near(score, wanted.scores[k][j]))
  );
  const { bins, ece, log_loss, brier } = found.calibration!;
  [[ece, wanted.ece], [log_loss, wanted.log_loss], [brier!, wanted.brier], [found.metrics!.mcc, wanted.mcc]]
    .forEach(([actual, number]) => near(actual, number));
  const filled = bins.filter(({ count }) => count > 0);
  strictEqual(filled.length, wanted.bins.length);
  filled.forEach(({ count, confidence, accuracy }, i) =>
    [count, confidence!, accuracy!].forEach((value, j) => near(value, wanted.bins[i][j]))
  );
  deepStrictEqual([textsOf(found.worst), textsOf(found.uncertain!)], [wanted.worst, wanted.uncertain]);

  const { answers: _, ...shown } = found, html = trainingReport({ ...BARE, ...shown });
  const percent = (x: number, digits: number) => `${(100 * x).toFixed(digits)}%`;
  match(html, new RegExp(`Test accuracy</dt><dd><p class="value">${percent(wanted.accuracy, 1)}`));
  ok(html.includes(
    `Expected calibration error ${percent(wanted.ece, 2)} · log loss ${
      wanted.log_loss.toFixed(4)
    } · Brier score ${wanted.brier.toFixed(4)}`,
  ));
  ok(html.includes(`<dt>MCC</dt><dd>${wanted.mcc.toFixed(4)}</dd>`));
  for (const [precision, recall, f1, support] of wanted.scores) {
    const cells = [...[precision, recall, f1].map((x) => x.toFixed(3)), String(support)];
    ok(html.includes(cells.map((cell) => `<td class="number">${cell}</td>`).join("")));
  }
  for (const [count, confidence, accuracy] of wanted.bins) {
    const cells = [String(count), percent(confidence, 1), percent(accuracy, 1)];
    ok(html.includes(cells.map((cell) => `<td class="number">${cell}</td>`).join("")));
  }
});

Deno.test("several labels a text: the scores of each label are scikit-learn's within 1e-9", () => {
  const { logits, labels, scores } = golden.several;
  const known = { problem_type: "multi_label_classification", labels: ["a", "b", "c", "d"] } as const;
  const { perClass, worst } = textResults(
    { predictions: logits, label_ids: labels },
    examplesOf(labels),
    known,
  );
  perClass!.forEach(({ precision, recall, f1, support }, k) =>
    [precision, recall, f1, support].forEach((score, j) => near(score, scores[k][j]))
  );
  ok(
    worst.length === 12 &&
      worst.every(({ right, predicted, expected }) => right === false && predicted !== expected),
  );
});

Deno.test("numbers: errors and their order are scikit-learn's within 1e-9", () => {
  const { predictions, labels, worst, rmse, mae, r2 } = golden.numbers;
  const found = textResults(
    { predictions: predictions.map((x) => [x]), label_ids: labels },
    examplesOf(labels),
    {
      ...{ problem_type: "regression", labels: [] },
    },
  );
  near(found.metrics!.rmse, rmse);
  near(found.metrics!.mae, mae);
  near(found.metrics!.r2, r2);
  deepStrictEqual(textsOf(found.worst), worst);
  deepStrictEqual(found.regression, { expected: labels, predicted: predictions, total: 150 });
});
