"""Generates correlation.json: python3 correlation.py > correlation.json (numpy, statsmodels 0.14)."""
import json
import numpy as np
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import variance_inflation_factor

rng = np.random.default_rng(3)
n = 150
base = rng.normal(0, 1, n)
# Seconds since 1970, so far from zero that a sum of products that loses digits shows.
founded = np.round(1.4e9 + 2e4 * base + rng.normal(0, 1e4, n))
orders = np.round(50 + 20 * base + rng.normal(0, 15, n), 2)
claims = np.round(5 - base + rng.normal(0, 0.7, n), 3)
noise = np.round(rng.normal(0, 1, n), 3)
gap = orders.copy()
gap[rng.random(n) < 0.1] = np.nan
data = np.stack([founded, gap, claims, noise], 1)
names = ["founded", "orders", "claims", "noise"]
known = data[~np.isnan(data).any(1)]
r = np.corrcoef(known, rowvar=False)
# The factor is the same of standardized columns, and the regression exact.
design = sm.add_constant((known - known.mean(0)) / known.std(0))

def alpha(items, covariance):
    c = covariance[np.ix_(items, items)]
    k = len(items)
    return k / (k - 1) * (1 - np.trace(c) / c.sum())

covariance = np.cov(known, rowvar=False)
groups = {"size": [0, 1], "all": [0, 1, 2, 3]}
print(json.dumps({
    "source": "correlation.py",
    "features": [{"name": name, "kind": "numeric"} for name in names],
    "rows": {name: [None if np.isnan(x) else x for x in data[:, i].tolist()] for i, name in enumerate(names)},
    "label": (base > 0).astype(int).tolist(),
    "tolerance": 1e-9,
    "cases": [{
        "parameters": {"groups": {group: [names[i] for i in items] for group, items in groups.items()}},
        "result": {
            "rows": n,
            "complete": len(known),
            "columns": names,
            "constant": [],
            "correlations": [[float(r[i, j]) if i != j else 1 for j in range(i + 1)] for i in range(4)],
            "vif": {name: float(variance_inflation_factor(design, i + 1)) for i, name in enumerate(names)},
            "alpha": {group: {"items": len(items), "raw": float(alpha(items, covariance)), "standardized": float(alpha(items, r))} for group, items in groups.items()},
        },
    }],
}, indent=1))
