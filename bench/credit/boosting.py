"""AUC of gradient boosting on the same split: python3 boosting.py ROWS.json."""
import json
import sys
import time
import numpy as np
import xgboost
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

rows = json.load(open(sys.argv[1]))
part = lambda name: (
    np.array([[np.nan if cell is None else cell for cell in column] for column in rows[name]["columns"]], dtype=float).T,
    np.array(rows[name]["label"]),
)
(train, label), (test, expected) = part("train"), part("test")
peers = {
    # A sum for each level of each tree: 400.
    "XGBoost, 100 trees of depth 4": xgboost.XGBClassifier(n_estimators=100, max_depth=4, learning_rate=0.1, tree_method="hist", n_jobs=1),
    "HistGradientBoosting": HistGradientBoostingClassifier(random_state=0),
}
found = {}
for name, model in peers.items():
    begun = time.perf_counter()
    model.fit(train, label)
    seconds = time.perf_counter() - begun
    found[name] = {"auc": float(roc_auc_score(expected, model.predict_proba(test)[:, 1])), "seconds": seconds}
json.dump(found, sys.stdout)
