"""What the page of errata says of the paper, held against the numbers of its cells and against other ways to them."""

import numpy as np
import pytest
from claims import numbers
from scipy.stats import binomtest, chi2, norm

from helpers.bounds.guarantees import failure_probability, risk_bound
from helpers.layouts import chain, disjoint, grid, shared
from helpers.mixture import ValueMixture
from helpers.risk.one_step import log_one_step_risk


@pytest.fixture(scope="module")
def said():
    return numbers("errata")


@pytest.mark.theorem("D")
def test_the_sum_is_right_and_no_sign_rescues_the_difference(said):
    # Central differences with a step of 1e-6 of a function with third derivatives of order one.
    assert said["sum_off"] < 1e-8 and said["difference_off"] > 0.1 * said["largest_rate"]
    totals = dict(zip(said["form"], said["total"], strict=True))
    assert abs(totals["minus the sum"]) < 1e-12  # rounding
    assert min(abs(totals["minus the difference"]), abs(totals["plus the difference"])) > 0.1


def test_the_softmax_term_is_missing_from_each_response_and_from_no_margin(said):
    assert said["fixed_off"] < 1e-8 and said["margin_off"] < 1e-8  # central differences, as above
    assert said["printed_off"] > 0.1


def test_the_published_check_gives_the_same_for_orthogonal_and_for_identical_concepts(said):
    assert said["cosine"] == [0.0, 0.5, 1.0]
    assert min(said["check_low"]) > -0.05 and max(said["check_high"]) < 0.01  # near zero, whatever the concepts
    np.testing.assert_allclose(said["found"], said["cosine"], atol=0.05)  # the measurement with both sides tells them


def test_centred_vectors_have_products_that_average_to_zero():
    """Why the check must come out near zero: whatever the vectors, and so whatever the concepts."""
    x = np.random.default_rng(0).normal(size=(60, 8)) + 5.0
    centred = x - x.mean(axis=0)
    groups = np.repeat(np.arange(6), 10)
    blocks = np.array([[(centred[groups == i] @ centred[groups == k].T).mean() for k in range(6)] for i in range(6)])
    assert abs(blocks.mean()) < 1e-12  # rounding
    assert blocks[np.triu_indices(6, 1)].mean() == pytest.approx(-np.trace(blocks) / 30)


def test_on_the_books_values_the_check_says_orthogonal_where_concepts_are_nearly_parallel(said):
    assert said["before_low"] > 0.9
    assert -0.15 < said["after_low"] < said["after_high"] < 0.1
    assert said["concept_low"] > 0.6 and said["concept_high"] == pytest.approx(1.0, abs=0.1)


@pytest.mark.theorem("B.4")
def test_the_event_of_B1_does_not_bound_the_products_of_B4(said):
    assert said["event"] is True and said["old"] > 1


@pytest.mark.theorem("B.3")
def test_B3_needs_the_weaker_limit_only_and_the_main_text_the_stronger(said):
    assert said["slope"] == pytest.approx(19 / 16 + 5 / 32) and said["slope"] < 5  # largest at Q = 1
    first, second = said["confident"]
    assert 638 <= first <= 650 and second > 50 * first  # the search goes in steps of a percent


def test_the_experiments_leave_four_hypotheses(said):
    failed = [row for row in said["row"] if "fails" in row]
    assert [row.split(" <= ")[0] for row in failed] == ["values with the same two answers", "Z", "d", "v"]
    # A concept cannot be longer than what the trace leaves of the mean square length: v is at least this.
    assert 0.0085 == pytest.approx(np.sqrt(0.227 / 4096) / np.sqrt(1 - 0.227), abs=5e-5)


def test_isotropic_noise_would_look_different(said):
    assert round(said["reported"]) == 15
    # For n statements of isotropic noise E |S|_F^2 is (tr)^2 (1/d + 1/n), up to 1/(nd): 446 directions of 4096.
    assert said["isotropic"] == pytest.approx(1 / (1 / 4096 + 1 / 499), rel=0.01)
    assert 5 < 0.058 / said["norm_high"] <= 0.058 / said["norm_low"] < 6


def test_names_and_counts(said):
    assert (said["gram"], said["covariance"]) == ("(6, 6)", "(4, 4)")
    assert said["allowed_Z"][0] == max(said["allowed_Z"]) == 4 and said["allowed_Z"][-1] == 1
    assert 2 > 1 / (4 * 0.36**2) and 2 <= 1 / (4 * 0.35**2)  # a count of 2 is allowed up to 1/sqrt 8 = 0.354


@pytest.mark.theorem("4.2")
def test_slopes(said):
    assert 7 < said["above_low"] < said["above_high"] < 8.5
    assert 4.5 < said["below_low"] < said["below_high"] < 5.5


def test_probability(said):
    main = said["main"]
    assert failure_probability(1, main, c=np.inf) < 1 <= failure_probability(1, main - 1, c=np.inf)
    assert main == pytest.approx(1.4e5, rel=0.03)
    assert said["appendix"] == [543, 1087, 1837, 2803]


