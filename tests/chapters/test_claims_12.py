"""What chapter 12 says of the exact risk and of the law, held against the numbers that its cells recorded."""

import numpy as np
import pytest
from claims import ROOT, numbers
from scipy.integrate import quad
from scipy.special import ndtri
from scipy.stats import ncx2, norm

from helpers.bounds import risk_bound
from helpers.exercises.chapter_12 import ANSWERS
from helpers.layouts import chain, disjoint, star
from helpers.mixture import ValueMixture
from helpers.records import recorded
from helpers.risk.one_step import log_one_step_risk, one_step_risk

CHAPTER = (ROOT / "chapters" / "12_law.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def said():
    return numbers("12_law")


@pytest.mark.theorem("N3")
def test_three_ways_to_the_risk_after_one_step_agree(said):
    np.testing.assert_allclose(said["angle"], said["exact"][:4], rtol=1e-8)  # two quadratures
    off = np.abs(np.subtract(said["drawn"], said["angle"])) / said["error"]
    assert len(off) == 4 and off.max() < 4  # standard errors of 400 data sets


@pytest.mark.theorem("N3")
def test_the_risk_after_one_step_is_a_race_of_two_noncentral_chi_squares():
    """P(chi2_d(A + B) <= chi2_d(A - B)), the form before the transform, by a plain integral over densities."""
    d, v, l_b, Q = 6, 0.5, 0.7, 3
    mixture = ValueMixture(disjoint(1), d, v, l_b)
    s2 = v**2 / (2 * Q)
    A, B = (1 / s2 + (1 + l_b**2) / v**2) / 2, 1 / (np.sqrt(s2) * v)
    race = quad(lambda x: ncx2.cdf(x, d, A + B) * ncx2.pdf(x, d, A - B), 0, np.inf)[0]
    assert one_step_risk(mixture, Q)[0] == pytest.approx(race, rel=1e-6)  # of quad


@pytest.mark.theorem("N4")
def test_the_bounds_of_N4_are_in_order(said):
    assert said["ordered"] == [True] * 4
    assert all(a <= b <= c for a, b, c in zip(said["exact"][4:], said["infimum"], said["closed"], strict=True))


@pytest.mark.theorem("N5")
def test_the_law_is_within_three_percent_of_z_and_its_variance_is_exact(said):
    assert max(map(abs, said["z_error"])) < 0.03
    # Steps (2) to (4) of the derivation are exact: the variance of the product of two Gaussian vectors.
    layout, Q, d, v, l_b = chain(3), 4, 7, 0.6, 0.8
    rng, mixture = np.random.default_rng(0), ValueMixture(layout, d, v, l_b)
    delta = np.sqrt(layout.kappa[1] * v**2 / (2 * Q))
    A = layout.gram[1] @ mixture.concepts + delta * rng.normal(size=(400_000, d))
    B = mixture.concepts[1] + mixture.shared + v * rng.normal(size=(400_000, d))
    D2 = layout.kappa[1] * v**2 * (1 + (1 + l_b**2 + d * v**2) / (2 * Q))
    products = (A * B).sum(axis=1)
    assert products.mean() == pytest.approx(1.0, abs=5 * np.sqrt(D2 / 400_000))
    assert products.var() == pytest.approx(D2, rel=0.02)  # 5 standard errors of a variance are 1.1 % if normal


@pytest.mark.theorem("N4")
def test_the_exponent_in_the_papers_region():
    for layout in (disjoint(4), star(4)):
        for Q in (40, 400):
            D2 = layout.kappa.max() / (1024 * Q) * (1 + (1 + 0.25 / layout.Z + 5 / 1024) / (2 * Q))
            assert 1 / (2 * D2) == pytest.approx(512 * Q / layout.kappa.max(), rel=1 / Q)
            edge = ValueMixture(layout, 5 * Q, 1 / (32 * np.sqrt(Q)), 0.5 / np.sqrt(layout.Z))
            assert log_one_step_risk(edge, Q).max() <= -1 / (2 * D2)


def test_the_two_moments_by_counting_every_case():
    """Noise of two values in each coordinate: every training set and every new sample, one after the other."""
    d, gram, counts = 2, np.array([1.0, -0.5]), np.array([[2, 1], [1, 1]])
    rng = np.random.default_rng(0)
    means, scale = rng.normal(size=(2, 2, d)) + 0.6, rng.uniform(0.2, 0.9, (2, 2, d))
    n_0 = counts.sum() / 2
    clusters = [(k, t) for k in range(2) for t in range(2) for _ in range(counts[k, t])]
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * (d * (len(clusters) + 1)))).reshape(d * (len(clusters) + 1), -1)
    signs = signs.reshape(len(clusters) + 1, d, -1)
    A = sum(gram[k] / n_0 * (means[k, t][:, None] + scale[k, t][:, None] * signs[m])
            for m, (k, t) in enumerate(clusters))
    T = (A * (means[0, 1][:, None] + scale[0, 1][:, None] * signs[-1])).sum(axis=0)
    mu_A = sum(gram[k] * counts[k, t] / n_0 * means[k, t] for k in range(2) for t in range(2))
    variance = mu_A**2 @ scale[0, 1] ** 2 + sum(
        gram[k] ** 2 * counts[k, t] / n_0**2 * ((means[0, 1] ** 2 + scale[0, 1] ** 2) @ scale[k, t] ** 2)
        for k in range(2) for t in range(2))
    assert T.mean() == pytest.approx(mu_A @ means[0, 1], rel=1e-12)
    assert T.var() == pytest.approx(variance, rel=1e-12)
    assert T.mean() > 0 and np.mean(T <= 0) <= variance / (variance + T.mean() ** 2)


