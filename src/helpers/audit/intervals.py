"""Intervals of measured constants: a jackknife that leaves out groups of statements within clusters.

Why not the bootstrap: squared lengths are measured without bias because the noises of different statements are
independent, and a bootstrap sample holds statements twice. Two copies agree in all of their noise, which the estimates
take for a longer concept: every replicate is too large, and so is the interval.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.stats import t

from ..checks import at_least, finite, integers
from ..statistics import LEVEL


@dataclass(frozen=True, eq=False)
class Interval:
    """Estimates with their 95 % intervals, shape (...) each."""

    value: Annotated[np.ndarray, "..."]
    low: Annotated[np.ndarray, "..."]
    high: Annotated[np.ndarray, "..."]

    def __getitem__(self, where) -> "Interval":
        return Interval(*(np.asarray(part)[where] for part in (self.value, self.low, self.high)))

    def __str__(self) -> str:
        if np.ndim(self.value):
            return f"{np.shape(self.value)} numbers, {np.min(self.value):.3g} to {np.max(self.value):.3g}"
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


def groups_of_pairs(
    value: Annotated[np.ndarray, "N"], side: Annotated[np.ndarray, "N"], *, groups: int = 10, seed: int = 0
) -> Annotated[np.ndarray, "N"]:
    """The group of every statement, 0 to g - 1, shape (N,): each group has its share of every cluster.

    Neighbours of a cluster, from whose differences the noise is measured, stay together. There are as many groups as
    asked for, or as the smallest cluster has pairs.

    Raises
    ------
    ValueError : fewer than 2 groups, or a cluster with fewer than 6 statements.
    """
    at_least("groups", groups, 2), at_least("seed", seed, 0)
    value, side = integers("value", value, 0, 2**31), integers("side", side, -1, 1)
    if len(value) != len(side) or not len(side) or not side.all():
        raise ValueError(f"value and side must be equally long, side of 1 and -1, got {len(value)} and {len(side)}")
    rng = np.random.default_rng([seed, 10])
    clusters = [np.flatnonzero((value == i) & (side == s)) for i in np.unique(value) for s in (1, -1)]
    least = min(map(len, clusters))
    if least < 6:
        raise ValueError(f"value and side must give every cluster at least 6 statements, got one of {least}")
    number, found = min(groups, least // 2), np.zeros(len(value), dtype=int)
    for rows in clusters:
        pairs = len(rows) // 2
        dealt = rng.permutation(np.arange(pairs) % number)
        found[rows] = dealt[np.minimum(np.arange(len(rows)) // 2, pairs - 1)]
    return found


def jackknife(
    estimate: Annotated[np.ndarray, "*rest"], left_out: Annotated[np.ndarray, "g *rest"], *, log: bool = False,
    times: int = 1,
) -> Interval:
    """The interval of an estimate from the same estimate with each of g groups left out.

    Parameters
    ----------
    estimate : shape (...).   left_out : shape (g, ...), g at least 2.
    log : the interval is made of logarithms, for what is positive by nature; all numbers must then be above 0.
    times : how many intervals are to hold at once (Bonferroni).

    The variance is (g - 1)/g times the sum of squared deviations of the g estimates from their mean (Shao and Wu 1989),
    the quantile that of Student with g - 1 degrees of freedom.

    Raises
    ------
    ValueError : fewer than 2 groups, numbers that are not finite, or with `log` not positive.
    """
    at_least("times", times, 1)
    estimate, left_out = finite("estimate", estimate), finite("left_out", left_out)
    if left_out.ndim < 1 or len(left_out) < 2 or left_out.shape[1:] != estimate.shape:
        raise ValueError(f"left_out must hold at least 2 of estimate's shape, got {left_out.shape}, {estimate.shape}")
    if log and not (np.min(estimate, initial=1) > 0 and np.min(left_out, initial=1) > 0):
        raise ValueError("estimate and left_out must be above 0 with log, got a number that is not")
    to, back = (np.log, np.exp) if log else (np.asarray, np.asarray)
    half = t.ppf(1 - (1 - LEVEL) / 2 / times, len(left_out) - 1) * standard_error(to(left_out))
    return Interval(estimate, back(to(estimate) - half), back(to(estimate) + half))


def standard_error(left_out: np.ndarray) -> np.ndarray:
    """Of the estimate whose g leave-one-group-out versions are the rows of `left_out`."""
    g = len(left_out)
    return np.sqrt((g - 1) / g * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))


def left_out_by_group(measure: Callable, x: np.ndarray, value, side, group: np.ndarray) -> list:
    """What `measure(x, value, side)` gives without each group."""
    return [measure(x[group != h], value[group != h], side[group != h]) for h in range(group.max() + 1)]
