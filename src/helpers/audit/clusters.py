"""The constants of the theory, measured on embeddings."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np

from ..checks import integers, numbers, shown
from ..dynamics.rates import initial_rates
from ..dynamics.token_rows import LARGEST
from ..layouts import TokenLayout
from ..mixture import Sample


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


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where the 2K clusters of K values lie, lengths in units of the embedding.

    shared : mean of the 2K cluster means, shape (d,); the b of the mixture.
    offsets : mean of each value's two clusters minus `shared`, shape (K, d); 0 in the mixture.
    concepts : half the difference of each value's cluster means, shape (K, d).
    gram : inner products of the concepts, shape (K, K), free of the bias of small samples.
    offset_squares : squared lengths of the offsets, shape (K,), free of that bias: 0 on average where there is none, so
        sometimes below.
    offset_lengths : lengths of the offsets, shape (K,); where the bias is all there is, the plain length, too large.
    trace, trace_square : tr Sigma and tr Sigma^2 of the noise within the clusters of each value, shape (K,).
    along : standard deviation of that noise along the value's own concept, shape (K,).
    """

    shared: Annotated[np.ndarray, "d"]
    offsets: Annotated[np.ndarray, "K d"]
    concepts: Annotated[np.ndarray, "K d"]
    gram: Annotated[np.ndarray, "K K"]
    offset_squares: Annotated[np.ndarray, "K"]
    offset_lengths: Annotated[np.ndarray, "K"]
    trace: Annotated[np.ndarray, "K"]
    trace_square: Annotated[np.ndarray, "K"]
    along: Annotated[np.ndarray, "K"]

    @property
    def K(self) -> int:
        """Number of values."""
        return len(self.concepts)

    @property
    def d(self) -> int:
        """Dimension of the embedding."""
        return len(self.shared)

    @property
    def lengths(self) -> np.ndarray:
        """Lengths of the concepts, shape (K,)."""
        return np.sqrt(np.diag(self.gram))

    @cached_property
    def cosines(self) -> np.ndarray:
        """Cosines of the concepts, shape (K, K). Estimates without bias: noise can carry one beyond 1."""
        return self.gram / np.outer(self.lengths, self.lengths)

    @property
    def l_b(self) -> np.ndarray:
        """Length of the shared component in units of each concept's length, shape (K,)."""
        return np.linalg.norm(self.shared) / self.lengths

    @property
    def participation(self) -> np.ndarray:
        """(tr Sigma)^2 / tr Sigma^2 of each value's noise, shape (K,): d for isotropic noise, 1 for one direction."""
        return self.trace**2 / self.trace_square


@dataclass(frozen=True, eq=False)
class ClusterMeans:
    """Measured means of the 2K clusters, and by how much the noise in them lengthens them.

    means : shape (K, 2, d), side +1 first.
    excess : tr Sigma / n of each cluster of n samples, shape (K, 2): the squared length of a measured mean exceeds
        that of the true one by this on average. Products of different means have no such bias.
    """

    means: Annotated[np.ndarray, "K 2 d"]
    excess: Annotated[np.ndarray, "K 2"]

    @property
    def concepts(self) -> np.ndarray:
        """Half the difference of the two means of each value, shape (K, d)."""
        return (self.means[:, 0] - self.means[:, 1]) / 2

    @property
    def midpoints(self) -> np.ndarray:
        """Half their sum, shape (K, d): the b of the theorems, if all values had the same."""
        return self.means.mean(axis=1)

    def first_rates(self, layout: TokenLayout) -> Annotated[np.ndarray, "K 2"]:
        """Mean first rate of unseen samples of each cluster after balanced training, shape (K, 2).

        `initial_rates` of the measured means, less the lead tr Sigma / (2Q) that training samples have (N6).
        Raises `ValueError` for a layout of another number of values.
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


def measure_value(x: Annotated[np.ndarray, "N d"], side: Annotated[np.ndarray, "N"]) -> ValueConstants:
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
    ValueError : arrays that do not fit, fewer than 4 samples of a side, or clusters without any difference.
    """
    value = _Value(x, side)
    value.check_noise()
    v = np.sqrt(value.along) / value.length_square
    dimension = max(2, round(value.trace_square / value.length_square**2 / v**4))
    return ValueConstants(float(np.sqrt(value.length_square)), float(v), dimension)


def measure_geometry(
    x: Annotated[np.ndarray, "N d"], value: Annotated[np.ndarray, "N"], side: Annotated[np.ndarray, "N"]
) -> Geometry:
    """Estimate shared component, concepts, offsets and noise of K values from their embeddings; O(N d min(N, d)).

    Parameters
    ----------
    x : embeddings, shape (N, d).   value : numbers 0..K-1, shape (N,).   side : +1 or -1, shape (N,).

    Clusters count equally, however many samples they hold. Each length and each variance along a concept is
    corrected as in `measure_value`; products of two different concepts need no correction, since their noises
    are independent.

    Raises
    ------
    ValueError : arrays that do not fit each other, fewer than 4 samples in a cluster, or clusters of a value
        without any difference; the message begins with the number of the value.
    """
    found = _values(x, value, side)
    for i, one in enumerate(found):
        try:
            one.check_noise()
        except ValueError as error:
            raise ValueError(f"value {i}: {error}") from error
    K, means = len(found), _means(found)
    shared = means.midpoints.mean(axis=0)
    offsets = means.midpoints - shared
    gram = means.concepts @ means.concepts.T
    np.fill_diagonal(gram, [one.length_square for one in found])
    # Noise of a middle is that of a concept; an offset holds its own middle and the mean of all.
    bias = np.array([one.share * one.trace for one in found])
    bias = bias * (1 - 2 / K) + bias.sum() / K**2
    plain = (offsets**2).sum(axis=1)
    squares = [_less(square, less) for square, less in zip(plain, bias, strict=True)]
    trace, trace_square, along = (
        np.array([getattr(one, name) for one in found]) for name in ("trace", "trace_square", "along")
    )
    along = np.sqrt(along / np.diag(gram))
    return Geometry(shared, offsets, means.concepts, gram, plain - bias, np.sqrt(squares), trace, trace_square, along)


