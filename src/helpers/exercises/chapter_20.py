"""The right answers of chapter 20's exercises, each computed by other code than the chapter asks for."""

from math import erfc, sqrt

import numpy as np

from ..risk import samples_for_risk
from .marking import Exercise, choice, function, number


def _votes(G):
    """By loops over all pairs of pairs."""
    G = np.asarray(G, dtype=float)
    return np.array([sum(float(G[j] @ G[k]) for k in range(len(G)) if k != j) for j in range(len(G))])


_G = np.random.default_rng(20).normal(size=(6, 4))

ANSWERS: dict[str, Exercise] = {
    "20.1": number("floor", erfc(1 / 0.7 / sqrt(2)) / 2, rel=5e-3),
    "20.2": choice(
        "what follows",
        "b",
        {
            "a": "Look at the explorer with more steps.",
            "b": "The plan speaks of one stage and of one choice of answers.",
            "c": "The plan knows nothing of other models.",
        },
    ),
    "20.3": function("votes", _votes, [(_G,), (np.eye(3),), (np.ones((4, 2)),)]),
    "20.4": number("pairs a side", samples_for_risk(0.05, v=0.5, d=30, l_b=0.0), rel=5e-3),
}
