"""The order in which pairs are trained on, and the draws of a loss that looks at its batch."""

import numpy as np


def in_batches(N: int, batch: int, steps: int, seed: int) -> np.ndarray:
    """Pair numbers of every batch, (steps, batch): one permutation of all N pairs after the other."""
    epochs = -(-steps * batch // N)
    stream = [np.random.default_rng([seed, epoch]).permutation(N) for epoch in range(epochs)]
    return np.concatenate([np.empty(0, np.int64), *stream])[: steps * batch].reshape(steps, batch)


def draws_of(seed: int, step: int) -> np.random.Generator:
    """What a loss draws with in one step: the same however often the run was interrupted."""
    return np.random.default_rng([seed, step, 1])
