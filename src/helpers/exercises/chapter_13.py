"""The right answers of chapter 13's exercises, each computed by other code than the chapter asks for."""

import math

from scipy.optimize import brentq, minimize_scalar
from scipy.stats import beta

from .marking import Exercise, choice, function, number


def _all_right():
    """First n at which Clopper and Pearson's limit for no error is .01 or less."""
    return next(n for n in range(1, 10_000) if beta.ppf(0.95, 1, n) <= 0.01)


def _inverse(q, c):
    """The root of kl(q || p) = c above q, by Brent's method on the logarithms; 1 - e^-c where q is 0."""
    if q == 0:
        return -math.expm1(-c)
    entropy = q * math.log(q) + (1 - q) * math.log1p(-q)
    return brentq(lambda p: entropy - q * math.log(p) - (1 - q) * math.log1p(-p) - c, q, 1 - 1e-15, xtol=1e-15)


def _starts(n=768, grid=221, failure=0.05):
    """log(A P) = 2 log A, solved for P on a logarithmic axis."""
    once = math.log(2 * math.sqrt(n) * grid / failure)
    return math.exp(minimize_scalar(lambda power: (power - once) ** 2, bounds=(0, 60), method="bounded",
                                    options={"xatol": 1e-12}).x)


def _noise(Q=100, d=60, l_b=0.5, failure=0.05):
    """N8 (b) for one value with K = 1, kappa = nu = 1, N = 2Q, written out once more."""
    S, q = 0.4 * math.log(3), math.sqrt(2 * math.log(14 * Q / failure))
    z, length = 1.6448536269514722, math.sqrt(1 + l_b**2)  # Phi(-z) is .05

    def short(v):
        far = v * (math.sqrt(d) + q)
        X, mean_noise = length + far, v / math.sqrt(2 * Q)
        eta = q * v + q * v * length / (2 * Q) + far**2 / (2 * Q) + mean_noise * q * X
        share = eta * (math.exp(X**2 * S / 4) - 1) / X  # omega nu X
        left = 1 - (mean_noise * q + share) * length
        return left - z * v * (1 + mean_noise * (math.sqrt(d) + q) + share)

    return brentq(short, 1e-3, 1.0, xtol=1e-14)


ANSWERS: dict[str, Exercise] = {
    "13.1": number("pairs", _all_right(), rel=0.0),
    "13.2": choice(
        "what breaks it",
        "b",
        {
            "a": "The theorem speaks of every direction at once, so also of the one that is picked.",
            "b": "Which pairs are counted then depends on the pairs, and so does the start.",
            "c": "The direction may depend on everything; only the start and the choice of pairs may not.",
        },
    ),
    "13.3": function(
        "the inverse", _inverse, [(0.1, 0.02), (0.0, 0.3), (0.45, 0.5), (0.9, 1e-3)]
    ),
    "13.4": number("starts", _starts(), rel=4e-6),
    "13.5": number("noise v", _noise(), rel=2e-3),
}
