"""The right answers of chapter 2's exercises, each computed by other code than the chapter asks for."""

import numpy as np
from scipy.optimize import brentq

from ..dynamics.rates import initial_rates
from ..layouts import TokenLayout, disjoint, grid
from ..mixture import ValueMixture
from .marking import Exercise, choice, function, number

_TOKENS = TokenLayout((("Yes", "No"), ("Yes", "Maybe"), ("Never", "No")))
HUB = TokenLayout((("a", "b"), *((f"x{k}", "a") for k in range(3)), *(("b", f"y{k}") for k in range(3))))


def _cosine_of_sides(l_b):
    mixture = ValueMixture(disjoint(1), d=2, v=0.0, l_b=l_b)
    one, other = mixture.mean(0, 1), mixture.mean(0, -1)
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def _vectors(gram):
    """Vectors as rows with the given inner products."""
    return np.linalg.cholesky(np.asarray(gram, dtype=float))


def _alignment(g_hat, gram):
    concepts = _vectors(gram)
    found = []
    for i, row in enumerate(np.asarray(g_hat, dtype=float)):
        learned = sum(weight * concept for weight, concept in zip(row, concepts, strict=True))
        found.append(learned @ concepts[i] / np.linalg.norm(learned) / np.linalg.norm(concepts[i]))
    return np.array(found)


def _hub_rate(cosine):
    concepts = _vectors(np.full((7, 7), cosine) + (1 - cosine) * np.eye(7))
    return initial_rates(HUB, concepts, np.zeros(7))[0].mean()


_BASIS = np.random.default_rng(2).normal(size=(4, 9))
_CHAIN = np.array([[1, -0.5, 0], [-0.5, 1, -0.5], [0, -0.5, 1]])

ANSWERS: dict[str, Exercise] = {
    "02.1": number("crosstalk factor", _TOKENS.kappa[0], rel=1e-6),
    "02.2": number("length of b", brentq(lambda l_b: _cosine_of_sides(l_b) - 0.995, 1.0, 100.0), rel=5e-3),
    "02.3": choice(
        "what fails",
        "c",
        {
            "a": "Two of the hypotheses are about tokens; check both.",
            "b": "Each token occurs in three values, and 1 / (4 * 0.25^2) = 4 allows that.",
            "c": "Z = 3 would pass, but the theorems also want no two values to have the same two answers.",
        },
    ),
    "02.4": function(
        "alignment",
        _alignment,
        [
            (_CHAIN, np.eye(3)),
            (_CHAIN, np.full((3, 3), 0.7) + 0.3 * np.eye(3)),
            (np.ones((4, 4)), _BASIS @ _BASIS.T),
        ],
    ),
    "02.5": number("tokens", len(grid(16).tokens), rel=0.0),
    "02.6": number("cosine", brentq(_hub_rate, 0.0, 0.9), rel=5e-3),
}
