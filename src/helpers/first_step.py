"""The first full-batch step from the reference: its direction, its exact expected risk, and the law (N3, N4, N5).

After it w_i is proportional to m_i, a Gaussian vector, and a margin is the product of two independent Gaussians.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from .checks import holds
from .gaussian import log_at_most_zero
from .layouts import TokenLayout
from .mixture import ValueMixture


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


def initial_rates(layout: TokenLayout, concepts: np.ndarray, midpoints: np.ndarray) -> np.ndarray:
    """rho_{i,s} = sum_k g_ik c_k . (c_i + s b_i): noise-free margins start as S/2 rho, for arbitrary means.

    Parameters
    ----------
    concepts : half the difference of the two cluster means of each value, shape (K, d).
    midpoints : half their sum, shape (K, d), or (d,) where all values share it, as the b of the theorems.

    Returns
    -------
    Shape (K, 2), side +1 first; balanced data. A value is learned at the start where its two rates are
    positive. It is 1 throughout for orthonormal concepts that are orthogonal to b (theory of Appendix C).
    """
    concepts, midpoints = np.asarray(concepts, dtype=float), np.asarray(midpoints, dtype=float)
    if concepts.ndim != 2 or len(concepts) != layout.K:
        raise ValueError(f"concepts must have shape ({layout.K}, d), got {concepts.shape}")
    if midpoints.shape not in (concepts.shape, concepts.shape[1:]):
        allowed = f"{concepts.shape} or {concepts.shape[1:]}"
        raise ValueError(f"midpoints must have shape {allowed}, got {midpoints.shape}")
    learned = layout.gram @ concepts
    along, across = (learned * concepts).sum(axis=1), (learned * midpoints).sum(axis=1)
    return np.stack([along + across, along - across], axis=1)


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


def log_law(mixture: ValueMixture, Q: int | np.ndarray) -> np.ndarray:
    """Logarithm of the law Phi(-mu_A . mu_B / D) for each cluster, shape (K, 2) (N5; a heuristic)."""
    step = first_step(mixture, Q)
    return log_at_most_zero(step.product, step.D)


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
