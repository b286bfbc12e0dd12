"""The constants of the theory, measured on embeddings."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ValueConstants:
    """One value as the mixture sees it, lengths in units of the embedding.

    concept_length : length of c, half the difference of the two cluster means.
    noise : standard deviation of the embedding along c, in units of the length of c: the v of N5.
    effective_dimension : the d at which isotropic noise v would cost a finite sample as much as this does.
    """

    concept_length: float
    noise: float
    effective_dimension: int


def measure_value(x: np.ndarray, side: np.ndarray) -> ValueConstants:
    """Estimate the constants of one value from its embeddings, without the bias of small samples.

    Parameters
    ----------
    x : embeddings, shape (N, d).   side : +1 or -1, shape (N,), at least 4 samples each.

    The estimated concept carries noise of covariance Sigma (1/n+ + 1/n-)/4, which is subtracted from its squared
    length and from the variance along it; where that leaves nothing positive, the plain estimate stays, which is
    too large. tr Sigma^2 is the mean squared product of independent differences within clusters.
    N5 item 6 gives the finite-sample penalty tr Sigma^2, where isotropic noise has d v^4.

    Raises
    ------
    ValueError : fewer than 4 samples of a side, or clusters without any difference.
    """
    x, side = np.asarray(x, dtype=float), np.asarray(side)
    clusters = [x[side == s] for s in (1, -1)]
    if min(map(len, clusters)) < 4:
        raise ValueError(f"side must hold at least 4 samples of each side, got {[len(c) for c in clusters]}")
    concept = (clusters[0].mean(axis=0) - clusters[1].mean(axis=0)) / 2
    share = sum(1 / len(cluster) for cluster in clusters) / 4
    # Differences of neighbours are free of the mean and independent: noise vectors of covariance Sigma.
    noise = np.concatenate([(c[0 : len(c) // 2 * 2 : 2] - c[1::2]) / np.sqrt(2) for c in clusters])
    products = noise @ noise.T
    off = products[~np.eye(len(noise), dtype=bool)]
    trace, trace_square = np.trace(products) / len(noise), float((off**2).mean())
    length_square = _less(concept @ concept, share * trace)
    along = _less(((noise @ concept) ** 2).mean(), share * trace_square)
    if not (length_square > 0 and along > 0):
        raise ValueError("x must hold two clusters with different means and some noise between the means, got neither")
    v = np.sqrt(along) / length_square
    dimension = max(2, round(trace_square / length_square**2 / v**4))
    return ValueConstants(float(np.sqrt(length_square)), float(v), dimension)


def _less(estimate: float, bias: float) -> float:
    return estimate - bias if estimate > bias else estimate
