"""Golden numbers of the metrics, by scikit-learn, SciPy, seqeval and, if given, transformers' SQuAD metrics.

    python make_golden.py [--seed N] [--squad FOLDER] > golden/metrics.json

The inputs come from a generator of random numbers that cases.ts has too, so that only the seed and the results are
kept. FOLDER holds a transformers 4 package (later ones have no SQuAD metrics); without it that part is left out.
"""
import argparse, json, math, sys, warnings
import numpy as np
from scipy import stats
from sklearn import calibration, metrics as sk
from seqeval import metrics as se
from seqeval import scheme as schemes
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as lenient
from seqeval.metrics.v1 import precision_recall_fscore_support as seqeval_v1

warnings.filterwarnings("ignore")
CASES = 200
ARGUMENTS = argparse.ArgumentParser()
ARGUMENTS.add_argument("--seed", type=int, default=1)
ARGUMENTS.add_argument("--squad")
OPTIONS = ARGUMENTS.parse_args()


class Words:
    """mulberry32"""

    def __init__(self, seed):
        self.state = seed & 0xFFFFFFFF

    def below(self, limit):
        self.state = (self.state + 0x6D2B79F5) & 0xFFFFFFFF
        t = self.state
        t = ((t ^ (t >> 15)) * (t | 1)) & 0xFFFFFFFF
        t ^= (t + ((t ^ (t >> 7)) * (t | 61))) & 0xFFFFFFFF
        return ((t ^ (t >> 14)) & 0xFFFFFFFF) * limit >> 32


def number(value):
    value = float(value)
    return None if math.isnan(value) else round(value, 12)


def value(run):
    try:
        result = run()
    except (ValueError, ZeroDivisionError):
        return "error"
    return [number(x) for x in np.ravel(result)] if np.ndim(result) else number(result)


def classification(i, r):
    """Classes; one class in some, one prediction for all in others."""
    n, k = 1 + r.below(30), 1 + r.below(5)
    true = [r.below(k) for _ in range(n)]
    fixed, kept = r.below(6) == 0, r.below(2) == 0
    pred = [0 if fixed else t if kept and r.below(3) > 0 else r.below(k) for t in true]
    out = {
        "accuracy": lambda: sk.accuracy_score(true, pred),
        "balanced": lambda: sk.balanced_accuracy_score(true, pred),
        "mcc": lambda: sk.matthews_corrcoef(true, pred),
        "kappa": lambda: sk.cohen_kappa_score(true, pred),
        "linear": lambda: sk.cohen_kappa_score(true, pred, weights="linear"),
        "quadratic": lambda: sk.cohen_kappa_score(true, pred, weights="quadratic"),
        "f2": lambda: sk.fbeta_score(true, pred, beta=2, average="macro"),
        "some": lambda: sk.precision_recall_fscore_support(true, pred, labels=[1, 7], average="macro", zero_division=1)[:3],
    }
    for average in ["binary", "micro", "macro", "weighted"]:
        zero = [0, 1, np.nan][i % 3]
        out[average] = lambda average=average, zero=zero: sk.precision_recall_fscore_support(
            true, pred, average=average, zero_division=zero)[:3]
    return out


def multilabel(i, r):
    n, k = 1 + r.below(12), 2 + r.below(4)
    rows = lambda: [[int(r.below(3) == 0) for _ in range(k)] for _ in range(n)]
    true, pred = np.array(rows()), np.array(rows())
    out = {"accuracy": lambda: sk.accuracy_score(true, pred)}
    for average in ["micro", "macro", "weighted", "samples"]:
        out[average] = lambda average=average: sk.precision_recall_fscore_support(
            true, pred, average=average, zero_division=[0, 1, np.nan][i % 3])[:3]
    return out


def ranking(i, r):
    """Scores with ties, and probabilities of k classes, some of which may not occur."""
    n, k = 1 + r.below(25), 3 + r.below(3)
    flags = [r.below(2) if i % 10 else 0 for _ in range(n)]
    fine = r.below(2)
    scores = [r.below(1 << 20) / (1 << 20) if fine else r.below(9) / 8 for _ in range(n)]
    true = [r.below(k) for _ in range(n)]
    weights = [[1 + r.below(7) for _ in range(k)] for _ in range(n)]
    table = [[w / sum(row) for w in row] for row in weights]
    classes = list(range(k))
    return {
        "auc": lambda: sk.roc_auc_score(flags, scores),
        "ap": lambda: sk.average_precision_score(flags, scores),
        "log": lambda: sk.log_loss(flags, scores, labels=[0, 1]),
        "brier": lambda: sk.brier_score_loss(flags, scores),
        "curve": lambda: np.concatenate(calibration.calibration_curve(flags, scores, n_bins=7)),
        "aucMacro": lambda: sk.roc_auc_score(true, table, multi_class="ovr", labels=classes),
        "aucWeighted": lambda: sk.roc_auc_score(true, table, multi_class="ovr", labels=classes, average="weighted"),
        "aucMicro": lambda: sk.roc_auc_score(true, table, multi_class="ovr", labels=classes, average="micro"),
        "logTable": lambda: sk.log_loss(true, table, labels=classes),
        "brierTable": lambda: sk.brier_score_loss(true, table, labels=classes),
        "top1": lambda: sk.top_k_accuracy_score(true, table, k=1, labels=classes),
        "top2": lambda: sk.top_k_accuracy_score(true, table, k=2, labels=classes),
        "apMacro": lambda: np.mean([sk.average_precision_score([t == c for t in true], [row[c] for row in table]) for c in classes]),
        "ece": lambda: expected_calibration_error(true, np.array(table)),
    }


