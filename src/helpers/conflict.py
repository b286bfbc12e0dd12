"""Value conflict: the clusters without their noise, whether one matrix can serve all of them, and by when it does."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from .checks import at_least
from .first_step import initial_rates
from .layouts import TokenLayout
from .mixture import Sample


@dataclass(frozen=True, eq=False)
class ClusterMeans:
    """Measured means of the 2K clusters, and by how much the noise in them lengthens them.

    means : shape (K, 2, d), side +1 first.
    excess : tr Sigma / n of each cluster of n samples, shape (K, 2): the squared length of a measured mean exceeds
        that of the true one by this on average. Products of different means have no such bias.
    """

    means: np.ndarray
    excess: np.ndarray

    @property
    def concepts(self) -> np.ndarray:
        """Half the difference of the two means of each value, shape (K, d)."""
        return (self.means[:, 0] - self.means[:, 1]) / 2

    @property
    def midpoints(self) -> np.ndarray:
        """Half their sum, shape (K, d): the b of the theorems, if all values had the same."""
        return self.means.mean(axis=1)

    def first_rates(self, layout: TokenLayout) -> np.ndarray:
        """Mean first rate of unseen samples of each cluster after balanced training, shape (K, 2).

        `initial_rates` of the measured means, less the lead tr Sigma / (2Q) that training samples have (N6).
        """
        return initial_rates(layout, self.concepts, self.midpoints) - self.excess / 2

    def sample(self) -> Sample:
        """One vector a cluster, with the inner products of the means less the excess: no noise, 2K equations.

        Rows are ordered by value, the aligned side first, in 2K dimensions of their own. Where noise has made
        the corrected Gram matrix indefinite, its negative eigenvalues count as 0.
        """
        rows = self.means.reshape(-1, self.means.shape[2])
        size, axes = np.linalg.eigh(rows @ rows.T - np.diag(self.excess.ravel()))
        K = len(self.means)
        return Sample(axes * np.sqrt(np.maximum(size, 0.0)), np.repeat(np.arange(K), 2), np.tile([1, -1], K))


def cluster_means(x: np.ndarray, value: np.ndarray, side: np.ndarray) -> ClusterMeans:
    """Measure the means of the clusters.

    Parameters
    ----------
    x : embeddings, shape (N, d).   value : numbers 0..K-1, shape (N,).   side : +1 or -1, shape (N,).

    Raises
    ------
    ValueError : arrays that do not fit each other, or a cluster with fewer than 2 samples.
    """
    x, value, side = np.asarray(x, dtype=float), np.asarray(value), np.asarray(side)
    if x.ndim != 2 or value.shape != (len(x),) or side.shape != (len(x),) or not len(x):
        raise ValueError(f"x, value and side must have N rows each, got {x.shape}, {value.shape} and {side.shape}")
    K = at_least("value", int(value.min()), 0) + int(np.ptp(value)) + 1
    means, excess = np.empty((K, 2, x.shape[1])), np.empty((K, 2))
    for i in range(K):
        for column, s in enumerate((1, -1)):
            cluster = x[(value == i) & (side == s)]
            if len(cluster) < 2:
                raise ValueError(f"every cluster needs at least 2 samples, value {i}, side {s:+d} has {len(cluster)}")
            means[i, column] = cluster.mean(axis=0)
            excess[i, column] = cluster.var(axis=0, ddof=1).sum() / len(cluster)
    return ClusterMeans(means, excess)


def separation(C: np.ndarray) -> float:
    """gamma: the largest margin per unit of length that one change of W can give to all samples at once.

    gamma = max over ||U||_F <= 1 of min_j Delta y_j^T U x_j, and gamma^2 is the minimum of p^T C p over weights
    p >= 0 of sum 1. It is 0 where no change of W gives all samples a positive margin.

    C : interaction matrix, shape (N, N). Raises `ValueError` where it is not symmetric.
    """
    C = np.asarray(C, dtype=float)
    if C.ndim != 2 or C.shape[0] != C.shape[1] or not np.allclose(C, C.T):
        raise ValueError(f"C must be a symmetric matrix of interactions, got shape {C.shape}")
    size, axes = np.linalg.eigh(C)
    scale = max(size[-1], np.finfo(float).tiny)
    root = (axes * np.sqrt(np.maximum(size, 0.0) / scale)).T
    # Least squares with one more row that asks for sum 1: its direction is that of the best p, whatever its length.
    p, _ = nnls(np.vstack([root, np.ones(len(C))]), np.append(np.zeros(len(C)), 1.0))
    gamma = np.linalg.norm(root @ p) / p.sum()
    return float(np.sqrt(scale) * gamma) if gamma > 1e-7 else 0.0  # below, it is the rounding of the square root


def recovery_time(C: np.ndarray, K: int) -> float:
    """A time S by which the flow on these samples has made every margin positive; infinite without separation.

    2 N log^2(2N / log 2) / (K gamma^2 log 2), for the N samples of the interaction matrix C and K values.
    """
    N, gamma = len(C), separation(C)
    if gamma == 0:
        return float("inf")
    return float(2 * N * np.log(2 * N / np.log(2)) ** 2 / (at_least("K", K, 1) * gamma**2 * np.log(2)))
