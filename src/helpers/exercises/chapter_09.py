"""The right answers of chapter 9's exercises, each computed by other code than the chapter asks for."""

import numpy as np

from .marking import Exercise, choice, function, number


def _off_diagonal(means):
    """Mean product of two centred rows, by loops over all pairs."""
    rest = np.asarray(means, dtype=float) - np.mean(means, axis=0)
    K = len(rest)
    return float(np.mean([rest[i] @ rest[k] for i in range(K) for k in range(K) if i != k]))


def _standard_error(left_out):
    """From the pseudo-values g * mean - (g - 1) * estimate, whose mean's standard error it is."""
    left_out = np.asarray(left_out, dtype=float)
    g = len(left_out)
    pseudo = g * left_out.mean() - (g - 1) * left_out
    return float(pseudo.std(ddof=1) / np.sqrt(g))


def _in_units_of_the_concept(trace=0.227, d=4096, times=3.0):
    """v / |c|, with |b|^2 + |c|^2 = 1 - trace solved as two linear equations in the squares."""
    squares = np.linalg.solve([[1.0, 1.0], [1.0, -(times**2)]], [1 - trace, 0.0])  # |b|^2, |c|^2
    return float(np.sqrt(trace / d / squares[1]))


def _shown(d=4096, n=200):
    """From the mean eigenvalue of a sample covariance of isotropic noise and the mean of its square."""
    mean, square = 1.0, 1.0 + d / n  # of the d eigenvalues (Marchenko and Pastur)
    return d * mean**2 / square


_MEANS = np.random.default_rng(9).normal(size=(5, 4)) + 7

ANSWERS: dict[str, Exercise] = {
    "09.1": number("directions", _shown(), rel=5e-3),
    "09.2": choice(
        "what the check can see",
        "c",
        {
            "a": "Then all that is left after centring is noise; look at the proposition.",
            "b": "The closed form says how far from zero orthogonal concepts come out.",
            "c": "Half of the concepts are then far from the common mean on one side, half on the other.",
        },
    ),
    "09.3": function(
        "mean product", _off_diagonal, [(_MEANS,), (np.eye(3),), (np.outer([1.0, 1.0, -1.0, -1.0], [2.0, 1.0]),)]
    ),
    "09.4": number("noise in concept lengths", _in_units_of_the_concept(), rel=5e-3),
    "09.5": function(
        "standard error", _standard_error, [([1.0, 2.0, 4.0],), (np.linspace(0.9, 1.3, 10) ** 2,), ([3.0, 3.0],)]
    ),
}