def expected_calibration_error(true, table, bins=10):
    """The definition, with scikit-learn's bins: counts by numpy, means by calibration_curve."""
    highest = table.max(axis=1)
    right = table.argmax(axis=1) == np.array(true)
    total = np.bincount(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], highest), minlength=bins)
    accuracy, confidence = calibration.calibration_curve(right.astype(int), highest, n_bins=bins, pos_label=1)
    return np.sum(total[total > 0] / len(true) * np.abs(accuracy - confidence))


def regression(i, r):
    n = 1 + r.below(20)
    coarse, constant = r.below(2), r.below(8) == 0
    draw = lambda: r.below(5) / 2 if coarse else (r.below(1 << 24) - (1 << 23)) / 1000
    true = [draw() for _ in range(n)]
    pred = [1.5 if constant else draw() for _ in range(n)]
    return {
        "mse": lambda: sk.mean_squared_error(true, pred),
        "rmse": lambda: sk.root_mean_squared_error(true, pred),
        "mae": lambda: sk.mean_absolute_error(true, pred),
        "r2": lambda: sk.r2_score(true, pred),
        "pearson": lambda: stats.pearsonr(true, pred)[0],
        "spearman": lambda: stats.spearmanr(true, pred)[0],
    }


SCHEMES = ["IOB1", "IOB2", "IOE2", "IOBES", "BILOU"]


def seqeval(i, r):
    scheme = SCHEMES[i % 5]
    letters = ["BI", "BI", "IE", "BIES", "BILU"][i % 5]
    tag = lambda: "O" if r.below(3) == 0 else letters[r.below(len(letters))] + ["-PER", "-LOC", "-X-Y", ""][r.below(4 if i % 7 == 0 else 3)]
    true = [[tag() for _ in range(1 + r.below(9))] for _ in range(1 + r.below(4))]
    if i % 11 == 0:
        true = [["O" for _ in row] for row in true]
    pred = [[t if r.below(3) > 0 else tag() for t in row] for row in true]
    zero = i % 2
    out = {"accuracy": lambda: se.accuracy_score(true, pred)}
    for average in ["micro", "macro", "weighted"]:
        both = dict(average=average, zero_division=zero)
        out[average] = lambda both=both: lenient(true, pred, **both)
        out[average + "Strict"] = lambda both=both: strict(true, pred, scheme, both)
    out["each"] = lambda: np.concatenate(lenient(true, pred, average=None, zero_division=zero))
    return out


def strict(true, pred, scheme, both):
    return seqeval_v1(true, pred, scheme=getattr(schemes, scheme), **both)


VOCABULARY = ["the", "The", "a", "an", "AN", "cat", "Cat!", "dog", "dog.", "12%", "São", "the-cat", "x\u00a0y", "“the”", "İ", "andá", "", " "]


def squad(i, r):
    sys.path.insert(0, OPTIONS.squad)
    from transformers.data.metrics.squad_metrics import squad_evaluate
    text = lambda: " ".join(VOCABULARY[r.below(len(VOCABULARY))] for _ in range(r.below(5)))
    n = 1 + r.below(8)
    answers = [[text() for _ in range(r.below(4))] for _ in range(n)]
    predictions = [text() for _ in range(n)]

    class Example:
        def __init__(self, at):
            self.qas_id, self.answers = str(at), [{"text": answer} for answer in answers[at]]

    def run():
        out = squad_evaluate([Example(at) for at in range(n)], {str(at): p for at, p in enumerate(predictions)})
        return [out.get(name, -1) for name in ["exact", "f1", "HasAns_exact", "HasAns_f1", "NoAns_exact", "NoAns_f1"]]

    return {"squad": run}


def main():
    groups = [classification, multilabel, ranking, regression, seqeval] + ([squad] if OPTIONS.squad else [])
    out = {"seed": OPTIONS.seed}
    for g, group in enumerate(groups):
        rows, names = [], []
        for i in range(CASES):
            runs = group(i, Words(OPTIONS.seed * 1_000_003 + g * 1009 + i))
            names = list(runs)
            rows.append([value(run) for run in runs.values()])
        out[group.__name__] = {"names": names, "rows": rows}
    print(json.dumps(out, separators=(",", ":"), ensure_ascii=False).replace('},"', '},\n"').replace("]],[[", "]],\n[["))


main()
