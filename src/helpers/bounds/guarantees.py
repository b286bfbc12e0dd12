"""How likely the paper's event is, and the risk that Theorems B.4 and 4.3 promise on it.

Bounds are returned as they are: one above 1 is true and says nothing.
"""

import math
from typing import Annotated

import numpy as np
from scipy.special import lambertw

from ..checks import at_least, between, numbers, one_of, positive, shown
from .concentration import largest_epsilon

_FORMS = ("paper", "appendix")


def failure_probability(
    K: int,
    Q: int,
    *,
    form: str = "paper",
    Z: int = 1,
    c: float = 1 / 8,
    d: int | None = None,
    v: float | None = None,
    epsilon: float | None = None,
) -> float:
    """Bound on the probability that the event of Lemma B.1 fails.

    Parameters
    ----------
    K, Q : number of values, samples a cluster.
    form : "paper" is that of Theorems 4.2 and 4.3, 8 K Q^(9/4) exp(-min(c sqrt(Q)/5, Q^(3/4)/256)), which knows
        neither Z nor d, v and epsilon. "appendix" is that of B.1,
        (8Z + 4) K Q^2 [exp(-epsilon^2/16) + exp(-(c epsilon/v) min(1, epsilon/(d v)))].
    Z : largest number of values that share a token.
    c : the constant of the bilinear part, above 0 (1e-90). 1/8 is valid always and 1/4 for two different samples
        (Lemma 4a). Infinity drops its term, and at the edge of the region the main text's bound still holds: with
        c = 1/8 the bilinear term of B.1 is the smaller of its two for every Q and Z, so that B.1's bound stays below
        8 K Q^(9/4) exp(-Q^(3/4)/256) wherever that says anything.
    d, v, epsilon : by default at the edge of the region, d = 5Q, v = 1/(32 sqrt Q), epsilon = 1/(16 v (Z + 2)).

    Raises
    ------
    ValueError : an argument out of range.
    """
    return float(np.exp(_log_failure(K, at_least("Q", Q, 1, 10**195), form, Z, c, d, v, epsilon)))


def samples_for_confidence(
    K: int, *, failure: float = 1.0, form: str = "paper", Z: int = 1, c: float = 1 / 8
) -> int:
    """Smallest Q from which on `failure_probability`, at the edge of the region, stays below `failure`.

    Raises `ValueError` for a failure outside of (0, 1] (below 1e-300) or an argument of `failure_probability`.
    """
    if positive("failure", failure, 1) < 1e-300:
        raise ValueError(f"failure must be at least 1e-300, got {shown(failure)}")

    def fails(Q: int) -> bool:
        return _log_failure(K, Q, form, Z, c, None, None, None) >= math.log(failure)

    # The bound grows at first and falls in the end: the last power of 2 at which it fails is below the answer.
    low = max(power for power in range(650) if fails(2**power))
    low, high = 2**low, 2 ** (low + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fails(middle) else (low, middle)
    return high


def risk_bound(K: int, Q: float | Annotated[np.ndarray, "*Q"]) -> float | Annotated[np.ndarray, "*Q"]:
    """2 K Q^2 exp(-Q/45): the risk at most, at the paper's stopping time, with its probability (Theorem 4.3).

    Q is one number or an array. Raises `ValueError` for K or a Q below 1.
    """
    samples = numbers("Q", Q)
    if not (np.isfinite(samples).all() and (samples >= 1).all()):
        raise ValueError(f"Q must be finite and at least 1, got {shown(Q)}")
    samples = np.minimum(samples, 1e150)  # far below, the bound has underflowed to 0; squares still fit
    return (2 * at_least("K", K, 1) * samples**2 * np.exp(-samples / 45))[()]


def samples_for_bound(K: int, risk: float) -> float:
    """The Q beyond which `risk_bound` is below `risk`: -90 W_{-1}(-sqrt(risk / 2K) / 90) (the paper's Figure 4).

    A real number. Raises `ValueError` where `risk` is not above 0 and below the bound's maximum at Q = 90.
    """
    most = float(risk_bound(K, 90))
    if not 1e-300 <= positive("risk", risk) < most:
        raise ValueError(f"risk must be above 0 and below {most:.6g}, the bound's maximum at Q = 90, got {risk!r}")
    return float(-90 * lambertw(-np.sqrt(risk / (2 * K)) / 90, k=-1).real)


def refined_exponent(
    Q: int,
    *,
    Z: int = 1,
    l_b: float | None = None,
    d: int | None = None,
    v: float | None = None,
    epsilon: float | None = None,
    approximate: bool = False,
) -> float:
    """epsilon^2 / (2 (1 + l_b^2 + d v^2 + 2 epsilon v)), the exponent of Theorem B.4.

    Parameters
    ----------
    l_b, d, v, epsilon : by default at the edge of the region of Theorem 4.3: l_b = 1/(2 sqrt Z), d = 5Q,
        v = 1/(32 sqrt Q), epsilon = 1/(16 v (Z + 2)).
    approximate : True for Theorem C.6, where concepts are only nearly orthogonal and 2 epsilon v becomes 5/2.

    Raises
    ------
    ValueError : an argument out of range, also one that others make unnecessary.
    """
    at_least("Q", Q, 1), at_least("Z", Z, 1)
    l_b = 1 / (2 * np.sqrt(Z)) if l_b is None else between("l_b", l_b, 0, 1e6)
    d, v, epsilon = _edge(Q, Z, d, v, epsilon)
    return epsilon**2 / (2 * (1 + l_b**2 + d * v**2 + (2.5 if approximate else 2) * epsilon * v))


def refined_risk_bound(K: int, Q: int, **setting) -> float:
    """2 K Q^2 exp(-`refined_exponent`): the risk at most, at the paper's stopping time (Theorem B.4, repaired).

    `setting` takes the keywords of `refined_exponent`, whose errors it raises; `ValueError` too for K below 1.
    """
    return float(2 * at_least("K", K, 1) * at_least("Q", Q, 1) ** 2 * np.exp(-refined_exponent(Q, **setting)))


def _log_failure(K, Q, form, Z, c, d, v, epsilon) -> float:
    one_of("form", form, _FORMS)
    at_least("K", K, 1), at_least("Z", Z, 1)
    c = float(between("c", c, 1e-90, math.inf))
    d, v, epsilon = _edge(Q, Z, d, v, epsilon)
    if form == "paper":
        return math.log(8 * K) + 9 / 4 * math.log(Q) - min(c * math.sqrt(Q) / 5, Q**0.75 / 256)
    bilinear = c * (epsilon / v) * min(1.0, epsilon / v / d)
    return math.log((8 * Z + 4) * K) + 2 * math.log(Q) + float(np.logaddexp(-epsilon * epsilon / 16, -bilinear))


def _edge(Q: int, Z: int, d: int | None, v: float | None, epsilon: float | None) -> tuple[int, float, float]:
    """d, v and epsilon, where not given at the edge of the region of Theorems 4.2 and 4.3."""
    v = 1 / (32 * math.sqrt(Q)) if v is None else float(positive("v", v, 1e6))
    d = 5 * Q if d is None else at_least("d", d, 1)
    return d, v, largest_epsilon(v, Z) if epsilon is None else float(positive("epsilon", epsilon, 1e100))
