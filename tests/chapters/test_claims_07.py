"""What chapter 7 says of its proofs' constants and of its runs, held against the numbers that its cells recorded."""

import numpy as np
import pytest
from claims import numbers

from helpers.bounds.envelopes import LOG3, training_envelope
from helpers.dynamics.rates import initial_rates
from helpers.exercises.chapter_07 import ANSWERS
from helpers.layouts import shared
from helpers.statistics import wilson_interval

WAYS = ["own", "shared", "caution", "chain"]


@pytest.fixture(scope="module")
def said():
    """The numbers by name; what was said more often is an array, words stay a list."""
    return {key: np.array(value) if isinstance(value, list) and not isinstance(value[0], str) else value
            for key, value in numbers("07_not_orthogonal").items()}


@pytest.mark.theorem("C.2")
def test_drawn_concepts_obey_the_lemma_and_two_attain_it(said):
    delta = said["delta"]
    np.testing.assert_array_equal(delta, [0.05, 0.3, 1.0])
    np.testing.assert_allclose(said["half"], delta / 2)
    assert (said["away"] <= said["half"] * (1 + 1e-12)).all()  # attained by every drawn vector, so rounding decides
    assert (said["along"] <= said["half"]).all()
    assert (said["product"] <= said["product_most"]).all() and (said["product_most"] <= delta).all()
    np.testing.assert_allclose(said["attained"], said["product_most"], rtol=1e-12)


@pytest.mark.theorem("C.3")
def test_interactions_stay_within_the_lemma(said):
    assert said["kind_of"] == ["same cluster", "opposite", "sharing", "nothing shared"]
    # Four of them are equalities: products of unit vectors and of b, rounded to 1e-15.
    assert (said["shift"] <= said["shift_most"] + 1e-14).all()
    assert (said["stray"] <= said["stray_most"]).all()
    assert said["tilt"] <= said["tilt_most"] * (1 + 1e-12)  # delta_o = epsilon v / 8 makes them equal
    assert said["square"] <= 7 / 4


@pytest.mark.theorem("C.3")
def test_noise_along_a_tilted_concept_is_that_along_any(said):
    for name in ("noise_tilted", "noise_straight"):
        assert abs(said[name] - 1) < 0.01  # 10^5 draws: standard error 0.0022


@pytest.mark.theorem("C.4")
@pytest.mark.theorem("C.5")
def test_rates_and_margins_stay_within_the_bounds(said):
    assert said["rate_off"] <= said["rate_most"]
    assert said["part"] == ["pushes", "own", "itself", "sharing", "error", "sum"]
    assert (said["part_least"] <= said["part_low"]).all() and (said["part_high"] <= said["part_most"]).all()
    assert (said["part_low"] <= said["part_high"]).all()
    assert said["form"].count("paper C") >= 2 and said["form"].count("improved C") == 4
    assert (said["lower"] <= said["r_low"]).all() and (said["r_high"] <= said["upper"]).all()


def test_the_theorem_promises_nothing_at_this_sample_size(said):
    assert said["met"] == said["conditions"] and said["chance"] > 1
    assert 120 == said["risk_Q"] < said["needed"] < said["doubled"]


@pytest.mark.theorem("C.6")
def test_the_bound_on_the_risk_is_below_one_and_the_risk_has_thousands_of_zeros(said):
    assert 0 < said["risk_bound"] < 1 and said["power"] < -1000
    assert said["step_1"] <= said["step_1_most"] and said["step_2"] <= said["step_2_most"]


def test_first_rates_and_the_lead_of_training_samples(said):
    assert said["rates_off"] < said["below"] == 1e-4 and said["least"] < 0  # second order in S = 1e-7
    error = (said["ahead_high"] - said["ahead_low"]) / 2 / 1.96
    assert abs(said["ahead"] - said["ahead_told"]) < 4 * error and said["ahead_told"] > 5 * error


def test_no_value_is_lost_by_the_tilt_and_same_roles_gain(said):
    rows = said["lowest"]
    assert said["tokens"] == ["disjoint", "chain", "star", "shared"]
    assert rows.min() > 0 and (rows[2:, 1:] > 1).all() and (rows[:2, 1:] < 1).all()


