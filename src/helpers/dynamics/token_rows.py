"""The training samples as a force on the token rows of the unembedding: O(N d) work and memory.

The state is A = beta Delta W on the rows of the tokens in play, shape (tokens, d). Then w_i = A[a_i] - A[b_i]
and the margin of sample j of value i is r_j = w_i . (s_j x_j). The N x N interaction matrix is never built.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from scipy.linalg import eigh_tridiagonal

from ..checks import holds, shown
from ..layouts import TokenLayout


class Samples(Protocol):
    """Anything with embeddings `x` (N, d), `value` (N,) in 0..K-1 and `side` (N,) of +1 and -1."""

    x: np.ndarray
    value: np.ndarray
    side: np.ndarray


class TokenRows:
    """Training samples, signed and sorted by value in float64 (the one copy of x that is made).

    Raises `ValueError` as `checked_arrays` does.
    """

    def __init__(self, sample: Samples, layout: TokenLayout):
        x, value, side = checked_arrays(sample, layout, "sample")
        order = np.argsort(value, kind="stable")
        self.N, self.K = len(x), layout.K
        self.shape = (len(layout.tokens), x.shape[1])
        self._incidence = layout.incidence
        self._blocks = list(_blocks(np.bincount(value, minlength=layout.K), x.shape[1]))
        self._signed = np.empty(x.shape)
        for _, block in self._blocks:  # block by block, so that no second array of this size is made
            chosen = order[block]
            np.multiply(x[chosen], side[chosen, None], out=self._signed[block])

    def velocity(self, state: np.ndarray, push: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """dA/dS = K/(2N) sum_k push(r_k) Delta y_k x_k^T, shape (tokens, d)."""
        w, pull = self._incidence @ state, np.zeros((self.K, self.shape[1]))
        for value, block in self._blocks:
            rows = self._signed[block]  # read once for the margins and, still in cache, for the pull
            pull[value] += push(rows @ w[value]) @ rows
        return self.K / (2 * self.N) * (self._incidence.T @ pull)

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


def margins_along(w: np.ndarray, sample: Samples, layout: TokenLayout, name: str) -> np.ndarray:
    """r_j = w_i . (s_j x_j) for w of shape (T, K, d): shape (T, N), in the sample's order, block by block."""
    x, value, side = checked_arrays(sample, layout, name, w.shape[2])
    order, margins = np.argsort(value, kind="stable"), np.empty((len(w), len(x)))
    for i, block in _blocks(np.bincount(value, minlength=layout.K), x.shape[1]):
        chosen = order[block]
        margins[:, chosen] = w[:, i] @ (side[chosen, None] * x[chosen].astype(float)).T
    return margins


def checked_arrays(
    sample: Samples, layout: TokenLayout, name: str, d: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, value and side of `sample` as arrays that fit each other, the layout and, if given, the dimension d.

    Raises `ValueError` that begins with `name` and the array at fault.
    """
    holds(name, sample, "x value side", "a sample, as `ValueMixture.sample` draws it")
    holds("layout", layout, "K gram", "a TokenLayout")
    x, value, side = np.asarray(sample.x), np.asarray(sample.value), np.asarray(sample.side)
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name}.x must hold numbers, got {x.dtype}")
    if x.ndim != 2 or 0 in x.shape or (d is not None and x.shape[1] != d):
        raise ValueError(f"{name}.x must have shape (N, {d or 'd'}) with N at least 1, got {x.shape}")
    if not np.isfinite(x.sum(dtype=float)):  # the sum needs no second array of this size
        raise ValueError(f"{name}.x must be finite, got {np.sum(~np.isfinite(x))} entries that are not")
    N = len(x)
    if value.shape != (N,) or not np.isin(value, np.arange(layout.K)).all():
        raise ValueError(f"{name}.value must hold {N} numbers from 0 to {layout.K - 1}, got {shown(value)}")
    if side.shape != (N,) or not np.isin(side, (1, -1)).all():
        raise ValueError(f"{name}.side must hold {N} numbers 1 or -1, got {shown(side)}")
    return x, value.astype(int), side


def _blocks(counts: np.ndarray, d: int) -> Iterator[tuple[int, slice]]:
    """Slices of samples sorted by value, each within one value and about 1 MB, to stay in the cache."""
    size, start = max(16, 2**17 // d), 0
    for value, count in enumerate(counts):
        for first in range(start, start + count, size):
            yield value, slice(first, min(first + size, start + count))
        start += count
