"""What chapter 14 says of the limit, of layouts, of K and of imbalance, held against the numbers that it records."""

import numpy as np
import pytest
from claims import numbers
from scipy.stats import norm

from helpers.bounds import samples_for_bound
from helpers.exercises.chapter_14 import ANSWERS
from helpers.layouts import chain, disjoint, grid, shared, star

KS = np.array([1, 2, 4, 8, 16, 32, 64])
SIX = ["own", "chain", "star", "grid", "Yes / No", "Yes / No, every second turned"]


@pytest.fixture(scope="module")
def said():
    """The numbers by name; what was said more often is an array, words stay a list."""
    return {key: np.array(value) if isinstance(value, list) and not isinstance(value[0], str) else value
            for key, value in numbers("14_diversity").items()}


@pytest.mark.theorem("N12")
def test_endless_data_end_on_the_limit(said):
    np.testing.assert_allclose(said["told"], norm.sf(1 / (0.3 * np.sqrt(KS))), rtol=1e-12)
    half = (said["high_left"] - said["low_left"]) / 2
    # Seven intervals of ten draws: Student's t with 9 degrees exceeds 1.75 half-widths in one of 300 cases.
    assert (np.abs(said["left"] - said["told"]) < 1.75 * half).all()
    assert said["limit_16"] == pytest.approx(0.2023, abs=5e-5) and said["left_16"] == said["left"][4]
    assert said["alone"] == pytest.approx(norm.sf(1 / 0.3)) and (said["own"] < 0.001).all()  # "along zero"
    assert 0.3 < said["told"][-1] < 0.35  # "to a third at 64 values"


@pytest.mark.theorem("N12")
def test_no_vector_beats_the_diversity_limit(said):
    assert said["K"].tolist() == [2, 4, 16]
    assert said["attained"] == pytest.approx(said["limit"], rel=1e-12)
    np.testing.assert_allclose(said["limit"], norm.sf(1 / (np.array([0.5, 0.3, 0.1]) * np.sqrt(said["K"]))), rtol=1e-12)
    assert (said["least"] >= said["limit"]).all() and said["least"][0] < 1.2 * said["limit"][0]  # some are near it


@pytest.mark.theorem("N12")
def test_values_that_one_pair_can_serve(said):
    for at, risk in (("served", 0.05), ("served_2", 0.1)):
        z = norm.isf(risk)
        assert said[at].tolist() == [int(1 / (v * z) ** 2) for v in (0.1, 0.2, 0.3)]


@pytest.mark.theorem("N12")
def test_floors_of_the_named_layouts(said):
    made = [disjoint(16), chain(16), star(16), grid(16), shared(16)]
    np.testing.assert_allclose(said["kappa"], [one.kappa.mean() for one in made])
    floors = [norm.sf(1 / (0.3 * np.sqrt(one.kappa))).mean() for one in made]
    np.testing.assert_allclose(said["floor"], floors, rtol=1e-9)


@pytest.mark.theorem("N5")
def test_what_playing_finds(said):
    assert said["design"] == SIX
    law, floor, error = said["law_of"], said["floor_of"], said["error_of"]
    assert np.abs(law - error).max() < 0.04 and (law[1:] > error[1:]).all()  # "too cautious, by .04 at most"
    assert (np.abs(said["few_law"] - said["few_error"])).max() < 0.04
    assert said["few_error"][[2, 0]] == pytest.approx([0.20, 0.28], abs=0.005)
    for least in (said["few_law"], said["few_error"]):
        assert (least[2:5] < least[0] - 0.04).all() and np.argmax(least[:5]) == 1  # the law foresees both
    assert said["few_ends"][2][1] < said["few_ends"][0][0]
    assert np.argmax(error[:5]) == 1 and said["kappa_of"][1] < said["kappa_of"][2:5].min()  # "a chain is the worst"
    assert (error[2:5] < error[0]).all() and error[[2, 0]] == pytest.approx([0.13, 0.15], abs=0.005)  # "little"
    assert error[5] > 2 * error[4] and said["kappa_of"][5] == said["kappa_of"][4] == 6  # turned roles, the same kappa
    assert np.argmin(floor) == 0


def test_later_training_is_below_the_floor(said):
    assert said["late_of"] == SIX[:5] and set(said["late_steps"]) == {160}
    assert (said["late_high"] < said["late_floor"]).all()  # "they lie below its floor"
    assert np.argmax(said["late_error"]) == 1


@pytest.mark.theorem("N12")
def test_every_run_on_the_model_is_above_the_limit(said):
    assert said["several"] == 180 and said["under"] == 0 and said["of_values"] == 16
    assert said["model_low"] < said["model_limit"] < said["model_high"] < said["least_run"]
    assert said["model_limit"] == pytest.approx(0.02, abs=0.005)  # "at two hundredths"
    assert 0 < said["model_limit"] - said["one_alone"] < 0.005  # "hardly above that of one value alone"
    assert 1.15 < said["effective"] < 1.3  # "one and a quarter"
    assert 0.04 < said["last_errors"].min() < 0.06  # "to a twentieth"


@pytest.mark.theorem("N6")
def test_the_average_does_not_know_K_and_the_worst_does(said):
    np.testing.assert_allclose(said["average"], said["flat"], rtol=0.03)  # 200 data sets
    assert (np.diff(said["worst"]) > 0).all() and said["worst"][-1] > 1.5 * said["worst"][0]
    assert (np.diff(said["share"]) < 0).all()
    assert ((said["share_low"] <= said["guessed"]) & (said["guessed"] <= said["share_high"])).all()
    assert said["plain"] == pytest.approx(0.43, abs=0.005) and said["plain"] < said["share_low"][-1]


@pytest.mark.theorem("N12")
def test_where_the_hypotheses_pass_the_bound(said):
    K = said["crosses"]
    assert K == 5975 and (K + 1) / 5 > samples_for_bound(K, 0.05) and K / 5 <= samples_for_bound(K - 1, 0.05)
    assert said["there"] == samples_for_bound(K, 0.05)


@pytest.mark.theorem("N5")
def test_eight_small_imbalances_cost_a_side_in_the_mixture(said):
    assert said["law_side"][1] == pytest.approx(0.5) and said["law_side"][2] > 0.999 > said["law_side"][0]
    inside = (said["side_low"] <= said["law_side"] + 1e-6) & (said["law_side"] - 1e-6 <= said["side_high"])
    assert inside.all() and said["large_side"] < 1e-6


def test_and_on_the_model(said):
    assert said["mode"] == ["whole embeddings", "centred embeddings"]
    big, little = said["big"], said["little"]
    assert big[0] == said["big_told"][0] == 0 and little[0] == said["little_told"][0] == 1  # "without exception"
    assert little[0] - said["little_end"][0] > 0.7 and said["big_end"][0] > big[0]  # "the sides meet"
    assert big[1] == pytest.approx(0.23, abs=0.005) and little[1] == pytest.approx(0.08, abs=0.005)
    assert np.abs([big[1] - said["big_told"][1], little[1] - said["little_told"][1]]).max() < 0.03
    assert said["balanced"] == said["mode"]
    np.testing.assert_allclose(said["even"], [[0.90, 0.00], [0.18, 0.10]], atol=0.0051)


def test_the_solutions_say_what_the_answers_are():
    assert (ANSWERS["14.1"].value, ANSWERS["14.4"].value) == (15, 3)  # "so fifteen", "so three pairs"
