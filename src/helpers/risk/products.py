"""The law N5 from measured products, each side by itself, for any layout and Q, and how far a training set strays."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from scipy.stats import norm

from ..checks import holds, integers, numbers, shown
from ..dynamics.token_rows import Samples, checked_arrays
from ..layouts import TokenLayout, disjoint
from .exact import log_at_most_zero


@dataclass(frozen=True, eq=False)
class Interactions:
    """Products of signed samples, made once: laws for other layouts, sizes and subsets follow from them.

    products : (s_j x_j) . (s_k x_k), shape (N, N).   value, side : shape (N,).   K : number of values.
    """

    products: Annotated[np.ndarray, "N N"]
    value: Annotated[np.ndarray, "N"]
    side: Annotated[np.ndarray, "N"]
    K: int

    def take(self, rows: Annotated[np.ndarray, "M"]) -> "Interactions":
        """Those of some of the samples, each at most once: a repeated one would count as the agreement of two.

        Raises `ValueError` for row numbers that are none or come twice.
        """
        rows = integers("rows", rows, 0, len(self.value) - 1)
        if len(np.unique(rows)) < len(rows):
            raise ValueError("rows must name each sample at most once, got one twice")
        return Interactions(self.products[np.ix_(rows, rows)], self.value[rows], self.side[rows], self.K)

    def halves(self, count: int, seed: int = 0) -> list["Interactions"]:
        """`count` random halves: of each cluster half of its samples, without repetition."""
        rng, clusters = np.random.default_rng(seed), [np.flatnonzero(mine) for mine in self._members.T]
        return [self.take(np.concatenate([rng.permutation(rows)[: -(-len(rows) // 2)] for rows in clusters]))
                for _ in range(count)]

    def law(self, layout: TokenLayout, Q: float | Annotated[np.ndarray, "*Q"]) -> Annotated[np.ndarray, "*Q K 2"]:
        """Predicted risk of each side of each value after one balanced step on Q samples a cluster (N5; a heuristic).

        Shape (*Q.shape, K, 2), the aligned side first; its mean over the sides is `law_from_interactions`.
        Raises `ValueError` for a layout of another number of values and for Q not above 0.
        """
        return np.exp(log_at_most_zero(*self._mean_and_deviation(layout, _sizes(Q))))

    def strays(self, layout: TokenLayout, Q: float | Annotated[np.ndarray, "*Q"]) -> Annotated[np.ndarray, "*Q K1"]:
        """Standard deviation, over training sets of Q samples a cluster, of the risk after one step.

        Shape (*Q.shape, K + 1): of each value (mean of its sides), and last of the mean of all values. What one
        training sample adds to the mean of T of a cluster, times the slope of the law: if anything too large, since
        the part that only lengthens T, and does no harm, is counted too (up to twice where little else strays).
        Raises `ValueError` as `law`.
        """
        Q = _sizes(Q)
        at = np.atleast_1d(Q)
        mean, deviation = self._mean_and_deviation(layout, at)
        deviation = np.maximum(deviation, 1e-150)
        slope = norm.pdf(mean / deviation) / deviation / 2  # (T, K, 2)
        _, variance, _ = self._sums
        others = self.products - np.diag(np.diag(self.products))
        rows, weights = [], []  # of each value: the samples of both sides, and what a push on each does to the risk
        for i in range(self.K):
            parts = [np.flatnonzero(self._members[:, c]) for c in (2 * i, 2 * i + 1)]
            rows.append(np.concatenate(parts))
            even = [np.repeat(slope[:, i, s, None] / len(part), len(part), axis=1) for s, part in enumerate(parts)]
            weights.append(np.concatenate(even, axis=1))
        found = np.zeros((len(at), self.K + 1))
        for c in range(2 * self.K):
            mine, total, noise = np.flatnonzero(self._members[:, c]), 0.0, 0.0
            for i in range(self.K):
                push = layout.gram[i, c // 2] / 2
                if push:
                    moved = push * weights[i] @ others[np.ix_(rows[i], mine)]
                    less = push**2 * weights[i] ** 2 @ variance[rows[i], c]
                    found[:, i] += np.maximum(moved.var(axis=1, ddof=1) - less, 0.0)
                    total, noise = total + moved / self.K, noise + less / self.K**2
            if np.ndim(total):
                found[:, -1] += np.maximum(total.var(axis=1, ddof=1) - noise, 0.0)
        return np.sqrt(found / at[:, None]).reshape(*Q.shape, self.K + 1)

    @cached_property
    def concept_products(self) -> Annotated[np.ndarray, "K K"]:
        """c_i . c_k without the bias of small samples, shape (K, K)."""
        by = np.zeros((self.K, self.K))
        for i in range(self.K):
            by[i] = (self._means[self._members[:, 2 * i]].mean(axis=0)
                     + self._means[self._members[:, 2 * i + 1]].mean(axis=0)) / 2
        return (by + by.T) / 2

    @cached_property
    def against(self) -> Annotated[np.ndarray, "N"]:
        """How hard the other samples of its value push each one, with answers of the value's own, shape (N,).

        In units of what pushes of these sizes with random signs would give; negative: towards the wrong answer.
        """
        same = self.value[:, None] == self.value
        pushes = np.where(same, self.products, 0.0)
        np.fill_diagonal(pushes, 0.0)
        size = np.sqrt((pushes**2).sum(axis=1))
        return np.divide(pushes.sum(axis=1), size, out=np.zeros(len(size)), where=size > 0)

    @cached_property
    def _members(self) -> np.ndarray:
        """Which samples each cluster has, shape (N, 2K): value by value, the aligned side first."""
        return np.stack([(self.value == i) & (self.side == s) for i in range(self.K) for s in (1, -1)], axis=1)

    @cached_property
    def _sums(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean and variance of the products of each sample with each cluster, itself left out: (N, 2K) each; counts."""
        others = self.products - np.diag(np.diag(self.products))
        members = self._members.astype(float)
        count = members.sum(axis=0) - members
        mean = others @ members / count
        variance = np.maximum(others**2 @ members - count * mean**2, 0.0) / (count - 1)
        return mean, variance, count

    @cached_property
    def _means(self) -> np.ndarray:
        """Mean product of each sample with both sides of each value, shape (N, K)."""
        return self._sums[0].reshape(len(self.value), self.K, 2).mean(axis=2)

    @cached_property
    def _spreads(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each cluster and value, shape (2K, K): what one training sample a cluster adds, and what it added here."""
        _, variance, count = self._sums
        drawn, error = np.empty((2, 2 * self.K, 2 * self.K))
        for c, mine in enumerate(self._members.T):
            drawn[c] = variance[mine].mean(axis=0) / 4
            error[c] = drawn[c] / count[mine][0]
        return tuple(part.reshape(2 * self.K, self.K, 2).sum(axis=2) for part in (drawn, error))

    def _mean_and_deviation(self, layout: TokenLayout, Q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self._fits(layout)
        mean, variance = np.empty((self.K, 2)), np.empty((*Q.shape, self.K, 2))
        drawn, error = self._spreads
        for i in range(self.K):
            for at in (0, 1):
                c = 2 * i + at
                T = self._means[self._members[:, c]] @ layout.gram[i]
                mean[i, at] = T.mean()
                given = max(float(T.var(ddof=1) - error[c] @ layout.gram[i] ** 2), 0.0)
                variance[..., i, at] = given + drawn[c] @ layout.gram[i] ** 2 / Q
        return mean, np.sqrt(variance)

    def _fits(self, layout: TokenLayout) -> None:
        holds("layout", layout, "K gram", "a TokenLayout")
        if layout.K != self.K:
            raise ValueError(f"layout must have {self.K} values, as the sample has, got {layout.K}")


def interactions(sample: Samples) -> Interactions:
    """Products of all pairs of samples, O(N^2 d), from which `Interactions` makes laws for any layout.

    sample : embeddings `x` (N, d) with `value` 0..K-1 and `side`, at least 3 of each cluster.
    Raises `ValueError` for arrays that do not fit and for a cluster with fewer than 3 samples.
    """
    holds("sample", sample, "x value side", "samples with x, value and side")
    value = numbers("value", sample.value)
    K = int(np.nanmax(value)) + 1 if value.size and np.isfinite(value).all() and 0 <= value.max() < 10**4 else 1
    x, value, side = checked_arrays(sample, disjoint(K), "sample")
    counts = np.array([np.sum((value == i) & (side == s)) for i in range(K) for s in (1, -1)])
    if counts.min() < 3:
        raise ValueError(f"sample must hold at least 3 samples of each cluster, got one with {counts.min()}")
    signed = side[:, None] * x.astype(float, copy=False)
    return Interactions(signed @ signed.T, np.asarray(value).astype(int), np.asarray(side).astype(int), K)


def _sizes(Q: float | np.ndarray) -> np.ndarray:
    found = numbers("Q", Q)
    if not (found >= 1e-100).all():
        raise ValueError(f"Q must be above 0, got {shown(Q)}")
    return found
