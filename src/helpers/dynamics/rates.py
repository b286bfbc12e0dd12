"""How fast margins move: the right side of Lemma 4.1, first rates of given data, and how far they spread (N6)."""

from typing import Annotated

import numpy as np

from ..checks import at_least, finite, holds
from ..layouts import TokenLayout
from .token_rows import LARGEST, Samples, TokenRows, held_out_rows


def pull(
    sample: Samples, layout: TokenLayout, pushes: Annotated[np.ndarray, "N"], test: Samples | None = None
) -> Annotated[np.ndarray, "M"]:
    """sum_k C_jk push_k = N tau dr_j/dt / beta^2, the right side of Lemma 4.1; O(N d), without the matrix C.

    `pushes` has shape (N,): sigma(-r_k) for DPO. Shape (N,), or (M,) for the samples of `test`.
    Raises `ValueError` for samples that do not fit and for pushes that are not N finite numbers.
    """
    rows = TokenRows(sample, layout)
    pushes = finite("pushes", pushes)
    if pushes.shape != (rows.N,):
        raise ValueError(f"pushes must be {rows.N} finite numbers, one a sample, got shape {pushes.shape}")
    watched = rows if test is None else held_out_rows(test, layout, rows.shape[1])
    return watched.margins(rows.force(pushes))


def first_rates(sample: Samples, layout: TokenLayout) -> Annotated[np.ndarray, "N"]:
    """rho_j = K/(2N) sum_k C_jk: a margin starts as S/2 rho_j, shape (N,) (N6).

    Raises `ValueError` for a sample that does not fit itself or the layout.
    """
    rows = TokenRows(sample, layout)
    return layout.K / (2 * rows.N) * rows.margins(rows.force(np.ones(rows.N)))


def initial_rates(
    layout: TokenLayout, concepts: Annotated[np.ndarray, "K d"], midpoints: Annotated[np.ndarray, "... d"]
) -> Annotated[np.ndarray, "K 2"]:
    """rho_{i,s} = sum_k g_ik c_k . (c_i + s b_i): noise-free margins start as S/2 rho, for arbitrary means.

    Parameters
    ----------
    concepts : half the difference of the two cluster means of each value, shape (K, d).
    midpoints : half their sum, shape (K, d), or (d,) where all values share it, as the b of the theorems.

    Returns
    -------
    Shape (K, 2), side +1 first; balanced data. A value is learned at the start where its two rates are
    positive. It is 1 throughout for orthonormal concepts that are orthogonal to b (theory of Appendix C).

    Raises
    ------
    ValueError : concepts or midpoints of another shape or no numbers.
    """
    holds("layout", layout, "K gram", "a TokenLayout")
    concepts, midpoints = finite("concepts", concepts, LARGEST), finite("midpoints", midpoints, LARGEST)
    if concepts.ndim != 2 or len(concepts) != layout.K:
        raise ValueError(f"concepts must have shape ({layout.K}, d), got {concepts.shape}")
    if midpoints.shape not in (concepts.shape, concepts.shape[1:]):
        allowed = f"{concepts.shape} or {concepts.shape[1:]}"
        raise ValueError(f"midpoints must have shape {allowed}, got {midpoints.shape}")
    learned = layout.gram @ concepts
    along, across = (learned * concepts).sum(axis=1), (learned * midpoints).sum(axis=1)
    return np.stack([along + across, along - across], axis=1)


def rate_moments(
    layout: TokenLayout,
    means: Annotated[np.ndarray, "K 2 d"],
    covariance: Annotated[np.ndarray, "d d"],
    Q: int,
    *,
    measured_on: int | None = None,
) -> tuple[Annotated[np.ndarray, "K 2"], Annotated[np.ndarray, "K 2"]]:
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
    holds("layout", layout, "K gram kappa", "a TokenLayout")
    means, covariance = finite("means", means, LARGEST), finite("covariance", covariance, LARGEST)
    d = means.shape[-1] if means.ndim else 0
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
