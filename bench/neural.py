"""The peer of bench/neural.ts: MLP 30-64-32-1 on 16,000 rows, plain gradient steps of 256 rows, one thread.

Prints {"peer": name, "milliseconds": [one per epoch]}; PyTorch where it is installed, else numpy.
"""
import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
epochs, rows, batch, rate = int(sys.argv[1]), 16_000, 256, 0.1


def with_torch():
    import torch

    torch.set_num_threads(1)
    x, y = torch.randn(rows, 30), (torch.rand(rows, 1) < 0.5).float()
    model = torch.nn.Sequential(
        torch.nn.Linear(30, 64), torch.nn.ReLU(), torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1)
    )
    optimizer, loss = torch.optim.SGD(model.parameters(), lr=rate), torch.nn.BCEWithLogitsLoss()

    def epoch():
        order = torch.randperm(rows)
        for first in range(0, rows, batch):
            part = order[first : first + batch]
            optimizer.zero_grad()
            loss(model(x[part]), y[part]).backward()
            optimizer.step()

    return f"PyTorch {torch.__version__}", epoch


def with_numpy():
    import numpy as np

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(rows, 30)).astype("f4"), (rng.random((rows, 1)) < 0.5).astype("f4")
    sizes = [30, 64, 32, 1]
    weights = [rng.normal(0, 0.2, (a, b)).astype("f4") for a, b in zip(sizes, sizes[1:])]
    biases = [np.zeros(b, "f4") for b in sizes[1:]]

    def epoch():
        order = rng.permutation(rows)
        for first in range(0, rows, batch):
            part = order[first : first + batch]
            layers = [x[part]]
            for w, b in zip(weights[:-1], biases[:-1]):
                layers.append(np.maximum(layers[-1] @ w + b, 0))
            delta = (1 / (1 + np.exp(-(layers[-1] @ weights[-1] + biases[-1]))) - y[part]) / len(part)
            for i in reversed(range(3)):
                below = (delta @ weights[i].T) * (layers[i] > 0)
                weights[i] -= rate * (layers[i].T @ delta)
                biases[i] -= rate * delta.sum(0)
                delta = below

    return f"numpy {np.__version__}", epoch


try:
    peer, epoch = with_torch()
except ImportError:
    peer, epoch = with_numpy()
times = []
for _ in range(epochs):
    start = time.perf_counter()
    epoch()
    times.append(1000 * (time.perf_counter() - start))
print(json.dumps({"peer": peer, "milliseconds": times}))
