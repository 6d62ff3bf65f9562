"""Numbers that a report shows of three tests, by scikit-learn and SciPy. Writes golden/page.json.

    python make_page_golden.py
"""
import json, os
import numpy as np
from scipy.special import expit, softmax
from scipy.stats import pearsonr, spearmanr
from sklearn import metrics as m

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(11)
number = lambda x: float(x)

def one_class():
    n, k, bins = 700, 3, 20
    y = rng.integers(0, k, n)
    logits = (rng.normal(size=(n, k)) + 1.6 * np.eye(k)[y]).round(4)
    p = softmax(logits, 1); found = p.argmax(1); top = p.max(1); right = found == y
    edges = np.linspace(0, 1, bins + 1); which = np.clip(np.searchsorted(edges, top, "left") - 1, 0, bins - 1)
    rows = [(int((which == b).sum()), number(top[which == b].mean()), number(right[which == b].mean())) for b in range(bins) if (which == b).any()]
    precision, recall, f1, support = m.precision_recall_fscore_support(y, found)
    margin = np.sort(p, 1); margin = margin[:, -1] - margin[:, -2]
    wrong = np.flatnonzero(~right)
    return dict(logits=logits.tolist(), labels=y.tolist(), confusion=m.confusion_matrix(y, found).tolist(),
        accuracy=number(m.accuracy_score(y, found)), mcc=number(m.matthews_corrcoef(y, found)), log_loss=number(m.log_loss(y, p)),
        brier=number(np.mean(((p - np.eye(k)[y]) ** 2).sum(1))), ece=number(sum(c * abs(a - b) for c, a, b in rows) / n), bins=rows,
        scores=np.stack([precision, recall, f1, support], 1).tolist(),
        worst=wrong[np.argsort(p[wrong, y[wrong]], kind="stable")][:12].tolist(), uncertain=np.argsort(margin, kind="stable")[:12].tolist())

def several_labels():
    n, k = 200, 4
    y = (rng.random((n, k)) < .4).astype(int)
    logits = (rng.normal(size=(n, k)) + 2 * y - 1).round(4)
    found = (expit(logits) > .5).astype(int)
    precision, recall, f1, support = m.precision_recall_fscore_support(y, found, zero_division=0)
    return dict(logits=logits.tolist(), labels=y.tolist(), scores=np.stack([precision, recall, f1, support], 1).tolist(),
        accuracy=number(m.accuracy_score(y, found)), f1_micro=number(m.f1_score(y, found, average="micro")), f1_macro=number(m.f1_score(y, found, average="macro")))

def numbers():
    y = rng.normal(size=150).round(4)
    found = (y * .8 + rng.normal(size=150) * .3).round(4)
    return dict(predictions=found.tolist(), labels=y.tolist(), rmse=number(m.root_mean_squared_error(y, found)), mae=number(m.mean_absolute_error(y, found)),
        r2=number(m.r2_score(y, found)), worst=np.argsort(-abs(y - found), kind="stable")[:12].tolist())

json.dump(dict(one=one_class(), several=several_labels(), numbers=numbers()), open(os.path.join(HERE, "golden", "page.json"), "w"))