@pytest.mark.theorem("N3")
def test_N3_statement_by_statement_by_plain_integrals():
    """(a) is the number of N3, over the density of the new sample; (b) is one convolution."""
    mixture, Q = ValueMixture(disjoint(1), 2, 0.7, 0.4), 3
    delta = 0.7 / np.sqrt(2 * Q)

    x, y = np.meshgrid(np.linspace(-5, 7, 1501), np.linspace(-5, 6, 1501))
    new = norm.pdf(x, 1, 0.7) * norm.pdf(y, 0.4, 0.7) * (12 / 1500) * (11 / 1500)  # the density, in small boxes
    risk = (new * norm.cdf(-x / (delta * np.hypot(x, y)))).sum()
    assert risk == pytest.approx(one_step_risk(mixture, Q)[0], abs=1e-5)  # of the box, and of the kink at 0
    M, V, n, few = 0.8, 5.0, 20, 6
    rest = np.sqrt(V / few - V / n)
    smooth = quad(lambda m: norm.pdf(m, M, np.sqrt(V / n)) * norm.cdf(-m / rest), -10, 12)[0]
    assert smooth == pytest.approx(norm.cdf(-M / np.sqrt(V / few)), rel=1e-8)


def test_the_moments_and_cantelli_in_the_simulation(said):
    off = np.abs(np.subtract(said["sim_mean"], said["proved_mean"])) / said["sim_error"]
    assert off.max() < 4  # standard errors
    np.testing.assert_allclose(said["sim_var"], said["proved_var"], rtol=0.05)  # heavy tails: about 1 % each
    assert (np.array(said["sim_risk"]) < said["cantelli"]).all()


def test_one_side_is_lost_from_where_it_is_said(said):
    assert said["square"] == [0.5, 1.0, 1.25, 2.25]
    minor = np.array(said["minor"])
    assert minor[0] < 0.01 and minor[2] == pytest.approx(0.5, abs=0.02) and minor[3] > 0.99
    assert max(said["major"]) < 1e-3
    np.testing.assert_allclose(said["minor_law"], minor, atol=0.01)


def test_N5_says_too_much_on_uneven_statements_and_the_average_over_statements_does_not(said):
    biases = dict(zip(zip(said["made_of"], said["form"], strict=True),
                      zip(said["form_bias"], said["form_half"], strict=True), strict=True))
    assert min(biases["loud and quiet", "N5"][0]) > 0.03
    for world in ("loud and quiet", "mixture"):
        assert np.abs(biases[world, "by statement"][0]).max() < 0.012  # the truth is simulated too
    assert np.abs(biases["mixture", "N5"][0]).max() < 0.006  # "a few thousandths"


def rows(said):
    names = ("mae", "most", "off", "off_low", "off_high", "R2", "one_way", "settings")
    return {key: dict(zip(names, found, strict=True)) for key, *found in zip(
        zip(said["data"], said["form_of"], strict=True), *(said[name] for name in names), strict=True)}


