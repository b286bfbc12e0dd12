"""Which pairs the others push the right way: judged from pushes alone, without a model and without any training."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.stats import norm

from ..audit.intervals import jackknife
from ..checks import at_least, finite, integers
from ..statistics import wilson_interval

ALPHA = 0.05
HARD = -1.0  # against the rest by more than pushes with random signs would give


@dataclass(frozen=True, eq=False)
class Judgement:
    """N pairs, each judged by the others, at the first step of training.

    push : what all others do to the margin of each pair, shape (N,); the right way where positive.
    force : the same in units of what pushes of these sizes with random signs would give, shape (N,).
    low, high : 95 % for the share of pairs that move the right way (a jackknife over groups of pairs, or Wilson's).
    chance, p : the share with labels drawn by a coin, and how often a coin does as well.
    own : what a pair's own step does to it, shape (N,).
    matrix : pushes of each pair on each, shape (N, N), the labels in; None where there are too many pairs for it.
    """

    push: Annotated[np.ndarray, "N"]
    force: Annotated[np.ndarray, "N"]
    low: float
    high: float
    chance: float
    p: float
    own: Annotated[np.ndarray, "N"]
    matrix: Annotated[np.ndarray, "N N"] | None = None

    @property
    def right(self) -> Annotated[np.ndarray, "N"]:
        """Which pairs the others push the right way."""
        return self.push > 0

    @property
    def order(self) -> Annotated[np.ndarray, "N"]:
        """Pair numbers from the one that is pushed hardest against to the one that is pushed hardest along."""
        return np.argsort(self.force, kind="stable")

    @property
    def hard(self) -> list[int]:
        """Pairs that push hard against the rest, the hardest first: what to read."""
        return [int(j) for j in self.order if self.force[j] <= HARD]

    @property
    def weak(self) -> list[int]:
        """Pairs that the rest pushes the wrong way, but not hard: undecided."""
        return [int(j) for j in self.order if HARD < self.force[j] <= 0]

    @property
    def beyond_chance(self) -> list[int]:
        """Those of `hard` whose push is beyond random signs, with all N pairs counted (Bonferroni)."""
        return [j for j in self.hard if len(self.force) * norm.cdf(self.force[j]) < ALPHA]

    @property
    def would_be_found(self) -> float:
        """Share of the pairs that would be among `hard` if their two answers alone were exchanged."""
        return float((self.force >= -HARD).mean())

    def against(self, j: int, most: int = 3) -> list[int]:
        """The pairs that push pair j hardest the wrong way; none where there is no matrix."""
        if self.matrix is None:
            return []
        row = self.matrix[j]
        return [int(k) for k in np.argsort(row, kind="stable")[:most] if row[k] < 0 and k != j]

    def fights(self, most: int = 5, least: float = 0.1) -> list[tuple[int, int, float, float]]:
        """Pairs of pairs that undo each other most: (j, k, share of j's own step, share of k's), hardest first.

        Listed where the pushes are at least `least` of the geometric mean of both own steps. No chance is in it: at
        the first step these numbers are exact.
        """
        if self.matrix is None:
            return []
        size = np.sqrt(np.maximum(self.own, 1e-300))
        alike = np.where(np.triu(np.ones_like(self.matrix), 1) > 0, self.matrix / np.outer(size, size), 0.0)
        found = []
        for place in np.argsort(alike, axis=None, kind="stable")[:most]:
            j, k = (int(n) for n in np.unravel_index(place, alike.shape))
            if alike[j, k] <= -least:
                found.append((j, k, float(-self.matrix[j, k] / self.own[j]), float(-self.matrix[j, k] / self.own[k])))
        return found

    def turned(self, pairs: list[int]) -> "Judgement":
        """The same pairs with the answers of some of them exchanged: signs on the matrix, nothing is computed anew.

        Raises `ValueError` where there is no matrix, or for a number that is no pair's.
        """
        if self.matrix is None:
            raise ValueError("turned needs the matrix of pushes, which a judgement of so many pairs does not hold")
        sign = np.ones(len(self.push))
        sign[integers("pairs", pairs, 0, len(sign) - 1)] = -1
        return judge(sign[:, None] * self.matrix * sign, draws=0)


def judge(matrix: Annotated[np.ndarray, "N N"], *, draws: int = 2000, seed: int = 0) -> Judgement:
    """Judge each pair by the others, from the matrix of pushes (`sequences.push_matrix`).

    draws : labellings by a coin for `p`; with 0 there is none.
    Raises `ValueError` for a matrix that is not square and symmetric, with fewer than 3 pairs or not finite.
    """
    matrix = finite("matrix", matrix)
    N = len(matrix) if matrix.ndim else 0
    if matrix.shape != (N, N) or N < 3 or not np.allclose(matrix, matrix.T, 1e-3, 1e-3 * np.abs(matrix).max()):
        raise ValueError(f"matrix must be symmetric, of at least 3 pairs, got shape {matrix.shape}")
    at_least("draws", draws, 0), at_least("seed", seed, 0)
    others = matrix - np.diag(np.diag(matrix))
    push = others.sum(axis=1)
    right, rng = push > 0, np.random.default_rng(seed)
    coins = rng.choice([-1.0, 1.0], (draws, N))
    chance = ((coins * (coins @ others)) > 0).mean(axis=1) if draws else np.array([])
    groups = rng.permutation(np.arange(N) % min(10, N // 2 + 1))
    left = []
    for h in range(groups.max() + 1):
        kept = np.flatnonzero(groups != h)
        left.append((others[np.ix_(kept, kept)].sum(axis=1) > 0).mean())
    share = jackknife(np.array(right.mean()), np.array(left))
    wide = wilson_interval(float(right.mean()), N)  # groups that all agree say nothing of pairs that are not here
    return Judgement(
        push, _in_units(push, np.sqrt((others**2).sum(axis=1))),
        float(np.clip(min(share.low, wide[0]), 0, 1)), float(np.clip(max(share.high, wide[1]), 0, 1)),
        float(chance.mean()) if draws else np.nan,
        float((1 + (chance >= right.mean()).sum()) / (1 + draws)) if draws else np.nan,
        np.diag(matrix).copy(), others,
    )


def judge_many(
    push: Annotated[np.ndarray, "N"], own: Annotated[np.ndarray, "N"], coins: Annotated[np.ndarray, "M N"],
) -> Judgement:
    """Judge each pair by the others where there are too many for a matrix (`sequences.total_pushes`).

    push, own : of the labels as they are, shape (N,).   coins : pushes with M labellings drawn by a coin, shape (M, N):
    their size is the unit of the force, known to about 1 / sqrt(2 M), and their signs are what chance does.

    Raises `ValueError` for arrays that do not fit or are not finite, fewer than 3 pairs or 4 labellings.
    """
    push, own, coins = finite("push", push), finite("own", own), finite("coins", coins)
    if push.ndim != 1 or len(push) < 3 or own.shape != push.shape or coins.shape[1:] != push.shape or len(coins) < 4:
        shapes = f"{push.shape}, {own.shape} and {coins.shape}"
        raise ValueError(f"push, own and coins must have shapes (N,), (N,) and (M, N) with M at least 4, got {shapes}")
    right, chance = float((push > 0).mean()), (coins > 0).mean(axis=1)
    spread = max(chance.std(ddof=1), 0.5 / np.sqrt(len(push)))
    low, high = wilson_interval(right, len(push))
    return Judgement(push, _in_units(push, np.sqrt((coins**2).mean(axis=0))), low, high, float(chance.mean()),
                     float(norm.sf((right - chance.mean()) / spread)), own)


def _in_units(push: np.ndarray, unit: np.ndarray) -> np.ndarray:
    return np.divide(push, unit, out=np.zeros(len(push)), where=unit > 0)
