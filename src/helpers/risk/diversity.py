"""How many samples a value needs, and how many values one pair of answers can serve (N5 items 2 and 3, N12)."""

import math

from scipy.special import ndtri

from ..checks import at_least, between, positive


def samples_for_risk(risk: float, *, v: float, d: int, l_b: float = 0.0, kappa: float = 1.0) -> float:
    """Samples a cluster at which the law N5 predicts this risk after one step; infinite where none suffices.

    Parameters
    ----------
    risk : wanted share of errors, strictly between 0 and 1/2.
    v, d, l_b : the mixture in units of the concepts' length, as in `ValueMixture`.
    kappa : crosstalk factor of the value, at least 1; K where all values share both answers.

    Returns
    -------
    kappa v^2 z^2 (1 + l_b^2 + d v^2) / (2 (1 - kappa v^2 z^2)) with z = -Phi^-1(risk), a real number. It is a number
    of the first step: longer training may do better or worse.

    Raises
    ------
    ValueError : an argument out of range.
    """
    between("v", v, 0.0, 1e6), at_least("d", d, 1), between("l_b", l_b, 0.0, 1e6), between("kappa", kappa, 1.0, 1e12)
    share = kappa * v**2 * _quantile(risk) ** 2
    if share >= 1:
        return math.inf
    return share * (1 + l_b**2 + d * v**2) / (2 * (1 - share))


def diversity_limit(v: float, risk: float) -> float:
    """The largest number of values K that one pair of answers can serve with this average risk (N5 item 2, N12).

    If all K values answer with the same two tokens then, for every Delta W, whatever the loss, the data and the
    training time, the risk is at least Phi(-1 / (v sqrt K)). So K is at most 1 / (v z)^2 with z = -Phi^-1(risk).

    Returns
    -------
    A whole number, 0 where not even one value can be served; infinite for v = 0 (below 1e-100).

    Raises
    ------
    ValueError : v negative, or a risk that is not strictly between 0 and 1/2.
    """
    between("v", v, 0.0, 1e6)
    most = math.inf if v < 1e-100 else 1 / (v * _quantile(risk)) ** 2
    return most if math.isinf(most) else math.floor(most * (1 + 1e-12))  # rounding must not cost a value


def _quantile(risk: float) -> float:
    """z = -Phi^-1(risk)."""
    if positive("risk", risk) >= 0.5:
        raise ValueError(f"risk must lie strictly between 0 and 0.5, got {risk!r}")
    return -float(ndtri(risk))