def test_the_trial_on_the_books_values(said):
    told = rows(said)["the book's values", "by statement"]
    law = rows(said)["the book's values", "N5"]
    assert told["settings"] == law["settings"] == 39 and "Over the 39 settings" in CHAPTER
    assert told["mae"] == pytest.approx(0.0016, abs=5e-5) and told["off_low"] < 0 < told["off_high"]
    assert told["R2"] > 0.99 and told["most"] < 0.01
    assert law["mae"] == pytest.approx(0.008, abs=1e-3) and law["off_low"] > 0  # "nearly all of it bias"
    assert law["off"] > 0.9 * law["mae"]
    assert told["one_way"] > 3 * told["mae"]


def test_the_trial_on_the_papers_data(said):
    seen, unseen = (rows(said)[data, "by statement"] for data in ("16 behaviours, looked at", "14 behaviours, unseen"))
    assert seen["settings"] == 13 * 5 and unseen["settings"] == 10 * 5
    for told in (seen, unseen):
        assert told["mae"] < 0.01 and abs(told["off"]) < 0.005 and told["R2"] > 0.98
    for data in ("16 behaviours, looked at", "14 behaviours, unseen"):
        assert rows(said)[data, "N5"]["off_low"] > 0
    assert unseen["mae"] == pytest.approx(0.0014, abs=5e-5) and "within .0014 on average over 50 settings" in CHAPTER
    assert unseen["most"] == pytest.approx(0.005, abs=5e-4) and unseen["off"] == pytest.approx(-0.0005, abs=5e-5)
    assert rows(said)["14 behaviours, unseen", "N5"]["mae"] == pytest.approx(0.007, abs=5e-4)
    assert unseen["one_way"] == pytest.approx(0.012, abs=5e-4)
    bounds = [float(risk_bound(K, Q)) for K in (1, 2, 7, 14) for Q in (4, 8, 16, 32, 64)]
    assert (round(min(bounds)), round(max(bounds))) == (29, 27_660) and "29 to 27,660" in CHAPTER


def test_sharing_costs_on_the_papers_data_and_helps_on_the_books_values(said):
    """Errors of all behaviours together against one alone, at every Q; on the page it is the other way round."""
    errors = recorded("law")["unseen"]["errors"]
    for name in ("one in common", "Yes and No"):
        found = np.mean(errors[name], axis=(0, 1))
        assert (found[-1] > found[0] + 0.05).all()
    told = dict(zip(said["end_of"], said["end_error"], strict=True))
    assert told["Yes and No"] < told["one value"] < told["own"]


def test_the_law_of_the_mixture_in_time(said):
    risk, law = np.array(said["world_risk"]), np.array(said["world_law"])
    np.testing.assert_allclose(risk[:, :2], law[:, None] * np.ones(2), rtol=0.03)  # "until about S = 3"
    assert (risk[:, 4] > 1.1 * law).all()


def test_numbers_in_the_solutions():
    assert ANSWERS["12.4"].value == 9
    assert 8 * 0.1 * 1.25 == pytest.approx(1)  # "exactly zero: a coin"
    assert not np.isnan(ndtri(ANSWERS["12.1"].value))


def test_what_the_law_says_before_full_fine_tuning(said):
    rows = {row["name"]: row for row in recorded("law")["before_full"]}
    for K, told in ((1, 0.12), (16, 0.37)):
        row = rows[f"persona-shared-K{K:02d}-seed0"]
        assert row["law"] == pytest.approx(told, abs=0.005) and row["law"] - row["floor"] < 0.01  # "as high"
    assert said["full_all"] == len(rows) and said["full_runs"] == sum("errors" in row for row in rows.values())


def test_where_it_stops_on_the_language_model(said):
    keys = zip(said["how"], said["how_beta"], said["how_at"], strict=True)
    drift = dict(zip(keys, zip(said["drift"], said["drift_low"], said["drift_high"], strict=True), strict=True))
    stays = drift["gradient descent", 0.1, "last"]
    assert abs(stays[0] - drift["gradient descent", 0.1, "first"][0]) < 0.015 and stays[1] < 0 < stays[2]
    for key, told in ((("gradient descent", 1.0, "last"), (-0.044, -0.057, -0.031)),
                      (("gradient descent", 1.0, "first"), (0.011, 0.002, 0.021))):
        assert drift[key] == pytest.approx(told, abs=5e-4)
    assert drift["Adam", 0.1, "last"][0] == pytest.approx(-0.026, abs=5e-4)
    assert drift["Adam", 1.0, "last"][0] == pytest.approx(-0.038, abs=5e-4)
    assert max(drift["Adam", beta, "last"][2] for beta in (0.1, 1.0)) < 0
