"""The spread of first rates: against N6's closed form, and against simulated data with any means and covariance."""

import numpy as np
import pytest

from helpers import layouts
from helpers.dynamics.rates import first_rates, rate_moments
from helpers.mixture import Sample, ValueMixture

pytestmark = pytest.mark.theorem("N6")


@pytest.mark.parametrize("make", [layouts.disjoint, layouts.chain, layouts.star, layouts.shared])
def test_isotropic_noise_gives_the_closed_form(make):
    K, Q, d, v, l_b = 4, 7, 30, 0.3, 0.4
    mixture = ValueMixture(make(K), d=d, v=v, l_b=l_b)
    mean, deviation = rate_moments(mixture.layout, mixture.means, v**2 * np.eye(d), Q)
    kappa = mixture.layout.kappa[:, None]
    variance = v**2 * (kappa + 1 / Q + (1 + l_b**2) / (4 * Q**2)) + 2 * d * v**4 / (4 * Q**2)
    variance = variance + v**2 * (2 * Q * kappa - 1) / (4 * Q**2) * (1 + l_b**2 + d * v**2)
    np.testing.assert_allclose(mean, 1 + d * v**2 / (2 * Q), rtol=1e-12)
    np.testing.assert_allclose(deviation, np.sqrt(variance).repeat(2, axis=1), rtol=1e-12)


@pytest.mark.slow
def test_any_means_and_covariance_against_simulated_data():
    rng = np.random.default_rng(0)
    layout, Q, d, sets = layouts.chain(3), 3, 6, 4000
    means = rng.normal(size=(3, 2, d))
    factor = rng.normal(size=(d, d)) * np.array([1.0, 0.6, 0.3, 0.1, 0.1, 0.1])[:, None]
    value, side = np.repeat(np.arange(3), 2 * Q), np.tile(np.repeat([1, -1], Q), 3)
    at, noise = means[value, (side < 0) * 1], rng.normal(size=(sets, len(value), d)) @ factor
    rates = np.array([first_rates(Sample(at + one, value, side), layout) for one in noise])
    by_cluster = rates.reshape(sets, 3, 2, Q)
    mean, deviation = rate_moments(layout, means, factor.T @ factor, Q)
    # Five standard errors of a mean over 4000 sets; a standard deviation of skewed data is good to a few percent.
    np.testing.assert_allclose(by_cluster.mean(axis=(0, 3)), mean, atol=5 * deviation.max() / np.sqrt(sets))
    np.testing.assert_allclose(by_cluster.std(axis=(0, 3)), deviation, rtol=0.05)


@pytest.mark.parametrize("make", [layouts.disjoint, layouts.star])
def test_means_that_were_measured_give_the_moments_of_the_true_ones(make):
    rng = np.random.default_rng(1)
    layout, Q, d, measured_on = make(3), 5, 8, 12
    mixture = ValueMixture(layout, d=d, v=0.5, l_b=0.6)
    covariance = np.diag(np.linspace(0.4, 0.05, d))
    noise = rng.normal(size=(4000, 3, 2, d)) * np.sqrt(np.diag(covariance) / measured_on)
    found = [rate_moments(layout, mixture.means + e, covariance, Q, measured_on=measured_on) for e in noise]
    mean, deviation = rate_moments(layout, mixture.means, covariance, Q)
    plain, _ = rate_moments(layout, mixture.means + noise[0], covariance, Q)
    spread = np.std([one for one, _ in found]) / np.sqrt(len(found))
    np.testing.assert_allclose(np.mean([one for one, _ in found], axis=0), mean, atol=5 * spread)  # standard errors
    squares = np.array([one**2 for _, one in found])
    np.testing.assert_allclose(squares.mean(axis=0), deviation**2, atol=5 * squares.std() / np.sqrt(len(found)))
    assert plain.mean() - found[0][0].mean() == pytest.approx(np.trace(covariance) / (2 * measured_on))


def test_what_does_not_fit_is_refused():
    layout, means = layouts.chain(2), np.zeros((2, 2, 3))
    with pytest.raises(ValueError, match=r"means must have shape \(2, 2, d\)"):
        rate_moments(layout, means[:1], np.eye(3), 2)
    with pytest.raises(ValueError, match=r"covariance must be symmetric of shape \(3, 3\)"):
        rate_moments(layout, means, np.triu(np.ones((3, 3))), 2)
    with pytest.raises(ValueError, match="Q must be a whole number of at least 1"):
        rate_moments(layout, means, np.eye(3), 0)
