"""Intervals that the chapters share: of a share that was counted, of a mean over draws, of a paired difference.

A draw is a split, a subset or a seed: everything that would be drawn again. All intervals are of 95 %.
"""

import warnings
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.stats import DegenerateDataWarning, binomtest, bootstrap, t

from .checks import at_least, between, finite, shown

LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """Mean of paired differences, its interval, and the probability `p` of one as large by chance; shape (...)."""

    mean: Annotated[np.ndarray, "*rest"]
    low: Annotated[np.ndarray, "*rest"]
    high: Annotated[np.ndarray, "*rest"]
    p: Annotated[np.ndarray, "*rest"]


def wilson_interval(error: float, tested: int) -> tuple[float, float]:
    """Wilson's interval for a share of errors seen on `tested` independent statements.

    `error` lies between 0 and 1 and is a whole number of the `tested`; a mean over draws is rounded to one.
    Raises `ValueError` for a share outside of 0 to 1 or fewer than one statement.
    """
    tested = at_least("tested", tested, 1)
    wrong = round(between("error", error, 0, 1) * tested)
    interval = binomtest(wrong, tested).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def mean_interval(
    draws: Annotated[np.ndarray, "n *rest"]
) -> tuple[Annotated[np.ndarray, "*rest"], Annotated[np.ndarray, "*rest"], Annotated[np.ndarray, "*rest"]]:
    """Mean over draws and Student's interval of that mean: where the mean of ever more such draws would lie.

    Parameters
    ----------
    draws : shape (n, ...), one row a draw, n at least 2.

    Returns
    -------
    mean, low, high : shape (...) each.

    Raises
    ------
    ValueError : fewer than 2 draws, or numbers that are not finite.
    """
    draws = _draws("draws", draws)
    n, mean = len(draws), draws.mean(axis=0)
    half = t.ppf((1 + LEVEL) / 2, n - 1) * draws.std(axis=0, ddof=1) / np.sqrt(n)
    return mean, mean - half, mean + half


def paired_difference(first: Annotated[np.ndarray, "n *rest"], second: Annotated[np.ndarray, "n *rest"]) -> Difference:
    """Mean of first - second over draws that both were made on, with Student's interval and test.

    Parameters
    ----------
    first, second : shape (n, ...) each, one row a draw, n at least 2.

    Raises
    ------
    ValueError : arrays of different shapes, fewer than 2 draws, or numbers that are not finite.
    """
    first, second = _draws("first", first), _draws("second", second)
    if first.shape != second.shape:
        raise ValueError(f"first and second must have one shape, got {first.shape} and {second.shape}")
    mean, low, high = mean_interval(first - second)
    error = (first - second).std(axis=0, ddof=1) / np.sqrt(len(first))
    with np.errstate(divide="ignore", invalid="ignore"):  # differences that are all equal: 0 / 0 where they are 0
        p = 2 * t.sf(np.abs(mean) / error, len(first) - 1)
    return Difference(mean, low, high, np.where(np.isnan(p), 1.0, p)[()])


def bootstrap_interval(draws: np.ndarray, statistic=np.mean, *, seed: int = 0) -> tuple[float, float]:
    """Interval of a statistic of the draws by the bootstrap, where it is no mean or is far from normal.

    Bias-corrected and accelerated (BCa), or the plain percentiles where that correction does not exist, as for the
    median of draws that are mostly equal.

    Parameters
    ----------
    draws : shape (n,), n at least 2. statistic : function of an array along its `axis`, such as `numpy.median`.
    seed : of the resampling.

    Raises
    ------
    ValueError : fewer than 2 draws, draws that are all equal, numbers that are not finite, no function, or a seed
        below 0.
    """
    draws = _draws("draws", draws)
    if not callable(statistic):
        raise ValueError(f"statistic must be a function of an array along its axis, got {shown(statistic)}")
    at_least("seed", seed, 0)
    if draws.ndim != 1 or not np.ptp(draws):
        raise ValueError(f"draws must be a list of numbers that differ, got {shown(draws)}")
    for method in ("BCa", "percentile"):
        with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
            warnings.simplefilter("ignore", DegenerateDataWarning)
            # The name that all versions of SciPy take, also those before `rng`.
            found = bootstrap((draws,), statistic, confidence_level=LEVEL, method=method,
                              random_state=np.random.default_rng(seed)).confidence_interval
        if np.isfinite(found.low) and np.isfinite(found.high):
            break
    return float(found.low), float(found.high)


def _draws(name: str, draws: np.ndarray) -> np.ndarray:
    draws = finite(name, draws)
    if draws.ndim < 1 or len(draws) < 2:
        raise ValueError(f"{name} must hold at least 2 draws of finite numbers, got shape {draws.shape}")
    return draws
