"""The constants of the theory, measured on embeddings."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..checks import integers, numbers, shown


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
    offset_lengths : lengths of the offsets, shape (K,), free of that bias.
    trace, trace_square : tr Sigma and tr Sigma^2 of the noise within the clusters of each value, shape (K,).
    along : standard deviation of that noise along the value's own concept, shape (K,).
    """

    shared: np.ndarray
    offsets: np.ndarray
    concepts: np.ndarray
    gram: np.ndarray
    offset_lengths: np.ndarray
    trace: np.ndarray
    trace_square: np.ndarray
    along: np.ndarray

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
    value = _Moments(x, side)
    v = np.sqrt(value.along) / value.length_square
    dimension = max(2, round(value.trace_square / value.length_square**2 / v**4))
    return ValueConstants(float(np.sqrt(value.length_square)), float(v), dimension)


def measure_geometry(x: np.ndarray, value: np.ndarray, side: np.ndarray) -> Geometry:
    """Estimate shared component, concepts, offsets and noise of K values from their embeddings.

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
    x, value, side = numbers("x", x), np.asarray(value), np.asarray(side)
    if x.ndim != 2 or value.shape != (len(x),) or side.shape != (len(x),) or not len(x):
        raise ValueError(f"x, value and side must have N rows each, got {x.shape}, {value.shape} and {side.shape}")
    value = integers("value", value, 0, len(x) - 1)  # every value needs samples
    found = []
    for i in range(int(value.max()) + 1):
        try:
            found.append(_Moments(x[value == i], side[value == i]))
        except ValueError as error:
            raise ValueError(f"value {i}: {error}") from error
    K, concepts = len(found), np.array([one.concept for one in found])
    middles = np.array([one.middle for one in found])
    shared = middles.mean(axis=0)
    gram = concepts @ concepts.T
    np.fill_diagonal(gram, [one.length_square for one in found])
    # Noise of a middle is that of a concept; an offset holds its own middle and the mean of all.
    bias = np.array([one.share * one.trace for one in found])
    bias = bias * (1 - 2 / K) + bias.sum() / K**2
    squares = [_less(offset @ offset, less) for offset, less in zip(middles - shared, bias, strict=True)]
    of = {name: np.array([getattr(one, name) for one in found]) for name in ("trace", "trace_square", "along")}
    along = np.sqrt(of.pop("along") / np.diag(gram))
    return Geometry(shared, middles - shared, concepts, gram, np.sqrt(squares), along=along, **of)


class _Moments:
    """What two clusters of samples say of their means and their noise; `measure_value` explains the corrections."""

    def __init__(self, x: np.ndarray, side: np.ndarray):
        x, side = numbers("x", x), np.asarray(side)
        if x.ndim != 2 or 0 in x.shape or not np.isfinite(x).all():
            raise ValueError(f"x must be finite, of shape (N, d), got {shown(x)}")
        if side.shape != (len(x),) or not np.isin(side, (1, -1)).all():
            raise ValueError(f"side must hold {len(x)} numbers 1 or -1, one for each row of x, got {shown(side)}")
        clusters = [x[side == s] for s in (1, -1)]
        if min(map(len, clusters)) < 4:
            sizes = [len(cluster) for cluster in clusters]
            raise ValueError(f"side must hold at least 4 samples of each side, got {sizes}")
        ends = [cluster.mean(axis=0) for cluster in clusters]
        self.concept, self.middle = (ends[0] - ends[1]) / 2, (ends[0] + ends[1]) / 2
        self.share = sum(1 / len(cluster) for cluster in clusters) / 4
        # Differences of neighbours are free of the mean and independent: noise vectors of covariance Sigma.
        noise = np.concatenate([(c[0 : len(c) // 2 * 2 : 2] - c[1::2]) / np.sqrt(2) for c in clusters])
        products = noise @ noise.T
        off = products[~np.eye(len(noise), dtype=bool)]
        self.trace, self.trace_square = float(np.trace(products)) / len(noise), float((off**2).mean())
        self.length_square = _less(self.concept @ self.concept, self.share * self.trace)
        # Variance along c times the squared length of c.
        self.along = _less(((noise @ self.concept) ** 2).mean(), self.share * self.trace_square)
        if not (self.length_square > 0 and self.along > 0):
            raise ValueError(
                "x must hold two clusters with different means and some noise between the means, got neither"
            )


def _less(estimate: float, bias: float) -> float:
    return float(estimate - bias if estimate > bias else estimate)
