"""What chapter 1 says of its runs, held against the numbers that its cells recorded."""

import numpy as np
import pytest
from claims import numbers

from helpers.statistics import wilson_interval


@pytest.fixture(scope="module")
def said():
    return numbers("01_preferences")


def test_every_checked_identity_holds_to_rounding(said):
    assert said["policies"] < said["policies_below"] == 1e-4  # the optimizer stops at a flat maximum: error is the root
    assert said["maxima"] < said["maxima_below"] == 1e-8
    assert abs(said["start"]) < 1e-12
    assert said["cancel"] < said["most"] == 1e-3  # float32 logits of size 20, 49,152 summands
    assert said["slope"] < said["below"] == 1e-8  # finite difference, step 1e-6


def test_the_ranking_condition_holds_for_every_pair(said):
    assert said["agree"] == 1.0 and said["checked"] == 32


def test_the_model_first_moves_towards_one_answer(said):
    rows = np.array(said["side_shares"])
    first = np.sort(rows[:, 1])
    assert (rows[:, 0] == 0).all()  # every margin is 0 before training
    assert first[0] <= 0.10 and first[1] >= 0.90
    # "a few steps later it has swung to the other answer": the side that was right is mostly wrong
    ahead, behind = rows[np.argsort(-rows[:, 1])]
    assert (behind[2:5] - ahead[2:5]).max() > 0.50
    # "its interval is about a fifth wide on either side": of 16 statements, at one half
    low, high = wilson_interval(0.5, 16)
    assert (high - low) / 2 == pytest.approx(0.22, abs=0.02)


def test_training_teaches_the_value(said):
    assert said["kind"] == ["margin", "ranking"]
    low, below = said["low"]
    high, above = said["high"]
    for share, ends in zip(said["accuracy"], ((low, high), (below, above)), strict=True):
        assert wilson_interval(share, 32) == pytest.approx(ends, rel=1e-12)
    assert low > 0.5
    assert (high - low) / 2 == pytest.approx(0.1, abs=0.05)  # "known to about a tenth"
    assert max(low, below) < min(high, above)  # "the two cannot be told apart"


def test_the_reference_ranks_no_better_than_a_coin(said):
    assert said["tested"] == 32
    assert wilson_interval(said["reference"], 32) == pytest.approx((said["ref_low"], said["ref_high"]), rel=1e-12)
    assert said["ref_low"] < 0.5 < said["ref_high"]


def test_the_first_figure_is_a_prediction_that_could_fail(said):
    curve, told = np.array(said["curve"]), np.array(said["told"])
    assert said["draws"] == 10 and said["Q"] == 16 and said["steps"] == 400
    assert (np.diff(curve) > 0).all() and (np.diff(curve, 2)[1:] < 0.02).all()  # "rise ever more slowly"
    assert said["end"] == curve[-1] and said["end_predicted"] == told[-1]
    assert said["end_low"] < said["end"] < said["end_high"]
    # "It starts right and ends about a fifth too high"
    assert told[1] / curve[1] == pytest.approx(1, abs=0.1) and told[-1] / curve[-1] == pytest.approx(1.2, abs=0.06)


def test_numbers_in_the_prose():
    assert np.exp(2) == pytest.approx(7, rel=0.06)  # "judged seven to one"
