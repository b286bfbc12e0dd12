"""The exact risk against Monte Carlo and the law N5 against its box, its table and the exact risk."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from helpers.dynamics.flow import gradient_descent, gradient_flow
from helpers.layouts import chain, disjoint, grid, shared, star
from helpers.mixture import ValueMixture
from helpers.risk.exact import cluster_risks, exact_risk
from helpers.risk.laws import risk_law
from helpers.risk.one_step import one_step_risk, risk_theorem


@pytest.mark.theorem("N2")
@pytest.mark.parametrize("delta", [0.0, 0.7])
def test_exact_risk_agrees_with_monte_carlo(delta):
    layout = chain(4)
    mixture = ValueMixture(layout, 12, 0.6, 0.8, delta)
    rng, M = np.random.default_rng(0), 40_000
    sample = mixture.sample(np.array([[4, 2], [1, 5], [3, 3], [6, 1]]), rng)
    trained = gradient_flow(sample, layout, 2.0, test=mixture.sample(M, rng))
    risks = cluster_risks(trained.w[0], mixture)
    observed = (trained.test_margins[0] <= 0).reshape(4, 2, M).mean(axis=2)
    z = (observed - risks) / np.sqrt(risks * (1 - risks) / M)
    assert np.abs(z).max() < 4  # eight clusters; chance of more is 5e-4, and the seed is fixed
    assert exact_risk(trained.w[0], mixture) == pytest.approx(risks.mean(), rel=1e-15)


@pytest.mark.theorem("N2")
@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_only_directions_matter_and_opposite_directions_are_opposite(seed, scale):
    mixture = ValueMixture(disjoint(3), 6, 0.5, 0.4)
    w = np.random.default_rng(seed).standard_normal((3, 6))
    risk = exact_risk(w, mixture)
    assert exact_risk(scale * w, mixture) == pytest.approx(risk, rel=1e-12)  # rounding
    assert exact_risk(-w, mixture) == pytest.approx(1 - risk, rel=1e-12)
    # N5, item 1: no direction beats the Bayes rule of a value.
    assert risk >= norm.cdf(-1 / 0.5) - 1e-12


def test_the_untrained_model_has_risk_one_and_the_best_one_the_bayes_risk():
    mixture = ValueMixture(star(3), 6, 0.5, 0.4)
    w = np.zeros((3, 6))
    assert exact_risk(w, mixture) == 1.0
    assert exact_risk(mixture.concepts, mixture) == pytest.approx(norm.cdf(-2), rel=1e-12)
    w[0] = mixture.concepts[0]
    assert exact_risk(w, mixture) == pytest.approx((norm.cdf(-2) + 2) / 3, rel=1e-12)


def test_without_noise_the_risk_counts_the_lost_clusters():
    mixture = ValueMixture(disjoint(2), 4, 0.0, 0.5)
    w = np.array([mixture.concepts[0], 4 * mixture.shared + mixture.concepts[1]])
    # w_2 . (c_2 + s b) = 1 + s: the misaligned side has margin 0, which counts as lost.
    assert cluster_risks(w, mixture).tolist() == [[0.0, 0.0], [0.0, 1.0]]


def test_a_whole_trajectory_at_once():
    mixture = ValueMixture(shared(3), 20, 0.3, 0.5)
    sample = mixture.sample(10, np.random.default_rng(0))
    run = gradient_descent(sample, mixture.layout, 5, beta=0.1, lr=10.0)
    risks = exact_risk(run.w, mixture)
    assert risks.shape == (6,) and risks[0] == 1.0 and cluster_risks(run.w, mixture).shape == (6, 3, 2)
    assert risks[3] == exact_risk(run.w[3], mixture)
    # The first step moves along the class means whatever its size (N3), and so does the start of the flow.
    early = exact_risk(gradient_flow(sample, mixture.layout, 1e-4).w[0], mixture)
    assert risks[1] == pytest.approx(early, rel=1e-3)


@pytest.mark.theorem("N5")
@settings(deadline=None)
@given(
    layout=st.sampled_from([disjoint(3), chain(5), star(4), grid(16), shared(6)]),
    Q=st.integers(1, 500),
    extra=st.integers(0, 1000),
    v=st.floats(0.05, 2),
    l_b=st.floats(0, 3),
)
def test_the_law_is_its_box(layout, Q, extra, v, l_b):
    d = layout.K + 1 + extra
    risks = risk_law(ValueMixture(layout, d, v, l_b), Q)
    D = np.sqrt(layout.kappa * v**2 * (1 + (1 + l_b**2 + d * v**2) / (2 * Q)))
    assert risks.shape == (layout.K,)
    np.testing.assert_allclose(norm.ppf(risks), -1 / D, rtol=1e-9)  # rounding, through the tail
    by_counts = risk_law(ValueMixture(layout, d, v, l_b), np.full((layout.K, 2), Q))
    np.testing.assert_allclose(risks, by_counts, rtol=1e-12)


@pytest.mark.theorem("N5")
def test_the_law_gives_the_numbers_of_the_reference():
    # N3 and N5: z of the law within 3 % of the exact z of one step.
    cases = [
        (disjoint(3), 5, 20, 0.5, 0.5, 0.05336),
        (disjoint(2), 5, 400, 0.4, 0.5, 0.18082),
        (shared(6), 6, 60, 0.3, 1.0, 0.14119),
    ]
    for layout, Q, d, v, l_b, exact in cases:
        law = risk_law(ValueMixture(layout, d, v, l_b), Q).mean()
        assert norm.ppf(law) == pytest.approx(norm.ppf(exact), rel=0.035)
    # Section 15: at Q = 262.57 the law crosses 0.05, for every K.
    for K in (1, 4):
        mixture = ValueMixture(disjoint(K), 1000, 0.5, 0.5)
        assert (risk_law(mixture, 263) < 0.05).all() and (risk_law(mixture, 262) > 0.05).all()
    # Table of N5, item 3: Yes/No at Q = 100, d = 1000, l_b = 1/2, v = 0.2 and 0.3.
    table = {0.2: (3e-6, 0.00064, 0.0114, 0.0537, 0.128), 0.3: (0.00287, 0.0254, 0.0836, 0.164, 0.245)}
    for v, risks in table.items():
        for K, risk in zip((1, 2, 4, 8, 16), risks, strict=True):
            law = risk_law(ValueMixture(shared(K), 1000, v, 0.5), 100)
            np.testing.assert_allclose(law, risk, rtol=0.2 if risk < 1e-5 else 0.01)  # digits of the table


@pytest.mark.theorem("N5")
def test_the_shared_answers_have_a_floor_that_no_data_lower():
    for v, K_max in ((0.1, 36.96), (0.2, 9.24), (0.3, 4.11)):
        served, too_many = int(K_max), int(K_max) + 1
        assert risk_law(ValueMixture(shared(served), 1000, v, 0.5), 10**9).max() < 0.05
        assert risk_law(ValueMixture(shared(too_many), 1000, v, 0.5), 10**9).min() > 0.05


@pytest.mark.theorem("N5")
@pytest.mark.parametrize("layout", [disjoint(3), chain(5), star(4), shared(6)])
@pytest.mark.parametrize("l_b", [0.0, 0.5, 1e6])
def test_endless_samples_leave_the_floor_whatever_the_shared_component(layout, l_b):
    mixture = ValueMixture(layout, 1000, 0.3, l_b)
    floor = norm.cdf(-1 / (0.3 * np.sqrt(layout.kappa)))
    np.testing.assert_allclose(risk_law(mixture, np.inf), floor, rtol=1e-12)
    np.testing.assert_array_equal(risk_law(mixture, float("inf")), risk_law(mixture, np.float64(np.inf)))
    # A large Q is no limit: 10^12 samples are few beside l_b^2 = 10^12.
    assert l_b < 1e6 or (risk_law(mixture, 10**12) > 1.001 * floor).all()
    # Tilted concepts, and a side that the tilt turns against the shared component: still the same Gaussian step.
    tilted = ValueMixture(layout, 1000, 0.3, min(l_b, 0.5), 0.4)
    np.testing.assert_allclose(risk_law(tilted, np.inf), risk_law(tilted, 2**53), rtol=1e-9)


@pytest.mark.theorem("N5")
@pytest.mark.parametrize(
    ("layout", "l_b", "counts"),
    [
        (shared(4), 1.0, np.array([[9, 7]] * 4)),
        (chain(4), 0.5, np.array([[6, 6]] * 4)),
        (star(3), 0.8, np.array([[12, 4], [5, 9], [7, 7]])),
    ],
)
@pytest.mark.parametrize("delta", [0.0, 0.5])
def test_the_law_predicts_the_mean_risk_of_one_step(layout, l_b, counts, delta):
    mixture, rng = ValueMixture(layout, 60, 0.3, l_b, delta), np.random.default_rng(0)
    risks = []
    for _ in range(150):
        sample = mixture.sample(counts, rng)
        w = gradient_descent(sample, layout, 1, beta=0.1, lr=1.0).w[1]
        risks.append(cluster_risks(w, mixture).mean(axis=1))
    # The law's own error in z is up to 3 %, the Monte Carlo error of 150 sets about 1 %.
    np.testing.assert_allclose(norm.ppf(risk_law(mixture, counts)), norm.ppf(np.mean(risks, axis=0)), rtol=0.05)


def test_the_law_without_noise():
    assert risk_law(ValueMixture(chain(3), 5, 0.0, 0.5), 4).tolist() == [0, 0, 0]
    # An imbalance of 9 to 1 in three values that share answers loses the minority side once rho l_b^2 > 1.
    lopsided = ValueMixture(shared(3), 5, 0.0, 1.0)
    assert risk_law(lopsided, np.array([[9, 1]] * 3)).tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("w", [np.zeros((3, 5)), np.zeros((2, 6)), np.zeros(6), np.full((3, 6), np.nan)])
def test_a_bad_w_is_named(w):
    with pytest.raises(ValueError, match=r"^w must be finite and end in shape \(K, d\) = \(3, 6\), got shape"):
        exact_risk(w, ValueMixture(disjoint(3), 6, 0.5, 0.4))


@pytest.mark.parametrize("Q", [0, 2.5, [[1, 1]]])
def test_a_bad_Q_is_named(Q):
    with pytest.raises(ValueError, match="^Q must be a whole number"):
        risk_law(ValueMixture(disjoint(3), 6, 0.5, 0.4), Q)


@pytest.mark.parametrize("call", [one_step_risk, risk_law, risk_theorem, lambda m, Q: exact_risk(np.ones((2, 3)), m)])
@pytest.mark.parametrize("mixture", [None, 3, "mixture", np.ones((2, 2))])
def test_a_mixture_that_is_none_is_named(call, mixture):
    with pytest.raises(ValueError, match="^mixture must be a ValueMixture, got "):
        call(mixture, 3)
