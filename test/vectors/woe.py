"""Generates bins.json, woe.json and scorecard.json: python3 woe.py (optbinning 1.0, statsmodels 0.15, pandas 3.1)."""
import json
import pathlib
import numpy as np
import pandas as pd
import statsmodels.api as sm
from optbinning import OptimalBinning

rng = np.random.default_rng(17)
n = 400
good = lambda p: (rng.random(n) >= p).astype(int)
arrears = rng.integers(0, 16, n).astype(float)
tenure = rng.integers(1, 21, n).astype(float)
orders = rng.integers(-6, 7, n).astype(float)
branch = rng.choice(5, n, p=[0.3, 0.25, 0.2, 0.15, 0.1])
log_odds = -1.2 + 0.16 * arrears - 0.002 * (tenure - 9) ** 2 + 0.25 * (branch == 3) - 0.05 * orders
label = 1 - good(1 / (1 + np.exp(-log_odds)))
orders[rng.random(n) < 0.12] = np.nan
orders[rng.random(n) < 0.06] = -9
branch = np.where(rng.random(n) < 0.07, -1, branch)
levels = ["north", "south", "east", "west", "sea"]
columns = {"arrears": arrears, "tenure": tenure, "orders": orders}

features = [{"name": name, "kind": "numeric"} for name in columns] + [
    {"name": "branch", "kind": "categorical", "levels": levels}
]
rows = {name: [None if np.isnan(x) else float(x) for x in values] for name, values in columns.items()}
rows["branch"] = branch.tolist()

def counts(values, order):
    table = pd.crosstab(values, label).reindex(order, fill_value=0)
    return {"good": table[0].tolist(), "bad": table[1].tolist()}

# Every value has enough rows to be a bin of its own; then special and missing values.
def counted(name, special):
    values = pd.Series(columns[name])
    proper = sorted(set(values.dropna()) - set(special))
    order = [*proper, *special, "missing"]
    return {
        "binned": {"kind": "numeric", "cuts": proper[1:], "special": special},
        **counts(values.astype(object).where(values.notna(), "missing"), order),
    }

bins = {
    "good": int(np.sum(label == 0)),
    "bad": int(np.sum(label == 1)),
    "columns": {
        "arrears": counted("arrears", []),
        "tenure": counted("tenure", []),
        "orders": counted("orders", [-9.0]),
        "branch": {"binned": {"kind": "categorical", "groups": [0, 1, 2, 3, 4]}, **counts(branch, [0, 1, 2, 3, 4, -1])},
    },
}

def optimal(name, trend, special=(), share=0.05, most=None):
    """Cuts in between the integers, as optbinning has them, become the integers above."""
    values = columns[name]
    proper = sorted(set(values[~np.isnan(values)]) - set(special))
    fit = OptimalBinning(
        dtype="numerical",
        user_splits=[(a + b) / 2 for a, b in zip(proper, proper[1:])],
        monotonic_trend=trend,
        special_codes=list(special) or None,
        # A share of the rows with a value; optbinning takes it of all rows.
        min_bin_size=share * np.mean(~np.isnan(values)),
        max_n_bins=most,
    ).fit(values, label)
    assert fit.status == "OPTIMAL"
    table = fit.binning_table.build()
    body = table.iloc[:-1]
    kept = body[~body["Bin"].isin(["Special"])] if not special else body
    return {
        "binned": {"kind": "numeric", "cuts": [min(x for x in proper if x > split) for split in fit.splits]},
        "bins": [
            {"good": int(row["Non-event"]), "bad": int(row["Event"]), "woe": float(row["WoE"]), "iv": float(row["IV"])}
            for _, row in kept.iterrows()
        ],
        "iv": float(fit.binning_table.iv),
    }

def optimal_levels(share):
    known = branch >= 0
    names = np.where(known, np.array(levels, dtype=object)[branch], None)
    fit = OptimalBinning(dtype="categorical", min_bin_size=share, monotonic_trend="ascending").fit(names, label)
    assert fit.status == "OPTIMAL"
    fit.binning_table.build()
    return {"iv": float(fit.binning_table.iv)}