def test_the_lone_value_recovers_unless_the_opposition_is_total(said):
    np.testing.assert_array_equal(said["a"], [0.6, 0.9, 0.99, 1.0])
    np.testing.assert_allclose(said["gamma"], said["gamma_told"], atol=1e-6)  # of the quadratic program
    first, latest = said["recovers"], said["latest"]
    assert (first[:3] <= latest[:3]).all() and (np.diff(first[:3]) > 0).all()
    assert np.isinf([first[3], latest[3]]).all()


def test_all_cosines_of_the_model_are_positive_and_far_beyond_the_theorem(said):
    assert 0 < said["plain_low"] <= said["cos_low"] < 0.3 and 0.7 < said["plain_high"] <= said["cos_high"]
    assert said["cos_median"] == pytest.approx(0.7, abs=0.01)
    assert said["times"] > 100  # "hundreds of times"
    assert said["farthest"] == "risk-taking"
    assert (said["conflicts"], said["pairs"]) == (0, 28)
    assert (said["train_count"], said["test_count"], said["Q"]) == (512, 512, 32)
    assert set(said["failing"]) >= {"l_b", "d", "v", "delta"}  # "every upper limit on the embeddings is exceeded"


def test_predictions_are_right_within_the_sampling_error(said):
    assert said["layout"] == WAYS
    correlation, rms, largest, right, _ = said["first_split"].T
    assert (correlation > 0.85).all() and (right >= 14).all()
    # The rms of 16 independent standard normal variables lies in this range with probability 0.998.
    assert (rms > 0.5).all() and (rms < 1.55).all() and (largest < 4).all()
    # Ten splits: "about one standard error"; chi with 16 degrees has the mean 0.98.
    assert (said["rms"] > 0.7).all() and (said["rms"] < 1.3).all()
    assert (said["correlation"] > 0.8).all() and (said["right"] >= 13).all()  # means over the splits
    assert said["bold_rate"][2] < 0  # both rates of caution, on each of the splits


def test_sharing_speeds_up_and_each_dissenter_is_outvoted(said):
    assert (said["slow"], said["fast"]) == pytest.approx((4.3, 9.1), abs=0.05)
    assert (said["slowest"], said["fastest"]) == ("risk-taking", "frugality")
    assert len(said["dissenter"]) == 8
    assert (said["aligned"] < 0).all() and (said["misaligned"] < 0).all()
    assert said["way"] == WAYS
    assert said["negative"][2] == 2 and said["negative"][1] == 0
    assert said["negative"][0] == 1 and -0.1 < said["rate_low"][0] < 0  # "all but one that is hardly below zero"
    assert said["negative"][3] > 2  # "for the chain several are negative"


def test_without_centring_one_side_of_every_value_is_unlearned(said):
    assert max(abs(said["angle_low"]), abs(said["angle_high"])) < 0.15
    sides = np.array([said[name] for name in ("whole_low", "whole_high", "there_low", "there_high")]).T
    assert (sides[0] < 0).all() and (sides[1] > 0).all()


def test_the_main_measurement_over_splits(said):
    assert said["told_end"] > 0 and said["told_curve"].min() < 0  # "delayed and comes back"
    assert said["held_high"] < 0 and (said["held_curve"] < 0).all() and said["held_curve"].argmin() > 4
    held, seen = said["right_splits"]
    assert said["right_high"][0] < 0.5 and (seen > held).all()
    # "where most splits end, and none ends far above"
    assert said["lost"] == (held < 0.5).sum() >= 7 and len(held) == said["splits"] == 10 and held.max() < 0.55
    assert (held < held[0]).sum() <= 1  # "among the lowest of the ten"
    turned = said["turned"]
    assert (turned < 0).all() and (turned[1:, -1] > turned[1:, 0]).all()  # "closer to zero ... none turns it"
    assert said["flow_turned"][0] < 0 < said["flow_turned"][-1]  # "the curve without noise turns"
    own, shared_, caution = said["ends"]
    assert caution < 0 < own < shared_  # "learned with answers of its own, faster with shared ones, and not when ..."


