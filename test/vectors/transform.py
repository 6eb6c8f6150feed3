"""Generates transform.json: python3 transform.py > transform.json (numpy).

Amounts are whole numbers below 512, which the public grid tells apart, so that quantiles are those of the values."""
import json
import numpy as np

rng = np.random.default_rng(7)
n = 400
label = (rng.random(n) < 0.3).astype(int)
turnover = np.minimum(500, np.floor(np.exp(rng.normal(4, 1, n)))) - 20
gap = np.floor(rng.uniform(0, 60, n))
gap[rng.random(n) < 0.1] = -9
gap[rng.random(n) < 0.05] = -8
gap[rng.random(n) < 0.1] = np.nan
levels = ["mill", "yard", "kiln", "loom", "dock"]
trade = rng.choice(5, n, p=[0.5, 0.4, 0.06, 0.02, 0.02])
trade[rng.random(n) < 0.08] = -1

def quantile(values, share):
    """The smallest value with that share of the rows at or below it."""
    return float(np.quantile(values, share, method="inverted_cdf"))

def squeezed(x):
    return np.sign(x) * np.log1p(np.abs(x))

known = gap[~np.isnan(gap) & (gap >= 0)]
low, high = quantile(turnover, 0.05), quantile(turnover, 0.95)
capped = np.clip(turnover, low, high)
lower, upper = quantile(turnover, 0.25), quantile(turnover, 0.75)
fenced = [lower - 1.5 * (upper - lower), upper + 1.5 * (upper - lower)]
kept = turnover[(turnover >= fenced[0]) & (turnover <= fenced[1])]
clipped = np.clip(known, 5, 40)
shares = np.bincount(trade[trade >= 0], minlength=5) / np.sum(trade >= 0)
rare = shares < 0.05
kept_levels = [l for l, r in zip(levels, rare) if not r] + ["other"]
groups = [kept_levels.index("other" if r else l) for l, r in zip(levels, rare)]
no_ends = {"low": None, "high": None}

def woe(good, bad):
    more = 0 if good and bad else 0.5
    return float(np.log((good + more) * label.sum() / ((bad + more) * (n - label.sum()))))

def counts(mask):
    return int(np.sum(mask & (label == 0))), int(np.sum(mask & (label == 1)))

cases = [
    {
        "parameters": {"columns": {
            "turnover": {"caps": {"lower": 0.05, "upper": 0.95}, "log": True, "impute": "mean"},
            "gap": {"special": [-9, -8], "clip": {"low": 5, "high": 40}, "impute": "median"},
            "trade": {"merge": {"minShare": 0.05}, "oneHot": {}},
        }},
        "result": {"columns": {
            "turnover": {"kind": "amounts", "limits": {"low": low, "high": high, "outside": "cap"}, "impute": float(np.mean(squeezed(capped))), "indicators": []},
            "gap": {"kind": "amounts", "clip": {"low": 5, "high": 40}, "impute": quantile(clipped, 0.5), "indicators": ["missing", -9, -8]},
            "trade": {"kind": "levels", "levels": kept_levels, "groups": groups, "impute": None, "indicator": True, "oneHot": list(range(1, len(kept_levels)))},
        }},
    },
    {
        "parameters": {"columns": {
            "turnover": {"outliers": {"fence": 1.5}, "impute": "median", "indicator": False},
            "gap": {"special": [-9, -8], "woe": {"minShare": 0.4, "trend": "ascending", "maxBins": 1}},
            "trade": {"impute": "mode"},
        }},
        "result": {"columns": {
            "turnover": {"kind": "amounts", "limits": {"low": fenced[0], "high": fenced[1], "outside": "missing"}, "impute": quantile(kept, 0.5), "indicators": []},
            "gap": {"kind": "woe", "woe": [woe(*counts(gap >= 0)), woe(*counts(gap == -9)), woe(*counts(gap == -8)), woe(*counts(np.isnan(gap)))]},
            "trade": {"kind": "levels", "impute": int(np.argmax(shares)), "indicator": True},
        }},
    },
]
print(json.dumps({
    "source": "transform.py",
    "features": [
        {"name": "turnover", "kind": "numeric"},
        {"name": "gap", "kind": "numeric"},
        {"name": "trade", "kind": "categorical", "levels": levels},
    ],
    "rows": {"turnover": turnover.tolist(), "gap": [None if np.isnan(x) else x for x in gap.tolist()], "trade": trade.tolist()},
    "label": label.tolist(),
    "tolerance": 1e-7,
    "cases": cases,
}, indent=1))
