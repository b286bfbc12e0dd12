"""Errors and law of the first step for any layout: against training, the law of pairs, and the theorem's mixture."""

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import ndtr

from helpers.layouts import TokenLayout, chain, disjoint, grid, shared, star
from helpers.mixture import Sample, ValueMixture
from helpers.risk import exact_risk, first_step_table, law_from_interactions, shared_limit, whitened_products
from helpers.training import train_last_layer
from theorems import search

RNG = np.random.default_rng(14)
TWISTED = TokenLayout((("a", "b"), ("b", "a"), ("a", "c"), ("d", "c")))
LAYOUTS = {"own": disjoint(4), "chain": chain(4), "star": star(4), "grid": grid(4), "shared": shared(4),
           "twisted": TWISTED}


def skewed(per_cluster, rng):
    """Samples of four values in six dimensions with correlated concepts, offsets and uneven noise."""
    value, side = np.repeat(np.arange(4), 2 * per_cluster), np.tile(np.repeat([1, -1], per_cluster), 4)
    concepts = np.eye(4, 6) + 0.4 * np.roll(np.eye(4, 6), 1, axis=0)
    x = side[:, None] * concepts[value] + 0.3 * np.cos(np.arange(24)).reshape(4, 6)[value]
    return Sample(x + rng.normal(size=x.shape) * [0.3, 0.9, 0.5, 0.7, 1.2, 0.2], value, side)


@pytest.fixture(scope="module")
def data():
    train, test = skewed(7, RNG), skewed(50, RNG)
    return train, test, first_step_table(train, test)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_errors_are_those_of_one_trained_step(data, layout):
    train, test, table = data

    class Pairs:
        def __init__(self, sample):
            self.value, self.side, self.layout = sample.value, sample.side, layout

    run = train_last_layer(train.x, Pairs(train), beta=0.1, lr=0.3, steps=1, test=(test.x, Pairs(test)))
    wrong = run.test_margins[1] <= 0
    np.testing.assert_array_equal(table.errors(layout), [wrong[test.value == i].mean() for i in range(4)])


@pytest.mark.theorem("N5")
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_law_is_that_of_the_products(data, layout):
    train, test, _ = data
    known, Q = skewed(9, RNG), np.array([3.0, 40.0, np.inf])
    expected = law_from_interactions(known, layout, Q)
    # Both add the same products in another order; the variance is a difference of sums a thousand times as large.
    table = first_step_table(train, test, known)
    np.testing.assert_allclose(table.law(layout, Q), expected, rtol=1e-9)
    np.testing.assert_array_equal(first_step_table(test, test, table).law(layout, Q), table.law(layout, Q))


def test_a_table_refuses_what_does_not_fit(data):
    train, test, table = data
    with pytest.raises(ValueError, match="layout must be a TokenLayout of 4 values, got 3"):
        table.errors(disjoint(3))
    with pytest.raises(ValueError, match="Q must be above 0"):
        table.law(shared(4), 0)
    with pytest.raises(ValueError, match="train must hold equally many samples of each cluster"):
        first_step_table(Sample(train.x[1:], train.value[1:], train.side[1:]), test)
    with pytest.raises(ValueError, match="known must hold at least 3 samples of each cluster, got one with 2"):
        first_step_table(train, test, skewed(2, RNG))
    with pytest.raises(ValueError, match="test must hold each of the 4 values"):
        first_step_table(train, Sample(test.x[:9], test.value[:9], test.side[:9]))


# ---- the limit for any concepts ----


@search("N12", K=st.integers(1, 6), seed=st.integers(0, 10**6), towards=st.floats(0, 1), size=st.floats(0.1, 3))
def test_no_direction_beats_the_limit_for_any_concepts_middles_and_covariance(K, seed, towards, size):
    rng = np.random.default_rng(seed)
    d = K + 2
    root = rng.normal(size=(d, d))  # Sigma = root root^T
    concepts, middles = size * rng.normal(size=(K, d)), rng.normal(size=(K, d)) * rng.choice([0, 1, 5])
    white = np.linalg.solve(root, concepts.T).T  # Sigma^-1/2 c
    best = np.linalg.solve(root @ root.T, np.sign(rng.normal(size=K)) @ concepts)
    w = (1 - towards) * rng.normal(size=d) / np.sqrt(d) + towards * best / np.linalg.norm(best)
    spread = np.linalg.norm(root.T @ w)
    along, across = concepts @ w, middles @ w
    risk = np.mean([ndtr(-(along + s * across) / spread) for s in (1, -1)])
    # The rank of white @ white.T is K; rounding of the two linear systems.
    assert risk >= shared_limit(white @ white.T) * (1 - 1e-9)


@pytest.mark.theorem("N12")
def test_the_limit_is_the_theorems_for_orthonormal_concepts_and_reached_there():
    mixture = ValueMixture(shared(5), d=9, v=0.3, l_b=2.0)
    limit = shared_limit(mixture.concepts @ mixture.concepts.T / 0.3**2)
    assert limit == pytest.approx(ndtr(-1 / (0.3 * 5**0.5)), rel=1e-12)
    tried = minimize(lambda w: float(exact_risk(np.tile(w, (5, 1)), mixture)), np.ones(9), tol=1e-12)
    assert tried.fun == pytest.approx(limit, rel=1e-5)  # as near as the search ends


def test_identical_concepts_cost_nothing():
    c = np.array([0.6, 0.8, 0.0])
    assert shared_limit(np.full((7, 7), c @ c) / 0.25) == pytest.approx(ndtr(-2.0), rel=1e-12)


def test_the_estimate_of_the_products_has_no_bias():
    rng, d, K = np.random.default_rng(3), 12, 2
    root = np.diag(np.linspace(0.3, 1.5, d))
    concepts = rng.normal(size=(K, d)) / 2
    H = concepts @ np.linalg.solve(root @ root, concepts.T)
    value, side = np.repeat(np.arange(K), 16), np.tile(np.repeat([1, -1], 8), K)
    found = []
    for _ in range(1500):
        x = side[:, None] * concepts[value] + 7 * value[:, None] + rng.normal(size=(len(value), d)) @ root
        estimate, n = whitened_products(Sample(x, value, side), disjoint(K))
        found.append(estimate)
    assert n == 28
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - H) < 4 * error).all()  # four standard errors; without the corrections 15
    plain = (n - d - 1) / n
    assert np.diag(H / plain + d / 16 / plain - H).min() > 4 * error.max()  # so that the test can fail


def test_the_limit_refuses_what_is_no_matrix_of_products():
    for wrong in (np.ones(3), np.ones((2, 3)), np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[np.nan]])):
        with pytest.raises(ValueError, match="products must be a symmetric matrix"):
            shared_limit(wrong)
    few = Sample(np.ones((8, 9)), np.repeat([0, 1], 4), np.tile([1, 1, -1, -1], 2))
    with pytest.raises(ValueError, match="more than 14 statements for d = 9, got 8"):
        whitened_products(few, disjoint(2))
    with pytest.raises(ValueError, match="at least 2 samples of each cluster"):
        whitened_products(Sample(np.ones((3, 1)), np.zeros(3, int), np.array([1, 1, -1])), disjoint(1))
