"""The first full-batch step from the reference: its direction, and its exact expected risk (N3, N4).

After it w_i is proportional to m_i, a Gaussian vector, and a margin is the product of two independent Gaussians.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from ..checks import holds
from ..mixture import ValueMixture


@dataclass(frozen=True)
class FirstStep:
    """Moments of the direction m_i ~ N(learned_i, variance_i I) and of the targets c_i + s b (N3).

    learned : mu_A, shape (K, d).   variance : delta_A^2, shape (K,).
    target : mu_B of each cluster, shape (K, 2, d), side +1 first.   v : noise of a new sample.
    """

    learned: np.ndarray
    variance: np.ndarray
    target: np.ndarray
    v: float

    @property
    def product(self) -> np.ndarray:
        """mu_A . mu_B, the mean of the margin's sign statistic, shape (K, 2)."""
        return np.einsum("kd,ksd->ks", self.learned, self.target)

    @property
    def D(self) -> np.ndarray:
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


def one_step_risk(mixture: ValueMixture, Q: int | np.ndarray) -> np.ndarray:
    """Exact expected risk of each value after the first step, shape (K,), the average of both sides (N3).

    Q is the number of samples a cluster, or counts of shape (K, 2). Raises `ValueError` for Q below 1, counts
    that do not fit, or v = 0.
    """
    return np.exp(log_one_step_risk(mixture, Q)).mean(axis=1)


def risk_theorem(mixture: ValueMixture, Q: int | np.ndarray, *, form: str = "closed") -> np.ndarray:
    """Bound of N4 on the expected risk of each value after the first step, shape (K,); no hypothesis.

    form : "closed" is exp(-(mu_A . mu_B)^2 / (2 D^2)), for balanced orthonormal data exp(-1/(2 D_i^2));
        "chernoff" is the sharper infimum of M. Where mu_A . mu_B <= 0 both are 1. Errors as for `one_step_risk`.
    """
    if form == "chernoff":
        return np.exp(log_chernoff(mixture, Q)).mean(axis=1)
    if form != "closed":
        raise ValueError(f"form must be 'closed' or 'chernoff', got {form!r}")
    step = first_step(mixture, Q)
    ratio = np.divide(step.product, step.D, out=np.full(step.D.shape, np.inf), where=step.D > 0)
    return np.where(step.product > 0, np.exp(-(ratio**2) / 2), 1.0).mean(axis=1)


def log_one_step_risk(mixture: ValueMixture, Q: int | np.ndarray) -> np.ndarray:
    """Logarithm of the exact expected risk of each cluster after the first step, shape (K, 2) (N3).

    Inverts the transform of <A, B> along a vertical line through the minimum of M, where nothing cancels, so
    that the value is good to about 1e-9 of the risk however small it is.
    """
    step = first_step(mixture, Q)
    return np.array([[_log_risk(*terms, mixture.d) for terms in row] for row in _terms(step)])


def log_chernoff(mixture: ValueMixture, Q: int | np.ndarray) -> np.ndarray:
    """Logarithm of inf_x M(x), the first bound of N4 on the same risk, shape (K, 2); 0 where mu_A . mu_B <= 0."""
    step = first_step(mixture, Q)
    logs = [[_log_transform(_saddle(A, B, mixture.d), A, B, mixture.d).real if B > 0 else 0.0 for A, B in row]
            for row in _terms(step)]
    return np.array(logs)


def _terms(step: FirstStep) -> np.ndarray:
    """The A and B of N3's transform for each cluster, shape (K, 2, 2)."""
    if not (step.v > 0 and (step.variance > 0).all()):
        raise ValueError(f"v must be above 0 for the risk to be a question of chance, got {step.v!r}")
    length = (step.learned**2).sum(axis=1)[:, None] / step.variance[:, None]
    A = (length + (step.target**2).sum(axis=2) / step.v**2) / 2
    return np.stack([A, step.product / np.sqrt(step.variance)[:, None] / step.v], axis=-1)


def _log_transform(z: complex | np.ndarray, A: float, B: float, d: int) -> complex | np.ndarray:
    """log M(z) = log E exp(-z a.b)."""
    rest = 1 - np.asarray(z) ** 2
    return -d / 2 * np.log(rest) - (B * z - A * z**2) / rest


def _saddle(A: float, B: float, d: int) -> float:
    """The x in (0, 1) that minimizes M, for B > 0."""
    return brentq(lambda x: d * x * (1 - x * x) - B + 2 * A * x - B * x * x, 0.0, 1.0, xtol=1e-15)


def _log_risk(A: float, B: float, d: int) -> float:
    if B == 0:
        return float(np.log(0.5))
    if B < 0:
        return float(np.log(-np.expm1(_log_risk(A, -B, d))))
    x = _saddle(A, B, d)
    height = _log_transform(x, A, B, d).real
    step = 1e-4 * min(x, 1 - x)
    bend = (_log_transform(x + step, A, B, d) + _log_transform(x - step, A, B, d) - 2 * height).real / step**2
    width = min(x, 1 / np.sqrt(max(bend, 1e-300)))
    # y = width sinh(u): even spacing near the peak, ever wider in the tail, which decays at least like y^-(d+1).
    u = np.linspace(0.0, 30.0, 6001)
    y = width * np.sinh(u)
    line = np.exp(_log_transform(x + 1j * y, A, B, d) - height) / (x + 1j * y)
    values = line.real * width * np.cosh(u)
    area = (values.sum() - values[0] / 2 - values[-1] / 2) * (u[1] - u[0])  # trapezoids: exact beyond all orders
    return float(height + np.log(area / np.pi))
