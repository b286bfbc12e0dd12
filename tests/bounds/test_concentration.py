"""Deviations and pulls against the full interaction matrix and sums written out."""

import numpy as np
import pytest

from helpers.bounds.concentration import (
    deviations,
    largest_epsilon,
    noise_parts,
    rate_bracket,
    rate_tolerance,
    sharing_term,
)
from helpers.dynamics.flow import interaction_matrix
from helpers.dynamics.rates import pull
from helpers.layouts import TokenLayout, chain, disjoint, shared, star
from helpers.mixture import Sample, ValueMixture


@pytest.fixture(params=[disjoint(3), chain(4), star(3), shared(3), TokenLayout(((0, 1), (1, 2), (2, 0), (0, 1)))])
def drawn(request):
    mixture = ValueMixture(request.param, 9, 0.3, 0.7)
    return mixture, mixture.sample(3, np.random.default_rng(0))


def test_parts_add_up_to_the_product(drawn):
    mixture, sample = drawn
    square = mixture.d * mixture.v**2
    linear, bilinear = noise_parts(sample, mixture.means, square)
    mean = mixture.means[sample.value, (1 - sample.side) // 2]
    whole = mean @ mean.T + linear + bilinear + square * np.eye(len(sample))
    np.testing.assert_allclose(sample.x @ sample.x.T, whole, atol=1e-12)  # float64, sums of 9


def test_every_pair_is_in_one_case_and_the_worst_is_seen(drawn):
    mixture, sample = drawn
    square = mixture.d * mixture.v**2
    rows = deviations(sample, mixture.layout, means=mixture.means, noise_square=square, allowed=1.0)
    assert sum(row.pairs for row in rows) == len(sample) ** 2
    clean = Sample(mixture.means[sample.value, (1 - sample.side) // 2], sample.value, sample.side)
    off = interaction_matrix(sample, mixture.layout) - interaction_matrix(clean, mixture.layout)
    off -= 2 * square * np.eye(len(sample))
    assert max(row.observed for row in rows) == pytest.approx(np.abs(off).max(), rel=1e-12)
    by_name = {row.case: row for row in rows}
    assert by_name["same sample"].pairs == len(sample) and by_name["same sample"].allowed == 4
    assert by_name["opposite clusters"].pairs == 2 * 9 * mixture.K
    if "no token in common" in by_name:
        assert by_name["no token in common"].observed == by_name["no token in common"].allowed == 0.0
        assert by_name["no token in common"].holds
    if "sharing a token, same side" in by_name:
        assert by_name["sharing a token, same side"].allowed == 2


def test_pull_is_the_row_sum_of_the_interactions(drawn):
    mixture, sample = drawn
    rng = np.random.default_rng(1)
    pushes, new = rng.uniform(size=len(sample)), mixture.sample(2, rng)
    C, D = interaction_matrix(sample, mixture.layout), interaction_matrix(sample, mixture.layout, new)
    np.testing.assert_allclose(pull(sample, mixture.layout, pushes), C @ pushes, atol=1e-12)
    np.testing.assert_allclose(pull(sample, mixture.layout, pushes, test=new), D @ pushes, atol=1e-12)


@pytest.mark.theorem("B.2")
def test_without_noise_the_bracket_is_the_pull(drawn):
    mixture, sample = drawn
    clean = Sample(mixture.means[sample.value, (1 - sample.side) // 2], sample.value, sample.side)
    pushes = np.random.default_rng(2).uniform(size=len(sample))
    bracket = rate_bracket(clean, mixture.layout, pushes, l_b=mixture.l_b, noise_square=0.0)
    np.testing.assert_allclose(pull(clean, mixture.layout, pushes), bracket, atol=1e-12)
    # The self-term that the noise adds on the diagonal.
    more = rate_bracket(clean, mixture.layout, pushes, l_b=mixture.l_b, noise_square=0.4)
    np.testing.assert_allclose(more - bracket, 0.8 * pushes, atol=1e-12)


def test_sharing_costs_nothing_when_all_push_alike(drawn):
    mixture, sample = drawn
    term = sharing_term(sample, mixture.layout, np.full(len(sample), 0.37), l_b=mixture.l_b)
    np.testing.assert_allclose(term, 0, atol=1e-13)


def test_tolerances_written_out():
    assert largest_epsilon(0.01, 2) == pytest.approx(1 / (16 * 0.01 * 4))
    assert rate_tolerance(5, 3, np.array([0.1, 0.4]), allowed=0.02) == pytest.approx(8 * 5 * 4 * 0.02 * 0.4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, s: largest_epsilon(0.0, 1), "^v must be a finite number above 0"),
        (lambda m, s: largest_epsilon(0.1, 0), "^Z must be a whole number of at least 1"),
        (lambda m, s: pull(s, m.layout, np.ones(3)), r"^pushes must be \d+ finite numbers"),
        (lambda m, s: pull(s, m.layout, np.ones(len(s)), test=Sample(s.x[:, :4], s.value, s.side)),
         r"^test.x must have shape \(N, 9\)"),
        (lambda m, s: noise_parts(s, m.means[:, :, :4], 1.0), r"^means must have shape \(K, 2, 9\)"),
        (lambda m, s: rate_tolerance(0, 1, np.ones(2), allowed=0.1), "^Q must be"),
        (lambda m, s: rate_tolerance(1, 1, np.ones(2), allowed=0.0), "^allowed must be"),
    ],
)
def test_bad_arguments_are_named(drawn, call, message):
    with pytest.raises(ValueError, match=message):
        call(*drawn)
