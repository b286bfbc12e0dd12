"""How far the first rates of training samples spread: N6 for any covariance and any cluster means."""

import numpy as np

from .checks import at_least
from .layouts import TokenLayout


def rate_moments(
    layout: TokenLayout, means: np.ndarray, covariance: np.ndarray, Q: int, *, measured_on: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of rho_j = K/(2N) sum_k C_jk over balanced Gaussian training data.

    Parameters
    ----------
    layout : answer tokens of the K values.
    means : mean of each cluster, shape (K, 2, d), side +1 first; any, not only s c_i + b.
    covariance : of the noise in every cluster, shape (d, d); v^2 times the identity for isotropic noise.
    Q : samples a cluster.
    measured_on : number of other samples a cluster whose averages `means` are, where they are not known. Such
        means carry noise that makes concepts look too long; what it adds on average is taken out.

    Returns
    -------
    mean, deviation : shape (K, 2) each, a training sample's by its cluster. For orthonormal concepts and
        isotropic noise the mean is 1 + d v^2 / (2Q) and the deviation that of N6.

    Raises
    ------
    ValueError : arrays that do not fit, a covariance that is not symmetric, Q or measured_on below 1.
    """
    means, covariance = np.asarray(means, dtype=float), np.asarray(covariance, dtype=float)
    d = means.shape[-1]
    if means.shape != (layout.K, 2, d):
        raise ValueError(f"means must have shape ({layout.K}, 2, d), one for each cluster, got {means.shape}")
    if covariance.shape != (d, d) or not np.allclose(covariance, covariance.T):
        raise ValueError(f"covariance must be symmetric of shape ({d}, {d}), got shape {covariance.shape}")
    in_value = 2 * at_least("Q", Q, 1)
    signed = np.array([1.0, -1.0])[:, None] * means
    learned = (layout.gram @ signed.mean(axis=1))[:, None]
    towards = learned + signed / in_value  # the noise of a sample counts once as its own and once as learned
    trace, square = np.trace(covariance), float((covariance**2).sum())

    def along(vectors: np.ndarray) -> np.ndarray:
        return np.einsum("ksd,de,kse->ks", vectors, covariance, vectors)

    kappa = layout.kappa[:, None]
    mean, own, target = (learned * signed).sum(axis=2), along(towards), along(signed)
    if measured_on is not None:
        share = 1 / at_least("measured_on", measured_on, 1)  # of the noise's covariance in a measured mean
        mean = mean - share / 2 * trace
        own = np.maximum(own - share * (kappa / 2 + 1 / in_value + 1 / in_value**2) * square, 0)
        target = np.maximum(target - share * square, 0)
    variance = own + 2 * square / in_value**2 + (in_value * kappa - 1) / in_value**2 * (target + square)
    return mean + trace / in_value, np.sqrt(variance)
