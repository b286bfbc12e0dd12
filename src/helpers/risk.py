"""The exact risk of a trained last layer, and the law that predicts it (N2, N3, N5)."""

import numpy as np
from scipy.special import ndtr

from .mixture import ValueMixture


def cluster_risks(w: np.ndarray, mixture: ValueMixture) -> np.ndarray:
    """Probability that a new sample of each cluster has a margin of at most 0 (N2).

    Parameters
    ----------
    w : the vectors w_i = beta Delta W^T u_i, shape (..., K, d); only their directions matter.
    mixture : the distribution of new samples.

    Returns
    -------
    Shape (..., K, 2), last axis side +1, then -1. It is 1 where w_i = 0, since a margin of 0 is not positive.

    Raises
    ------
    ValueError : w of another shape or not finite.
    """
    w = np.asarray(w, dtype=float)
    if w.shape[-2:] != (mixture.K, mixture.d) or not np.isfinite(w).all():
        raise ValueError(f"w must be finite and end in shape (K, d) = ({mixture.K}, {mixture.d}), got shape {w.shape}")
    along_concept = np.einsum("...kd,kd->...k", w, mixture.concepts)
    along_shared = w @ mixture.shared
    mean = np.stack([along_concept + along_shared, along_concept - along_shared], axis=-1)
    return _at_most_zero(mean, mixture.v * np.linalg.norm(w, axis=-1)[..., None])


def exact_risk(w: np.ndarray, mixture: ValueMixture) -> np.ndarray:
    """Population risk: the average of `cluster_risks` over the 2K clusters, shape (...,) for w (..., K, d).

    Exact for any loss, data, token layout and training time (N2).
    """
    return cluster_risks(w, mixture).mean(axis=(-2, -1))


def risk_law(mixture: ValueMixture, Q: int | np.ndarray) -> np.ndarray:
    """Predicted risk of each value after one step, and up to about S = 3 (N5; a heuristic, z within 3 %).

    Parameters
    ----------
    mixture : the distribution of training and test samples.
    Q : samples a cluster, or counts of shape (K, 2) for unbalanced data (N5, item 5).

    Returns
    -------
    Shape (K,), the average of both sides. For one Q and orthogonal concepts this is Phi(-1/D_i) with
    D_i^2 = kappa_i v^2 (1 + (1 + l_b^2 + d v^2) / (2Q)); otherwise the same Gaussian step with N3's moments.

    Raises
    ------
    ValueError : Q below 1 or counts that do not fit.
    """
    counts = mixture.counts(Q)
    gram, per_value = mixture.layout.gram, counts.sum() / mixture.K
    share = counts.sum(axis=1) / per_value
    excess = (counts[:, 0] - counts[:, 1]) / per_value
    learned = (gram * share) @ mixture.concepts + np.outer(gram @ excess, mixture.shared)
    variance = mixture.v**2 / per_value * (gram**2 @ share)
    risks = []
    for side in (1, -1):
        target = side * mixture.shared + mixture.concepts
        spread = (
            (learned**2).sum(axis=1) * mixture.v**2
            + (target**2).sum(axis=1) * variance
            + mixture.d * variance * mixture.v**2
        )
        risks.append(_at_most_zero((learned * target).sum(axis=1), np.sqrt(spread)))
    return np.mean(risks, axis=0)


def _at_most_zero(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """P(N(mean, deviation^2) <= 0), also for deviation 0."""
    mean, deviation = np.broadcast_arrays(mean, deviation)
    z = np.divide(mean, deviation, out=np.where(mean > 0, np.inf, -np.inf), where=deviation > 0)
    return ndtr(-z)
