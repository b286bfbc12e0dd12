"""What chapter 13 says of the guarantees, held against the numbers that its cells recorded."""

import numpy as np
import pytest
from claims import ROOT, numbers
from scipy.stats import beta

from helpers.bounds.guarantees import risk_bound
from helpers.bounds.hypotheses import conditions
from helpers.dynamics.tracking import track_beforehand
from helpers.exercises.chapter_13 import ANSWERS
from helpers.figures.part_4_sharper import FOUND, GUARANTEED
from helpers.layouts import disjoint, grid
from helpers.mixture import ValueMixture
from helpers.risk.certificates import SCALES, SHIFTS, guarantee_beforehand, kl_inverse
from helpers.risk.one_step import one_step_risk

CHAPTER = (ROOT / "chapters" / "13_guarantee.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def said():
    """The numbers by name; what was said more often is an array, words stay a list."""
    return {key: np.array(value) if isinstance(value, list) and not isinstance(value[0], str) else value
            for key, value in numbers("13_guarantee").items()}


def test_the_answer_of_the_first_screen(said):
    assert round(float(said["bound"][-1]), 2) == 0.28 and round(float(said["error"][-1]), 2) == 0.10
    assert said["held_out"][-1] < said["bound"][-1] / 2  # "less than half of that"
    assert said["bound"][-1] == pytest.approx(GUARANTEED, abs=0.005)  # the picture says the same
    assert said["error"][-1] == pytest.approx(FOUND, abs=0.0005)
    assert said["formula"][-1] == pytest.approx(risk_bound(16, 48), rel=1e-12)
    assert said["formula"][-1] > 20_000  # "above twenty thousand"
    assert said["at_Q"].tolist() == [6, 12, 24, 48] and said["bound_high"][-1] < 0.3  # "below .3 from 48 samples"


def test_the_prediction_from_the_first_half_alone_holds(said):
    assert ((said["off_low"] < 0) & (said["off_high"] > 0)).all()  # zero lies in the interval at every Q
    assert np.abs(said["off"]).max() < 0.04
    assert [f"{32 * Q**2 * np.exp(-Q / 45):,.0f}" for Q in (6, 48)] == ["1,008", "25,374"]  # "the paper's formula"


def test_the_guarantees_are_in_order_and_more_samples_help(said):
    assert (said["error"] < said["held_out"]).all() and (said["held_out"] < said["bound"]).all()
    assert (np.diff(said["bound"]) < 0).all() and (np.diff(said["held_out"]) < 0).all()


def test_in_the_papers_region_knowledge_buys_exponents(said):
    region = np.array([where == "region" for where in said["where"]])
    Q, n11, half = (said[name][region] for name in ("mixture_Q", "n11", "half_says"))
    assert said["failing"] == 0 and Q.tolist() == [40, 160, 640, 1280]
    for n in Q:
        assert all(row.holds for row in conditions(disjoint(4), Q=int(n), d=60, v=1 / (32 * np.sqrt(n)), l_b=0.5))
    assert said["n8"][region][0] < -2900  # "ten to the minus three thousand from forty samples"
    assert (said["exact_power"][region] < said["n8"][region]).all()
    np.testing.assert_allclose(said["paper"][region], [risk_bound(4, n) for n in Q], rtol=1e-12)
    assert said["paper"][region][0] > 1 and said["paper"][region][-1] < n11[-1] / 100  # "soon less than N11"
    # No pair of the other half is ever wrong: Clopper and Pearson's limit is 1 - .05^(1/n), about log(20)/n.
    np.testing.assert_allclose(half, 1 - 0.05 ** (1 / (4 * Q)), rtol=1e-9)
    assert (n11 > half).all()
    np.testing.assert_allclose(n11 * Q, (n11 * Q)[0], rtol=0.25)  # "falls like one over the number of pairs"


def test_where_the_noise_stays_only_counting_is_left(said):
    noisy = np.array([where != "region" for where in said["where"]])
    np.testing.assert_allclose(said["n8"][noisy], 0, atol=1e-12)  # one: vacuous
    assert (10.0 ** said["exact_power"][noisy] < said["half_says"][noisy]).all()
    assert (said["half_says"][noisy] < said["n11"][noisy]).all() and said["n11"][noisy][-1] < 0.02
    assert said["model_n8"] == 1 and said["model_eta"] > 10  # on the model N8 says nothing
    assert said["T"] > 10 * said["lam"]
    assert said["T"] == pytest.approx(22.2, rel=0.15)  # from all 64 statements a cluster; here 24 of each


@pytest.mark.theorem("N8")
def test_the_corollary_in_the_papers_region(said):
    assert said["c_off"].max() == pytest.approx(0.0987, abs=5e-5)
    assert said["rate"].min() > 170 and said["per_root"].min() == pytest.approx(18.69, abs=0.005)
    assert said["inside"] == said["data_sets"] == 100 and said["beyond"] == 0  # allowed to fail in 20 of 100


@pytest.mark.theorem("N8")
def test_the_cell_of_N8_is_the_function(said):
    """At the corners of (c) `failure` is that of q = sqrt Q; layouts with kappa and nu of the corner."""
    Q, S = 40, 0.4 * np.log(3)
    for Z, layout in ((1, disjoint(4)), (4, grid(16))):
        mixture = ValueMixture(layout, 5 * Q, 1 / (32 * np.sqrt(Q)), 0.5 / np.sqrt(Z))
        assert all(row.holds for row in conditions(layout, Q=Q, d=mixture.d, v=mixture.v, l_b=mixture.l_b))
        failure = 14 * layout.K * Q * np.exp(-Q / 2)
        assert track_beforehand(mixture, Q, failure).margin(S) == pytest.approx(said["c_off"][Z - 1], rel=1e-9)


@pytest.mark.theorem("N8")
def test_any_covariance_keeps_the_guarantee(said):
    assert (said["eta_seen"] <= said["eta"]).all() and (said["risk_power"] <= said["promised_power"] + 1e-9).all()
    assert (np.diff(said["rank"]) < 0).all() and (np.diff(said["eta"]) > 0).all()  # "says less where few directions"
    assert said["promised"][0] < 1e-100 and said["promised"][-1] > 0.5


@pytest.mark.theorem("N11")
def test_the_steps_of_the_proof_of_N11(said):
    assert said["maurer"] == pytest.approx(1, abs=1e-12) and said["up_to"] == 2000  # equality at n = 1 alone
    assert said["unequal"] < said["equal"]
    assert said["kl_seen"] == pytest.approx(said["kl_told"], rel=0.02)  # 200,000 draws of a spread of about 2
    assert said["blur_seen"] == pytest.approx(said["blur_told"], abs=0.005)  # 5 standard errors are .0056
    assert len(SCALES) * len(SHIFTS) == 221 and "grid of 221" in CHAPTER
    assert max(SCALES) == 256 and max(SHIFTS) == 3


def test_the_price_of_long_training_is_the_distance(said):
    runs = dict(zip(said["trail"], zip(said["apart"], said["says"], said["wrong"], strict=True), strict=True))
    for name, (apart, says, wrong) in runs.items():
        assert wrong[1] < wrong[0], name  # the red marks fall
        if apart[1] - apart[0] > 0.1:
            assert says[1] > says[0], name  # the green ones rise where the distance does
    assert runs["DPO β = 1"][1][1] > 1.3 * runs["DPO β = .1"][1][1]
    assert runs["DPO, Adam"][0][0] > 0.6 and all(runs["DPO, Adam"][1] > 0.5)  # "leave the mean of the pairs at once"
    last = np.array([(apart[1], says[1]) for apart, says, _ in runs.values()])
    order = np.argsort(last[:, 0])
    assert (np.diff(last[order, 1]) > 0).all()  # "near one curve": in the order of the distances
    assert round(min(wrong[1] for *_, wrong in runs.values()), 2) in (0.05, 0.06)  # "from .10 to .05"


def test_a_start_that_trains_as_well(said):
    assert said["moved_beta"].tolist() == [0.1, 0.3, 1.0]
    assert (said["gain_high"][1:] < 0).all() and said["gain"][-1] < -0.1  # pays where training is long
    assert abs(said["gain"][0]) < 0.02 and said["near"][-1] < 0.6 * said["far"][-1]


def test_the_share_of_the_first_half(said):
    small, large, none = said["least_bound"]
    assert small < 0.3 and none > 0.5  # "without any start the bound is above a half"
    assert said["best_share"][1] < 0.3 and large < said["at_half"][1]  # "a long training wants its pairs counted"
    assert abs(said["at_half"][0] - small) < 0.02


def test_no_guarantee_was_violated_and_a_broken_hypothesis_shows(said):
    assert said["above"] == 0 and said["splits"] == 10
    assert said["checked"] == 10 * 3 * 3 * 4 * 3  # splits, kinds, betas, Qs, steps
    assert said["closest"] < 0.5  # "more than twice the error"
    assert said["mix_above"] == 0 and said["mix_sets"] == 100 and said["mix_risk"] == pytest.approx(0.053, rel=0.1)
    assert said["peeked_all"].max() < 0.5 and said["kept"] == pytest.approx(1)  # false, and right to say nothing


def test_what_the_explorer_shows(said):
    for name, better in (("play_error", -1), ("play_held", -1), ("play_bound", 1)):
        short, long = said[name].reshape(3, 2).T
        assert (np.sign(long - short) == better).all(), name
    own = [kind == "DPO, own answers" for kind in said["played"]]
    assert (said["play_bound"][own] > 4 * said["play_error"][own]).all()  # "stays far above the error"
    assert said["played_Q"].tolist() == [48] * 6


def test_the_exercises():
    assert ANSWERS["13.1"].value == np.ceil(np.log(0.05) / np.log(0.99)) == 299
    assert beta.ppf(0.95, 1, 298) > 0.01 >= beta.ppf(0.95, 1, 299)
    assert ANSWERS["13.4"].value == pytest.approx(2 * np.sqrt(768) * 221 / 0.05, rel=1e-6)
    assert ANSWERS["13.4"].value == pytest.approx(250_000, rel=0.05)  # "about a quarter of a million"
    v = ANSWERS["13.5"].value
    one = [ValueMixture(disjoint(1), d=60, v=noise, l_b=0.5) for noise in (v, 0.58)]
    assert guarantee_beforehand(one[0], 100, 0.4 * np.log(3), failure=0.05) == pytest.approx(0.05, rel=1e-6)
    assert one_step_risk(one[1], 100)[0] == pytest.approx(0.05, abs=0.001)  # "only near v = .58"
    assert kl_inverse(0.0, 0.01) == pytest.approx(0.01, rel=0.01)  # "nearly c"
    assert kl_inverse(0.4, 1e-4) == pytest.approx(0.4 + np.sqrt(2 * 0.24 * 1e-4), rel=1e-3)
