"""The constants of the theory, measured on embeddings."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ValueConstants:
    """One value as the mixture sees it, lengths in units of the embedding.

    concept_length : length of c, half the difference of the two cluster means.
    noise : standard deviation of the embedding along c, in units of the length of c: the v of N5.
    effective_dimension : the d at which isotropic noise v would cost a finite sample as much as this noise does.
    """

    concept_length: float
    noise: float
    effective_dimension: int


def measure_value(x: np.ndarray, side: np.ndarray) -> ValueConstants:
    """Estimate the constants of one value from its embeddings, without the bias of small samples.

    Parameters
    ----------
    x : embeddings, shape (N, d).   side : +1 or -1, shape (N,), at least 4 samples each.

    The estimated concept carries noise of covariance Sigma (1/n+ + 1/n-)/4, which is subtracted from its length and
    from the variance along it. tr Sigma^2 is the mean squared product of independent differences within clusters.
    N5 item 6 gives the finite-sample penalty tr Sigma^2, where isotropic noise has d v^4.

    Raises
    ------
    ValueError : too few samples of a side; clusters whose difference is no larger than its own noise.
    """
    x, side = np.asarray(x, dtype=float), np.asarray(side)
    clusters = [x[side == s] for s in (1, -1)]
    if min(map(len, clusters)) < 4:
        raise ValueError(f"side must hold at least 4 samples of each side, got {[len(c) for c in clusters]}")
    concept = (clusters[0].mean(axis=0) - clusters[1].mean(axis=0)) / 2
    share = sum(1 / len(cluster) for cluster in clusters) / 4
    # Differences of neighbours are free of the mean and independent of each other: noise vectors of covariance Sigma.
    noise = np.concatenate([(c[0 : len(c) // 2 * 2 : 2] - c[1::2]) / np.sqrt(2) for c in clusters])
    products = noise @ noise.T
    off = products[~np.eye(len(noise), dtype=bool)]
    trace, trace_square = np.trace(products) / len(noise), float((off**2).mean())
    length_square = concept @ concept - share * trace
    along = ((noise @ concept) ** 2).mean() - share * trace_square
    if length_square <= 0 or along <= 0:
        raise ValueError(
            f"x must hold two clusters further apart than their noise, got |c|^2 = {length_square:.3g} "
            f"and variance {along:.3g} along c after the noise is subtracted"
        )
    v = np.sqrt(along) / length_square
    dimension = max(2, round(trace_square / length_square**2 / v**4))
    return ValueConstants(float(np.sqrt(length_square)), float(v), dimension)
