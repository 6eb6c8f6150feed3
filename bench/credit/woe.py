"""Information value of every column by optbinning: with the prebins that its solver joined: python3 woe.py ROWS.json."""
import json
import sys
import time
import warnings
import numpy as np
from optbinning import OptimalBinning
from sklearn.tree import DecisionTreeClassifier

warnings.filterwarnings("ignore")
rows = json.load(open(sys.argv[1]))
label = np.array(rows["label"])
found = {}

for name, cells in rows["columns"].items():
    values = np.array([np.nan if cell is None else cell for cell in cells], dtype=float)
    known = ~np.isnan(values)
    # As optbinning cuts its prebins; given to it, so that they are known here.
    tree = DecisionTreeClassifier(min_samples_leaf=0.05, max_leaf_nodes=20).fit(values[known].reshape(-1, 1), label[known])
    splits = np.unique(tree.tree_.threshold[tree.tree_.feature >= 0])
    begun = time.perf_counter()
    binning = OptimalBinning(dtype="numerical", **({"user_splits": splits} if len(splits) else {})).fit(values, label)
    milliseconds = 1000 * (time.perf_counter() - begun)
    table = binning.binning_table
    missing = table.build().iloc[-2]
    prebin = np.digitize(values[known], splits)
    counts = [np.bincount(prebin[label[known] == c], minlength=len(splits) + 1) for c in (0, 1)]
    found[name] = {
        "iv": float(table.iv),
        # Of the values alone: what is missing is no part of the optimum.
        "ofValues": float(table.iv) - float(missing["IV"]),
        "good": counts[0].tolist(),
        "bad": counts[1].tolist(),
        "milliseconds": milliseconds,
    }
json.dump(found, sys.stdout)
