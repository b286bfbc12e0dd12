"""What chapter 4 says of its runs, held against the numbers that its cells recorded."""

import numpy as np
import pytest
from claims import numbers

from helpers.bounds.guarantees import samples_for_confidence
from helpers.statistics import wilson_interval


@pytest.fixture(scope="module")
def said():
    return {key: np.array(value) if isinstance(value, list) else value
            for key, value in numbers("04_concentration").items()}


def test_the_parts_add_up_and_have_the_predicted_sizes(said):
    assert said["parts"] < said["below"] == 1e-12  # float64
    np.testing.assert_allclose(said["part_sd"], said["part_told"], rtol=0.05)  # 480 samples
    assert said["N"] == 480
    assert said["part_sd"][0] > 10 * said["part_sd"][1]  # "by far the larger one"


@pytest.mark.theorem("B.1")
def test_each_kind_of_pair_lies_around_its_centre_within_the_tolerance(said):
    np.testing.assert_allclose(said["kind_mean"], said["kind_centre"], atol=0.005)  # linear parts share noises
    square, noise = 1 / 8, 300 / (32**2 * 60)  # l_b^2 and d v^2
    table = [2 * (1 + square + noise), 2 * (1 + square), 2 * (1 - square), square, -square, 0]
    np.testing.assert_allclose(said["kind_centre"], table, rtol=1e-12)  # the table of the prose
    assert said["entries"].sum() == 480**2 and said["kind_mean"][5] == said["farthest"][5] == 0
    assert len(said["observed"]) == 6 and set(said["verdict"]) == {"holds"}
    assert (said["observed"] <= said["permitted"]).all()
    np.testing.assert_allclose(said["observed"], said["farthest"], atol=1e-12)


@pytest.mark.theorem("B.1")
def test_steps_2_and_4_of_the_proof(said):
    assert said["normal"] <= 1  # at 0 the tail is a half
    # a chain of four values: 120 samples a value, three pairs of values that share
    assert said["related"] == 4 * 60 * 121 + 3 * 120**2 <= said["most"] == (4 * 2 + 2) * 4 * 60**2


@pytest.mark.theorem("4a")
def test_the_constants_and_the_tails(said):
    assert said["one"] == pytest.approx((1 - np.log(2)) / 2, abs=1e-6) and round(said["one"], 3) == 0.153
    assert round(said["other"], 3) == 0.377
    assert max(*said["tail_one"], *said["tail_two"]) <= 1
    assert said["least"] > 0


def test_the_union_bound_gives_away_more_than_tenfold(said):
    first, half = said["union_first"], said["union_half"]
    assert first[0, 0] == samples_for_confidence(4, form="appendix", Z=1)
    assert first[1, 0] == samples_for_confidence(4, form="appendix", Z=4)
    assert first[:, 0].tolist() == [600, 3024] and half.tolist() == [30, 150]  # the prose
    assert (np.diff(first) < 0).all()  # "each ... less generous than the one before"
    assert (first[:, 0] > 10 * half).all()  # "more than ten times", "less than a tenth"
    ratio = first[:, 2] / half
    assert (ratio > 0.5).all() and (ratio < 1.5).all()  # the estimate meets the observed shares


@pytest.mark.theorem("B.2")
def test_the_slack_of_the_rates_and_its_reasons(said):
    assert list(said["state"]) == ["arbitrary", "stopping time"]
    assert (said["off"] <= said["allowed"]).all()
    assert 5.5 < said["slack"][1] < 6.5  # "about six times"
    ladder, (signs, largest, tolerance) = said["ladder"], said["factors"]
    assert ladder[0] == said["off"][1] and ladder[3] == said["allowed"][1]
    assert (np.diff(ladder) >= 0).all()  # "grows"
    assert signs < 1.5 < largest and tolerance > 1  # "little", "one number serves"
    assert largest >= max(signs, tolerance)  # "mostly because one number has to serve all pairs"
    assert list(said["pushes"][:2]) == ["equal", "arbitrary"]
    assert said["sharing"][0] < 1e-12 < said["sharing"][1]


def test_the_lemma_says_nothing_at_this_size(said):
    assert len(said["hold"]) >= 7 and said["hold"].all()
    assert said["void"] > 1e4


def test_noise_of_the_model_has_directions(said):
    assert said["splits"][0] == len(said["part_splits"]) * 5 == 10 and said["d"] == 576
    assert 20 < said["dim_low"] < said["dimension"] < said["dim_high"] < 60  # "a few dozen"
    over, close = said["over"], said["close"]
    assert (over[:, 1] > 3).all()  # "several times", "about the same factor"
    assert over[0, 0] == pytest.approx(over[1, 0], rel=0.15)
    np.testing.assert_allclose(close[:, 0], 1, atol=0.12)  # "to about a tenth"
    assert (said["model_stray"][:3] > 200 * said["model_allowed"][:3]).all()  # "hundreds of times"


