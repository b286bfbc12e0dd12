"""What chapter 15 says of other losses, held against the numbers that its cells recorded."""

import numpy as np
import pytest
from claims import ROOT, numbers

from helpers.exercises.chapter_15 import ANSWERS

CHAPTER = (ROOT / "chapters" / "15_other_losses.md").read_text(encoding="utf-8")
MARGINS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
HALF = MARGINS.index(0.5)


@pytest.fixture(scope="module")
def said():
    """The numbers by name; what was said more often is an array, words stay a list."""
    return {key: np.array(value) if isinstance(value, list) and not isinstance(value[0], str) else value
            for key, value in numbers("15_other_losses").items()}


def test_closed_forms_and_the_guarantee(said):
    assert said["loss_of"] == said["of"] == said["in_region"] == ["DPO", "IPO", "SLiC"]
    assert (said["integral_off"] < said["integral_below"]).all() and (said["flow_off"] < said["flow_below"]).all()
    assert (said["r_low"] < said["r_least"]).all() and (said["r_most"] < said["r_high"]).all()
    np.testing.assert_allclose(said["r_high"], [np.log(3), 0.5, 1.0])


def test_the_first_step(said):
    assert said["cosine_off"] < said["cosine_below"]
    np.testing.assert_allclose(said["clocks"], [0.5, 2, 1, 1, 2], rtol=1e-12)  # float64
    assert np.ptp(said["one_error"]) == 0 and said["disagree"] == 0 and said["compared"] == 10 * 128
    np.testing.assert_allclose(said["one_margin"] / said["one_margin"][2], [0.5, 2, 1], rtol=1e-9)  # float64
    assert said["adam_off"] < 0.01  # "but for its small epsilon"


def test_ipo_s_path_and_what_is_left(said):
    assert said["path_tested"] == 128 and said["path_low"] < 0 < 1 < said["path_high"]
    assert said["path_off"] < 0.03 * said["path_high"]
    np.testing.assert_allclose(said["longer"], [2, 4], rtol=0.02)  # "in proportion"; the next order is below that


def test_the_turn(said):
    half, one, none = said["turn"]
    # The next term is of the order of the mean margin, about .02 and .04.
    np.testing.assert_allclose(half, 0.5, rtol=0.04)
    np.testing.assert_allclose(one, 1.0, rtol=0.04)
    assert abs(half[0] - 0.5) < abs(half[1] - 0.5) and abs(one[0] - 1) < abs(one[1] - 1)
    assert np.abs(none).max() < 1e-6


def test_the_two_predictions_disagree_in_the_sign(said):
    assert said["who"] == ["mixture", "measured noise"] and said["less_of"] == ["DPO", "IPO"] * 2
    assert (said["Q"] == 24).all() and "24 statements a cluster are trained on, 24 others" in CHAPTER
    mixture, noise = zip(said["dpo_half"], said["ipo_half"], said["slic_half"], strict=True)
    assert max(mixture) == mixture[1] and min(noise) == noise[1]  # IPO is the worst, and the best
    assert said["less_low"][1] > 0 > said["less_high"][3]  # of IPO, at .8


def test_ipo_errs_least_at_equal_mean_margin(said):
    assert said["diff_answers"] == ["own", "own", "shared", "shared"] and said["diff_of"] == ["DPO", "IPO"] * 2
    assert (said["diff_high"] < 0).all() and (said["diff_half"] == said["diffs"][:, HALF]).all()
    own_dpo, own_ipo, _, shared_ipo = said["diffs"]
    assert (own_ipo < own_dpo).all() and (own_dpo < 0).all()  # "IPO errs least, then DPO, then SLiC"
    assert said["diffs_low"][0, -1] < 0 < said["diffs_high"][0, -1] and said["diffs_told"][0, -1] > 0  # "caught up"
    assert 0.4 < shared_ipo[HALF] / own_ipo[HALF] < 0.6  # "half as large"


def test_what_was_predicted_is_what_was_found(said):
    assert said["inside"] == said["asked"] == 54 and said["apart_asked"] == 36
    assert said["apart"] >= 33  # "about two should miss"; Poisson with mean 1.8 exceeds 3 in one of 9


def test_dpo_at_twice_the_margin_is_ipo(said):
    np.testing.assert_allclose(said["rule_large"], 2 * said["rule_small"])
    assert (said["rule_low"] <= 0).all() and (said["rule_high"] >= 0).all()
    assert np.abs(said["rule"]).max() < 0.005
    assert (said["plain_low"][2:] > 0).all()  # at one margin they differ
    assert said["plain"][3] > 5 * abs(said["rule"][3])
    assert max(said["plain"]) == pytest.approx(0.017, abs=5e-4)  # "by up to .017"


def test_the_explorer_s_numbers(said):
    assert said["play_of"] == ["DPO"] * 3 + ["IPO"] * 3 + ["SLiC"] * 3
    dpo, ipo, slic = said["play_error"].reshape(3, 3)
    assert said["play_beta"].tolist() == [0.2, 0.2, 0.4] * 3 and said["play_steps"].tolist() == [20, 400, 400] * 3
    assert ipo[0] < dpo[0] and said["play_margin"][3] > 3 * said["play_margin"][0]  # "further on and turned more"
    assert ipo[1] < ipo[0] and ipo[2] > ipo[1] + 0.01  # "comes down first and rises again"
    assert dpo[2] < ipo[2]  # "DPO ... ends below it"


def test_flips(said):
    gamma, c = said["gamma"], 0.1 * said["gamma"]
    np.testing.assert_allclose(said["flip"][:, 0], c + np.exp(c) - 1)
    np.testing.assert_allclose(said["flip"][:2, 1], -np.log(1 - c[:2]) / 2)
    np.testing.assert_allclose(said["flip"][:2, 2], c[:2])
    assert gamma[2] > 10 and np.isinf(said["flip"][2, 1:]).all()


def test_smoothing(said):
    assert said["smooth_off"] < said["smooth_below"]


def test_numbers_of_the_solutions():
    assert ANSWERS["15.1"].value == pytest.approx(np.log(10) / 2)
    assert 0.9 + np.exp(0.9) - 1 == pytest.approx(2.36, abs=0.005)
    assert ANSWERS["15.4"].value == pytest.approx(0.25 / 0.625, rel=1e-6)
    assert ANSWERS["15.5"].value == pytest.approx(100) and 1 / (2 * 0.1) == 5
