/** The cases of make_golden.py, from the same random numbers, and what the metrics make of them. */
import { DataError } from "../../src/errors.ts";
import * as m from "../../src/metrics/mod.ts";
import type { TagScheme } from "../../src/metrics/mod.ts";

export interface Golden {
  seed: number;
  [group: string]: number | { names: string[]; rows: Value[][] };
}

/** `null` stands for NaN, `"error"` for a refusal. */
export type Value = number | null | "error" | (number | null)[];
type Runs = Record<string, () => number | number[]>;

/** mulberry32 */
class Words {
  constructor(private state: number) {}
  below(limit: number): number {
    this.state = (this.state + 0x6D2B79F5) | 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor(((t ^ (t >>> 14)) >>> 0) * limit / 2 ** 32);
  }
  list<T>(length: number, make: () => T): T[] {
    return Array.from({ length }, make);
  }
}

const ZERO = [0, 1, NaN];
const three = (scores: { precision: number; recall: number; fscore?: number; f1?: number }) => [
  ...[scores.precision, scores.recall, scores.fscore ?? scores.f1!],
];

function classification(i: number, r: Words): Runs {
  const n = 1 + r.below(30), k = 1 + r.below(5), y = r.list(n, () => r.below(k));
  const fixed = r.below(6) === 0, kept = r.below(2) === 0;
  const p = y.map((t) => fixed ? 0 : kept && r.below(3) > 0 ? t : r.below(k));
  const scores = (average: m.Average) => () =>
    three(m.precision_recall_fscore_support(y, p, { average, zero_division: ZERO[i % 3] }));
  const some = { labels: [1, 7], average: "macro", zero_division: 1 } as const;
  return {
    accuracy: () => m.accuracy_score(y, p),
    balanced: () => m.balanced_accuracy_score(y, p),
    mcc: () => m.matthews_corrcoef(y, p),
    kappa: () => m.cohen_kappa_score(y, p),
    linear: () => m.cohen_kappa_score(y, p, { weights: "linear" }),
    quadratic: () => m.cohen_kappa_score(y, p, { weights: "quadratic" }),
    f2: () => m.precision_recall_fscore_support(y, p, { beta: 2, average: "macro" }).fscore,
    some: () => three(m.precision_recall_fscore_support(y, p, some)),
    ...{
      binary: scores("binary"),
      micro: scores("micro"),
      macro: scores("macro"),
      weighted: scores("weighted"),
    },
  };
}

function multilabel(i: number, r: Words): Runs {
  const n = 1 + r.below(12), k = 2 + r.below(4);
  const rows = () => r.list(n, () => r.list(k, () => Number(r.below(3) === 0)));
  const y = rows(), p = rows();
  const scores = (average: m.Average) => () =>
    three(m.precision_recall_fscore_support(y, p, { average, zero_division: ZERO[i % 3] }));
  return {
    accuracy: () => m.accuracy_score(y, p),
    ...{
      micro: scores("micro"),
      macro: scores("macro"),
      weighted: scores("weighted"),
      samples: scores("samples"),
    },
  };
}

function ranking(i: number, r: Words): Runs {
  const n = 1 + r.below(25), k = 3 + r.below(3), flags = r.list(n, () => i % 10 ? r.below(2) : 0);
  const fine = r.below(2), scores = r.list(n, () => fine ? r.below(2 ** 20) / 2 ** 20 : r.below(9) / 8);
  const y = r.list(n, () => r.below(k));
  const table = r.list(n, () => r.list(k, () => 1 + r.below(7)))
    .map((row) => row.map((w) => w / row.reduce((a, b) => a + b)));
  const labels = Array.from({ length: k }, (_, c) => c);
  const curve = () => m.calibration_curve(flags, scores, { n_bins: 7 });
  return {
    auc: () => m.roc_auc_score(flags, scores),
    ap: () => m.average_precision_score(flags, scores),
    log: () => m.log_loss(flags, scores, { labels: [0, 1] }),
    brier: () => m.brier_score_loss(flags, scores),
    curve: () => [...curve().prob_true, ...curve().prob_pred],
    aucMacro: () => m.roc_auc_score(y, table, { labels }),
    aucWeighted: () => m.roc_auc_score(y, table, { labels, average: "weighted" }),
    aucMicro: () => m.roc_auc_score(y, table, { labels, average: "micro" }),
    logTable: () => m.log_loss(y, table, { labels }),
    brierTable: () => m.brier_score_loss(y, table, { labels }),
    top1: () => m.top_k_accuracy_score(y, table, { k: 1, labels }),
    top2: () => m.top_k_accuracy_score(y, table, { k: 2, labels }),
    apMacro: () => m.average_precision_score(y, table, { labels }),
    ece: () => m.calibration_error(y, table, { n_bins: 10, labels }).ece,
  };
}

