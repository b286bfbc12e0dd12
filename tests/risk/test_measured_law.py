"""The law from interactions against the closed law on the mixture, and against closed moments off it."""

import numpy as np
import pytest
from scipy.stats import norm

from helpers.layouts import chain, disjoint, shared, star
from helpers.mixture import Sample, ValueMixture
from helpers.risk.laws import law_from_interactions, risk_law


@pytest.mark.theorem("N5")
@pytest.mark.parametrize("layout", [disjoint(2), chain(4), star(3), shared(3)], ids=lambda t: f"K{t.K} Z{t.Z}")
def test_on_the_mixture_it_is_the_closed_law(layout):
    mixture = ValueMixture(layout, 20, 0.4, 0.5)
    sample = mixture.sample(400, np.random.default_rng(0))
    found = law_from_interactions(sample, layout, np.array([3, 30, 1e12]))
    for row, Q in zip(found, (3, 30, 10**12), strict=True):
        # z is estimated from 400 samples a cluster: its error is about 1/sqrt(800 K), here taken four times.
        np.testing.assert_allclose(norm.ppf(row), norm.ppf(risk_law(mixture, Q)), rtol=0.1)


def test_tilted_concepts_and_uneven_noise_follow_the_moments():
    # N5, item 6, with the moments of N3 for arbitrary means: written out here for two values with shared answers.
    rng, d, Q, n = np.random.default_rng(1), 12, 5, 1500
    concepts = np.zeros((2, d))
    concepts[0, 0], concepts[1, :2] = 1.0, (0.6, 0.8)
    offsets = np.zeros((2, d))
    offsets[:, 3] = 0.5, -0.5
    scale = np.linspace(0.8, 0.2, d)
    value, side = np.repeat([0, 1], 2 * n), np.tile(np.repeat([1, -1], n), 2)
    x = side[:, None] * concepts[value] + offsets[value] + scale * rng.standard_normal((4 * n, d))
    found = law_from_interactions(Sample(x, value, side), shared(2), Q)
    learned, variance = concepts.sum(axis=0), scale**2
    for i in range(2):
        risk = 0.0
        for s in (1, -1):
            target = concepts[i] + s * offsets[i]
            D2 = (variance * learned**2).sum() + 2 / (2 * Q) * ((variance * target**2).sum() + (variance**2).sum())
            risk += norm.cdf(-learned @ target / np.sqrt(D2)) / 2
        assert found[i] == pytest.approx(risk, rel=0.05)  # 1500 samples a cluster; seeds differ by about 2 %


def test_small_samples_are_not_biased():
    # With the products of a sample with itself left in, the median here is 3e-5 where the truth is 0.023.
    mixture = ValueMixture(disjoint(1), 100, 0.5, 0.5)
    found = [law_from_interactions(mixture.sample(30, np.random.default_rng(n)), mixture.layout, 1000)[0]
             for n in range(60)]
    truth = risk_law(mixture, 1000)[0]
    assert np.median(norm.ppf(found)) == pytest.approx(norm.ppf(truth), rel=0.1)  # 60 draws


def test_neither_units_nor_the_names_of_the_sides_matter():
    mixture = ValueMixture(chain(3), 9, 0.4, 0.5)
    sample = mixture.sample(20, np.random.default_rng(2))
    scaled = Sample(7 * sample.x, sample.value, sample.side)
    np.testing.assert_allclose(
        law_from_interactions(scaled, mixture.layout, 6), law_from_interactions(sample, mixture.layout, 6), rtol=1e-10
    )
    renamed = Sample(sample.x, sample.value, -sample.side)  # both factors of each product change sign
    np.testing.assert_allclose(
        law_from_interactions(renamed, mixture.layout, 6), law_from_interactions(sample, mixture.layout, 6), rtol=1e-10
    )


def test_shapes_and_what_is_refused():
    mixture = ValueMixture(disjoint(2), 9, 0.4, 0.5)
    sample = mixture.sample(4, np.random.default_rng(0))
    assert law_from_interactions(sample, mixture.layout, 3).shape == (2,)
    many = law_from_interactions(sample, mixture.layout, np.array([[1, 2, np.inf]]))
    assert many.shape == (1, 3, 2) and (np.diff(many[0], axis=0) <= 0).all()
    with pytest.raises(ValueError, match="Q must be above 0, got 0"):
        law_from_interactions(sample, mixture.layout, 0)
    with pytest.raises(ValueError, match="at least 3 samples of each cluster, got one with 2"):
        law_from_interactions(mixture.sample(2, np.random.default_rng(0)), mixture.layout, 3)
