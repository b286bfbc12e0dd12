"""The right answers of the exercises, by number. Each is computed here by other code than the chapter asks for."""

import numpy as np
from scipy.special import expit, softmax

from .dynamics import scalar_discretization_bound
from .marking import Exercise, choice, function, number


def _best_policy(log_reference, reward, beta):
    return softmax(np.asarray(log_reference) + np.asarray(reward) / beta)


def _ranking_accuracy(margins, gamma, beta):
    # The policy's gap itself, where the chapter compares the margin with a threshold.
    return np.mean(np.asarray(margins) / beta - np.asarray(gamma) > 0)


def _rates(C, r, beta):
    return beta**2 / len(r) * np.sum(np.asarray(C) * expit(-np.asarray(r))[None, :], axis=1)


def _ipo_euler(S, steps):
    # n Euler steps multiply the distance to the target 1 by the same factor each.
    return 1 - (1 - 2 * S / steps) ** steps


_RNG = np.random.default_rng(3)
_C = _RNG.normal(size=(4, 6))

ANSWERS: dict[str, Exercise] = {
    "01.1": number("loss at r = 2", -np.log(1 / (1 + np.exp(-2.0))), rel=5e-3),
    "01.2": number("margin where the ranking flips", 0.1 * np.log(4), rel=5e-3),
    "01.3": function(
        "best policy",
        _best_policy,
        [
            (np.log([0.5, 0.3, 0.2]), np.array([0.0, 1.0, 2.0]), 1.0),
            (np.log([0.9, 0.1]), np.array([-1.0, 1.0]), 0.1),
            (np.log(np.full(4, 0.25)), np.zeros(4), 0.5),
        ],
    ),
    "01.4": function(
        "ranking accuracy",
        _ranking_accuracy,
        [
            (np.array([0.3, -0.1, 0.2, 0.05]), np.array([1.0, -2.0, 3.0, 0.2]), 0.1),
            (np.array([0.02, 0.02, -0.5]), np.array([1.0, -1.0, -8.0]), 0.05),
        ],
    ),
    "01.5": number("pairs to test on", int(np.ceil(1.959964**2 * 0.9 * 0.1 / 0.03**2)), abs=1.0),
    "03.1": number("interaction", (+1) * (-1) * 1 * 0.3, rel=1e-6),
    "03.2": number("steps", int(np.ceil((2 + np.log(3)) * 4 / (2 * 0.1**2 * 0.5))), abs=1.0),
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
            "a": "Its embeddings may be close, but the factor in front of them is zero.",
            "b": "The preference sharing is exactly zero, so the embedding correlation does not matter.",
            "c": "The normalizer of the softmax cancels in every margin, so nothing passes through it.",
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
