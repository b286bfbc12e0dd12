"""The right answers of chapter 12's exercises, each computed by other code than the chapter asks for."""

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from .marking import Exercise, choice, function, number


def _law(K=4, Q=10, v=0.3, d=100, l_b=0.5):
    """With A and B as vectors: squared lengths and products of their means, and their noise."""
    concepts = np.eye(K, K + 1)
    learned, target = concepts.sum(axis=0), concepts[0] + l_b * np.eye(K + 1)[K]
    old = K * v**2 / (2 * Q)
    variance = v**2 * learned @ learned + old * target @ target + d * old * v**2
    return float(norm.sf(learned @ target / np.sqrt(variance)))


def _smoothed(M, V, n, Q):
    """The probability of M + noise <= 0 for noise of variance V/Q - V/n, by integrating the density."""
    found = []
    for mean, variance in zip(np.asarray(M, float), np.asarray(V, float), strict=True):
        s = np.sqrt(variance * (n - Q) / (n * Q))
        low = min(mean - 10 * s, -1.0)
        found.append(quad(lambda t, mean=mean, s=s: norm.pdf(t, mean, s), low, 0, points=[min(mean, 0.0)])[0])
    return float(np.mean(found))


def _turned(square=1.25, share=0.55):
    """Smallest K at which the minority side of a value has a negative mean of T, by counting statements."""
    n_0 = 200
    for K in range(1, 100):
        more, less = round(share * n_0), n_0 - round(share * n_0)
        lean = sum((more - less) / n_0 for _ in range(K))
        if 1 - lean * square < -1e-9:
            return K
    raise AssertionError("no such K")


_CASES = [
    ([1.0, 2.0, -0.5], [4.0, 1.0, 2.0], 20, 5),
    ([0.3, 0.1], [1.0, 9.0], 75, 64),
    ([0.0], [2.0], 10, 1),
]

ANSWERS: dict[str, Exercise] = {
    "12.1": number("risk by the law", _law(), rel=5e-3),
    "12.2": choice(
        "where the bias comes from",
        "b",
        {
            "a": "That would shrink with more statements at hand; the mixture was asked, and shows hardly any.",
            "b": "Given the new statement T is nearly normal; over all statements, loud and quiet, it is not.",
            "c": "Each half is once the known one, so what the halves differ by averages out.",
        },
    ),
    "12.3": function("risk by statement", _smoothed, _CASES),
    "12.4": number("values", _turned(), rel=1e-6),
}
