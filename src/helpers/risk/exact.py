"""The exact risk of a trained last layer on Gaussian clusters (N2)."""

from typing import Annotated

import numpy as np
from scipy.special import log_ndtr, logsumexp

from ..checks import holds, numbers
from ..mixture import ValueMixture


def log_cluster_risks(
    w: Annotated[np.ndarray, "*T K d"], mixture: ValueMixture
) -> Annotated[np.ndarray, "*T K 2"]:
    """Logarithm of `cluster_risks`, also where the risk itself would underflow; -inf where it is 0. Errors as there."""
    holds("mixture", mixture, "K d concepts shared v", "a ValueMixture")
    w = numbers("w", w)
    if w.shape[-2:] != (mixture.K, mixture.d) or not np.isfinite(w).all():
        raise ValueError(f"w must be finite and end in shape (K, d) = ({mixture.K}, {mixture.d}), got shape {w.shape}")
    w = np.ldexp(w, -np.frexp(np.abs(w).max(axis=-1, keepdims=True))[1])  # exact, and no square leaves the numbers
    along_concept = np.einsum("...kd,kd->...k", w, mixture.concepts)
    along_shared = w @ mixture.shared
    mean = np.stack([along_concept + along_shared, along_concept - along_shared], axis=-1)
    return log_at_most_zero(mean, mixture.v * np.linalg.norm(w, axis=-1)[..., None])


def cluster_risks(w: Annotated[np.ndarray, "*T K d"], mixture: ValueMixture) -> Annotated[np.ndarray, "*T K 2"]:
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
    return np.exp(log_cluster_risks(w, mixture))


def exact_risk(w: Annotated[np.ndarray, "*T K d"], mixture: ValueMixture) -> Annotated[np.ndarray, "*T"]:
    """Population risk: the average of `cluster_risks` over the 2K clusters, shape (...,) for w (..., K, d).

    Exact for any loss, data, token layout and training time (N2). Errors as for `cluster_risks`.
    """
    return cluster_risks(w, mixture).mean(axis=(-2, -1))


def log_exact_risk(w: Annotated[np.ndarray, "*T K d"], mixture: ValueMixture) -> Annotated[np.ndarray, "*T"]:
    """Logarithm of `exact_risk`, also where the risk itself would underflow. Errors as for `cluster_risks`."""
    return logsumexp(log_cluster_risks(w, mixture), axis=(-2, -1)) - np.log(2 * mixture.K)


def log_at_most_zero(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """log P(N(mean, deviation^2) <= 0), also for deviation 0."""
    mean, deviation = np.broadcast_arrays(mean, deviation)
    z = np.divide(mean, deviation, out=np.where(mean > 0, np.inf, -np.inf), where=deviation > 0)
    return log_ndtr(-z)
