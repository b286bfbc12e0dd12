"""The right answers of chapter 14's exercises, each computed by other code than the chapter asks for."""

import numpy as np
from scipy.stats import norm

from .marking import Exercise, choice, function, number


def _served(v, risk):
    """The last K whose limit is at most the risk, found by counting."""
    K = 0
    while norm.sf(1 / (v * np.sqrt(K + 1))) <= risk:
        K += 1
    return K


def _pairs_needed(values, v, risk):
    """The first number of pairs at which the fullest one carries few enough, found by dealing the values out."""
    pairs = 1
    while max(np.bincount(np.arange(values) % pairs)) > _served(v, risk):
        pairs += 1
    return pairs


def _floors(gram, v):
    """From the direction itself: the risk of w_i = sum_k g_ik c_k in a mixture with the unit vectors as concepts."""
    directions = np.asarray(gram, dtype=float) @ np.eye(len(gram))
    along = np.diag(directions) / np.linalg.norm(directions, axis=1)
    return norm.cdf(-along / v)


def _mean_margins(gram, counts, l_b):
    """From the mean samples, one by one: the last coordinate is that of b."""
    gram, counts = np.asarray(gram, dtype=float), np.asarray(counts)
    K = len(gram)
    means = {(k, s): s * np.eye(K, K + 1)[k] + l_b * np.eye(K + 1)[K] for k in range(K) for s in (1, -1)}
    found = np.zeros((K, 2))
    for i in range(K):
        w = sum(gram[i, k] * n * s * means[k, s] for k in range(K) for n, s in zip(counts[k], (1, -1), strict=True))
        found[i] = [s * (w @ means[i, s]) for s in (1, -1)]
    return found * K / counts.sum()


_YES = np.ones((3, 3))
_CHAIN = np.eye(3) - 0.5 * np.eye(3, k=1) - 0.5 * np.eye(3, k=-1)

ANSWERS: dict[str, Exercise] = {
    "14.1": number("values", _served(0.2, 0.1), rel=1e-9),
    "14.2": choice(
        "what helps",
        "c",
        {
            "a": "Another loss chooses another vector w; the limit holds for every w.",
            "b": "The limit has no Q in it.",
            "c": "Two vectors in the place of one, each for eight values.",
            "d": "Whatever the optimizer, all values see one vector w.",
        },
    ),
    "14.3": function("floors", _floors, [(_CHAIN, 0.4), (_YES, 0.3), (np.eye(2), 0.5)]),
    "14.4": number("pairs of answers", _pairs_needed(20, 0.2, 0.05), rel=1e-9),
    "14.5": function(
        "mean margins",
        _mean_margins,
        [
            (_YES, [[11, 9], [11, 9], [10, 10]], 2.5),
            (_CHAIN, [[15, 5], [5, 15], [10, 10]], 1.2),
            (np.eye(2), [[19, 1], [10, 10]], 1.3),
        ],
    ),
}
