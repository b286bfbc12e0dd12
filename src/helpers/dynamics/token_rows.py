"""Samples as a force on the token rows of the unembedding: O(N d) work and memory, the one engine of the last layer.

The state is a change of the rows of the tokens in play, shape (tokens, d): A = beta Delta W where time is S, Delta W
itself where an optimizer counts steps. Then w_i = A[a_i] - A[b_i] and sample j of value i has the margin
w_i . (s_j x_j). The N x N interaction matrix is never built, and rows of no answer never move: the normalizer cancels
in a margin, so their gradient is exactly 0.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Protocol

import numpy as np
from scipy.linalg import eigh_tridiagonal

from ..checks import holds, shown
from ..layouts import TokenLayout

LARGEST = 1e50  # entry of an embedding: its products of four, as in a squared interaction, are still numbers


class Samples(Protocol):
    """Anything with embeddings `x` (N, d), `value` (N,) in 0..K-1 and `side` (N,) of +1 and -1."""

    x: Annotated[np.ndarray, "N d"]
    value: Annotated[np.ndarray, "N"]
    side: Annotated[np.ndarray, "N"]


class TokenRows:
    """Samples, signed and sorted by their two tokens (the one copy of x that is made).

    Values that share both tokens, in either order, are one group, and a group costs two products with its own block.
    dtype : precision of the copy and of all that follows, float64 or float32.   name : what errors call the sample.
    Raises `ValueError` as `checked_arrays` does.
    """

    def __init__(self, sample: Samples, layout: TokenLayout, *, dtype: type = np.float64, name: str = "sample"):
        x, value, side = checked_arrays(sample, layout, name)
        pairs, group = np.unique(np.sort(layout.indices, axis=1), axis=0, return_inverse=True)
        flipped = np.where(layout.indices[:, 0] > layout.indices[:, 1], -1, 1)
        group, sign = group.reshape(-1)[value], side * flipped[value]
        self.N, self.K, self.dtype = len(x), layout.K, np.dtype(dtype)
        self.shape = (len(layout.tokens), x.shape[1])
        self._order = np.argsort(group, kind="stable")
        self._blocks = list(_blocks(pairs, np.bincount(group, minlength=len(pairs)), x.shape[1]))
        self._signed = np.empty(x.shape, self.dtype)
        for _, _, block in self._blocks:  # block by block, so that no second array of this size is made
            chosen = self._order[block]
            np.multiply(x[chosen], sign[chosen, None], out=self._signed[block], casting="same_kind")

    def margins(self, states: Annotated[np.ndarray, "*T tokens d"]) -> Annotated[np.ndarray, "*T N"]:
        """Margins w_i . (s_j x_j) at states (..., tokens, d): shape (..., N), in the sample's order."""
        margins = np.empty((*states.shape[:-2], self.N), self.dtype)
        for a, b, block in self._blocks:
            margins[..., self._order[block]] = (states[..., a, :] - states[..., b, :]) @ self._signed[block].T
        return margins

    def force(self, pushes: Annotated[np.ndarray, "N"]) -> Annotated[np.ndarray, "tokens d"]:
        """sum_k push_k Delta y_k x_k^T for pushes (N,) in the sample's order: shape (tokens, d)."""
        rows = np.zeros(self.shape, self.dtype)
        for a, b, block in self._blocks:
            direction = pushes[self._order[block]].astype(self.dtype, copy=False) @ self._signed[block]
            rows[a] += direction
            rows[b] -= direction
        return rows

    def margins_and_force(
        self, state: Annotated[np.ndarray, "tokens d"], push: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[Annotated[np.ndarray, "N"], Annotated[np.ndarray, "tokens d"]]:
        """`margins` m at one state and `force` of push(m), in one pass over the samples."""
        margins, rows = np.empty(self.N, self.dtype), np.zeros(self.shape, self.dtype)
        for a, b, block in self._blocks:
            signed = self._signed[block]  # read once for the margins and, still in cache, for the force
            m = signed @ (state[a] - state[b])
            direction = push(m).astype(self.dtype, copy=False) @ signed
            margins[self._order[block]] = m
            rows[a] += direction
            rows[b] -= direction
        return margins, rows

    def velocity(
        self, state: Annotated[np.ndarray, "tokens d"], push: Callable[[np.ndarray], np.ndarray]
    ) -> Annotated[np.ndarray, "tokens d"]:
        """dA/dS = K/(2N) sum_k push(r_k) Delta y_k x_k^T, shape (tokens, d)."""
        return self.K / (2 * self.N) * self.margins_and_force(state, push)[1]

    def largest_eigenvalue(self) -> float:
        """Largest eigenvalue of C/N to about 1e-10 relative, by power iteration with Lanczos' acceleration.

        C = M M^T for the map M from the state A to the margins, so that M^T M has the same eigenvalues.
        ARPACK is not used: on data of low rank, such as clusters without noise, it missed the largest.
        """
        direction = np.random.default_rng(0).standard_normal(self.shape).ravel()  # fixed: one answer
        basis, diagonal, coupling = np.empty((0, direction.size)), [], []
        while True:
            direction /= np.linalg.norm(direction)
            basis = np.vstack([basis, direction])
            image = 2 / self.K * self.velocity(direction.reshape(self.shape), lambda r: r).ravel()
            diagonal.append(direction @ image)
            for _ in range(2):  # twice is enough to stay orthogonal in floating point
                image -= (basis @ image) @ basis
            top = (len(diagonal) - 1,) * 2
            value, vector = eigh_tridiagonal(diagonal, coupling, select="i", select_range=top)
            residual = np.linalg.norm(image)
            if residual * abs(vector[-1, 0]) <= 1e-10 * value[0] or len(basis) == direction.size:
                return float(value[0])
            coupling.append(residual)
            direction = image


def held_out_rows(test: Samples, layout: TokenLayout, d: int) -> TokenRows:
    """`TokenRows` of held-out samples of dimension d; errors as `checked_arrays`, of "test"."""
    checked_arrays(test, layout, "test", d)
    return TokenRows(test, layout, name="test")


def checked_arrays(
    sample: Samples, layout: TokenLayout, name: str, d: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, value and side of `sample` as arrays that fit each other, the layout and, if given, the dimension d.

    Raises `ValueError` that begins with `name` and the array at fault.
    """
    holds("layout", layout, "K gram indices incidence tokens", "a TokenLayout")
    return checked_samples(sample, layout.K, name, d)


def checked_samples(
    sample: Samples, K: int, name: str, d: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `checked_arrays`, for K values whatever their answers. Raises `ValueError` as it does."""
    holds(name, sample, "x value side", "a sample, as `ValueMixture.sample` draws it")
    try:
        x, value, side = np.asarray(sample.x), np.asarray(sample.value), np.asarray(sample.side)
    except ValueError:  # rows of different lengths
        raise ValueError(f"{name} must hold arrays, got lists of lists of different lengths") from None
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name}.x must hold numbers, got {x.dtype}")
    if x.ndim != 2 or 0 in x.shape or (d is not None and x.shape[1] != d):
        raise ValueError(f"{name}.x must have shape (N, {d or 'd'}) with N at least 1, got {x.shape}")
    low, high = float(x.min()), float(x.max())  # these need no second array of this size, and NaN shows in them
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{name}.x must be finite, got {np.sum(~np.isfinite(x))} entries that are not")
    if max(-low, high) > LARGEST:
        raise ValueError(f"{name}.x must lie between {-LARGEST:g} and {LARGEST:g}, got {max(-low, high):g}")
    N = len(x)
    if value.shape != (N,) or value.dtype.kind not in "iuf" or not np.isin(value, np.arange(K)).all():
        raise ValueError(f"{name}.value must hold {N} numbers from 0 to {K - 1}, got {shown(value)}")
    if side.shape != (N,) or side.dtype.kind not in "iuf" or not np.isin(side, (1, -1)).all():
        raise ValueError(f"{name}.side must hold {N} numbers 1 or -1, got {shown(side)}")
    return x, value.astype(int), side.astype(int)


def _blocks(pairs: np.ndarray, counts: np.ndarray, d: int) -> Iterator[tuple[int, int, slice]]:
    """Slices of samples sorted by their tokens, each within one pair (a, b) and about 1 MB, to stay in the cache."""
    size, start = max(16, 2**17 // d), 0
    for (a, b), count in zip(pairs, counts, strict=True):
        for first in range(start, start + count, size):
            yield a, b, slice(first, min(first + size, start + count))
        start += count
