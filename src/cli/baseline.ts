/**
 * "Was BERT worth it?": TF-IDF with logistic regression on the same texts, and the answer that always comes most often.
 *
 * @module
 */
import type { TextExample } from "../data/mod.ts";
import { comparePaired } from "../metrics/mod.ts";
import type { BaselineComparison, PredictionRow } from "../report/mod.ts";
import { LogisticRegression, TfidfVectorizer } from "../train/mod.ts";
import type { TestResults } from "./tasks/mod.ts";

/** Words of all training texts times classes at most, so that it takes seconds; of more, every n-th text is taken. */
const MOST_WORDS = 4_000_000;

/** Weights at most: terms times classes. */
const MOST_WEIGHTS = 1_000_000;

/** Terms at most. */
const MOST_TERMS = 200_000;

/** Steps of L-BFGS at most, and where it stops before: what scikit-learn has. */
const MAX_ITER = 100, TOLERANCE = 1e-4;

/** Examples of each kind that are shown. */
const SHOWN = 8;

/**
 * Trains the simpler method, and compares its answers with the model's.
 *
 * @param answers The model's, on the test examples.
 * @param onProgress Called after every step of the training.
 * @returns Undefined if it cannot be: one class, or texts without words.
 */
export function compareWithBaseline(
  train: readonly TextExample[],
  test: readonly TextExample[],
  labels: readonly string[],
  { found, expected, row }: NonNullable<TestResults["answers"]>,
  onProgress: (done: number, total: number) => void,
): BaselineComparison | undefined {
  const start = performance.now(), some = fewer(train, MOST_WORDS / Math.max(2, labels.length));
  const classes = [...new Set(some.map(({ label }) => label as number))].sort((a, b) => a - b);
  if (
    classes.length < 2 || test.length === 0 ||
    !some.some((example) => /[\p{L}\p{N}_]{2}/u.test(textOf(example)))
  ) {
    return undefined;
  }
  const vectorizer = new TfidfVectorizer({
    ...{ ngram_range: [1, 2], max_features: Math.min(MOST_TERMS, Math.ceil(MOST_WEIGHTS / classes.length)) },
  });
  const features = vectorizer.fit_transform(some.map(textOf));
  const targets = some.map(({ label }) => classes.indexOf(label as number));
  const classifier = LogisticRegression.fit(features, targets, {
    ...{ max_iter: MAX_ITER, tol: TOLERANCE * some.length, onStep: onProgress },
  });
  const simple = classifier.predict(vectorizer.transform(test.map(textOf))).map((k) => classes[k]);
  const seconds = (performance.now() - start) / 1000;
  const share = (right: (i: number) => boolean) =>
    expected.filter((_, i) => right(i)).length / expected.length;
  const ours = expected.map((label, i) => found[i] === label),
    theirs = expected.map((label, i) => simple[i] === label);
  const { counts, difference, interval: [low, high], p_value } = comparePaired(ours, theirs);
  const majority = mostFrequent(train);
  const rows = (wanted: (i: number) => boolean): PredictionRow[] =>
    expected.flatMap((_, i) => wanted(i) ? [i] : []).slice(0, SHOWN)
      .map((i) => ({ ...row(i), baseline: labels[simple[i]] }));
  return {
    name: `TF-IDF + logistic regression`,
    ...{ model_accuracy: share((i) => ours[i]), baseline_accuracy: share((i) => theirs[i]) },
    majority: { label: labels[majority], accuracy: share((i) => expected[i] === majority) },
    counts: {
      ...{ both: counts.both, neither: counts.neither },
      ...{ only_model: counts.only_first, only_baseline: counts.only_second },
    },
    ...{
      difference: { value: difference, low, high },
      p_value,
      features: vectorizer.vocabulary.size,
      seconds,
    },
    ...{ only_model: rows((i) => ours[i] && !theirs[i]), only_baseline: rows((i) => theirs[i] && !ours[i]) },
  };
}

function textOf({ text, text_pair }: TextExample): string {
  return text_pair === undefined ? text : `${text}\n${text_pair}`;
}

/** Evenly chosen examples that have not too many words. */
function fewer(examples: readonly TextExample[], most: number): TextExample[] {
  const labelled = examples.filter(({ label }) => typeof label === "number");
  const words = labelled.reduce((sum, example) => sum + textOf(example).length / 5, 0);
  const stride = Math.ceil(words / most);
  return stride <= 1 ? labelled : labelled.filter((_, i) => i % stride === 0);
}

function mostFrequent(examples: readonly TextExample[]): number {
  const counts = new Map<number, number>();
  for (const { label } of examples) counts.set(label as number, (counts.get(label as number) ?? 0) + 1);
  return [...counts].reduce((a, b) => b[1] > a[1] || b[1] === a[1] && b[0] < a[0] ? b : a)[0];
}
