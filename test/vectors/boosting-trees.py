"""Generates boosting-trees.json: python3 boosting-trees.py > boosting-trees.json (xgboost 3.2, numpy)."""
import json
import sys
import numpy as np
import xgboost

rng = np.random.default_rng(5)
n = 600
orders = rng.integers(0, 12, n).astype(float)
delay = rng.integers(-5, 9, n).astype(float)
stock = rng.integers(1, 30, n).astype(float)
log_odds = -1 + 1.6 * (orders < 4) + 1.4 * (delay > 3) - 1.2 * (stock > 20) * (orders >= 4)
label = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)
delay[rng.random(n) < 0.1] = np.nan
rows = np.c_[orders, delay, stock]
model = xgboost.train(
    {
        "objective": "binary:logistic",
        "tree_method": "exact",
        "max_depth": 2,
        "eta": 0.3,
        "reg_lambda": 2,
        "min_child_weight": 5,
        "base_score": float(label.mean()),
    },
    xgboost.DMatrix(rows, label=label),
    num_boost_round=4,
)
json.dump(
    {
        "source": "test/vectors/boosting-trees.py: xgboost's exact trees on rows drawn there",
        "rows": {
            name: [None if np.isnan(x) else float(x) for x in column]
            for name, column in zip(("orders", "delay", "stock"), rows.T)
        },
        "label": label.tolist(),
        "parameters": {"trees": 1, "rounds": 4, "depth": 2, "learningRate": 0.3, "ridge": 2, "minWeight": 5, "rowShare": 1, "columnShare": 1},
        "logOdds": [round(float(x), 6) for x in model.predict(xgboost.DMatrix(rows), output_margin=True)],
    },
    sys.stdout,
    indent=1,
)
