"""The page on how the numbers are made: what its example finds, and what it says of intervals, by other ways."""

import numpy as np
import pytest
from claims import numbers
from scipy.stats import binom, t

from helpers.layouts import disjoint, shared
from helpers.mixture import ValueMixture
from helpers.risk.one_step import one_step_risk
from helpers.statistics import mean_interval, paired_difference, wilson_interval


@pytest.fixture(scope="module")
def said():
    return numbers("protocol")


@pytest.mark.theorem("N3")
def test_the_intervals_of_the_example_hold_the_exact_risks(said):
    exact = [one_step_risk(ValueMixture(make(4), 60, 0.5, 0.5), 16).mean() for make in (disjoint, shared)]
    assert said["exact"] == pytest.approx(exact)
    for low, mean, high, risk in zip(said["mean_low"], said["mean"], said["mean_high"], exact, strict=True):
        assert low < mean < high and low < risk < high
    assert said["low_cost"] < exact[1] - exact[0] < said["high_cost"] and said["n"] == [10, 10]
    assert said["cost"] == pytest.approx(said["mean"][1] - said["mean"][0])


def test_coverage(said):
    assert said["low_coverage"] < 0.95 < said["high_coverage"]


def test_statements_that_were_learned_from_promise_too_much(said):
    same, other = said["promise"]
    assert said["high_promise"][0] < said["low_promise"][1]
    assert said["low_promise"][1] < said["exact_one"] < said["high_promise"][1] and same < other / 3


def test_none_of_32_is_at_most_eleven_percent():
    assert wilson_interval(0, 32)[1] == pytest.approx(0.11, abs=0.005)
    assert binom.pmf(0, 32, wilson_interval(0, 32)[1]) == pytest.approx(0.025, abs=0.01)  # Wilson is approximate


def test_splits_of_one_bank_say_nothing_of_another():
    """Given a bank the interval covers the mean of all its splits; it does not cover what new banks would give."""
    rng = np.random.default_rng(0)
    own = elsewhere = 0
    for _ in range(300):
        bank = rng.normal(size=40)
        _, low, high = mean_interval([rng.permutation(bank)[:20].mean() for _ in range(10)])
        own += low <= bank.mean() <= high
        elsewhere += low <= 0 <= high
    assert 0.9 < own / 300 < 0.99  # 95 %, 4 standard errors of 300 banks are 5 %
    assert elsewhere / 300 < 0.8


def test_pairs_take_out_what_both_share():
    rng = np.random.default_rng(1)
    common, first, second = rng.normal(size=10), rng.normal(size=10) / 10, rng.normal(size=10) / 10
    found = paired_difference(common + first + 1, common + second)
    gap = first + 1 - second
    half = t.ppf(0.975, 9) * gap.std(ddof=1) / np.sqrt(10)
    assert (found.low, found.high) == pytest.approx((gap.mean() - half, gap.mean() + half))
    alone = mean_interval(common + first)
    assert found.high - found.low < (alone[2] - alone[1]) / 3


def test_a_range_grows_with_the_number_of_runs_and_an_interval_shrinks():
    rng = np.random.default_rng(2)
    few, many = rng.normal(size=(200, 5)), rng.normal(size=(200, 50))
    assert np.ptp(many, axis=1).mean() > 1.5 * np.ptp(few, axis=1).mean()
    widths = [np.mean([mean_interval(row)[2] - mean_interval(row)[1] for row in rows]) for rows in (few, many)]
    assert widths[1] < widths[0] / 3
