"""Intervals: closed forms, SciPy's own, and how often they hold what they promise."""

import numpy as np
import pytest
from scipy import stats

from helpers.statistics import bootstrap_interval, mean_interval, paired_difference, wilson_interval

SEVEN = np.array([0.12, 0.18, 0.15, 0.11, 0.2, 0.16, 0.14])


def test_wilsons_interval_is_its_formula():
    z, k, n = 1.959963984540054, 9, 32
    centre = (k / n + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(k / n * (1 - k / n) / n + z**2 / (4 * n**2))
    assert wilson_interval(k / n, n) == pytest.approx((centre - half, centre + half), rel=1e-12)
    assert wilson_interval(0.0, 32)[0] == 0.0 and wilson_interval(1.0, 32)[1] == 1.0


def test_the_interval_of_a_mean_is_students():
    mean, low, high = mean_interval(np.stack([SEVEN, 2 * SEVEN], axis=1))
    oracle = stats.ttest_1samp(SEVEN, 0).confidence_interval(0.95)
    assert mean == pytest.approx([SEVEN.mean(), 2 * SEVEN.mean()], rel=1e-14)
    assert (low[0], high[0]) == pytest.approx((oracle.low, oracle.high), rel=1e-12)
    assert (low[1], high[1]) == pytest.approx((2 * oracle.low, 2 * oracle.high), rel=1e-12)


def test_nineteen_of_twenty_intervals_hold_the_mean():
    draws = np.random.default_rng(0).normal(0.3, 0.1, (10, 20_000))
    _, low, high = mean_interval(draws)
    share = ((low <= 0.3) & (0.3 <= high)).mean()
    assert share == pytest.approx(0.95, abs=5 * np.sqrt(0.95 * 0.05 / 20_000))


def test_a_paired_difference_sees_what_the_spread_of_draws_hides():
    rng = np.random.default_rng(1)
    draw = rng.normal(0, 1, 10)  # what both share
    first, second = draw + 0.3 + rng.normal(0, 0.1, 10), draw + rng.normal(0, 0.1, 10)
    found = paired_difference(first, second)
    oracle = stats.ttest_rel(first, second)
    assert (found.low, found.high) == pytest.approx(tuple(oracle.confidence_interval(0.95)), rel=1e-12)
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-12) and found.low > 0
    assert stats.ttest_ind(first, second).pvalue > 0.2  # unpaired, nothing is seen
    same = paired_difference(draw, draw)
    assert same.mean == same.low == same.high == 0 and same.p == 1


def test_the_bootstrap_of_a_mean_is_near_students_and_repeats():
    low, high = bootstrap_interval(SEVEN)
    _, below, above = mean_interval(SEVEN)
    assert (low, high) == bootstrap_interval(SEVEN)
    assert low < SEVEN.mean() < high and high - low < above - below  # with 7 draws Student's is the wider
    assert bootstrap_interval(SEVEN, np.median)[0] >= SEVEN.min()
    # Where all but one are equal, BCa has no correction; the median of most resamples is 0.
    assert bootstrap_interval([0.0] * 9 + [1.0], np.median) == (0.0, 0.0)


def test_the_bootstrap_is_scipys():
    oracle = stats.bootstrap((SEVEN,), np.median, confidence_level=0.95, method="BCa",
                             random_state=np.random.default_rng(3)).confidence_interval
    assert bootstrap_interval(SEVEN, np.median, seed=3) == (oracle.low, oracle.high)


def test_the_bootstrap_holds_a_median_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    held = [low <= np.log(2) <= high
            for low, high in (bootstrap_interval(rng.exponential(size=30), np.median, seed=n) for n in range(60))]
    assert 0.85 <= np.mean(held)  # of 60, 51: nineteen of twenty would give fewer with probability 0.002


def test_differences_that_are_all_alike_need_no_chance():
    found = paired_difference(SEVEN + 0.25, SEVEN)
    assert found.mean == pytest.approx(0.25) and found.p < 1e-80  # rounding is all that is left of the spread
    exact = paired_difference([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
    assert (exact.low, exact.high, exact.p) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: wilson_interval(1.2, 10), "error must lie between 0 and 1"),
        (lambda: wilson_interval(0.2, 0), "tested must be a whole number of at least 1"),
        (lambda: mean_interval([1.0]), "draws must hold at least 2 draws"),
        (lambda: mean_interval([1.0, np.nan]), "draws must be finite"),
        (lambda: mean_interval("ab"), "draws must hold numbers"),
        (lambda: paired_difference([1.0, 2.0], [1.0, 2.0, 3.0]), "first and second must have one shape"),
        (lambda: bootstrap_interval([1.0, 1.0]), r"draws must be a list of numbers that differ, got \[1. 1.\]$"),
        (lambda: bootstrap_interval([1.0, 2.0], "mean"), "statistic must be a function of an array along its axis"),
        (lambda: bootstrap_interval([1.0, 2.0], seed=-1), "seed must be a whole number of at least 0, got -1"),
    ],
)
def test_bad_arguments(call, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        call()