def test_simulated_noise_of_that_size_follows_the_isotropic_prediction():
    """The oracle of the isotropic curves: normal noise in 576 dimensions, a different cluster on either side."""
    rng, v, d = np.random.default_rng(0), 0.21, 576
    means = np.zeros((2, d))
    means[0, 0], means[1, 1] = 1.2, 0.9
    noise = v * rng.standard_normal((2, 400, d))
    linear = (noise[0] @ means[1])[:, None] + noise[1] @ means[0]
    bilinear = noise[0] @ noise[1].T
    # 400 noises a side: a standard deviation to 1 / sqrt(800), and 4 of those
    assert linear.std() == pytest.approx(v * np.sqrt(1.2**2 + 0.9**2), rel=0.15)
    assert bilinear.std() == pytest.approx(v**2 * np.sqrt(d), rel=0.05)


@pytest.mark.theorem("N6")
def test_the_simulated_rates_have_the_predicted_moments(said):
    np.testing.assert_allclose(said["rate_mean"], said["mean_told"], atol=4 * 0.005 / np.sqrt(120))
    np.testing.assert_allclose(said["rate_sd"], said["sd_told"], rtol=4 / np.sqrt(2 * 120))


@pytest.mark.theorem("N6")
def test_the_spread_falls_towards_a_floor_and_the_prediction_is_too_low(said):
    assert list(said["guess_Q"]) == [4, 8, 16, 32]
    assert (np.diff(said["guess_sd"]) < 0).all() and (np.diff(said["guess_told"]) < 0).all()
    assert (said["guess_told"] > said["endless"]).all() and (said["guess_sd"] > said["endless"]).all()
    left = said["guess_sd"][-1] / said["guess_sd"][0]
    assert 1 / np.sqrt(8) + 0.05 < left < 0.5  # "little more than half", against 65 %
    assert 1 - 1 / np.sqrt(8) == pytest.approx(0.65, abs=0.005)
    low = 1 - said["guess_told"] / said["guess_sd"]
    assert low[0] == pytest.approx(0.20, abs=0.03) and low[-1] == pytest.approx(0.125, abs=0.03)
    assert (said["ratio"] > 1).all()  # "too low"


def test_the_explanation_of_the_spread(said):
    assert said["fourth_low"] > 3 and list(said["why_Q"]) == [4, 8, 16, 32]  # "several times"
    assert (said["why_low"] < 1).all() and (said["why_high"] > 1).all()
    assert (np.abs(said["why"] - 1) < np.abs(said["ratio"] - 1)).all()


@pytest.mark.theorem("N6")
def test_the_rates_of_a_run_spread_as_the_covariance_says(said):
    isotropic, covariance = zip(said["told_mean"], said["told_sd"], strict=True)
    mean, sd = said["run_mean"], said["run_sd"]
    assert mean == pytest.approx(covariance[0], rel=0.1) and mean == pytest.approx(isotropic[0], rel=0.1)
    assert sd == pytest.approx(covariance[1], rel=0.1) and sd > 3 * isotropic[1]
    assert 0 < said["run_below"] < 0.20  # "Some statements start with a falling margin"
    assert said["run_below"] * 256 == pytest.approx(round(said["run_below"] * 256), abs=1e-9)  # "256 statements"
    assert said["apart"] < 0.02


def test_what_the_reader_sees_when_the_sliders_move(said):
    own, shared = (
        np.column_stack([said[key] for key in ("play_least", "play_most", "play_below", "play_above")])[rows]
        for rows in (said["play_answers"] == "answers of their own", said["play_answers"] != "answers of their own"))
    middle, width = (own[:, 2] + own[:, 3]) / 2, own[:, 3] - own[:, 2]
    assert len(own) == len(shared) == 4
    assert (np.diff(middle) < 0).all()  # "the fields sink"
    assert width[-1] / width[0] > 1.5 * middle[-1] / middle[0]  # "narrow far less"
    assert (own[:, 1] > own[:, 3]).all()  # "above even the wide field"
    assert (said["late"][:4] < 1).sum() == 3 and (said["late"][4:] < 1).all()  # "most fall back into it"
    assert (shared[:, 3] - shared[:, 2] > 1.5 * width).all() and (shared[:, 1] < shared[:, 3]).all()


def test_the_bracket_allows_far_more_than_the_rates(said):
    assert said["b2_low"] < 0 < said["b2_mean"] < said["b2_high"] and said["b2_off"] < said["b2_allowed"]
    assert said["b2_allowed"] > 10 * said["b2_high"]  # "many times the largest rate"
    assert said["b2_slack"] > 10 and said["b2_slack"] > said["slack"].max()  # "larger than on the simulated data"


def test_numbers_in_the_prose():
    assert samples_for_confidence(4, form="appendix", Z=2) > 1000  # "must take Q above a thousand"
    assert 6 * 20 * 20 + 4 * 210 == 3240 and (4 * 4 + 2) * 4 * 100 == 7200  # exercise 2
    low, high = wilson_interval(0.5, 30)
    assert high - low < 0.4  # thirty data sets tell a half from a tenth
