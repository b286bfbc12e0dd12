"""What chapter 20 says of pilots, plans and pairs, held against the numbers that its cells recorded."""

import json

import numpy as np
import pytest
from claims import ROOT, numbers
from scipy.special import ndtr, ndtri

from helpers.exercises.chapter_20 import ANSWERS


@pytest.fixture(scope="module")
def said():
    return numbers("20_plan")


def test_pilots_of_twelve_predict_the_first_step(said):
    told, found = np.array(said["told"]), np.array(said["found"])
    assert said["Q"] == [4, 8, 16, 24]
    assert (np.diff(told) < 0).all()
    low, high = np.array(said["found_low"]), np.array(said["found_high"])
    assert (low < found).all() and (found < high).all()
    # A single value from so few is off by .045, their mean over ten pilots by much less.
    assert np.abs(told - found).max() < 0.03
    assert said["cases"] == 40 and said["held"] > 0.85


def test_intervals_of_one_training_set_are_the_wider_ones(said):
    assert said["run_low"] < said["plan_low"] < said["plan_error"] < said["plan_high"] < said["run_high"]


def test_sharing_helps_these_values_and_two_pairs_of_answers_help_most(said):
    options = said["option"]
    shared, own = options.index("as they are"), options.index("own answers")
    gain = np.array([said[name][own] - said[name][shared] for name in ("few", "endless")])
    assert (gain > 0).all() and gain[0] > gain[1]  # "most with four pairs and still with endless many"
    two = options.index("two pairs of answers")
    assert said["many"][two] == min(said["many"]) and said["endless"][two] == min(said["endless"])
    assert said["conflicts"] == 0  # "and here finds none"


def test_long_training_goes_below_the_floor_of_the_first_step(said):
    assert said["answers"] == ["Yes and No", "own"]
    for floor, late in zip(said["step_floor"], said["late_found"], strict=True):
        assert late < floor
    assert said["late_steps"] == [300, 300]


def test_the_vote_of_the_others(said):
    assert said["N"] == [40, 40] and said["right"] == 26 and said["p"] == pytest.approx(0.08, abs=0.005)
    assert said["share_low"] < said["right"] / 40 < said["share_high"]
    # "lengths give nothing away": length alone does no better than a coin, the vote far better
    assert said["by_length"] < 0.5 and said["apart"] > 0.75
    assert 1.5 < said["hits"] < 3 and said["named"] < 8


def test_what_training_then_did(said):
    record = json.loads((ROOT / "records" / "audit_pairs.json").read_text())
    R, fold = np.array(record["pushes"]), np.array(record["fold"])
    margins = np.array(record["margins"][-1])
    across = np.where(fold[:, None] != fold, R, 0)
    force = across.sum(1) / np.sqrt((across**2).sum(1))
    assert said["part"] == ["hard", "undecided", "the others"]
    expected = [(margins[part] <= 0).sum() for part in (force <= -1, (force > -1) & (force <= 0), force > 0)]
    assert said["went_wrong"] == expected == [3, 2, 1] and said["of"] == [6, 8, 26]  # "half did", "hardly ever"
    assert said["correlation"] == pytest.approx(0.63, abs=0.01) and said["correlation"] > abs(said["with_length"])
    assert (said["moved_right"], said["told_right"]) == (34, 26)
    assert said["agree"] == 0.75 and said["swapped_wrong"] == 2
    assert record["settings"]["folds"] == 4 and record["settings"]["steps"] == 12 and record["settings"]["blocks"] == 8
    assert 0.2 < 8 / 30 < 0.3  # "a quarter of the model"


def test_numbers_in_the_solutions():
    assert ANSWERS["20.1"].judge(ndtr(-1 / 0.7)).right and ndtr(-1 / 0.7) == pytest.approx(0.077, abs=5e-4)
    z = -ndtri(0.05)
    Q = (1 + 30 * 0.25) / (2 * (1 / (0.5 * z) ** 2 - 1))
    assert ANSWERS["20.4"].judge(Q).right and Q == pytest.approx(9, abs=0.5)
    assert 0.61 * z > 1 > 0.6 * z  # "at v = 0.61 none suffice"
