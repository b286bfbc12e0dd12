"""The law from interactions against the closed law on the mixture, and against closed moments off it."""

import numpy as np
import pytest
from scipy.stats import norm

from helpers.layouts import chain, disjoint, shared, star
from helpers.mixture import Sample, ValueMixture
from helpers.risk.laws import law_from_interactions, one_step_risk_from_interactions, risk_law
from helpers.risk.one_step import one_step_risk


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


def _laplace(n, rng, d=20):
    """One value; noise with heavy tails in few directions, louder in some samples than in others."""
    side = np.repeat([1, -1], n)
    loud = rng.lognormal(0, 0.5, (2 * n, 1))
    noise = loud * np.geomspace(1.5, 0.1, d) * rng.laplace(size=(2 * n, d)) / np.sqrt(2)
    return Sample(side[:, None] * np.eye(1, d, 4) + noise, np.zeros(2 * n, int), side)


@pytest.mark.theorem("N3")
@pytest.mark.parametrize("layout", [disjoint(2), chain(4), star(3), shared(3)], ids=lambda t: f"K{t.K} Z{t.Z}")
def test_statement_by_statement_is_the_exact_risk_of_the_mixture(layout):
    mixture, Qs = ValueMixture(layout, 15, 0.6, 0.5), [3, 8, 30]
    found = np.array([one_step_risk_from_interactions(mixture.sample(40, np.random.default_rng(n)), layout, Qs)
                      for n in range(40)])
    exact = np.array([one_step_risk(mixture, Q) for Q in Qs])
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert np.abs((found.mean(axis=0) - exact) / error).max() < 4  # standard errors of 40 draws, at most 12 numbers


@pytest.mark.theorem("N3")
def test_statement_by_statement_needs_no_normal_statements_where_the_law_does():
    rng, layout, Q = np.random.default_rng(3), disjoint(1), 4
    judged, wrong = _laplace(2000, rng), []
    for _ in range(600):
        few = _laplace(Q, rng)
        w = (few.side[:, None] * few.x).mean(axis=0)
        wrong.append(np.mean(judged.side * (judged.x @ w) <= 0))
    truth, off = np.mean(wrong), np.std(wrong) / np.sqrt(len(wrong))
    said, law = (np.array([of(_laplace(60, np.random.default_rng(n)), layout, Q)[0] for n in range(100)])
                 for of in (one_step_risk_from_interactions, law_from_interactions))
    assert abs(said.mean() - truth) < 4 * np.hypot(off, said.std() / 10)  # standard errors; 4 products are few
    assert law.mean() - truth > 6 * np.hypot(off, law.std() / 10)  # and the law is seen to be biased


def test_statement_by_statement_by_two_loops():
    """The definition written out, and at Q = n the share of statements that all others misjudge."""
    layout, Q = star(2), 2.5
    sample = ValueMixture(layout, 6, 0.8, 0.5).sample(4, np.random.default_rng(5))
    sides = one_step_risk_from_interactions(sample, layout, Q, sides=True)
    for i in range(2):
        for at, s in enumerate((1, -1)):
            risks = []
            for j in np.flatnonzero((sample.value == i) & (sample.side == s)):
                M = rest = 0.0
                for k in range(2):
                    for t in (1, -1):
                        others = [m for m in np.flatnonzero((sample.value == k) & (sample.side == t)) if m != j]
                        half = layout.gram[i, k] / 2
                        products = [half * s * t * float(sample.x[j] @ sample.x[m]) for m in others]
                        M += np.mean(products)
                        rest += np.var(products, ddof=1) * (1 / Q - 1 / len(products))
                risks.append(norm.cdf(-M / np.sqrt(rest)))
            assert sides[i, at] == pytest.approx(np.mean(risks), rel=1e-10)
    assert one_step_risk_from_interactions(sample, layout, Q) == pytest.approx(sides.mean(axis=1))
    law = law_from_interactions(sample, layout, [Q, np.inf], sides=True)
    assert law.shape == (2, 2, 2)
    np.testing.assert_allclose(law.mean(axis=-1), law_from_interactions(sample, layout, [Q, np.inf]))
    with pytest.raises(ValueError, match="Q must be below 4, the samples of the smallest cluster, got 4"):
        one_step_risk_from_interactions(sample, layout, 4)
    with pytest.raises(ValueError, match="Q must be above 0, got 0"):
        one_step_risk_from_interactions(sample, layout, 0)
    with pytest.raises(ValueError, match="sides must be True or False"):
        law_from_interactions(sample, layout, 2, sides=1)
