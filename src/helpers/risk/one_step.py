"""The first full-batch step from the reference: its direction, and its exact expected risk (N3, N4).

After it w_i is proportional to m_i, a Gaussian vector, and a margin is the product of two independent Gaussians.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.optimize import brentq

from ..checks import holds, one_of
from ..mixture import ValueMixture

LEAST_NOISE = 1e-100  # of the exact risk: its squares and their inverses stay numbers


@dataclass(frozen=True)
class FirstStep:
    """Moments of the direction m_i ~ N(learned_i, variance_i I) and of the targets c_i + s b (N3).

    learned : mu_A, shape (K, d).   variance : delta_A^2, shape (K,).
    target : mu_B of each cluster, shape (K, 2, d), side +1 first.   v : noise of a new sample.
    """

    learned: Annotated[np.ndarray, "K d"]
    variance: Annotated[np.ndarray, "K"]
    target: Annotated[np.ndarray, "K 2 d"]
    v: float

    @property
    def product(self) -> Annotated[np.ndarray, "K 2"]:
        """mu_A . mu_B, the mean of the margin's sign statistic, shape (K, 2)."""
        return np.einsum("kd,ksd->ks", self.learned, self.target)

    @property
    def D(self) -> Annotated[np.ndarray, "K 2"]:
        """Standard deviation of <A, B>, shape (K, 2): for balanced orthonormal data the D_i of N4 and N5."""
        length = (self.learned**2).sum(axis=1)[:, None]
        reach = (self.target**2).sum(axis=2) + self.target.shape[2] * self.v**2
        return np.sqrt(length * self.v**2 + reach * self.variance[:, None])


def first_step(mixture: ValueMixture, Q: int | np.ndarray) -> FirstStep:
    """Moments after the first step on Q samples a cluster, or on counts of shape (K, 2) (N3).

    Raises `ValueError` for Q below 1 or counts that do not fit.
    """
    holds("mixture", mixture, "counts layout concepts shared v", "a ValueMixture")
    counts = mixture.counts(Q)
    gram, per_value = mixture.layout.gram, counts.sum() / mixture.K
    share = counts.sum(axis=1) / per_value
    excess = (counts[:, 0] - counts[:, 1]) / per_value
    learned = (gram * share) @ mixture.concepts + np.outer(gram @ excess, mixture.shared)
    variance = mixture.v**2 / per_value * (gram**2 @ share)
    target = mixture.concepts[:, None] + np.array([1.0, -1.0])[:, None] * mixture.shared
    return FirstStep(learned, variance, target, mixture.v)


def one_step_risk(mixture: ValueMixture, Q: int | np.ndarray) -> Annotated[np.ndarray, "K"]:
    """Exact expected risk of each value after the first step, shape (K,), the average of both sides (N3).

    Q is the number of samples a cluster, or counts of shape (K, 2). Raises `ValueError` for Q below 1, counts
    that do not fit, or v = 0 (below 1e-100).
    """
    return np.exp(log_one_step_risk(mixture, Q)).mean(axis=1)


def risk_theorem(
    mixture: ValueMixture, Q: int | np.ndarray, *, form: str = "closed"
) -> Annotated[np.ndarray, "K"]:
    """Bound of N4 on the expected risk of each value after the first step, shape (K,); no hypothesis.

    form : "closed" is exp(-(mu_A . mu_B)^2 / (2 D^2)), for balanced orthonormal data exp(-1/(2 D_i^2));
        "chernoff" is the sharper infimum of M. Where mu_A . mu_B <= 0 both are 1. Errors as for `one_step_risk`.
    """
    if one_of("form", form, ("closed", "chernoff")) == "chernoff":
        return np.exp(log_chernoff(mixture, Q)).mean(axis=1)
    step = first_step(mixture, Q)
    ratio = np.divide(step.product, step.D, out=np.full(step.D.shape, np.inf), where=step.D > 0)
    return np.where(step.product > 0, np.exp(-(ratio**2) / 2), 1.0).mean(axis=1)