def write(name, **content):
    text = json.dumps({"features": features, "rows": rows, "label": label.tolist(), **content}, indent=1)
    (pathlib.Path(__file__).parent / name).write_text(text + "\n")

write(
    "bins.json",
    source="test/vectors/woe.py: counts by pandas on rows drawn there",
    tolerance=0,
    cases=[{"parameters": {"special": {"orders": [-9]}}, "result": bins}],
)
trends = lambda orders, tenure: {"arrears": "ascending", "tenure": tenure, "orders": orders}
write(
    "woe.json",
    source="test/vectors/woe.py: optbinning's solver on rows drawn there",
    tolerance=1e-7,
    cases=[
        {
            "parameters": {"trends": trends("descending", "peak"), "minShare": 0.05},
            "result": {
                "columns": {
                    "arrears": optimal("arrears", "ascending"),
                    "tenure": optimal("tenure", "peak"),
                    "branch": optimal_levels(0.05),
                }
            },
        },
        {
            "parameters": {"trends": trends("valley", "valley"), "minShare": 0.08, "maxBins": 4},
            "result": {
                "columns": {
                    "arrears": optimal("arrears", "ascending", share=0.08, most=4),
                    "tenure": optimal("tenure", "valley", share=0.08, most=4),
                }
            },
        },
        {
            "parameters": {"trend": "none", "minShare": 0.1},
            "result": {"columns": {"orders": optimal("orders", None, share=0.1), "arrears": optimal("arrears", None, share=0.1)}},
        },
    ],
)

def best_woe(name):
    """WOE of every row under the trend with the largest information value, and of every bin."""
    values = columns[name]
    known = ~np.isnan(values)
    proper = sorted(set(values[known]))
    fits = [
        OptimalBinning(
            dtype="numerical",
            user_splits=[(a + b) / 2 for a, b in zip(proper, proper[1:])],
            monotonic_trend=trend,
            min_bin_size=0.05 * np.mean(known),
        ).fit(values, label)
        for trend in ("ascending", "descending", "peak", "valley")
    ]
    for fit in fits:
        fit.binning_table.build()
    fit = max(fits, key=lambda one: round(one.binning_table.iv, 9))
    return fit.binning_table.iv, fit.transform(values, metric="woe", metric_missing="empirical")

def level_woe():
    names = np.where(branch >= 0, np.array(levels, dtype=object)[branch], None)
    fit = OptimalBinning(dtype="categorical", min_bin_size=0.05, monotonic_trend="ascending").fit(names, label)
    fit.binning_table.build()
    return fit.binning_table.iv, fit.transform(names, metric="woe", metric_missing="empirical").astype(float)

woes = {name: best_woe(name) for name in columns} | {"branch": level_woe()}
kept = [name for name, (iv, _) in woes.items() if iv >= 0.02]
matrix = pd.DataFrame({name: woes[name][1] for name in kept})
fit = sm.Logit(label, sm.add_constant(matrix)).fit(method="newton", tol=1e-14, maxiter=100, disp=0)
named = lambda series: {("intercept" if k == "const" else k): float(v) for k, v in series.items()}
coefficients = named(fit.params)
intercept = coefficients.pop("intercept")

def points(double, base, odds):
    """Of every bin, in the order of its WOE, which is unique: compared as a sorted list is not possible in JSON."""
    factor = double / np.log(2)
    start = (base - factor * np.log(odds) - factor * intercept) / len(kept)
    return {name: sorted(set(np.round(start - factor * coefficients[name] * woes[name][1]).astype(int).tolist())) for name in kept}

write(
    "scorecard.json",
    source="test/vectors/woe.py: optbinning's bins and statsmodels' maximum likelihood on rows drawn there",
    tolerance=1e-7,
    cases=[
        {
            "parameters": {},
            "result": {
                "intercept": intercept,
                "coefficients": coefficients,
                "standardErrors": named(fit.bse),
                "z": named(fit.tvalues),
                "p": named(fit.pvalues),
                "logLikelihood": float(fit.llf),
            },
            "scores": fit.predict().tolist(),
        }
    ],
    points=[{"parameters": {}, "points": points(50, 600, 19)}, {"parameters": {"pointsToDouble": 20, "basePoints": 500, "baseOdds": 50}, "points": points(20, 500, 50)}],
)
