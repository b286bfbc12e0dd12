"""The measured means of the clusters, and what they say of first rates without the noise."""

from dataclasses import dataclass

import numpy as np

from ..checks import at_least
from ..dynamics.rates import initial_rates
from ..layouts import TokenLayout
from ..mixture import Sample


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
