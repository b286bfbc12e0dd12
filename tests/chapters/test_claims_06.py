"""What chapter 6 says of its runs, held against the numbers that it records."""

import numpy as np
import pytest
from claims import numbers

from helpers.bounds import risk_bound, samples_for_bound, samples_for_confidence
from helpers.layouts import disjoint
from helpers.mixture import ValueMixture
from helpers.risk import log_one_step_risk, risk_law

PANELS = ["one value", "four values, own answers", "four values, Yes and No"]
QS = [4, 8, 12, 16, 24, 32, 48]


@pytest.fixture(scope="module")
def said():
    return numbers("06_generalization")


@pytest.mark.theorem("N5")
def test_the_law_is_that_of_the_first_step_and_has_a_floor(said):
    assert said["law_Q"] == [4, 40, 400]
    assert said["law_at"] == pytest.approx(said["exact_at"], rel=2e-3)  # shown to four decimals, equal to 1e-4 there
    assert said["law_floor"] < said["law_late"] < 1.05 * said["law_floor"]
    assert said["law_floor"] == pytest.approx(0.0228, abs=5e-5)
    still = ValueMixture(disjoint(1), 1000, 0.5, 0.5)
    below, above = (risk_law(still, Q)[0] for Q in (263, 262))
    assert below < 0.05 < above and round(said["needed"]) == 263


@pytest.mark.theorem("N4")
def test_the_Q_in_the_exponent_is_the_noise(said):
    for Q in (40, 4000):
        tied = ValueMixture(disjoint(1), 5 * Q, 1 / (32 * np.sqrt(Q)), 0.5)
        # "about 512 Q": N4 bounds the risk by it, and the factor 1 + O(1 / Q) is below 1.02 from Q = 40 on.
        assert -log_one_step_risk(tied, Q).max() == pytest.approx(512 * Q, rel=0.02)
    floor = [ValueMixture(disjoint(1), 200, v, 0.5) for v in (0.5, 0.25)]
    assert all(-log_one_step_risk(one, 4096).max() < 1 / (2 * one.v**2) + np.log(2 * np.sqrt(2 * np.pi) / one.v)
               for one in floor)  # Phi(-x) > phi(x) / (2 x) for x > 1: the exponent stays near 1 / (2 v^2)


def test_training_margins_are_a_poor_witness(said):
    assert said["who"] == ["trained", "unseen"]
    (trained, unseen), (wrong, misjudged), own = said["margin"], said["wrong"], said["self_term"]
    assert own > trained / 2  # "more than half of their margin to themselves"
    assert wrong == 0 and misjudged > 0.05
    assert trained - unseen == pytest.approx(own, rel=0.05)  # one data set of 160 samples


@pytest.mark.theorem("N2")
def test_the_exact_risk_is_that_of_the_simulation(said):
    assert said["farthest"] < 4  # 8 clusters: chance 5e-4
    assert said["louder"] < 1e-14  # rounding of a number below 1


@pytest.mark.theorem("B.4")
def test_every_step_of_the_proof_holds_on_the_data(said):
    assert said["allowed"] == pytest.approx([1 / 64] * 2, abs=1e-5)
    assert max(said["old_noise"], said["new_noise"]) < said["allowed"][0]
    assert said["longest"] < said["length_bound"]
    assert said["level"] == [1, 2, 3, 4] and said["any_level"] == [3, 4, 5]
    often, bounds = (np.concatenate([said[f"tail{end}"], said[f"any{end}"]]) for end in ("", "_bound"))
    assert len(often) == 7 and (often <= bounds).all()
    counts = [said[name] for name in ("related", "all_pairs", "counted")]
    assert counts == sorted(counts) and counts[2] == counts[1] * 120 / 2
    assert said["rate"] > said["rate_needed"] == 5 / 8
    assert said["new_margin"] > 0


@pytest.mark.theorem("B.4")
def test_the_gap_is_real_and_its_repair_is_cheap(said):
    assert said["b1_holds"] and said["planted"] > 1
    costs = np.ravel(said["repair"])
    assert costs.shape == (4,) and costs.max() <= 0.02  # "next to nothing", already at Q = 40


@pytest.mark.theorem("B.4")
def test_the_risk_bites_and_the_probability_does_not(said):
    assert said["failing"] == []  # all hypotheses hold
    assert said["promised"] < 0.283 and 1 < said["failure"] < 180_000
    assert round(said["exact_power"]) == -17_789 and said["exact_power"] < -10_000


@pytest.mark.theorem("4.3")
def test_exponents_and_values_of_the_bound(said):
    assert np.round(said["exponents"], 2).tolist() == [5.83, 9.29, 13.92, 19.59]
    rows = list(zip(said["bound_K"], said["bound_Q"], said["bound_at"], strict=True))
    assert [row[:2] for row in rows] == [(1, 40), (10, 40), (10, 90), (10, 875)]
    for K, Q, at in rows:
        assert at == pytest.approx(2 * K * Q**2 * np.exp(-Q / 45), rel=1e-12)
    assert said["many_K"] == [1, 10, 100]
    assert said["bound_below_1"] == pytest.approx([608.1, 727.9, 845.0], abs=0.05)
    assert said["failure_below_1"] == [143_469, 160_708, 178_268]


def test_the_exponent_is_where_the_bound_is_lost(said):
    sides = dict(zip(said["what"], said["sides"], strict=True))
    (paper, proof), (also, sharp) = sides["4.3 and B.4"], sides["B.4 and N4"]
    assert paper == pytest.approx(120 / 45, abs=0.01) and proof == also == pytest.approx(120 / 9.29, abs=0.01)
    assert 1000 < sharp / proof < 64**2  # "thousands of times"; "the square of that number"


