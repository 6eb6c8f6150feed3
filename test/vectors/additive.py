"""Generates additive.json: python3 additive.py > additive.json (scipy 1.17, numpy)."""
import json
import sys
import numpy as np
from scipy.optimize import minimize

rng = np.random.default_rng(23)
n = 500
delay = rng.integers(0, 15, n).astype(float)
load = rng.integers(-5, 6, n).astype(float)
levels = ["mill", "farm", "yard"]
kind = rng.choice(3, n, p=[0.5, 0.3, 0.2])
log_odds = -1 + 0.02 * (delay - 6) ** 2 - 0.1 * load + 0.5 * (kind == 2)
label = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)
load[rng.random(n) < 0.1] = np.nan

def bins_of(values):
    """A bin for each value, and the last for missing ones: there are few values, each with many rows."""
    proper = sorted(set(values[~np.isnan(values)]))
    return np.where(np.isnan(values), len(proper), np.searchsorted(proper, values)), len(proper)

# Levels by their share of bad rows, as the product orders them.
rate = lambda code: (np.sum(label[kind == code]) + 10 * label.mean()) / (np.sum(kind == code) + 10)
order = sorted(range(3), key=rate)
columns = {"delay": bins_of(delay), "load": bins_of(load), "kind": (np.array([order.index(code) for code in kind]), 3)}
numeric = {"delay", "load"}
width = sum(values + 1 for _, values in columns.values())
design = np.zeros((n, width))
penalty = np.zeros((width, width))

def chosen(spans, ridge):
    """Of each column, its smoothing after three steps of Newton's, each followed by one of Fellner and Schall's."""
    wide = np.c_[np.ones(n), design]
    w = np.r_[np.log(label.mean() / (1 - label.mean())), np.zeros(width)]
    weights = {name: 30.0 if name in numeric else 1.0 for name in columns}
    rough = {}
    for name, span in spans.items():
        values = columns[name][1]
        rough[name] = np.zeros((width + 1, width + 1))
        place = np.arange(1 + span.start, 1 + span.start + values)
        apart = np.diff(np.eye(values), axis=0)
        rough[name][np.ix_(place, place)] = apart.T @ apart if name in numeric else np.eye(values)
    ridged = ridge * np.diag([0] + [1] * width)
    total = lambda: ridged + sum(weights[name] * rough[name] for name in columns)
    for _ in range(3):
        p = 1 / (1 + np.exp(-wide @ w))
        curvature = wide.T @ (wide * (p * (1 - p))[:, None]) + total()
        w = w + np.linalg.solve(curvature, wide.T @ (label - p) - total() @ w)
        inverse, prior = np.linalg.inv(curvature), np.linalg.pinv(total())
        # Wood and Fasiolo 2017, (3): likelihood of the smoothing alone, at its quadratic approximation.
        weights = {
            name: weights[name] * np.trace((prior - inverse) @ rough[name]) / (w @ rough[name] @ w) for name in columns
        }
    return weights

def case(smoothness, ridge):
    at, spans = 0, {}
    penalty[:] = ridge * np.eye(width)
    design[:] = 0
    for name, (bins, values) in columns.items():
        design[np.arange(n), at + bins] = 1
        spans[name] = slice(at, at + values + 1)
        at += values + 1
    weights = chosen(spans, ridge) if smoothness is None else {name: smoothness for name in numeric}
    for name, weight in weights.items():
        at, values = spans[name].start, columns[name][1]
        if name in numeric:
            for i in range(at, at + values - 1):
                apart = np.zeros(width)
                apart[[i, i + 1]] = 1, -1
                penalty[:] += weight * np.outer(apart, apart)
        else:
            for i in range(at, at + values):
                penalty[i, i] += weight

    def objective(w):
        eta = w[0] + design @ w[1:]
        p = 1 / (1 + np.exp(-eta))
        value = np.sum(np.logaddexp(0, eta) - label * eta) + w[1:] @ penalty @ w[1:] / 2
        return value, np.r_[np.sum(p - label), design.T @ (p - label) + penalty @ w[1:]]

    w = minimize(objective, np.zeros(width + 1), jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000}).x
    eta = w[0] + design @ w[1:]
    effects = {name: w[1:][span] - np.mean(design[:, span] @ w[1:][span]) for name, span in spans.items()}
    return {
        "parameters": {**({} if smoothness is None else {"smoothness": smoothness}), "ridge": ridge, "maxSteps": 12},
        "result": {
            "intercept": float(np.mean(eta)),
            "effects": {name: values.tolist() for name, values in effects.items()},
        },
        "scores": (1 / (1 + np.exp(-eta))).tolist(),
    }

json.dump(
    {
        "source": "test/vectors/additive.py: the penalized likelihood's optimum by scipy on rows drawn there; the smoothing of the last by dense algebra",
        "features": [
            {"name": "delay", "kind": "numeric"},
            {"name": "load", "kind": "numeric"},
            {"name": "kind", "kind": "categorical", "levels": levels},
        ],
        "rows": {
            "delay": delay.tolist(),
            "load": [None if np.isnan(x) else x for x in load],
            "kind": kind.tolist(),
        },
        "label": label.tolist(),
        "tolerance": 1e-4,
        "cases": [case(10, 1), case(0.5, 0.1), case(None, 1)],
    },
    sys.stdout,
    indent=1,
)
