"""The right answers of chapter 10's exercises, each computed by other code than the chapter asks for."""

import numpy as np
from scipy.stats import linregress, norm

from .marking import Exercise, choice, function, number


def _adam_margin(m, beta, lr, steps):
    """Adam on two rows, step by step, with a gradient that stays as it was at the start."""
    m = np.asarray(m, dtype=float)
    rows, mean, square = np.zeros((3, 2, len(m)))
    for n in range(1, int(steps) + 1):
        gradient = -0.5 * beta * np.array([m, -m])
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        rows = rows - lr * (mean / (1 - 0.9**n)) / np.sqrt(square / (1 - 0.999**n))
    return float(beta * (rows[0] - rows[1]) @ m)


_K = np.array([1.0, 2.0, 4.0, 8.0])
_M = np.random.default_rng(10).normal(size=6)

ANSWERS: dict[str, Exercise] = {
    "10.1": number("steps", np.log(3) / (2 * 0.1**2 / 16) / (np.log(3) / (2 * 0.1**2) / 100), abs=0.5, rel=0),
    "10.2": choice(
        "which of the three",
        "b",
        {
            "a": "Look at what Adam does with a common factor of the gradient.",
            "c": "The loss is a mean: a larger batch of the same kind has the same gradient.",
        },
    ),
    "10.3": function(
        "margin", _adam_margin, [(_M, 0.01, 1e-3, 100), (_M[:1], 0.1, 0.01, 7), (np.ones(4), 1.0, 1.0, 1)]
    ),
    "10.4": number("R²", linregress(_K, norm.cdf(-3 / np.sqrt(_K))).rvalue ** 2, rel=2e-3),
}
