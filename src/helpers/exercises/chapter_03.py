"""The right answers of chapter 3's exercises, each computed by other code than the chapter asks for."""

import numpy as np
from scipy.special import expit

from ..dynamics.flow import scalar_discretization_bound
from .marking import Exercise, choice, function, number


def _rates(C, r, beta):
    return beta**2 / len(r) * np.sum(np.asarray(C) * expit(-np.asarray(r))[None, :], axis=1)


_C = np.random.default_rng(3).normal(size=(4, 6))

ANSWERS: dict[str, Exercise] = {
    "03.1": number("interaction", (+1) * (-1) * 1 * 0.3, rel=1e-6),
    "03.2": number("steps", int(np.ceil((2 + np.log(3)) * 4 / (2 * 0.1**2 * 0.5))), rel=0.0),
    "03.3": function(
        "rates",
        _rates,
        [
            (np.array([[2.0, -1.0], [-1.0, 2.0]]), np.array([0.0, 0.0]), 1.0),
            (_C @ _C.T, np.array([0.1, -0.4, 2.0, 0.0]), 0.3),
        ],
    ),
    "03.4": choice(
        "what a value that shares no token can do",
        "b",
        {
            "a": "Close embeddings are one factor of the interaction; look at the other one.",
            "b": "The preference sharing is exactly zero, so the embedding correlation does not matter.",
            "c": "A margin is a difference of two log-probabilities; see what the normalizer does in it.",
        },
    ),
    "03.5": number(
        "learning rate",
        # h S / 16 <= 0.01 at S = 3, and lr = h K / (2 beta^2), found by bisection on the bound itself.
        next(
            lr
            for lr in np.linspace(0.1, 20, 19_901)[::-1]
            if scalar_discretization_bound(2 * 0.1**2 * lr / 2, 3.0) <= 0.01
        ),
        rel=5e-3,
    ),
}