def cluster_means(
    x: Annotated[np.ndarray, "N d"], value: Annotated[np.ndarray, "N"], side: Annotated[np.ndarray, "N"]
) -> ClusterMeans:
    """Measure the means of the clusters.

    Parameters
    ----------
    x : embeddings, shape (N, d).   value : numbers 0..K-1, shape (N,).   side : +1 or -1, shape (N,).

    Raises
    ------
    ValueError : arrays that do not fit each other, or a cluster with fewer than 2 samples.
    """
    found = _values(x, value, side)
    for i, one in enumerate(found):
        for s, cluster in zip((1, -1), one.clusters, strict=True):
            if len(cluster) < 2:
                raise ValueError(f"every cluster needs at least 2 samples, value {i}, side {s:+d} has {len(cluster)}")
    return _means(found)


class _Value:
    """The two clusters of one value, side +1 first, and what is measured of them, each once.

    `measure_value` explains the corrections. The noise is seen in differences of neighbours in a cluster, which are
    free of its mean and independent: vectors of covariance Sigma.
    """

    def __init__(self, x: np.ndarray, side: np.ndarray):
        x, side = numbers("x", x), np.asarray(side)
        if x.ndim != 2 or 0 in x.shape or not np.isfinite(x).all():
            raise ValueError(f"x must be finite, of shape (N, d), got {shown(x)}")
        if np.abs(x).max() > LARGEST:
            raise ValueError(f"x must lie between {-LARGEST:g} and {LARGEST:g}, got {np.abs(x).max():g}")
        if side.shape != (len(x),) or not np.isin(side, (1, -1)).all():
            raise ValueError(f"side must hold {len(x)} numbers 1 or -1, one for each row of x, got {shown(side)}")
        self.clusters = [x[side == s] for s in (1, -1)]

    @cached_property
    def ends(self) -> np.ndarray:
        """The two means, shape (2, d)."""
        return np.array([cluster.mean(axis=0) for cluster in self.clusters])

    @cached_property
    def concept(self) -> np.ndarray:
        return (self.ends[0] - self.ends[1]) / 2

    @property
    def share(self) -> float:
        """Of the noise's covariance in the concept, and in the middle."""
        return sum(1 / len(cluster) for cluster in self.clusters) / 4

    @property
    def excess(self) -> list[float]:
        """tr Sigma / n of each cluster."""
        return [cluster.var(axis=0, ddof=1).sum() / len(cluster) for cluster in self.clusters]

    @cached_property
    def noise(self) -> np.ndarray:
        return np.concatenate([(c[0 : len(c) // 2 * 2 : 2] - c[1::2]) / np.sqrt(2) for c in self.clusters])

    @cached_property
    def trace(self) -> float:
        return float((self.noise**2).sum()) / len(self.noise)

    @cached_property
    def trace_square(self) -> float:
        """Mean of the squared products of two noises, from whichever of N N^T and N^T N is smaller."""
        noise, n = self.noise, len(self.noise)
        products = noise @ noise.T if n <= noise.shape[1] else noise.T @ noise
        own = ((noise**2).sum(axis=1) ** 2).sum()
        return float(max((products**2).sum() - own, 0.0)) / (n * (n - 1))

    @cached_property
    def length_square(self) -> float:
        return _less(self.concept @ self.concept, self.share * self.trace)

    @cached_property
    def along(self) -> float:
        """Variance along the concept times its squared length."""
        return _less(((self.noise @ self.concept) ** 2).mean(), self.share * self.trace_square)

    def check_noise(self) -> None:
        """Raise `ValueError` where there are too few samples, or no difference, to measure the noise."""
        if min(map(len, self.clusters)) < 4:
            sizes = [len(cluster) for cluster in self.clusters]
            raise ValueError(f"side must hold at least 4 samples of each side, got {sizes}")
        if not (self.length_square > 0 and self.along > 0):
            raise ValueError(
                "x must hold two clusters with different means and some noise between the means, got neither"
            )


def _values(x: np.ndarray, value: np.ndarray, side: np.ndarray) -> list[_Value]:
    """The samples by value."""
    x, value, side = numbers("x", x), np.asarray(value), np.asarray(side)
    if x.ndim != 2 or value.shape != (len(x),) or side.shape != (len(x),) or not len(x):
        raise ValueError(f"x, value and side must have N rows each, got {x.shape}, {value.shape} and {side.shape}")
    value, found = integers("value", value, 0, len(x) - 1), []  # every value needs samples
    for i in range(int(value.max()) + 1):
        own = value == i
        if not own.any():
            raise ValueError(f"value must hold every number from 0 to {value.max()}, got no {i}")
        try:
            found.append(_Value(x[own], side[own]))
        except ValueError as error:
            raise ValueError(f"value {i}: {error}") from error
    return found


def _means(found: list[_Value]) -> ClusterMeans:
    return ClusterMeans(np.array([one.ends for one in found]), np.array([one.excess for one in found]))


def _less(estimate: float, bias: float) -> float:
    return float(estimate - bias if estimate > bias else estimate)
