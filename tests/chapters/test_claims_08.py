"""What chapter 8 says of its identities and of its runs, held against the numbers that its cells recorded."""

import numpy as np
import pytest
from claims import numbers

from helpers.statistics import wilson_interval

VALUES = ["honesty", "frugality", "curiosity", "solitude"]


@pytest.fixture(scope="module")
def said():
    """The numbers by name; what was said more often is an array, words stay a list."""
    return {key: np.array(value) if isinstance(value, list) and not isinstance(value[0], str) else value
            for key, value in numbers("08_many_tokens").items()}


def test_every_checked_identity_holds_to_rounding(said):
    assert said["identity_below"] == 1e-13  # float64, numbers of order 1
    for name in ("margin_off", "step_1", "step_2", "step_4"):
        assert said[name] < said["identity_below"], name
    assert said["lemma_off"] < said["lemma_below"] == 1e-14
    assert said["parts_off"] < said["parts_below"] == 1e-13
    assert said["means_off"] < said["means_below"] == 1e-12  # sums over 49,152 tokens


def test_only_the_first_token_is_linear(said):
    np.testing.assert_array_equal(said["cut"], [1, 4])
    first, whole = said["linear_off"]
    assert first < 1e-14 and whole > 0.1


@pytest.mark.theorem("D")
def test_theorem_d_agrees_and_the_printed_sign_does_not(said):
    assert said["sum_off"] < said["rate_below"] == 1e-14
    assert said["printed_off"] > 0.5 * said["largest"]  # "of the size of the rates themselves"


def test_the_rate_of_a_response_needs_the_softmax_term(said):
    assert said["response_off"] > 0.05 * said["response"]


def test_the_reference_matters_for_longer_answers_alone(said):
    assert said["answers"] == ["one token", "many tokens"]
    assert said["shift_off"][0] < 1e-14 and said["shift_off"][1] > 0.01


def test_sizes_of_the_softmax_terms(said):
    assert said["vocabulary"] == 49152
    assert max(said["p_apart"], said["d_apart"]) < 1e-3
    np.testing.assert_array_equal(said["place"], [1, 2, 3, 4])
    p, sharing = said["p"], said["sharing"]
    np.testing.assert_allclose(sharing, 1 - p + said["d_p"], atol=0.05)  # medians of the parts and of the whole
    assert p[0] < 0.01 and abs(sharing[0] - 1) < 0.1  # the reading is right at the first token
    assert p[1:].min() > 0.5  # "of order one"
    assert sharing[1] < 0.05 and (0.1 < sharing[2:]).all() and (sharing[2:] < 0.6).all()


@pytest.mark.theorem("D")
def test_every_held_out_token_moves_as_predicted(said):
    reach = said["fastest"] - said["slowest"]
    assert said["token_off"] < 0.005 * reach and said["token_printed"] > 0.1 * reach
    assert said["token_printed"] > 50 * said["token_off"]
    # Below the prediction by at most the tolerance, but for rounding: a log-likelihood in float64, over the step.
    assert -1 <= said["gap_low"] <= said["gap_high"] < 1e-3
    assert 3.8 < said["ratio"] < 4.2  # first order in the step, float64
    assert said["fourth_low"] < said["fourth_high"] < 0


def test_without_noise_one_token_is_not_displaced(said):
    assert said["least_up"] > 0 > said["most_down"]


def test_the_worked_example(said):
    """By hand: C* times surprise times surprise, for each of the four words, half of beta^2 / N = 1/2 each."""
    def of(likely):
        return 100 + np.log(likely / (1 - likely)) * np.log(4)

    by_hand = sum(sign * of(likely) * (1 - likely) * 2 * 0.2 / 4
                  for sign, likely in ((1, 0.9), (1, 0.9), (-1, 0.7), (-1, 0.7)))
    assert said["word_rate"] == pytest.approx(by_hand, rel=1e-12)
    assert said["word_means"] == pytest.approx(-0.4 * 0.4 / 4 * (of(0.9) + of(0.7)) / 2, rel=1e-12)
    assert abs(said["word_rate"] / said["word_means"] - 1) < 0.03  # nearly all of it
    pushes = np.array([1, -1, 1, -1]) * (1 - np.array([0.9, 0.7, 0.9, 0.7]))
    np.testing.assert_allclose(pushes, [0.1, -0.3, 0.1, -0.3])  # the table
    assert pushes.sum() == pytest.approx(-0.4)


def test_both_answers_fall_on_honesty_in_the_long_run(said):
    assert said["answer"] == ["chosen", "rejected"]
    assert (said["end_high"] < 0).all() and said["end"][1] < said["end"][0]
    assert said["margin_low"] > 0  # "the margin between them grows"
    assert (said["end"] < said["line"]).all() and (said["line"] < 0).all()  # "measured points that fall below it"


def test_both_answers_move_to_the_side_of_the_forecast(said):
    assert said["name"] == VALUES
    assert (said["runs"], said["cases"]) == (40, 80)
    assert said["signs"] >= 72 and said["together"] >= 34 and said["ahead"] >= 38
    assert (said["margin_from"] > 0).all()  # the chosen answer stays ahead
    assert (said["chosen"] > said["rejected"]).all()
    # The means over ten splits: two values fall, the other two are not told from zero, as some splits rise.
    assert (said["chosen_high"][:2] < 0).all() and (said["rejected_high"][:2] < 0).all()
    assert (said["chosen_low"][2:] < 0).all() and (said["chosen_high"][2:] > 0).all()
    assert (said["told_fell"][:2] == 10).all()  # "both should fall"
    assert ((0 < said["fell"][2:]) & (said["fell"][2:] < 10)).all()  # "in some splits and rise in others"
    assert np.abs(said["fell"] - said["told_fell"]).max() <= 2  # "and the forecast says in which"
    for answer in ("chosen", "rejected"):
        assert np.abs(said[answer] - said[f"told_{answer}"]).max() < 0.02
    # One step: Theorem D is exact up to the step, relative to rates of some 0.2.
    assert said["exact_off"] < 0.005


def test_the_forecast_is_off_by_about_its_standard_error(said):
    assert said["rms"] < 1.5 and said["inside"] > 0.85


def test_the_margin_is_in_the_deviations(said):
    assert said["value"] == VALUES
    assert (said["deviations"] >= 0.5 * said["margin_rate"]).all() and (said["margin_rate"] > 0).all()


def test_with_one_token_the_answers_part_and_with_many_both_fall(said):
    np.testing.assert_array_equal(said["tested"], [16, 16])
    np.testing.assert_array_equal(said["length"], [1, 5])
    intervals = [wilson_interval(share, 16) for share in said["right"]]
    assert np.transpose(intervals) == pytest.approx(np.array([said["low"], said["high"]]), rel=1e-12)
    up, down, gap = said["up"], said["down"], said["gap"]
    assert up[0] > 0 > down[0] and down[1] < up[1] < 0 and (gap > 0).all()
    chosen, rejected = said["play_chosen"], said["play_rejected"]
    assert (chosen < 0).all() and (rejected < 0).all()
    assert np.ptp(chosen) > 0.5 * np.abs(chosen).max()  # "depends on the draw"