@pytest.mark.theorem("4a")
def test_the_constant_c(said):
    assert round(said["ratio"], 3) == 0.153 and said["ratio"] > 1 / 8
    # The exponent is that of chi-squared: exact tails approach it from below as d grows.
    d, theta = 4000, 1.0
    assert -chi2.logsf(d * (1 + theta), d) / d == pytest.approx((theta - np.log1p(theta)) / 2, rel=0.02)
    assert (np.array(said["bilinear"]) > 10 * np.array(said["linear"])).all()  # so c never decides


@pytest.mark.theorem("4.3")
def test_forty_samples(said):
    assert said["at_forty"] > 1000 and said["at_forty"] == pytest.approx(2 * 1600 * np.exp(-40 / 45))
    assert risk_bound(1, np.ceil(said["below_one"])) < 1 < risk_bound(1, np.floor(said["below_one"]))
    assert risk_bound(1, 89) < risk_bound(1, 90) > risk_bound(1, 91)


def test_tilting_changes_no_noise(said):
    for deviation in said["deviation"]:
        assert deviation == pytest.approx(0.3, rel=0.01)  # 100,000 draws: 0.2 % standard error


def test_the_barrier_moves(said):
    first, *_, last = said["odds"]
    assert first == pytest.approx(8.0, abs=0.05) and first < said["barrier"] == 59049 < last


@pytest.mark.theorem("N3")
def test_few_samples_are_enough_within_the_hypotheses(said):
    assert round(said["crossing"]) == 880
    assert said["verdict"] == ["hold", "hold"] and max(said["power"]) < -320
    for layout, Q in ((chain(10), 3), (grid(16), 4)):  # the exact risk, which the page's bound must exceed
        edge = ValueMixture(layout, 5 * Q, 1 / (32 * np.sqrt(Q)), 0.5 / np.sqrt(layout.Z))
        assert log_one_step_risk(edge, Q).max() / np.log(10) <= max(said["power"])
        assert (layout.K + 1) / 5 > Q - 1  # one sample fewer leaves no room for the concepts
    assert said["fails"] > 1


def test_three_answers_on_the_growth_with_K(said):
    assert len(said["average"]) == 3 and np.ptp(said["average"]) < 1e-12
    assert said["share"][0] > said["share"][1] > said["share"][2]
    for share, low, high in zip(said["share"], said["low_share"], said["high_share"], strict=True):
        interval = binomtest(round(200 * share), 200).proportion_ci(0.95, method="wilson")
        assert (low, high) == pytest.approx((interval.low, interval.high))
    assert said["low_share"][0] > said["high_share"][2]  # the fall is no accident of 200 draws
    K = said["passes_at"]
    assert risk_bound(K, (K + 1) / 5) < 0.05 < risk_bound(K - 1, K / 5)  # Q from d, put into the bound


def test_fixed_noise_has_a_floor(said):
    risk, floor = np.array(said["risk"]), np.array(said["floor"])
    assert (np.diff(risk) < 0).all() and (risk > floor).all() and risk[-1] < 1.01 * floor[-1]
    assert floor[0] == pytest.approx(norm.sf(2.0))


def test_growth_with_K_is_the_clock_and_Adam_has_none(said):
    assert (np.diff(said["descent"]) < 0).all() and len(set(said["same_S"])) == 1
    # The 1e-8 in Adam's denominator is all that sees K; the gradients are of the order 1e-4 / K.
    assert np.ptp(said["adam"]) < 1e-3 * said["adam"][0]
    assert np.ptp(said["own"]) < 1e-12 and (np.diff(said["shared"]) > 0).all()


def test_a_line_and_one_constant(said):
    assert [round(fit, 2) for fit in said["linear_fit"]] == [0.95, 0.99]  # as the paper prints for Mistral and Qwen
    assert said["log_fit"][0] > said["linear_fit"][0] and said["log_fit"][1] < said["linear_fit"][1]
    assert [round(z, 2) for z in said["z"]] == [3.41, 3.60, 4.50, 2.72, 2.59, 2.56]
    assert all(low < z < high for low, z, high in zip(said["z_low"], said["z"], said["z_high"], strict=True))
    mistral, qwen = said["p"]
    assert mistral < 0.01 and qwen > 0.5
    assert said["at_one"][1] == pytest.approx(0.005, abs=5e-4)


@pytest.mark.theorem("N12")
def test_what_diversity_demands(said):
    assert [round(K, 2) for K in said["most_values"]] == [36.96, 9.24, 4.11]
    assert said["bayes"] == pytest.approx([norm.sf(1 / v) for v in (0.1, 0.2, 0.3)])
    limit = norm.sf(1 / (0.3 * np.sqrt(5)))
    assert said["endless"] == pytest.approx(limit, rel=1e-3) and limit > 0.05
    assert shared(5).kappa.max() == 5 and disjoint(5).kappa.max() == 1