def test_caution_recovers_without_noise_and_not_on_unseen_statements(said):
    assert said["kind"] == ["without noise", "held out"]
    assert said["positive"][0] < 20 and np.isinf(said["positive"][1])
    assert (said["unseen"] < 0.5).all() and (said["own_right"] > 0.75).all() and (said["shared_right"] > 0.75).all()


def test_training_statements_are_learned_one_after_the_other(said):
    seen = said["seen"]
    assert len(seen) == 3 and (np.diff(seen) > 0).all() and seen[-1] > 0.95
    assert (np.diff(said["up"]) > 0).all() and (np.diff(said["down"]) < 0).all()
    assert said["gamma_all"] > 0 and said["latest_all"] > 1000 > said["time"][-1]  # "long before the guaranteed time"
    own, same, caution = said["others_right"]
    assert caution < min(own, same)
    assert said["tested"].tolist() == [64, 448]
    for share, tested, low, high in zip(*(said[name] for name in ("share", "tested", "low", "high")), strict=True):
        assert wilson_interval(share, int(tested)) == pytest.approx((low, high), rel=1e-12)
    assert np.round([seen[-1], same], 2).tolist() == [0.98, 0.92] and said["time"][-1] == pytest.approx(200)
    wrong, others = np.column_stack([said[name] for name in ("share", "low", "high")])
    assert np.round(wrong, 2).tolist() == [0.3, 0.2, 0.42] and np.round(others, 2).tolist() == [0.82, 0.78, 0.85]
    assert 0 < said["share"][0] - said["unseen"][0] < 0.06  # "hardly more than at first"
    assert said["high"][0] < 0.5 < said["low"][1]  # caution is lost on unseen statements, the others are not


def test_the_order_of_the_first_rates_fades(said):
    first, last, at_last = said["rank_first"], said["rank_last"], said["hit_last"]
    assert (first > 0.75).all() and (last < first).all() and (last > 0.4).all()
    assert at_last[0] < 0.2 and (at_last[1:] > 0.5).all()
    ends = [f(part) for part in (first, last, said["hit_first"]) for f in (min, max)]
    assert np.round(ends, 2).tolist() == [0.77, 0.94, 0.48, 0.67, 0.55, 0.74]


@pytest.mark.theorem("C.5")
def test_constants_in_the_prose():
    S = 0.4 * LOG3
    assert training_envelope(S, form="paper C")[0] == pytest.approx(LOG3 / 80)
    paper, ours = (training_envelope(1e-3, form=form, Q=100, d=10, v=0.001)[0] for form in ("paper C", "improved C"))
    assert ours / paper == pytest.approx(4.5)
    end = LOG3 / (39 / 64)
    assert end / S == pytest.approx(4.1, abs=0.01)  # "about four times as long"
    assert 1 / (128 * 3) == pytest.approx(1 / 16 / 3 / 8)  # epsilon v / 8 at Z = 1


def test_the_lone_value_is_outvoted_beyond_one_half():
    for a in (0.2, 0.49, 0.51, 0.9):
        c = np.array([[1, 0, 0], [-a, np.sqrt(1 - a**2), 0], [-a, np.sqrt(1 - a**2), 0]])
        rates = initial_rates(shared(3), c, np.array([0, 0, 1.0]))
        np.testing.assert_allclose(rates[:, 0], [1 - 2 * a, 2 - a, 2 - a])
        alone = initial_rates(shared(2), c[:2], np.array([0, 0, 1.0]))
        np.testing.assert_allclose(alone[:, 0], [1 - a, 1 - a])  # "beside a single opponent it would be fine"


def test_numbers_in_the_solutions():
    assert ANSWERS["07.1"].judge(-0.5).right and ANSWERS["07.3"].judge(77 / 512).right
    assert 9 / 64 == pytest.approx(0.141, abs=5e-4) and 77 / 512 == pytest.approx(0.150, abs=5e-4)
    assert ANSWERS["07.4"].judge(0.0032).right and not ANSWERS["07.4"].judge(0.0032 / np.sqrt(2)).right
    assert ANSWERS["07.4"].value() == pytest.approx(0.0032, abs=5e-5) and ANSWERS["07.4"].value() > 1 / 384
