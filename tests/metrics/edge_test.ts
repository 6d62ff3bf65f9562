/** What metrics do at the edges, and what they refuse; numbers by scikit-learn 1.9 and seqeval 1.2. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { DataError } from "../../src/errors.ts";
import * as m from "../../src/metrics/mod.ts";

const refused = (run: () => unknown, message: RegExp) =>
  throws(run, (error) => error instanceof DataError && message.test(error.message));

Deno.test("metrics refuse input that is empty or of two lengths", () => {
  const pairs: ((a: number[], b: number[]) => unknown)[] = [
    m.accuracy_score,
    m.balanced_accuracy_score,
    m.matthews_corrcoef,
    m.cohen_kappa_score,
    m.f1_score,
    m.mean_squared_error,
    m.r2_score,
    m.spearmanr,
    m.roc_auc_score,
    m.average_precision_score,
    m.log_loss,
    m.brier_score_loss,
    m.calibration_curve,
  ];
  for (const metric of pairs) {
    refused(() => metric([], []), /no examples/);
    refused(() => metric([1], [1, 0]), /1 expected and 2 predicted/);
  }
  refused(() => m.seqeval_scores([], []), /0 expected and 0 predicted/);
  refused(() => m.seqeval_scores([["O"]], [["O", "O"]]), /1 expected and 2 predicted in text 0/);
  refused(() => m.squad_scores([], []), /no examples/);
});

Deno.test("metrics refuse NaN, probabilities outside of 0 to 1 and classes that do not fit", () => {
  refused(() => m.pearsonr([1, NaN], [1, 2]), /value 1 is NaN/);
  refused(() => m.pearsonr([1], [1]), /one example/);
  refused(() => m.log_loss([0, 1], [0.5, 1.5]), /value 1 is 1.5, wanted a number from 0 to 1/);
  refused(() => m.roc_auc_score([0, 1], [0.5, Infinity]), /value 1 is Infinity/);
  refused(() => m.roc_auc_score([0, 1, 2], [1, 2, 3]), /3 classes and one score/);
  refused(
    () => m.roc_auc_score([0, 1], [[1, 0, 0], [0, 1, 0]]),
    /3 scores, there are 2 classes in y_true; the option/,
  );
  refused(() => m.log_loss([0, 3], [[1, 0], [0, 1]], { labels: [0, 1] }), /class of example 1 is "3"/);
  refused(() => m.average_precision_score(["a", "b"], [0, 1]), /pos_label is "1", wanted "a" or "b"/);
  refused(() => m.f1_score([0, 1, 2], [0, 1, 2]), /"binary" and there are 3 classes/);
  refused(
    () => m.f1_score([[0, 1]], [[0, 2]], { average: "micro" }),
    /row 0 is \[0,2\], wanted 2 values of 0 or 1/,
  );
  refused(() => m.f1_score([0], [0], { average: "samples" }), /several labels/);
  refused(
    () => m.get_entities(["B-PER", "E-PER"], { scheme: "IOB2" }),
    /"E-PER" of word 1: IOB2 has I, O, B/,
  );
  refused(() => m.get_entities(["B-PER", ""]), /word 1 is empty/);
  throws(() => m.top_k_accuracy_score([0], [[1]], { k: 0 }), RangeError);
  throws(() => m.calibration_error([0], [[1]], { n_bins: 0 }), RangeError);
});

Deno.test("what is undefined is what scikit-learn says: NaN, 0 or zero_division", () => {
  strictEqual(m.matthews_corrcoef([1, 1], [1, 1]), 0);
  ok(Number.isNaN(m.cohen_kappa_score([1, 1], [1, 1])));
  ok(Number.isNaN(m.roc_auc_score([1, 1], [0.1, 0.2])));
  strictEqual(m.average_precision_score([0, 0], [0.1, 0.2]), 0);
  strictEqual(m.roc_auc_score([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]), 0.5);
  strictEqual(m.r2_score([2, 2], [2, 2]), 1);
  strictEqual(m.r2_score([2, 2], [2, 3]), 0);
  ok(Number.isNaN(m.pearsonr([1, 1, 1], [1, 2, 3])));
  for (const zero_division of [0, 1]) {
    strictEqual(m.precision_score([0, 1], [0, 0], { zero_division }), zero_division);
    strictEqual(m.recall_score([0, 0], [0, 1], { zero_division }), zero_division);
  }
  const { macro, micro } = m.seqeval_scores([["O"]], [["O"]]);
  ok(Number.isNaN(macro.f1));
  strictEqual(micro.f1, 0);
});

Deno.test("seqeval's default mode reads all texts as one row: the first tag of a text is judged by an O before it", () => {
  const { micro } = m.seqeval_scores([["B-X"], ["L", "L-X"]], [["O"], ["I", "L-X"]]);
  deepStrictEqual([micro.precision, micro.recall, micro.support], [0.5, 1 / 3, 3]);
});

Deno.test("classes may be names; strings are ordered by code points, as in numpy", () => {
  const { labels } = m.precision_recall_fscore_support(["\u{1f600}", "b"], ["\uff5e", "b"]);
  deepStrictEqual(labels, ["b", "\uff5e", "\u{1f600}"]);
  strictEqual(m.accuracy_score(["1"], [1]), 0);
  strictEqual(m.log_loss(["no", "yes"], [[0.5, 0.5], [0.5, 0.5]]), Math.LN2);
  strictEqual(m.roc_auc_score(["no", "yes"], [0.2, 0.9]), 1);
});

Deno.test("a reliability bin has its upper end, and the counts add up", () => {
  const { bins, ece, mce } = m.calibration_error([0, 0, 1], [0, 0.2, 1], { n_bins: 5 });
  deepStrictEqual(bins.map(({ count }) => count), [0, 0, 0, 1, 2]); // 0.8, 1 and 1 are the highest ones
  ok(Math.abs(ece - 0.2 / 3) < 1e-15 && Math.abs(mce - 0.2) < 1e-15);
});
