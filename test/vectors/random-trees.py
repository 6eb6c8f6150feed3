"""Generates random-trees.json: python3 random-trees.py > random-trees.json (scikit-learn 1.9, numpy)."""
import json
import sys
import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score

rng = np.random.default_rng(7)
n, trained = 3000, 2000
names = ["orders", "delay", "stock", "energy", "noise"]
rows = np.round(rng.gamma(2, 10, (n, len(names))))
orders, delay, stock, energy, _ = rows.T
log_odds = -1.5 - 0.06 * (orders - 20) + 0.05 * (delay - 20) + 1.2 * ((stock > 25) & (energy < 15)) + 0.8 * (delay > 35)
label = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)


def auc(max_features, seed):
    model = ExtraTreesClassifier(300, max_features=max_features, min_samples_leaf=5, random_state=seed)
    model.fit(rows[:trained], label[:trained])
    return roc_auc_score(label[trained:], model.predict_proba(rows[trained:])[:, 1])


json.dump(
    {
        "source": "test/vectors/random-trees.py: scikit-learn's extremely randomized trees, the mean of five seeds",
        "rows": {name: column.astype(int).tolist() for name, column in zip(names, rows.T)},
        "label": label.tolist(),
        "trained": trained,
        "auc": {str(most): round(float(np.mean([auc(most, seed) for seed in range(5)])), 4) for most in (1, "sqrt")},
    },
    sys.stdout,
)