function regression(_i: number, r: Words): Runs {
  const n = 1 + r.below(20), coarse = r.below(2), constant = r.below(8) === 0;
  const draw = () => coarse ? r.below(5) / 2 : (r.below(2 ** 24) - 2 ** 23) / 1000;
  const y = r.list(n, draw), p = r.list(n, () => constant ? 1.5 : draw());
  return {
    mse: () => m.mean_squared_error(y, p),
    rmse: () => m.root_mean_squared_error(y, p),
    mae: () => m.mean_absolute_error(y, p),
    r2: () => m.r2_score(y, p),
    pearson: () => m.pearsonr(y, p),
    spearman: () => m.spearmanr(y, p),
  };
}

const SCHEMES: TagScheme[] = ["IOB1", "IOB2", "IOE2", "IOBES", "BILOU"];

function seqeval(i: number, r: Words): Runs {
  const scheme = SCHEMES[i % 5], letters = ["BI", "BI", "IE", "BIES", "BILU"][i % 5];
  const types = ["-PER", "-LOC", "-X-Y", ""];
  const tag = () =>
    r.below(3) === 0 ? "O" : letters[r.below(letters.length)] + types[r.below(i % 7 === 0 ? 4 : 3)];
  let y = r.list(1 + r.below(4), () => r.list(1 + r.below(9), tag));
  if (i % 11 === 0) y = y.map((row) => row.map(() => "O"));
  const p = y.map((row) => row.map((t) => r.below(3) > 0 ? t : tag()));
  const zero_division = (i % 2) as 0 | 1;
  const scores = () => m.seqeval_scores(y, p, { zero_division });
  const strict = () => m.seqeval_scores(y, p, { scheme, zero_division });
  const four = (own: m.ClassScores) => [...three(own), own.support];
  const each = () => Object.values(scores().perType);
  return {
    accuracy: () => scores().accuracy,
    ...{ micro: () => four(scores().micro), microStrict: () => four(strict().micro) },
    ...{ macro: () => four(scores().macro), macroStrict: () => four(strict().macro) },
    ...{ weighted: () => four(scores().weighted), weightedStrict: () => four(strict().weighted) },
    each: () =>
      (["precision", "recall", "f1", "support"] as const).flatMap((name) => each().map((own) => own[name])),
  };
}

// deno-fmt-ignore
const VOCABULARY = [
  "the", "The", "a", "an", "AN", "cat", "Cat!", "dog", "dog.", "12%", "São", "the-cat", "x\u00a0y", "“the”", "İ", "andá", "", " ",
];

function squad(_i: number, r: Words): Runs {
  const text = () => r.list(r.below(5), () => VOCABULARY[r.below(VOCABULARY.length)]).join(" ");
  const n = 1 + r.below(8),
    answers = r.list(n, () => r.list(r.below(4), text)),
    predictions = r.list(n, text);
  return {
    squad: () => {
      const { exact, f1, HasAns, NoAns } = m.squad_scores(answers, predictions);
      return [exact, f1, HasAns?.exact ?? -1, HasAns?.f1 ?? -1, NoAns?.exact ?? -1, NoAns?.f1 ?? -1];
    },
  };
}

/** In the order of make_golden.py, whose seeds depend on it. */
export const GROUPS = { classification, multilabel, ranking, regression, seqeval, squad };

/** What one case gives, in the form of the golden file. */
export function resultsOf(group: keyof typeof GROUPS, seed: number, i: number): Record<string, Value> {
  const g = Object.keys(GROUPS).indexOf(group), words = new Words(seed * 1_000_003 + g * 1009 + i);
  const plain = (value: number) => Number.isNaN(value) ? null : value;
  return Object.fromEntries(
    Object.entries(GROUPS[group](i, words)).map(([name, run]) => {
      try {
        const value = run();
        return [name, Array.isArray(value) ? value.map(plain) : plain(value)];
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        return [name, "error"];
      }
    }),
  );
}
