"""Coefficients of scikit-learn's LogisticRegression. Writes golden/logistic.json.

    python make_logistic_golden.py
"""
import json, os
import numpy as np
from sklearn.linear_model import LogisticRegression

rng, cases = np.random.default_rng(5), []
for classes, n, size, C in [(2, 12, 5, 1.0), (2, 40, 30, 10.0), (3, 21, 4, 1.0), (5, 25, 40, 0.3)]:
    labels = np.arange(n) % classes
    features = rng.normal(size=(n, size)).round(4) + np.eye(classes, size)[labels] * 0.8
    model = LogisticRegression(C=C, tol=1e-10, max_iter=10000).fit(features, labels)
    cases.append(dict(C=C, features=features.tolist(), labels=labels.tolist(), coef=model.coef_.tolist(),
        intercept=model.intercept_.tolist(), proba=model.predict_proba(features[:5]).tolist()))
json.dump(cases, open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden", "logistic.json"), "w"))
