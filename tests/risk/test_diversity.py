"""Samples for a risk, and the diversity limit: against the law, against any direction, against a closed form."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import norm

from helpers.layouts import chain, disjoint, grid, shared, star
from helpers.mixture import ValueMixture
from helpers.risk.diversity import diversity_limit, samples_for_risk
from helpers.risk.exact import exact_risk
from helpers.risk.laws import risk_law
from helpers.risk.one_step import one_step_risk
from theorems import search


@pytest.mark.theorem("N5")
@pytest.mark.parametrize("layout", [disjoint(3), shared(2)], ids=["own", "shared"])
@pytest.mark.parametrize("risk", [0.05, 0.2])
def test_the_samples_are_where_the_law_has_the_risk(layout, risk):
    kappa = float(layout.kappa[0])
    Q = samples_for_risk(risk, v=0.3, d=200, l_b=0.5, kappa=kappa)

    def law(samples):  # the law for any real number of samples, written out
        return ndtr(-1 / (0.3 * math.sqrt(kappa * (1 + (1 + 0.25 + 200 * 0.09) / (2 * samples)))))

    assert brentq(lambda samples: law(samples) - risk, 0.01, 1e9, xtol=1e-10) == pytest.approx(Q, rel=1e-8)
    mixture = ValueMixture(layout, d=200, v=0.3, l_b=0.5)
    above, below = risk_law(mixture, math.ceil(Q))[0], risk_law(mixture, max(1, math.floor(Q)))[0]
    assert above <= risk and (below >= risk or Q < 1)


@pytest.mark.theorem("N5")
def test_the_tables_numbers():
    assert samples_for_risk(0.05, v=0.5, d=1000, l_b=0.5) == pytest.approx(262.57, abs=0.005)
    shared_at = [samples_for_risk(0.05, v=0.2, d=1000, l_b=0.5, kappa=K) for K in (1, 2, 4, 8, 16)]
    assert np.round(shared_at[:4], 1) == pytest.approx([2.5, 5.7, 15.7, 133], abs=0.5) and shared_at[4] == math.inf
    # 36.96, 9.24 and 4.11 values: the largest whole numbers.
    assert [diversity_limit(v, 0.05) for v in (0.1, 0.2, 0.3)] == [36, 9, 4]
    assert diversity_limit(0.0, 0.05) == math.inf and diversity_limit(2.0, 0.05) == 0


@search("N5", "N12", K=st.integers(1, 12), v=st.floats(0.05, 1.5), l_b=st.floats(0, 3), seed=st.integers(0, 10**6),
        towards=st.floats(0, 1))
def test_no_direction_beats_the_diversity_limit(K, v, l_b, seed, towards):
    mixture = ValueMixture(shared(K), d=K + 3, v=v, l_b=l_b)
    w = np.random.default_rng(seed).standard_normal(mixture.d) * (1 - towards) + towards * mixture.concepts.sum(axis=0)
    w = np.tile(w, (K, 1))  # one pair of answers: one vector for all values
    risk = float(exact_risk(w, mixture))
    assert risk >= ndtr(-1 / (v * math.sqrt(K))) * (1 - 1e-12)
    if 0 < risk < 0.5:
        assert diversity_limit(v, risk) >= K


def test_the_limit_is_reached_by_the_sum_of_the_concepts():
    mixture = ValueMixture(shared(5), d=9, v=0.3, l_b=2.0)
    w = np.tile(mixture.concepts.sum(axis=0), (5, 1))
    assert float(exact_risk(w, mixture)) == pytest.approx(ndtr(-1 / (0.3 * math.sqrt(5))), rel=1e-12)
    assert diversity_limit(0.3, float(exact_risk(w, mixture))) == 5


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: samples_for_risk(0.5, v=0.1, d=3), "risk must lie strictly between 0 and 0.5, got 0.5"),
        (lambda: samples_for_risk(0.0, v=0.1, d=3), "risk must be a finite number above 0"),
        (lambda: samples_for_risk(0.1, v=-1, d=3), "v must lie between 0"),
        (lambda: samples_for_risk(0.1, v=0.1, d=0), "d must be a whole number of at least 1"),
        (lambda: samples_for_risk(0.1, v=0.1, d=3, kappa=0.5), "kappa must lie between 1"),
        (lambda: diversity_limit(math.nan, 0.1), "v must lie between 0"),
        (lambda: diversity_limit("a", 0.1), "v must lie between 0"),
    ],
)
def test_bad_arguments(call, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        call()


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
