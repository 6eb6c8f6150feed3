"""Generates accountant.json: python3 accountant.py > accountant.json (dp-accounting 0.6.0, numpy, scipy)."""
import json
import dp_accounting
from dp_accounting import pld, rdp
from scipy.optimize import brentq
from scipy.stats import norm
import math

DELTA = 1e-6
CASES = [
    ("one sum", [(4.22, 1, 1)]),
    ("ten sums", [(13.0, 1, 10)]),
    ("three sums of different noise", [(3.0, 1, 1), (6.0, 1, 2), (20.0, 1, 7)]),
    ("little noise", [(0.5, 1, 1)]),
    ("much noise", [(200.0, 1, 4)]),
    ("sampled once", [(1.0, 0.1, 1)]),
    ("training, 100 steps", [(1.0, 0.02, 100)]),
    ("training, 1000 steps", [(1.1, 0.01, 1000)]),
    ("training, little noise", [(0.7, 0.01, 500)]),
    ("training, much noise", [(4.0, 0.05, 1000)]),
    ("training, rare rows", [(1.0, 0.001, 10000)]),
    ("training, half of the rows", [(6.0, 0.5, 200)]),
    ("summary, then training", [(10.0, 1, 2), (1.3, 0.02, 300)]),
    ("two trainings and sums", [(8.0, 1, 1), (2.0, 0.05, 50), (1.5, 0.01, 400), (30.0, 1, 3)]),
]

# Shapes of studies: noise multipliers up to a factor, which is found for each ε.
SHAPES = [
    ("one sum", [(1, 1, 1)]),
    ("seven sums", [(1, 1, 7)]),
    ("bounds, bins and four sums", [(2, 1, 1), (1, 1, 1), (1.5, 1, 4)]),
    ("200 steps on a fiftieth", [(1, 0.02, 200)]),
    ("summary and 1000 steps on a hundredth", [(8, 1, 2), (1, 0.01, 1000)]),
]
EPSILONS = [0.5, 1, 2, 4, 8]


def event(steps):
    return dp_accounting.ComposedDpEvent(
        [
            dp_accounting.SelfComposedDpEvent(
                dp_accounting.GaussianDpEvent(s)
                if q == 1
                else dp_accounting.PoissonSampledDpEvent(q, dp_accounting.GaussianDpEvent(s)),
                n,
            )
            for s, q, n in steps
        ]
    )


def analytic(mu):
    delta = lambda e: norm.cdf(mu / 2 - e / mu) - math.exp(e + norm.logcdf(-mu / 2 - e / mu))
    return brentq(lambda e: delta(e) - DELTA, 0, 1000, xtol=1e-13) if delta(0) > DELTA else 0.0


def rough(steps):
    accountant = rdp.RdpAccountant()
    accountant.compose(event(steps))
    return accountant.get_epsilon(DELTA)


def scaled(shape, factor):
    return [(float("%.4g" % (s * factor)), q, n) for s, q, n in shape]


def calibrated(shape, epsilon):
    low, high = 0.2, 200.0
    for _ in range(16):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if rough(scaled(shape, middle)) > epsilon else (low, middle)
    return scaled(shape, high)


CASES += [(f"{name}, ε = {e} by Rényi", calibrated(shape, e)) for name, shape in SHAPES for e in EPSILONS]
out = []
for name, steps in CASES:
    accountant = pld.PLDAccountant(value_discretization_interval=2e-5)
    accountant.compose(event(steps))
    renyi = rdp.RdpAccountant([*range(2, 65), 80, 96, 128, 192, 256, 384, 512, 768, 1024])
    renyi.compose(event(steps))
    case = {
        "name": name,
        "steps": [{"noiseMultiplier": s, "samplingRate": q, "count": n} for s, q, n in steps],
        "epsilon": accountant.get_epsilon(DELTA),
        "renyi": renyi.get_epsilon(DELTA),
    }
    if all(q == 1 for _, q, _ in steps):
        case["analytic"] = analytic(math.sqrt(sum(n / s**2 for s, _, n in steps)))
    out.append(case)

print(json.dumps({"source": "accountant.py: dp-accounting 0.6.0 (PyPI), PLD by connect-the-dots and RDP", "delta": DELTA, "cases": out}, indent=1))
