"""The short proofs: what their cells find, and each statement against an oracle that the page does not use."""

import numpy as np
import pytest
from claims import numbers
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.stats import norm

from helpers.layouts import chain, disjoint, grid, shared, star
from helpers.mixture import ValueMixture
from helpers.risk.exact import exact_risk
from helpers.risk.one_step import one_step_risk


@pytest.fixture(scope="module")
def said():
    return numbers("short-proofs")


@pytest.mark.theorem("N12")
@settings(max_examples=300, deadline=None)
@given(st.integers(1, 6), st.floats(0.05, 3), st.floats(0, 4), st.integers(0, 2**32 - 1), st.floats(0, 3))
def test_the_diversity_limit_under_search(K, v, l_b, seed, spread):
    mixture = ValueMixture(shared(K), K + 3, v, l_b)
    w = mixture.concepts.sum(axis=0) + spread * np.random.default_rng(seed).normal(size=K + 3)
    risk = exact_risk(np.tile(w, (K, 1)), mixture)
    assert risk >= norm.sf(1 / (v * np.sqrt(K))) * (1 - 1e-9)  # rounding where w is the best vector


@pytest.mark.theorem("N12")
def test_no_rule_at_all_beats_the_best_one():
    """Phi(-1/v) is the risk of the best of all rules, by integrating the smaller of two densities."""
    v, c, b = 0.8, np.array([1.0, 0.0]), np.array([0.0, 0.5])

    def smaller(y, x):
        p = [norm.pdf(x, *side) * norm.pdf(y, b[1], v) for side in ((c[0], v), (-c[0], v))]
        return min(p) / 2

    best, _ = dblquad(smaller, -6, 6, -5, 6, epsabs=1e-6)
    assert best == pytest.approx(norm.sf(1 / v), abs=1e-5)


@pytest.mark.theorem("N12")
def test_the_floor_of_the_first_step():
    for layout in (disjoint(2), chain(4), star(4), shared(3)):
        mixture = ValueMixture(layout, layout.K + 2, 0.4, 0.6)
        floor = norm.sf(1 / (0.4 * np.sqrt(layout.kappa)))
        np.testing.assert_allclose(one_step_risk(mixture, 10**7), floor, rtol=1e-5)  # of order 1/Q
        assert (one_step_risk(mixture, 100) > floor).all()


@pytest.mark.theorem("N12")
def test_the_region_of_the_theorems_has_no_room_for_more_concepts():
    with pytest.raises(ValueError, match=r"d must be at least K \+ 1 = 17, got 15"):
        ValueMixture(grid(16), 5 * 3, 1 / (32 * np.sqrt(3)), 0.25)  # Q = 3 < 17/5