@pytest.mark.theorem("4.3")
def test_the_scaling_curve_is_that_of_bisection(said):
    assert said["curve_K"] == [1, 10, 100, 1000]
    assert said["curve_Q"] == pytest.approx(said["bisected"], rel=1e-9)  # xtol of the search, 2e-12
    for K, Q in zip(said["curve_K"], said["curve_Q"], strict=True):
        assert risk_bound(K, Q) == pytest.approx(0.05, rel=1e-9)
    assert np.diff(said["curve_Q"])[1] == pytest.approx(115, abs=0.5)  # "by 115 samples"


def test_one_sample_is_enough_in_the_region(said):
    alone, own, shared = said["one_sample"]
    assert alone == pytest.approx(own, rel=1e-12) and own < shared < -60
    assert round(alone) == -185


def test_no_sample_size_meets_the_hypothesis_on_noise(said):
    low, most = said["noise_low"], said["least_Q"]
    assert most < 1 and low * 32 * np.sqrt(48) > 100  # "more than a hundred times larger than allowed"
    assert said["bound_of"] == PANELS and all("v" in names for names in said["fail_names"])
    assert said["v_limit"] == [[pytest.approx(0.004511, abs=5e-7)]] * 3


@pytest.mark.theorem("4.3")
def test_the_bound_goes_the_wrong_way_above_one(said):
    bounds = np.column_stack([said["bound_first"], said["bound_last"]])
    assert (bounds > 1).all() and (bounds[:, 1] > bounds[:, 0]).all()
    measured = np.array(said["mean"][:3])
    assert (measured[:, 1] < measured[:, 0]).all()
    powers = np.log10(bounds / measured)
    assert 2 <= powers.min() and powers.max() < 5
    assert bounds[1] == pytest.approx(4 * bounds[0], rel=1e-12)


def intervals(said, law):
    """Ends and middle of law - error, shape (panels, Q, 3), of the law that was reported first or second."""
    assert said["panel"] == PANELS * 2 and said["off_Q"] == [QS] * 6 and said["asked"] == [7] * 6
    off = np.stack([said[name] for name in ("off_low", "off", "off_high")], axis=-1)
    return off[3 * law : 3 * law + 3]


def inside(off):
    return ((off[..., 0] <= 0) & (off[..., 2] >= 0)).sum(axis=1).tolist()


@pytest.mark.theorem("N5")
def test_the_law_holds_for_own_answers_and_not_for_shared_ones(said):
    off = intervals(said, 0)
    assert np.abs(off[:2, :, 1]).max() <= 0.0245  # "at most .024"
    assert inside(off) == said["inside"][:3] == [7, 7, 0]  # "inside all fourteen intervals"
    assert off[2, :, 0].min() > 0.1 and off[2, :, 1] == pytest.approx(np.full(7, 0.2), abs=0.03)
    law, seen = np.column_stack([said["first"], said["last"]])[:3], np.array(said["mean"][:3])
    assert (law[2] > 2 * seen[2]).all()
    assert (seen[2] < seen[:2]).all()  # "easier to learn than one value alone"
    assert np.round(seen[[2, 0], 0], 2).tolist() == [0.19, 0.27]
    low, high = np.array(said["low"][:3]), np.array(said["high"][:3])
    assert high[2, 0] < low[0, 0] and high[2, 1] > low[0, 1]  # "at Q = 48 the intervals overlap"
    assert law[0] == pytest.approx(law[1], rel=1e-12)  # "the number of values irrelevant"
    assert 1.3 < law[2, 0] / law[0, 0] < law[2, 1] / law[0, 1] < 2.3


def test_the_law_with_measured_products_holds_for_shared_answers_too(said):
    off = intervals(said, 1)
    assert inside(off) == said["inside"][3:] == [6, 7, 7] and np.abs(off[..., 1]).max() < 0.02
    assert 0.5 < said["cosine_low"] and 1 < said["cosine_high"] < 1.05


def test_long_training_goes_below_the_floor(said):
    assert said["late_of"] == PANELS and said["n"] == [10] * 3
    assert said["steps"] == [160] * 3 and said["Q"] == [48] * 3
    assert max(said["late_high"]) < said["floor_low"] < said["floor"]  # "with the two intervals apart"


def test_numbers_in_the_prose():
    assert np.argmax(risk_bound(10, np.arange(1, 2000))) + 1 == 90
    ten, hundred = samples_for_bound(10, 0.05), samples_for_bound(100, 0.05)
    assert ten == pytest.approx(879.8, abs=0.05)
    assert hundred - ten == pytest.approx(115, abs=0.5) and hundred / ten == pytest.approx(1.13, abs=0.005)
    assert ten == pytest.approx(45 * np.log(2 * 10 * ten**2 / 0.05), rel=1e-9)
    assert risk_bound(10, 875) > 0.05  # so 875 is a reading of the curve, and 879.8 the crossing
    assert risk_bound(1, 608) > 1 > risk_bound(1, 609)
    assert 14 * 40 * np.exp(-20) < 1e-5  # N8 (c) at Q = 40 and K = 1: its probability speaks
    assert samples_for_confidence(1, c=1e9) > 140_000  # step 3 of the proof of 4.3
    assert samples_for_confidence(10, c=1e9) == pytest.approx(160_000, rel=0.01)
    # Exercise 5: the floor is above 0.005, and the law at any Q above the floor.
    assert risk_law(ValueMixture(disjoint(1), 1000, 0.4, 0.5), 10**12)[0] == pytest.approx(0.0062, abs=5e-5)
