// Metrics against numbers of scikit-learn 1.9 (confusion_matrix, precision_recall_fscore_support with zero_division=0).

import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "../helpers/property.ts";
import { DataError } from "../../src/errors.ts";
import { accuracy, classificationReport, type ClassScores, confusionCounts } from "../../src/metrics/mod.ts";

// deno-fmt-ignore
const EXPECTED = [
  2, 3, 0, 3, 1, 2, 2, 1, 3, 0, 1, 1, 2, 1, 0, 0, 0, 0, 0, 3, 0, 2, 3, 0, 1, 1, 1, 3, 0, 3,
  3, 3, 0, 1, 2, 1, 2, 2, 2, 0, 3, 2, 3, 1, 1, 3, 0, 0, 1, 2, 0, 3, 1, 0, 2, 3, 3, 3, 1, 0,
];
// deno-fmt-ignore
const PREDICTED = [
  1, 3, 0, 3, 1, 2, 2, 1, 3, 3, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 3, 3, 3, 1, 0, 1, 3, 3, 1,
  2, 3, 0, 2, 2, 0, 3, 2, 3, 0, 3, 1, 3, 0, 2, 0, 3, 0, 2, 2, 0, 3, 1, 0, 2, 1, 3, 3, 1, 0,
];

function near(scores: ClassScores, precision: number, recall: number, f1: number, support: number): void {
  for (const [got, wanted] of [[scores.precision, precision], [scores.recall, recall], [scores.f1, f1]]) {
    ok(Math.abs(got - wanted) < 1e-15, `${got} is not ${wanted}`);
  }
  equal(scores.support, support);
}

Deno.test("metrics equal scikit-learn's on 60 examples of 4 classes within 1e-15", () => {
  const counts = confusionCounts(Int32Array.from(EXPECTED), PREDICTED, [0, 1, 2, 3]);
  deepEqual(counts, [[13, 0, 0, 4], [4, 8, 3, 0], [0, 2, 7, 3], [2, 2, 1, 11]]);
  const report = classificationReport(counts);
  equal(report.accuracy, 0.65);
  equal(accuracy(EXPECTED, PREDICTED), 0.65);
  near(report.perClass[0], 0.6842105263157895, 0.7647058823529411, 0.7222222222222222, 17);
  near(report.perClass[1], 0.6666666666666666, 0.5333333333333333, 0.5925925925925926, 15);
  near(report.perClass[2], 0.6363636363636364, 0.5833333333333334, 0.6086956521739131, 12);
  near(report.perClass[3], 0.6111111111111112, 0.6875, 0.6470588235294118, 16);
  near(report.macro, 0.6495879851143009, 0.642218137254902, 0.6426423226295349, 60);
  near(report.weighted, 0.650762006025164, 0.65, 0.6470659278204035, 60);
});

Deno.test("metrics of a class that is never predicted or never occurs are 0, as scikit-learn's", () => {
  const expected = ["cat", "cat", "dog", "dog", "dog", "owl"];
  const predicted = ["cat", "dog", "dog", "dog", "cat", "cat"];
  const counts = confusionCounts(expected, predicted, ["cat", "dog", "owl", "elk"]);
  deepEqual(counts, [[1, 1, 0, 0], [1, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]);
  const report = classificationReport(counts);
  equal(report.accuracy, 0.5);
  near(report.perClass[0], 1 / 3, 0.5, 0.4, 2);
  near(report.perClass[1], 2 / 3, 2 / 3, 2 / 3, 3);
  near(report.perClass[2], 0, 0, 0, 1);
  near(report.perClass[3], 0, 0, 0, 0);
  near(report.macro, 0.25, 0.29166666666666663, 0.26666666666666666, 6);
  near(report.weighted, 0.4444444444444444, 0.5, 0.4666666666666666, 6);
});

Deno.test("confusionCounts and accuracy agree on any predictions", () => {
  const pair = fc.tuple(fc.nat(4), fc.nat(4));
  fc.assert(fc.property(fc.array(pair, { minLength: 1 }), (pairs) => {
    const expected = pairs.map(([e]) => e), predicted = pairs.map(([, p]) => p);
    const report = classificationReport(confusionCounts(expected, predicted, [0, 1, 2, 3, 4]));
    equal(report.accuracy, accuracy(expected, predicted));
    equal(report.macro.support, pairs.length);
    for (const { precision, recall, f1 } of report.perClass) {
      ok(f1 >= Math.min(precision, recall) - 1e-12 && f1 <= Math.max(precision, recall) + 1e-12);
    }
  }));
});

Deno.test("metrics refuse ragged, empty and unknown input", () => {
  const refused = (run: () => unknown, message: RegExp) =>
    throws(run, (error) => error instanceof DataError && message.test(error.message));
  refused(() => accuracy([1], []), /1 expected and 0 predicted/);
  refused(() => accuracy([], []), /no examples/);
  refused(() => confusionCounts([1], [1, 2], [1]), /1 expected and 2 predicted/);
  refused(() => confusionCounts([1], [2], [1]), /predicted class of example 0 is "2"/);
  refused(() => confusionCounts(["a"], ["a"], ["a", "a"]), /listed twice/);
  refused(() => classificationReport([[1, 2]]), /row 0 has 2 columns, wanted 1/);
  refused(() => classificationReport([[1.5]]), /whole number/);
  refused(() => classificationReport([[-1]]), /whole number/);
  refused(() => classificationReport([[0, 0], [0, 0]]), /all zero/);
  refused(() => classificationReport([]), /all zero/);
});
