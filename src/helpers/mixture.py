"""A Gaussian mixture of K human values: two clusters of embeddings for each value."""

from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from typing import Annotated

import numpy as np

from .checks import at_least, between, shown
from .layouts import TokenLayout

MOST_NUMBERS = 10**9  # that one array is asked to hold


@dataclass(frozen=True)
class Sample:
    """Embeddings `x` (N, d), the `value` of each row in 0..K-1 (N,), and its `side`, +1 or -1 (N,)."""

    x: Annotated[np.ndarray, "N d"]
    value: Annotated[np.ndarray, "N"]
    side: Annotated[np.ndarray, "N"]

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True)
class ValueMixture:
    """The preference distribution of the theorems: embeddings x ~ N(s c_i + b, v^2 I_d), s = +1 or -1.

    Parameters
    ----------
    layout : the answer tokens of the K values.
    d : embedding dimension, at least K + 1, because the c_i and b need room to be orthogonal; K d at most 10^9.
    v : standard deviation of the noise in each coordinate, at least 0.
    l_b : length of the shared component b, at least 0.
    delta : departure from orthogonality, 0 to 1; the paper's Definition C.1 ends at 1/2, Lemma C.2 holds beyond.
        Each c_i is tilted until its product with its basis vector is 1 - delta^2 / 8, half towards b and half towards
        the next concept.

    Raises
    ------
    ValueError : an argument outside its range.
    """

    layout: TokenLayout
    d: int
    v: float
    l_b: float
    delta: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.layout, TokenLayout):
            raise ValueError(f"layout must be a TokenLayout, got {shown(self.layout)}")
        if at_least("d", self.d, 1) < self.K + 1:
            raise ValueError(f"d must be at least K + 1 = {self.K + 1}, got {self.d}")
        at_least("d", self.d, 1, max(self.K + 1, MOST_NUMBERS // self.K))
        # Concepts have length 1, so anything near these limits is a slip of units.
        between("v", self.v, 0.0, 1e6)
        between("l_b", self.l_b, 0.0, 1e6)
        between("delta", self.delta, 0.0, 1.0)

    @property
    def K(self) -> int:
        """Number of values."""
        return self.layout.K

    @cached_property
    def concepts(self) -> np.ndarray:
        """The unit vectors c_i as rows, shape (K, d); the first coordinate belongs to b."""
        K, short = self.K, self.delta**2 / 8
        cosine, sine = 1 - short, np.sqrt(short * (2 - short))  # without the cancellation of 1 - cosine^2
        basis = np.eye(K + 1, self.d)
        towards = basis[:1].copy() if K == 1 else (basis[0] + np.roll(basis[1:], -1, axis=0)) / np.sqrt(2)
        return cosine * basis[1:] + sine * towards

    @cached_property
    def shared(self) -> np.ndarray:
        """The component b = l_b e_1 that all clusters share, shape (d,)."""
        b = np.zeros(self.d)
        b[0] = self.l_b
        return b

    @property
    def means(self) -> np.ndarray:
        """Means of all clusters, shape (K, 2, d), side +1 first."""
        return np.array([1.0, -1.0])[:, None] * self.concepts[:, None] + self.shared

    def mean(self, value: int, side: int) -> np.ndarray:
        """Mean of cluster (value, side), shape (d,). Raises `ValueError` where the mixture has no such cluster."""
        at_least("value", value, 0, self.K - 1)
        if not isinstance(side, Real) or side not in (1, -1):
            raise ValueError(f"side must be 1 or -1, got {shown(side)}")
        return side * self.concepts[value] + self.shared

    def counts(self, Q: int | np.ndarray) -> np.ndarray:
        """Samples in each cluster, shape (K, 2), columns side +1 and -1. One number Q means the same for all.

        Raises
        ------
        ValueError : Q below 1, counts of another shape, negative, not whole, or all 0.
        """
        if isinstance(Q, Integral):
            # Above 2**53 floats no longer hold every whole number.
            return np.full((self.K, 2), at_least("Q", Q, 1, 2**53))
        try:
            counts = np.asarray(Q)
        except ValueError:  # rows of different lengths
            counts = np.array(None)
        whole = np.issubdtype(counts.dtype, np.integer)
        if counts.shape != (self.K, 2) or not whole or counts.min() < 0 or counts.sum() == 0:
            raise ValueError(
                f"Q must be a whole number of at least 1 or counts of shape ({self.K}, 2), not negative and "
                f"not all 0, got {shown(Q)}"
            )
        return counts

    def sample(self, Q: int | np.ndarray, rng: np.random.Generator) -> Sample:
        """Draw Q samples from each cluster, or ``Q[i, 0]`` from (i, +1) and ``Q[i, 1]`` from (i, -1).

        Rows are ordered by value, the aligned side first. Raises `ValueError` as `counts` does, for more than
        10^9 numbers in all and for an rng that is no generator.
        """
        counts = self.counts(Q)
        if int(counts.sum()) * self.d > MOST_NUMBERS:
            raise ValueError(f"Q must ask for at most {MOST_NUMBERS:.0e} numbers of {self.d} a sample, got {shown(Q)}")
        if not isinstance(rng, np.random.Generator):
            raise ValueError(f"rng must be a numpy.random.Generator, got {shown(rng)}")
        value = np.repeat(np.arange(self.K), counts.sum(axis=1))
        side = np.repeat(np.tile([1, -1], self.K), counts.ravel())
        x = rng.standard_normal((len(value), self.d))
        x *= self.v
        x += side[:, None] * self.concepts[value]
        x += self.shared
        return Sample(x, value, side)
