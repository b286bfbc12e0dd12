"""Moments and risks of the first step: against simulation, sums written out, and known limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from helpers.dynamics.flow import gradient_flow
from helpers.dynamics.rates import initial_rates
from helpers.layouts import chain, disjoint, grid, shared, star
from helpers.mixture import Sample, ValueMixture
from helpers.risk.exact import cluster_risks, exact_risk, log_cluster_risks, log_exact_risk
from helpers.risk.laws import log_law
from helpers.risk.one_step import first_step, log_chernoff, log_one_step_risk, one_step_risk, risk_theorem


@pytest.mark.theorem("N3")
@pytest.mark.parametrize("layout", [disjoint(2), chain(4), star(3), shared(3), grid(6)])
def test_balanced_moments(layout):
    mixture, Q = ValueMixture(layout, 12, 0.4, 0.8), 5
    step = first_step(mixture, Q)
    np.testing.assert_allclose((step.learned**2).sum(axis=1), layout.kappa, rtol=1e-12)
    np.testing.assert_allclose(step.variance, layout.kappa * 0.4**2 / (2 * Q), rtol=1e-12)
    np.testing.assert_allclose(step.product, 1.0, rtol=1e-12)  # the shared component has dropped out
    D_square = layout.kappa * 0.4**2 * (1 + (1 + 0.8**2 + 12 * 0.4**2) / (2 * Q))
    np.testing.assert_allclose(step.D, np.sqrt(D_square)[:, None] * np.ones(2), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.theorem("N3")
def test_unbalanced_moments_are_those_of_the_first_direction():
    mixture, counts = ValueMixture(chain(3), 10, 0.5, 1.5), np.array([[6, 2], [3, 3], [1, 5]])
    rng = np.random.default_rng(0)
    directions = np.array([gradient_flow(mixture.sample(counts, rng), mixture.layout, [1e-9]).w[-1]
                           for _ in range(800)])
    directions *= 2 / 1e-9  # w_i = S/2 m_i at the start
    step = first_step(mixture, counts)
    spread = np.sqrt(step.variance)[:, None]
    # 800 draws: 5 standard errors of each of 30 means; of a pooled variance of 8,000 numbers 5 standard errors are 8 %.
    assert (np.abs(directions.mean(axis=0) - step.learned) <= 5 * spread / np.sqrt(800)).all()
    np.testing.assert_allclose(directions.var(axis=0).mean(axis=1), step.variance, rtol=0.08)


@pytest.mark.slow
@pytest.mark.theorem("N3")
def test_risks_against_simulation():
    settings = (disjoint(3), 5, 20, 0.5, 0.5), (chain(4), 6, 40, 0.4, 0.5), (shared(6), 6, 60, 0.3, 1.0)
    for layout, Q, d, v, l_b in settings:
        mixture, rng = ValueMixture(layout, d, v, l_b), np.random.default_rng(1)
        risks = [exact_risk(gradient_flow(mixture.sample(Q, rng), layout, [1e-9]).w[-1], mixture) for _ in range(150)]
        error = np.std(risks) / np.sqrt(len(risks))
        assert abs(np.mean(risks) - one_step_risk(mixture, Q).mean()) <= 4 * error


@pytest.mark.theorem("N3")
@pytest.mark.parametrize("counts", [[[2, 2]], [[5, 1]]])
def test_risks_in_the_plane_are_integrals_over_an_angle(counts):
    """In two dimensions the angle of a Gaussian vector has a density in closed form."""
    mixture, counts = ValueMixture(disjoint(1), 2, 0.6, 0.7), np.array(counts)
    step, sides = first_step(mixture, counts), []
    for target in step.target[0]:
        def density(angle, target=target):
            u = np.array([np.cos(angle), np.sin(angle)])
            mean = step.learned[0] / np.sqrt(step.variance[0])
            along, size = u @ mean, mean @ mean
            radial = np.exp(-size / 2) + along * np.sqrt(2 * np.pi) * norm.cdf(along) * np.exp((along**2 - size) / 2)
            return radial / (2 * np.pi) * norm.cdf(-u @ target / mixture.v)

        sides.append(quad(density, 0, 2 * np.pi, epsabs=1e-13, epsrel=1e-12, limit=200)[0])
    # The module's own claim; the quadrature is good to 1e-12.
    np.testing.assert_allclose(np.exp(log_one_step_risk(mixture, counts)[0]), sides, rtol=1e-9)
    assert one_step_risk(mixture, counts)[0] == pytest.approx(np.mean(sides), rel=1e-9)


@pytest.mark.theorem("N4")
@pytest.mark.parametrize("counts", [[[2, 2]] * 3, [[5, 1], [2, 2], [1, 3]]])
def test_bounds_on_the_first_step_written_out(counts):
    mixture, counts = ValueMixture(chain(3), 4, 0.6, 1.5), np.array(counts)
    step = first_step(mixture, counts)
    assert (step.product <= 0).any() == (counts != 2).any()  # sides that are lost have the bound 1
    closed, chernoff = np.ones((3, 2)), np.ones((3, 2))
    x = np.linspace(0, 1, 100_001)[:-1]
    for i, s in zip(*np.nonzero(step.product > 0), strict=True):
        length, reach = (step.learned[i] ** 2).sum(), (step.target[i, s] ** 2).sum()
        square = length * 0.6**2 + (reach + 4 * 0.6**2) * step.variance[i]
        closed[i, s] = np.exp(-step.product[i, s] ** 2 / (2 * square))
        A, B = (length / step.variance[i] + reach / 0.36) / 2, step.product[i, s] / (0.6 * np.sqrt(step.variance[i]))
        chernoff[i, s] = np.exp((-2 * np.log(1 - x**2) - (B * x - A * x**2) / (1 - x**2)).min())
    np.testing.assert_allclose(risk_theorem(mixture, counts), closed.mean(axis=1), rtol=1e-12)
    # The grid misses the minimum by up to 1e-5, and the value there by the square of it times a curvature below 100.
    np.testing.assert_allclose(risk_theorem(mixture, counts, form="chernoff"), chernoff.mean(axis=1), rtol=1e-7)


@pytest.mark.theorem("N3")
def test_with_endless_samples_only_the_new_noise_is_left():
    for layout in (disjoint(2), shared(4)):
        mixture = ValueMixture(layout, 8, 0.6, 0.0)
        floor = norm.cdf(-1 / (0.6 * np.sqrt(layout.kappa)))
        np.testing.assert_allclose(one_step_risk(mixture, 10**7), floor, rtol=1e-5)  # of order 1/Q


@pytest.mark.theorem("N3")
def test_a_lost_side_is_the_mirror_of_a_found_one():
    mixture = ValueMixture(shared(8), 20, 0.3, 1.5)
    logs = log_one_step_risk(mixture, np.full((8, 2), (11, 9)))
    assert (logs[:, 0] < np.log(0.5)).all() and (logs[:, 1] > np.log(0.5)).all()
    assert (log_chernoff(mixture, np.full((8, 2), (11, 9)))[:, 1] == 0).all()  # no bound below 1 there
    even = ValueMixture(disjoint(1), 6, 0.3, 1.0)
    neither = log_one_step_risk(even, np.array([[4, 0]]))[0, 1]  # learned (c + b) n, target c - b: product 0
    assert neither == pytest.approx(np.log(0.5), abs=1e-12)


@settings(deadline=None)
@given(log_v=st.floats(-3, 0.5), Q=st.integers(1, 100), d=st.integers(3, 3000))
def test_no_value_is_lost_to_underflow(log_v, Q, d):
    mixture = ValueMixture(disjoint(2), d, 10**log_v, 0.5)
    for logs in (log_one_step_risk(mixture, Q), log_chernoff(mixture, Q), log_law(mixture, Q)):
        assert np.isfinite(logs).all() and (logs < 0).all()


@pytest.mark.theorem("N3")
@pytest.mark.parametrize("v", [1e-3, 1e-8, 1e-12, 1e-50, 1e-99])
def test_with_ever_less_noise_the_risk_falls_like_a_large_deviation(v):
    """v^2 log risk -> -(a - sqrt(a^2 - b^2)) / 2 for A = a / v^2, B = b / v^2: the minimum of M without its power."""
    mixture, Q = ValueMixture(shared(2), 8, v, 0.5), 3
    a, b = (2 * Q + 1.25) / 2, np.sqrt(2 * Q / 2)
    limit = -(a - np.sqrt(a * a - b * b)) / 2
    # What is left out is of order d log(1/v), relative v^2 log(1/v) of the whole.
    rtol = 1e-12 + 1e3 * v**2
    np.testing.assert_allclose(v**2 * log_one_step_risk(mixture, Q), limit, rtol=rtol)
    np.testing.assert_allclose(v**2 * log_chernoff(mixture, Q), limit, rtol=rtol)
    assert one_step_risk(mixture, Q).tolist() == [0, 0]


@pytest.mark.theorem("N3")
@pytest.mark.parametrize(("Q", "d", "v"), [(3, 20, 0.5), (5, 400, 0.05), (40, 30, 3e-3)])
def test_logarithms_against_the_contour_in_forty_digits(Q, d, v):
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(40):
        A, B = mpmath.mpf((2 * Q + 1.25) / 2) / mpmath.mpf(v) ** 2, mpmath.sqrt(2 * Q) / mpmath.mpf(v) ** 2

        def log_M(z):
            return -mpmath.mpf(d) / 2 * mpmath.log(1 - z * z) - (B * z - A * z * z) / (1 - z * z)

        x = (A - mpmath.sqrt(A * A - B * B)) / B  # any line will do; this one is near the minimum, however small v is
        width = (1 - x * x) / mpmath.sqrt(2 * (A - B * x))
        ends = [0, *(width * k for k in (1, 2, 4, 8, 16, 32, 100)), mpmath.inf]
        top = log_M(x)
        area = mpmath.quad(lambda y: (mpmath.exp(log_M(mpmath.mpc(x, y)) - top) / mpmath.mpc(x, y)).real, ends)
        wanted = float(top + mpmath.log(area / mpmath.pi))
    found = log_one_step_risk(ValueMixture(disjoint(2), d, v, 0.5), Q)
    np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-9)  # the module's claim, and rounding


@pytest.mark.theorem("N3")
def test_one_sample_and_a_new_one_of_its_own_cluster():
    """A and B are then equal in law, and the transform has a second stationary point, at its end."""
    step = first_step(ValueMixture(disjoint(1), 5, 0.5, 0.5), np.array([[1, 0]]))
    np.testing.assert_array_equal(step.learned[0], step.target[0, 0])
    rng, M = np.random.default_rng(0), 200_000
    a, b = (step.learned[0] + 0.5 * rng.standard_normal((M, 5)) for _ in range(2))
    seen = ((a * b).sum(axis=1) <= 0).mean()
    risk = np.exp(log_one_step_risk(ValueMixture(disjoint(1), 5, 0.5, 0.5), np.array([[1, 0]]))[0, 0])
    assert abs(seen - risk) < 4 * np.sqrt(risk / M)  # four standard errors
    v = 1e-9  # log risk -> -|mean|^2 / (2 v^2): both must cross half the way
    small = log_one_step_risk(ValueMixture(disjoint(1), 5, v, 0.5), np.array([[1, 0]]))[0, 0]
    assert small * v**2 == pytest.approx(-1.25 / 2, rel=1e-9)


@pytest.mark.theorem("N2")
def test_a_value_that_nothing_moves_keeps_margin_zero_which_is_an_error():
    mixture, counts = ValueMixture(disjoint(2), 6, 0.4, 0.5), np.array([[3, 3], [0, 0]])
    assert one_step_risk(mixture, counts)[1] == risk_theorem(mixture, counts)[1] == 1
    assert risk_theorem(mixture, counts, form="chernoff")[1] == np.exp(log_law(mixture, counts))[1, 0] == 1
    alone = one_step_risk(ValueMixture(disjoint(1), 6, 0.4, 0.5), 3)
    assert one_step_risk(mixture, counts)[0] == pytest.approx(alone[0], rel=1e-12)


@pytest.mark.theorem("C.5")
def test_initial_rates_are_the_slopes_of_the_noise_free_flow():
    """Arbitrary means, among them values in conflict: negative rates are margins that fall at first."""
    rng = np.random.default_rng(3)
    for layout in (chain(3), shared(3), star(3)):
        concepts, midpoints = rng.normal(size=(2, 3, 7))
        value, side = np.repeat(np.arange(3), 2), np.tile([1, -1], 3)
        sample = Sample(side[:, None] * concepts[value] + midpoints[value], value, side)
        S = 1e-7
        slopes = gradient_flow(sample, layout, [S]).margins[-1].reshape(3, 2) / (S / 2)
        # Second order in S: relative 1e-6.
        np.testing.assert_allclose(initial_rates(layout, concepts, midpoints), slopes, rtol=1e-4, atol=1e-5)


@pytest.mark.theorem("C.5")
def test_initial_rates_of_orthonormal_concepts_are_one():
    mixture = ValueMixture(star(4), 9, 0.0, 5.0)
    np.testing.assert_allclose(initial_rates(mixture.layout, mixture.concepts, mixture.shared), 1, rtol=1e-12)


@pytest.mark.theorem("N2")
@given(seed=st.integers(0, 999), v=st.floats(0.01, 2))
def test_logarithms_are_those_of_the_risks(seed, v):
    mixture = ValueMixture(chain(3), 6, v, 0.5)
    w = np.random.default_rng(seed).normal(size=(2, 3, 6))
    np.testing.assert_allclose(np.exp(log_cluster_risks(w, mixture)), cluster_risks(w, mixture), rtol=1e-12)
    np.testing.assert_allclose(np.exp(log_exact_risk(w, mixture)), exact_risk(w, mixture), rtol=1e-9)


def test_errors_name_what_is_wrong():
    mixture = ValueMixture(chain(2), 5, 0.0, 0.5)
    with pytest.raises(ValueError, match="^v must be at least 1e-100 for the risk to be a question of chance"):
        log_one_step_risk(mixture, 3)
    with pytest.raises(ValueError, match="^form must be a known name, got 'open'; allowed are 'closed', 'chernoff'$"):
        risk_theorem(mixture, 3, form="open")
    with pytest.raises(ValueError, match=r"^concepts must have shape \(2, d\), got \(3, 4\)$"):
        initial_rates(chain(2), np.ones((3, 4)), np.ones(4))
    with pytest.raises(ValueError, match=r"^midpoints must have shape \(2, 4\) or \(4,\), got \(3,\)$"):
        initial_rates(chain(2), np.ones((2, 4)), np.ones(3))
    assert (risk_theorem(mixture, 3) == 0).all()  # without noise nothing is misjudged
