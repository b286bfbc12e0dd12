"""Clusters without noise, separation and recovery, against brute force and other solvers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment, linprog, minimize

from helpers.audit.clusters import cluster_means
from helpers.dynamics.flow import gradient_flow, interaction_matrix
from helpers.dynamics.separability import recovery_time, separation
from helpers.layouts import chain, disjoint, shared, star
from helpers.mixture import Sample, ValueMixture

LAYOUTS = st.sampled_from([disjoint(3), chain(3), star(3), shared(3)])


def scattered(rng, K=3, d=5, Q=4, noise=0.0):
    """Q samples around each of 2K arbitrary means, in random order, and the means."""
    means = rng.normal(size=(2 * K, d))
    value, side = np.repeat(np.arange(K), 2), np.tile([1, -1], K)
    order = rng.permutation(2 * K * Q)
    x = np.repeat(means, Q, axis=0) + noise * rng.normal(size=(2 * K * Q, d))
    return Sample(x[order], np.repeat(value, Q)[order], np.repeat(side, Q)[order]), means


@pytest.mark.theorem("C.1")
@given(K=st.integers(1, 5), delta=st.floats(0, 1), seed=st.integers(0, 10**6))
def test_tilted_concepts_meet_the_definition_in_any_rotation(K, delta, seed):
    mixture = ValueMixture(disjoint(K), K + 2, 0.0, 0.4, delta)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(K + 2, K + 2)))
    cosines = np.abs((mixture.concepts @ turn) @ turn.T)  # with the vectors of the rotated basis
    assert np.allclose(mixture.shared @ turn @ turn.T, 0.4 * np.eye(K + 2)[0], atol=1e-12)  # e_1 is b / l_b
    own, nearest = linear_sum_assignment(-cosines[:, 1:])  # distinct basis vectors, none of them e_1
    # The definition holds, and at its edge: for K = 1 and delta = 1, too.
    np.testing.assert_allclose(cosines[own, nearest + 1], 1 - delta**2 / 8, rtol=1e-12)


@given(seed=st.integers(0, 10**6))
def test_without_noise_the_vectors_are_the_means_up_to_a_rotation(seed):
    sample, means = scattered(np.random.default_rng(seed))
    found = cluster_means(sample.x, sample.value, sample.side).sample()
    np.testing.assert_allclose(found.x @ found.x.T, means @ means.T, atol=1e-9)  # rounding of one factoring
    assert found.value.tolist() == [0, 0, 1, 1, 2, 2] and found.side.tolist() == [1, -1] * 3


def test_lengths_are_free_of_the_noise_of_the_means():
    rng = np.random.default_rng(0)
    found, plain = [], []
    for _ in range(400):
        sample, means = scattered(np.random.default_rng(1), d=40, Q=5)
        x = sample.x + 0.7 * rng.normal(size=sample.x.shape)
        found.append(cluster_means(x, sample.value, sample.side).sample().x)
        clusters = [x[(sample.value == i) & (sample.side == s)].mean(axis=0) for i in range(3) for s in (1, -1)]
        plain.append((np.array(clusters) ** 2).sum(axis=1))
    squares = np.array([(one**2).sum(axis=1) for one in found])
    error = squares.std(axis=0, ddof=1) / np.sqrt(len(squares))
    correction = 40 * 0.7**2 / 5
    # Six means in 40 dimensions are far from dependent, so no eigenvalue is cut off. Four standard errors of the mean.
    assert (np.abs(squares.mean(axis=0) - (means**2).sum(axis=1)) < 4 * error).all() and 4 * error.max() < correction
    assert (np.mean(plain, axis=0) - (means**2).sum(axis=1) > correction / 2).all()


@pytest.mark.slow
@pytest.mark.theorem("4.1")
@settings(max_examples=20, deadline=None)
@given(layout=LAYOUTS, seed=st.integers(0, 10**6))
def test_the_reduced_system_is_that_of_all_samples(layout, seed):
    sample, _ = scattered(np.random.default_rng(seed))
    found = cluster_means(sample.x, sample.value, sample.side).sample()
    S = np.array([0.1, 1.0, 4.0])
    whole = gradient_flow(sample, layout, S).margins
    reduced = gradient_flow(found, layout, S).margins
    np.testing.assert_allclose(whole, reduced[:, 2 * sample.value + (sample.side < 0)], atol=1e-6)  # two integrations


@settings(max_examples=40, deadline=None)
@given(layout=LAYOUTS, seed=st.integers(0, 10**6))
def test_margins_start_with_the_first_rates(layout, seed):
    sample, _ = scattered(np.random.default_rng(seed))
    rates = cluster_means(sample.x, sample.value, sample.side).first_rates(layout)
    S = 1e-4
    margins = gradient_flow(sample, layout, [S]).margins[0]
    expected = rates[sample.value, (sample.side < 0).astype(int)]
    np.testing.assert_allclose(2 * margins / S, expected, atol=0.05)  # second order in S, products up to about 100


@pytest.mark.slow
@pytest.mark.theorem("N6")
def test_first_rates_are_those_of_unseen_samples_and_training_samples_lead():
    layout, rng, K, Q, noise = star(3), np.random.default_rng(2), 3, 4, 0.8
    _, means = scattered(np.random.default_rng(5), d=6)
    value, side = np.repeat(np.arange(K), 2 * Q), np.tile(np.repeat([1, -1], Q), K)
    true, found, unseen, lead = cluster_means(np.repeat(means, 2, axis=0), *_pairs(K)).first_rates(layout), [], [], []
    for _ in range(1500):
        x, new = (np.repeat(means, Q, axis=0) + noise * rng.normal(size=(2 * K * Q, 6)) for _ in range(2))
        measured = cluster_means(x, value, side)
        found.append(measured.first_rates(layout))
        start = gradient_flow(Sample(x, value, side), layout, [1e-6], test=Sample(new, value, side))
        by_cluster = [2e6 * r[0].reshape(K, 2, Q).mean(axis=2) for r in (start.test_margins, start.margins)]
        unseen.append(by_cluster[0])
        lead.append(by_cluster[1] - by_cluster[0])
    for draws, expected in ((found, true), (unseen, true), (lead, np.full((K, 2), 6 * noise**2 / (2 * Q)))):
        error = np.std(draws, axis=0, ddof=1) / np.sqrt(len(draws))
        assert (np.abs(np.mean(draws, axis=0) - expected) < 4.5 * error).all()  # 18 comparisons of a normal variable


def _pairs(K):
    return np.repeat(np.arange(K), 4), np.tile([1, 1, -1, -1], K)


@pytest.mark.parametrize(
    ("x", "value", "side", "message"),
    [
        (np.zeros((4, 2)), [0, 0, 0], [1, 1, -1, -1], "must have N rows each"),
        (np.zeros((3, 2)), [0, 0, 0], [1, 1, -1], r"value 0, side -1 has 1"),
        (np.zeros((4, 2)), [-1, -1, -1, -1], [1, 1, -1, -1], "value must be a list of whole numbers from 0 to 3"),
    ],
)
def test_a_cluster_without_samples_is_refused(x, value, side, message):
    with pytest.raises(ValueError, match=message):
        cluster_means(x, value, side)


def test_halves_of_the_two_means():
    x = np.repeat(np.array([[3.0, 0, 1], [1, 0, -1]]), 2, axis=0)
    found = cluster_means(x, np.zeros(4, int), np.array([1, 1, -1, -1]))
    np.testing.assert_allclose(found.concepts, [[1, 0, 1]])
    np.testing.assert_allclose(found.midpoints, [[2, 0, 0]])
    np.testing.assert_allclose(found.excess, 0)


@settings(max_examples=40, deadline=None)
@given(layout=LAYOUTS, d=st.integers(2, 8), seed=st.integers(0, 10**6))
def test_separation_is_the_least_of_a_quadratic_form_and_agrees_with_a_linear_program(layout, d, seed):
    sample, _ = scattered(np.random.default_rng(seed), d=d, Q=1)
    C = interaction_matrix(sample, layout)
    gamma = separation(C)
    start = np.full(len(C), 1 / len(C))
    best = minimize(lambda p: p @ C @ p, start, jac=lambda p: 2 * C @ p, bounds=[(0, 1)] * len(C), method="SLSQP",
                    constraints={"type": "eq", "fun": lambda p: p.sum() - 1}, options={"ftol": 1e-14, "maxiter": 500})
    assert gamma**2 == pytest.approx(max(best.fun, 0), abs=1e-5)  # what SLSQP reaches
    # Is there a U with Delta y_j^T U x_j >= 1 for all j? The linear program does not know C.
    signs = sample.side[:, None] * layout.incidence[sample.value]
    rows = np.einsum("jt,jd->jtd", signs, sample.x).reshape(len(C), -1)
    program = linprog(np.zeros(rows.shape[1]), A_ub=-rows, b_ub=-np.ones(len(C)), bounds=(None, None))
    if gamma > 1e-3 or gamma == 0:  # in between, the program's own tolerance decides
        assert program.success == (gamma > 0)


def test_separation_by_hand():
    # One value, means +-c at distance 1 from the origin, b = 0: U = u c^T / sqrt 2 gives both the margin sqrt 2.
    sample = ValueMixture(disjoint(1), 2, 0.0, 0.0).sample(1, np.random.default_rng(0))
    assert separation(interaction_matrix(sample, disjoint(1))) == pytest.approx(np.sqrt(2), rel=1e-9)
    opposite = Sample(np.array([[1.0], [-1], [-1], [1]]), np.array([0, 0, 1, 1]), np.array([1, -1, 1, -1]))
    assert separation(interaction_matrix(opposite, shared(2))) == 0.0
    assert recovery_time(interaction_matrix(opposite, shared(2)), 2) == np.inf
    with pytest.raises(ValueError, match="symmetric"):
        separation(np.triu(np.ones((3, 3))))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(layout=LAYOUTS, seed=st.integers(0, 10**6))
def test_by_the_recovery_time_every_margin_is_positive(layout, seed):
    sample, _ = scattered(np.random.default_rng(seed), d=7, Q=1)
    S = recovery_time(interaction_matrix(sample, layout), 3)
    if S < 3000:  # the flow up to later times is slow to integrate
        assert gradient_flow(sample, layout, [S]).margins.min() > 0
