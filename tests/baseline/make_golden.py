"""TF-IDF, logistic regression on it, and paired tests by scikit-learn and SciPy. Writes golden/baseline.json.

    python make_golden.py
"""
import csv, json, os
import numpy as np
from scipy import stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

HERE = os.path.dirname(os.path.abspath(__file__))
DEMO = os.path.join(HERE, "..", "..", "scripts", "demo", "data")

def read(name):
    with open(os.path.join(DEMO, name + ".tsv"), encoding="utf8") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return [text for text, _ in rows], [int(label) for _, label in rows]

TEXTS = ["The game, the GAME!", "x = 10; foo_bar2 isn't", "Ångström naïve CAFÉ", "野球の 試合 は楽しかった", "", "a b c", "١٢٣ Ⅷ xⅧ",
    "the game: extra innings, extra pay"]
vectorizer = TfidfVectorizer(ngram_range=(1, 2)).fit(TEXTS)
names = vectorizer.get_feature_names_out()
small = dict(texts=TEXTS, rows=[{names[j]: v for j, v in zip(row.indices.tolist(), row.data.tolist())}
    for row in vectorizer.transform(TEXTS + ["the unknown game"])])

(train, y), (test, y_test) = read("train"), read("test")
vectorizer = TfidfVectorizer(ngram_range=(1, 2))
x = vectorizer.fit_transform(train)
demo = []
for labels in (y, [int(l) if len(t) < 45 else 2 for t, l in zip(train, y)]):
    model = LogisticRegression(tol=1e-10, max_iter=10000).fit(x, labels)
    demo.append(dict(labels=labels, proba=model.predict_proba(vectorizer.transform(test)).tolist()))

rng, pairs = np.random.default_rng(3), []
for n, p, q in [(5, .8, .5), (40, .9, .6), (40, .5, .5), (300, .86, .84), (900, .92, .8), (900, .8, .92), (2000, .95, .94)]:
    both = rng.random(n) < .5
    first, second = rng.random(n) < p, rng.random(n) < q
    second = np.where(both, first, second)
    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    boot = stats.bootstrap((first.astype(float) - second.astype(float),), np.mean, n_resamples=20000, method="percentile",
        random_state=np.random.default_rng(1)).confidence_interval
    pairs.append(dict(first=first.astype(int).tolist(), second=second.astype(int).tolist(), p=stats.binomtest(b, b + c).pvalue if b + c else 1.0,
        low=float(boot.low), high=float(boot.high)))
json.dump(dict(small=small, features=int(x.shape[1]), demo=demo, pairs=pairs),
    open(os.path.join(HERE, "golden", "baseline.json"), "w"))
