"""Generates naive-bayes.json: python3 naive-bayes.py > naive-bayes.json (scikit-learn 1.9, numpy)."""
import json
import numpy as np
from sklearn.naive_bayes import CategoricalNB, GaussianNB

rng = np.random.default_rng(62)
n = 200
label = (rng.random(n) < 0.35).astype(int)
turnover = np.round(np.exp(rng.normal(8 - 0.4 * label, 1)), 2)
delay = np.round(rng.normal(20 + 9 * label, 8), 1)
late = delay.copy()
late[rng.random(n) < np.where(label == 1, 0.25, 0.1)] = np.nan
levels = ["bakery", "mill", "yard"]
branch = np.where(label == 1, rng.choice(3, n, p=[0.3, 0.2, 0.5]), rng.choice(3, n, p=[0.5, 0.4, 0.1]))
part = np.where(rng.random(n) < 0.1, -1, branch)
prior = np.log([np.mean(label == 0), np.mean(label == 1)])

def categorical(codes, categories, alpha, rows=slice(None)):
    """Log-likelihood of each code in both classes, without the prior; and the shares themselves."""
    model = CategoricalNB(alpha=alpha, min_categories=categories, fit_prior=True)
    model.fit(codes[rows].reshape(-1, 1), label[rows])
    return model.feature_log_prob_[0].T

def case(columns, alpha, smoothing):
    """Joint log-likelihoods add up over features; those of scikit-learn are taken one feature at a time."""
    joint, described = np.tile(prior, (n, 1)), {}
    for name, (kind, values) in columns.items():
        absent = np.isnan(values) if kind == "numeric" else values < 0
        out = described[name] = {"kind": kind}
        if absent.any():
            log_share = categorical(absent.astype(int), 2, alpha)
            joint += log_share[absent.astype(int)]
            out["missing"] = np.exp(log_share[1]).tolist()
        known = ~absent
        if kind == "numeric":
            own = values[known].reshape(-1, 1)
            model = GaussianNB(var_smoothing=smoothing).fit(own, label[known])
            joint[known] += model.predict_joint_log_proba(own) - np.log(model.class_prior_)
            out |= {"mean": model.theta_[:, 0].tolist(), "variance": model.var_[:, 0].tolist()}
        else:
            log_share = categorical(values, len(levels), alpha, known)
            joint[known] += log_share[values[known]]
            out["shares"] = np.exp(log_share).tolist()
    scores = 1 / (1 + np.exp(joint[:, 0] - joint[:, 1]))
    return {
        "parameters": {"alpha": alpha, "varianceSmoothing": smoothing},
        "result": {"rows": [int(np.sum(label == 0)), int(np.sum(label == 1))], "columns": described},
        "scores": scores.tolist(),
    }

columns = {
    "turnover": ("numeric", turnover),
    "delay": ("numeric", delay),
    "late": ("numeric", late),
    "branch": ("categorical", branch),
    "part": ("categorical", part),
}

# The numeric features that are whole, standardized, by scikit-learn alone: one feature at a time is the same.
both = np.c_[turnover, delay]
standardized = (both - both.mean(0)) / both.std(0)
whole = GaussianNB(var_smoothing=0.05).fit(standardized, label)
alone = case({k: columns[k] for k in ("turnover", "delay")}, 1.0, 0.05)
assert np.allclose(whole.predict_proba(standardized)[:, 1], alone["scores"], rtol=1e-10)

json.dump(
    {
        "source": "test/vectors/naive-bayes.py: GaussianNB and CategoricalNB of scikit-learn on rows drawn there",
        "features": [
            {"name": name, "kind": kind} | ({"levels": levels} if kind == "categorical" else {})
            for name, (kind, _) in columns.items()
        ],
        "rows": {
            name: [None if np.isnan(x) else float(x) for x in values] if kind == "numeric" else values.tolist()
            for name, (kind, values) in columns.items()
        },
        "label": label.tolist(),
        "tolerance": 1e-9,
        "cases": [case(columns, 1.0, 1e-9), case(columns, 0.3, 0.05)],
    },
    open("/dev/stdout", "w"),
    indent=1,
)
