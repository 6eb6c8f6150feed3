"""Generates aliasing.json: python3 aliasing.py > aliasing.json (statsmodels 0.15, numpy).

Columns are kept in their order as R's `lm` and `glm` keep them (LINPACK dqrdc2, limited pivoting): a column of which
less than 1e-7 of its norm is left after those kept before it is aliased. The others are fitted by statsmodels.
"""
import json
import numpy as np
import pandas as pd
import statsmodels.api as sm

rng = np.random.default_rng(62)
n = 300
grades = ["A", "B", "C"]
sub_grades = [f"{g}{i}" for g in grades for i in (1, 2)]
sub = rng.choice(6, n, p=[0.2, 0.15, 0.2, 0.15, 0.2, 0.1])
grade = sub // 2
income = np.round(rng.normal(50, 12, n), 1)
debt = np.round(rng.normal(20, 6, n), 1)
gone = rng.random(n) < 0.12
income[gone] = np.nan
debt[gone] = np.nan
rate = np.round(rng.uniform(3, 9, n), 2)
# In the data's own decimals, so that a node that reads them finds the same dependence.
margin = np.round(rate * 2 + 1.5, 2)
log_odds = -1 + 0.4 * grade - 0.03 * (np.nan_to_num(income, nan=50) - 50) + 0.1 * rate
label = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)

filled = lambda x: np.where(np.isnan(x), np.nanmean(x), x)
columns = {
    "intercept": np.ones(n),
    "flat": np.full(n, 7.25),
    **{f"sub_grade={s}": (sub == c).astype(float) for c, s in enumerate(sub_grades) if c > 0},
    **{f"grade={g}": (grade == c).astype(float) for c, g in enumerate(grades) if c > 0},
    "income": filled(income),
    "income=missing": gone.astype(float),
    "debt": filled(debt),
    "debt=missing": gone.astype(float),
    "rate": rate,
    "margin": margin,
}
kept, aliased, basis = {}, [], []
for name, x in columns.items():
    rest = x.copy()
    for q in basis + basis:
        rest = rest - (q @ rest) * q
    if np.linalg.norm(rest) < 1e-7 * np.linalg.norm(x):
        aliased.append(name)
    else:
        kept[name] = x
        basis.append(rest / np.linalg.norm(rest))
assert aliased == ["flat", "grade=B", "grade=C", "debt=missing", "margin"], aliased
fit = sm.Logit(label, pd.DataFrame(kept)).fit(method="newton", tol=1e-14, maxiter=100, disp=0)
linear = sm.OLS(label.astype(float), pd.DataFrame(kept)).fit()
named = lambda series: {k: float(v) for k, v in series.items()}
numbers = lambda x: [None if np.isnan(v) else float(v) for v in x]
json.dump(
    {
        "source": "test/vectors/aliasing.py: limited pivoting as R's glm does it, statsmodels on the columns kept",
        "levels": {"sub_grade": sub_grades, "grade": grades},
        "rows": {
            "flat": columns["flat"].tolist(),
            "sub_grade": sub.tolist(),
            "grade": grade.tolist(),
            "income": numbers(income),
            "debt": numbers(debt),
            "rate": rate.tolist(),
            "margin": margin.tolist(),
        },
        "label": label.tolist(),
        "aliased": sorted(aliased),
        "logistic": {
            "coefficients": named(fit.params),
            "standardErrors": named(fit.bse),
            "logLikelihood": float(fit.llf),
            "scores": fit.predict().tolist(),
        },
        "linear": {"coefficients": named(linear.params), "standardErrors": named(linear.bse)},
    },
    open("/dev/stdout", "w"),
    indent=1,
)
