"""What chapter 10 says of margins, errors and fits, held against the numbers that its cells recorded."""

import json

import numpy as np
import pytest
from claims import ROOT, numbers
from scipy.stats import norm

from book.tools.more_values import RECORD, VALUES
from helpers.exercises.chapter_10 import ANSWERS

CHAPTER = (ROOT / "chapters" / "10_more_values.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def said():
    """The numbers by name; what was said more often is an array, words stay a list."""
    return {key: np.array(value) if isinstance(value, list) and not isinstance(value[0], str) else value
            for key, value in numbers("10_more_values").items()}


@pytest.fixture(scope="module")
def record():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def test_the_clock(said):
    assert (said["n"], set(np.ravel(said["K_few"])), set(np.ravel(said["K_many"]))) == (100, {1}, {16})
    assert 1 - said["few"] / said["few_said"] == pytest.approx(1 / 6, abs=0.03)  # "a sixth below the curve"
    assert said["many"] == pytest.approx(said["many_said"], rel=0.05)  # small margins: no saturation, no noise
    rest, K = said["rest"], np.array(VALUES)
    assert (np.diff(rest) < 0).all() and 0.5 < rest[-1] * K[-1] / rest[0] < 2  # a sixteenth, but for saturation
    assert said["optimizer"] == ["gd", "adam"] and (said["share"] < said["share_below"]).all()


def test_sharing_gives_back_what_the_mean_takes(said):
    assert said["shared_many"] > 0.85 * said["shared_few"]  # "hardly slows anything"
    assert said["shared_many"] > 7 * said["clock_many"]
    assert said["felt_many"] == pytest.approx(said["shared_many"], rel=0.2)
    assert said["felt_many"] / said["felt_few"] == pytest.approx(said["shared_many"] / said["shared_few"], rel=0.1)
    assert said["cosine"] == pytest.approx(0.81, abs=0.005)  # ".81 there"


def test_the_margin_of_adam_is_known_before_it_runs(said):
    shared_one, shared_all, own_one, own_all = said["adam_margin"]
    np.testing.assert_allclose(said["adam_margin"], said["adam_told"], rtol=0.02)
    assert shared_all < 0.9 * shared_one  # "a little slower"
    assert own_all == pytest.approx(own_one, rel=2e-3) and own_one == shared_one
    assert (said["sign_cosine"] > 0.98).all() and (said["sum_cosine"] < 0.8).all()


def test_losses_and_errors_slow_down_with_more_values_as_in_figures_7_and_8(said):
    loss, error = said["loss"].reshape(2, -1), said["train_error"].reshape(2, -1)
    assert said["trained_by"] == ["Adam"] * 5 + ["descent"] * 5
    assert (np.diff(loss[0]) > 0).all() and (np.diff(error[0]) > 0).all()
    assert loss[0].max() < np.log(2) and loss[0].min() > 0.66  # all pairs keep pushing with about one half


def test_error_against_the_number_of_values(said):
    assert said["fear_many"] > 3 * said["fear_few"]  # "the error would triple"
    assert said["law_many"] == pytest.approx(said["law_few"], abs=0.005)  # "stays flat"
    step, adam = said["rise"]
    assert said["of_run"] == ["first step", "Adam, 100 steps"]
    assert step == pytest.approx(-0.01, abs=0.003) and said["rise_high"][0] < 0  # "it even falls by a hundredth"
    assert said["inside"][0] == 4 and max(abs(said["gap_least"][0]), abs(said["gap_most"][0])) < 0.01
    assert 0.01 < adam < 0.02 and said["rise_low"][1] > 0  # "a little more than a hundredth"


def test_shared_against_own(said):
    assert said["gap_high"] < 0 and said["gap_low"] < said["gap_told"] < said["gap_high"]  # "sharing helps here"
    assert (np.diff(said["own_error"]) > 0).all() and (np.diff(said["own_law"]) > 0).all()
    assert np.ptp(said["own_adam"]) < 0.002  # "the same at every K"
    assert said["gap_adam_low"] > 0  # Adam: shared answers cost


def test_the_law_describes_the_paper_s_data_best_at_the_first_step(said, record):
    runs, names = said["persona_run"], said["candidate"]
    r2, low, high = (dict(zip(zip(runs, names, strict=True), said[end], strict=True))
                     for end in ("r2", "r2_low", "r2_high"))
    assert r2["first step", "law"] == pytest.approx(0.99, abs=0.005)
    assert r2["first step", "line in log K"] == pytest.approx(0.97, abs=0.006)
    assert r2["first step", "line in K"] == pytest.approx(0.73, abs=0.006)
    assert low["first step", "line in log K"] > high["first step", "line in K"]
    assert r2["Adam", "line in log K"] == pytest.approx(0.98, abs=0.005)
    assert r2["Adam", "law"] == pytest.approx(0.90, abs=0.005)
    assert ((said["persona_gap_low"] < 0) & (said["persona_gap_high"] > 0)).all()  # "at each of the five K"
    balanced = {a: {q: np.array(v).mean(axis=0) for q, v in record["balanced"][a].items()} for a in ("shared", "own")}
    over = balanced["shared"]["law"] - balanced["shared"]["adam"]
    assert over.min() > 0.005 and over.max() < 0.035  # ".01 to .03 too much everywhere"
    for name in ("law", "gd_first"):
        assert balanced["shared"][name][-1] > 2 * balanced["shared"][name][0]  # "more than doubles"
    assert np.ptp(balanced["own"]["adam"]) < 1e-3
    np.testing.assert_allclose(balanced["own"]["adam_margin"], balanced["own"]["adam_margin"][0], rtol=5e-3)
    assert record["cosines"]["mean"] == pytest.approx(0.17, abs=0.005)
    lists = np.array(record["lists"]["own"]["adam"]).mean(axis=0)
    ends = said["lists_low"][:2], said["lists_high"][:2]
    np.testing.assert_allclose(ends, [[0.09, 0.16], [0.16, 0.21]], atol=0.005)
    assert lists.min() == pytest.approx(0.12, abs=0.005) and lists.max() == pytest.approx(0.19, abs=0.006)
    assert {"command", "model_digest", "data_digest", "commit", "versions", "machine", "seconds"} <= set(record["made"])
    assert record["made"]["settings"]["splits"] == 10 and record["made"]["settings"]["each"] == 100


def test_r_squared_by_another_way(record):
    K = np.array(record["K"], dtype=float)
    errors = np.array(record["balanced"]["shared"]["gd_first"]).mean(axis=0)
    found = {name: numbers("10_more_values")["r2"][k] for k, name in enumerate(("line", "log", "law"))}
    assert found["line"] == pytest.approx(np.corrcoef(K, errors)[0, 1] ** 2)
    assert found["log"] == pytest.approx(np.corrcoef(np.log(K), errors)[0, 1] ** 2)
    law = np.array(record["balanced"]["shared"]["law"]).mean(axis=0)
    assert found["law"] == pytest.approx(1 - np.mean((errors - law) ** 2) / errors.var())


def test_what_an_r_squared_over_a_few_points_is_worth(said):
    assert said["upto"].tolist() == [16, 8]
    assert said["leverage"][0] == pytest.approx(0.85, abs=0.006)
    assert said["concave_least"][1] == pytest.approx(0.86, abs=0.005)
    assert said["concave_most"][1] == pytest.approx(0.997, abs=5e-4)
    assert said["concave_at"][1] == pytest.approx(0.99, abs=0.005)
    K = np.array([1.0, 2.0, 4.0, 8.0])
    assert said["concave_at"][1] == pytest.approx(np.corrcoef(K, norm.cdf(-2.6 / np.sqrt(K)))[0, 1] ** 2)
    assert said["lot"][0] == pytest.approx(0.82, abs=0.01)  # "have .82 half of the time", five numbers
    tables = {"Mistral": (0.0, 0.008, 0.036, 0.056), "Qwen": (0.0, 0.027, 0.098, 0.183)}  # appendix E
    fits = [np.corrcoef(K, errors)[0, 1] ** 2 for errors in tables.values()]
    np.testing.assert_allclose(fits, [0.95, 0.99], atol=0.005)  # what the paper reports for them


def test_what_the_explorer_is_said_to_show(said):
    assert said["play_few"] < said["play_many"] < 0  # "own err more"; "sharing helps more" with few samples
    assert (said["few_Q"], said["many_Q"]) == (12, 48)
    assert said["under_most"] < 0  # "all errors fall below the law"


def test_numbers_in_the_solutions():
    assert ANSWERS["10.1"].judge(1600).right
    assert ANSWERS["10.4"].value > 0.99  # "above 0.99"


def test_the_record_is_made_by_its_command_and_holds_no_statement():
    assert "python -m book.tools.more_values" in CHAPTER
    text = RECORD.read_text(encoding="utf-8")
    assert len(text) < 20_000 and "I " not in text