def log_one_step_risk(mixture: ValueMixture, Q: int | np.ndarray) -> Annotated[np.ndarray, "K 2"]:
    """Logarithm of the exact expected risk of each cluster after the first step, shape (K, 2) (N3).

    Inverts the transform of <A, B> along a vertical line through the minimum of M, where nothing cancels, so
    that the value is good to about 1e-9 of the risk however small it is, or to rounding of the logarithm. A value
    that counts leave without any sample that could move it keeps margin 0 and has risk 1. Errors as `one_step_risk`.
    """
    return np.array([[_log_risk(*terms, mixture.d) for terms in row] for row in _terms(first_step(mixture, Q))])


def log_chernoff(mixture: ValueMixture, Q: int | np.ndarray) -> Annotated[np.ndarray, "K 2"]:
    """Logarithm of inf_x M(x), the first bound of N4 on the same risk, shape (K, 2); 0 where mu_A . mu_B <= 0.

    Errors as `one_step_risk`.
    """
    logs = [[_height(*_saddle(A, B, mixture.d), A, B, mixture.d) if B > 0 else 0.0 for A, B in row]
            for row in _terms(first_step(mixture, Q))]
    return np.array(logs)


def _terms(step: FirstStep) -> np.ndarray:
    """The A and B of N3's transform for each cluster, shape (K, 2, 2); NaN where a value has not moved at all."""
    if not step.v >= LEAST_NOISE:
        raise ValueError(f"v must be at least {LEAST_NOISE:g} for the risk to be a question of chance, got {step.v!r}")
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 where nothing moved
        length = (step.learned**2).sum(axis=1)[:, None] / step.variance[:, None]
        A = (length + (step.target**2).sum(axis=2) / step.v**2) / 2
        return np.stack([A, step.product / np.sqrt(step.variance)[:, None] / step.v], axis=-1)


def _saddle(A: float, B: float, d: int) -> tuple[float, float]:
    """The x in (0, 1) that minimizes M, for 0 < B <= A, and 1 - x; the root of d x (1 - x^2) = B - 2 A x + B x^2."""

    def by_x(x: float) -> float:
        return d * x * (1 - x) * (1 + x) - B + 2 * A * x - B * x * x

    def by_rest(log_t: float) -> float:  # the same in t = 1 - x, which is tiny where A and B nearly cancel
        t = np.exp(log_t)
        return d * t * (1 - t) * (2 - t) + 2 * max(A - B, 0.0) * (1 - t) - B * t * t

    if by_x(0.5) > 0:
        x = brentq(by_x, 0.0, 0.5, xtol=1e-300, rtol=1e-15)
        return x, 1 - x
    low = np.log(d / (2 * (B + d)))  # above 0 there even for A = B
    t = float(np.exp(brentq(by_rest, low, np.log(0.5), xtol=1e-300, rtol=1e-15)))
    return 1 - t, t


def _height(x: float, t: float, A: float, B: float, d: int) -> float:
    """log M(x) = log E exp(-x a.b) = -d/2 log(1 - x^2) - (B x - A x^2) / (1 - x^2), for t = 1 - x."""
    rest = t * (1 + x)
    return float(-d / 2 * np.log(rest) - x * (A * t - (A - B)) / rest)


def _log_risk(A: float, B: float, d: int) -> float:
    if np.isnan(A):
        return 0.0
    if B == 0:
        return float(np.log(0.5))
    if B < 0:
        return float(np.log1p(-np.exp(_log_risk(A, -B, d))))
    x, t = _saddle(A, B, d)
    rest, slack = t * (1 + x), (A - B) + B * t  # 1 - x^2 and A - B x
    bend = (d * (1 - 3 * x * x) + 2 * slack) / rest**2  # second derivative of log M at its minimum
    width = min(x, 1 / np.sqrt(bend))
    # y = width sinh(u): even spacing near the peak, ever wider in the tail, which decays at least like y^-(d+1).
    u = np.linspace(0.0, 30.0, 6001)
    y = width * np.sinh(u)
    # log M(x + iy) - log M(x) without the cancellation of two large numbers; at the minimum B - 2Ax + Bx^2 = d x rest.
    step = y * (y - 2j * x)
    change = -d / 2 * np.log1p(step / rest) - y * (1j * d * x + y * slack / rest) / (rest + step)
    values = (np.exp(change) / (x + 1j * y)).real * width * np.cosh(u)
    area = (values.sum() - values[0] / 2 - values[-1] / 2) * (u[1] - u[0])  # trapezoids: exact beyond all orders
    return _height(x, t, A, B, d) + float(np.log(area / np.pi))
