"""Generates multinomial.json: python3 multinomial.py > multinomial.json (statsmodels 0.15, scikit-learn 1.9, numpy)."""
import json
import numpy as np
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(15)
n = 600
good, bad = ["normal", "grace"], ["overdue 16-30", "overdue 31-90", "written off"]
names = good + bad
debt = np.round(rng.uniform(0, 4, n), 2)
years = np.floor(rng.uniform(0, 20, n))
levels = ["mill", "yard"]
trade = rng.choice(2, n, p=[0.6, 0.4])
odds = np.stack([np.zeros(n), -0.5 + 0.2 * debt, -1.2 + 0.5 * debt - 0.03 * years, -2 + 0.8 * debt, -2.2 + 0.7 * debt + 0.5 * trade], 1)
shares = np.exp(odds) / np.exp(odds).sum(1, keepdims=True)
outcome = np.array([rng.choice(5, p=p) for p in shares])
design = sm.add_constant(np.stack([debt, years, trade], 1))
fit = sm.MNLogit(outcome, design).fit(method="newton", maxiter=100, tol=1e-14, disp=0)

def named(values):
    return {"debt": float(values[1]), "years": float(values[2]), "trade=yard": float(values[3])}

def level(k):
    b, e, z, p = (np.asarray(x)[:, k] for x in (fit.params, fit.bse, fit.tvalues, fit.pvalues))
    return {
        "intercept": float(b[0]),
        "coefficients": named(b),
        "standardErrors": {"intercept": float(e[0]), **named(e)},
        "z": {"intercept": float(z[0]), **named(z)},
    }

# The scale of a penalty is the implementation's: standard deviations, of an indicator that of all rows.
scale = np.array([debt.std(ddof=1), years.std(ddof=1), trade.std(ddof=0)])
centre = np.stack([debt, years, trade], 1).mean(0)
standard = (np.stack([debt, years, trade], 1) - centre) / scale

def ridge(penalty):
    model = LogisticRegression(C=1 / (n * penalty), solver="newton-cholesky", tol=1e-14, max_iter=1000).fit(standard, outcome)
    # Weights of all five outcomes; here they stand against the first.
    slopes = (model.coef_ - model.coef_[0]) / scale
    starts = model.intercept_ - model.intercept_[0] - slopes @ centre
    return {
        "parameters": {"penalty": penalty},
        "result": {
            "levels": {names[k]: {"intercept": float(starts[k]), "coefficients": named([0, *slopes[k]])} for k in range(1, 5)},
            "rows": n,
        },
        "scores": model.predict_proba(standard)[:, 2:].sum(1).tolist(),
    }

print(json.dumps({
    "source": "multinomial.py",
    "features": [
        {"name": "debt", "kind": "numeric"},
        {"name": "years", "kind": "numeric"},
        {"name": "trade", "kind": "categorical", "levels": levels},
    ],
    "rows": {"debt": debt.tolist(), "years": years.tolist(), "trade": trade.tolist()},
    "label": outcome.tolist(),
    "outcomes": {"good": good, "bad": bad},
    "tolerance": 1e-8,
    "cases": [{
        "parameters": {},
        "result": {
            "outcomes": [{"value": v, "bad": v in bad} for v in names],
            "levels": {names[k + 1]: level(k) for k in range(4)},
            "logLikelihood": float(fit.llf),
            "rows": n,
        },
        "scores": fit.predict()[:, 2:].sum(1).tolist(),
    }, ridge(0.01)],
}, indent=1))
