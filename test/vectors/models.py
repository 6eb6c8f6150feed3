"""Generates models.json: python3 models.py > models.json (statsmodels 0.13, scikit-learn 1.2, scipy)."""
import json
import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score

rng = np.random.default_rng(20240)
n = 240
income = np.round(np.exp(rng.normal(10, 1, n)), 2)
age = rng.integers(20, 70, n).astype(float)
share = np.round(rng.normal(0, 0.1, n), 4)
share[rng.random(n) < 0.15] = np.nan
sector = rng.choice(["trade", "textile", "transport"], n, p=[0.5, 0.3, 0.2])
log_odds = -0.5 - 0.4 * (np.log(income) - 10) + 0.02 * (age - 45) + 4 * np.nan_to_num(share) + (sector == "trade") * 0.7
label = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)

levels = ["textile", "trade", "transport"]
design = pd.DataFrame({
    "income": income,
    "age": age,
    "share": np.where(np.isnan(share), np.nanmean(share), share),
    "share=missing": np.isnan(share).astype(float),
    **{f"sector={level}": (sector == level).astype(float) for level in levels[1:]},
})
fit = sm.Logit(label, sm.add_constant(design)).fit(method="newton", tol=1e-14, maxiter=100, disp=0)
name = lambda series: {("intercept" if k == "const" else k): float(v) for k, v in series.items()}

# The scale of the penalty is the one of the implementation: standard deviations of the values that are present,
# n - 1; of indicators, n.
scale = np.array([pd.Series(income).std(), age.std(ddof=1), np.nanstd(share, ddof=1)] + [design[c].std(ddof=0) for c in design.columns[3:]])
z = ((design - design.mean()) / scale).values

def penalized(penalty, l1_ratio):
    model = LogisticRegression(
        penalty="elasticnet", solver="saga", C=1 / (n * penalty), l1_ratio=l1_ratio, tol=1e-13, max_iter=1_000_000
    ).fit(z, label)
    own = model.coef_[0] / scale
    return {
        "penalty": penalty,
        "l1Ratio": l1_ratio,
        "intercept": float(model.intercept_[0] - own @ design.mean().values),
        "coefficients": dict(zip(design.columns, map(float, own))),
    }

def server_steps():
    """The published update rules, three steps each on the same updates."""
    start = np.array([0.5, -1.0, 2.0])
    updates = rng.normal(0, 0.1, (3, 3))
    w, v, out = {k: start.copy() for k in ("fedavg", "fedavgm", "fedadam")}, np.zeros(3), {}
    m, s = np.zeros(3), np.zeros(3)
    for update in updates:
        w["fedavg"] = w["fedavg"] + 0.7 * update
        v = 0.9 * v + update
        w["fedavgm"] = w["fedavgm"] + 0.7 * v
        m = 0.9 * m + 0.1 * update
        s = 0.99 * s + 0.01 * update**2
        w["fedadam"] = w["fedadam"] + 0.7 * m / (np.sqrt(s) + 0.001)
    return {"start": start.tolist(), "updates": updates.tolist(), **{k: x.tolist() for k, x in w.items()}}

scores = np.round(rng.beta(2, 5, 300), 6)
outcome = (rng.random(300) < scores).astype(int)
good, bad = scores[outcome == 0], scores[outcome == 1]
summary = {
    c: {"mean": float(np.nanmean(v)), "variance": float(np.nanvar(v, ddof=1)), "missing": int(np.isnan(v).sum())}
    for c, v in {"income": income, "age": age, "share": share}.items()
}
json.dump(
    {
        "source": "test/vectors/models.py: statsmodels, scikit-learn and scipy on rows drawn there",
        "rows": {
            "income": income.tolist(),
            "age": age.tolist(),
            "share": [None if np.isnan(x) else x for x in share],
            "sector": [levels.index(x) for x in sector],
            "levels": levels,
            "label": label.tolist(),
        },
        "summary": summary,
        "logistic": {
            "coefficients": name(fit.params),
            "standardErrors": name(fit.bse),
            "z": name(fit.tvalues),
            "p": name(fit.pvalues),
            "logLikelihood": float(fit.llf),
        },
        "penalized": [penalized(0.05, 0), penalized(0.02, 0.5), penalized(0.03, 1)],
        "metrics": {
            "scores": scores.tolist(),
            "label": outcome.tolist(),
            "auc": float(roc_auc_score(outcome, scores)),
            "ks": float(stats.ks_2samp(good, bad).statistic),
            "brier": float(brier_score_loss(outcome, scores)),
            "accuracy": float(accuracy_score(outcome, scores >= 0.5)),
        },
        "serverSteps": server_steps(),
        "normalTail": [[x, float(stats.norm.sf(x))] for x in [0, 0.1, 1, 1.96, 2.999, 3, 5, 10, 30]],
    },
    open("/dev/stdout", "w"),
    indent=1,
)
