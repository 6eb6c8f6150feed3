"""Writes desensitize.json: an independent account of classes, distances, pseudonyms and noise.

Needs pandas and scipy: python3 desensitize.py > desensitize.json
"""

import hashlib
import hmac
import json
import struct

import numpy as np
import pandas as pd
from scipy.special import lambertw
from scipy.stats import gamma, wasserstein_distance

rng = np.random.default_rng(20260301)


def anonymity_case(rows, ordered):
    frame = pd.DataFrame(
        {
            "age": rng.integers(0, 3, rows) * 10 + 5,
            "region": rng.integers(-1, 2, rows),
            "illness": rng.integers(0, 5, rows),
        }
    )
    groups = [part["illness"].to_numpy() for _, part in frame.groupby(["age", "region"])]
    whole = frame["illness"].to_numpy()
    values = np.sort(np.unique(whole))
    rank = {value: i for i, value in enumerate(values)}

    def distance(part):
        if ordered:
            # places 1/(m-1) apart
            scale = max(1, len(values) - 1)
            return wasserstein_distance([rank[x] for x in part], [rank[x] for x in whole]) / scale
        shares = [abs(np.mean(part == value) - np.mean(whole == value)) for value in values]
        return sum(shares) / 2

    return {
        "age": frame["age"].tolist(),
        "region": frame["region"].tolist(),
        "illness": whole.tolist(),
        "ordered": ordered,
        "k": min(len(part) for part in groups),
        "l": min(len(set(part)) for part in groups),
        "t": max(distance(part) for part in groups),
    }


def keyed(key, *parts):
    body = b"".join(struct.pack(">I", len(part.encode())) + part.encode() for part in parts)
    return hmac.new(key, body, hashlib.sha256)


def hkdf(root, info, length=32):
    # RFC 5869 with an empty salt and one block of output
    prk = hmac.new(b"\0" * 32, root, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()[:length]


root = bytes(range(32))
info = b"fedcredit/desensitize/v1\0pseudonym\0credit risk\x0090\x00228"
derived = hkdf(root, info)
epsilon = 0.01
shares = [0.05, 0.25, 0.5, 0.75, 0.95]
# Inverse of the radial distribution as Andrés et al. state it; the same as a gamma quantile.
radii = [float(-(lambertw((p - 1) / np.e, -1).real + 1) / epsilon) for p in shares]
assert np.allclose(radii, gamma.ppf(shares, 2, scale=1 / epsilon))

print(
    json.dumps(
        {
            "source": "desensitize.py beside this file: pandas, scipy, hmac of the Python standard library",
            "anonymity": [anonymity_case(rows, ordered) for rows in (40, 90) for ordered in (False, True)],
            "pseudonym": {
                "root": root.hex(),
                "purpose": "credit risk",
                "rotationDays": 90,
                "nowMillis": 228 * 90 * 86_400_000 + 1,
                "key": derived.hex(),
                "field": "id_number",
                "value": "110101199003078888",
                "pseudonym": keyed(derived, "id_number", "110101199003078888").hexdigest()[:32],
            },
            "planarLaplace": {"epsilonPerMetre": epsilon, "shares": shares, "radiiMetres": radii},
        },
        indent=1,
    )
)
