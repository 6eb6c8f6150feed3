"""Generates logistic.json: python3 logistic.py > logistic.json (statsmodels 0.15, numpy)."""
import json
import numpy as np
import pandas as pd
import statsmodels.api as sm

rng = np.random.default_rng(61)
n = 200
turnover = np.round(np.exp(rng.normal(8, 1.2, n)), 2)
delay = rng.integers(0, 60, n).astype(float)
delay[rng.random(n) < 0.1] = np.nan
branch = rng.choice(3, n, p=[0.5, 0.3, 0.2])
levels = ["bakery", "mill", "yard"]
log_odds = -0.8 + 0.03 * np.nan_to_num(delay, nan=30) - 0.3 * (np.log(turnover) - 8) + 0.6 * (branch == 2)
label = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)

design = pd.DataFrame({
    "turnover": turnover,
    "delay": np.where(np.isnan(delay), np.nanmean(delay), delay),
    "delay=missing": np.isnan(delay).astype(float),
    **{f"branch={level}": (branch == code).astype(float) for code, level in enumerate(levels) if code > 0},
})
fit = sm.Logit(label, sm.add_constant(design)).fit(method="newton", tol=1e-14, maxiter=100, disp=0)
named = lambda series: {("intercept" if k == "const" else k): float(v) for k, v in series.items()}
coefficients = named(fit.params)
json.dump(
    {
        "source": "test/vectors/logistic.py: statsmodels on rows drawn there",
        "features": [
            {"name": "turnover", "kind": "numeric"},
            {"name": "delay", "kind": "numeric"},
            {"name": "branch", "kind": "categorical", "levels": levels},
        ],
        "rows": {
            "turnover": turnover.tolist(),
            "delay": [None if np.isnan(x) else x for x in delay],
            "branch": branch.tolist(),
        },
        "label": label.tolist(),
        "tolerance": 1e-9,
        "cases": [
            {
                "parameters": {},
                "result": {
                    "intercept": coefficients.pop("intercept"),
                    "coefficients": coefficients,
                    "standardErrors": named(fit.bse),
                    "z": named(fit.tvalues),
                    "logLikelihood": float(fit.llf),
                    "rows": n,
                },
                "scores": fit.predict().tolist(),
            }
        ],
    },
    open("/dev/stdout", "w"),
    indent=1,
)
