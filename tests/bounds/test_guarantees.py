"""Failure probabilities and risk bounds: written out, inverted by search, and refused where they make no sense."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.bounds.guarantees import (
    failure_probability,
    refined_exponent,
    refined_risk_bound,
    risk_bound,
    samples_for_bound,
    samples_for_confidence,
)


def test_the_papers_failure_probability_written_out():
    K, Q, c = 3, 500, 0.2
    by_hand = 8 * K * Q ** (9 / 4) * np.exp(-min(c * np.sqrt(Q) / 5, Q**0.75 / 256))
    assert failure_probability(K, Q, c=c) == pytest.approx(by_hand, rel=1e-12)


@given(K=st.integers(1, 50), Q=st.integers(1, 5000), Z=st.integers(1, 4))
def test_the_appendix_form_at_the_edge_of_the_region(K, Q, Z):
    by_hand = (8 * Z + 4) * K * Q**2 * (np.exp(-Q / (4 * (Z + 2) ** 2)) + np.exp(-64 / 8 * Q / (Z + 2)))
    assert failure_probability(K, Q, form="appendix", Z=Z) == pytest.approx(by_hand, rel=1e-9)


def test_the_appendix_form_with_all_that_enters():
    K, Q, Z, d, v, epsilon, c = 2, 30, 3, 900, 0.05, 8.0, 0.25
    by_hand = 28 * K * Q**2 * (np.exp(-4.0) + np.exp(-c * epsilon / v * min(1, epsilon / (d * v))))
    found = failure_probability(K, Q, form="appendix", Z=Z, d=d, v=v, epsilon=epsilon, c=c)
    assert found == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.theorem("B.1")
@given(K=st.integers(1, 100), Z=st.integers(1, 4), log_Q=st.floats(4.4, 7))
def test_the_main_text_is_implied_by_the_appendix_where_it_speaks(K, Z, log_Q):
    """Its prefactor needs 2 (8Z + 4) <= 8 Q^(1/4): from Q = 81, 625, 2401, 6561 on for Z = 1 to 4."""
    assert all(2 * (8 * z + 4) <= 8 * q**0.25 for z, q in enumerate((81, 625, 2401, 6561), 1))
    Q = int(10**log_Q)
    assert failure_probability(K, Q, form="appendix", Z=Z) <= failure_probability(K, Q)


@given(K=st.integers(1, 30), failure=st.floats(1e-9, 1), Z=st.integers(1, 4),
       form=st.sampled_from(["paper", "appendix"]), c=st.floats(1e-3, 1))
def test_samples_for_confidence_is_the_last_crossing(K, failure, Z, form, c):
    setting = dict(form=form, Z=Z, c=c)
    Q = samples_for_confidence(K, failure=failure, **setting)
    assert failure_probability(K, Q, **setting) < failure
    assert failure_probability(K, Q - 1, **setting) >= failure
    later = np.unique(np.geomspace(Q, 50 * Q, 40).astype(int))
    assert max(failure_probability(K, int(q), **setting) for q in later) < failure


@pytest.mark.theorem("B.1")
def test_the_constant_may_be_dropped():
    """With c = 1/8, which always holds, its term never decides in the region: the text's bound holds without it."""
    for Z in range(1, 5):
        for Q in np.unique(np.geomspace(1, 10**9, 300).astype(int)):
            assert 64 / 8 * Q / (Z + 2) > Q / (4 * (Z + 2) ** 2)  # the exponents of B.1's two terms
            printed = failure_probability(7, int(Q), c=np.inf)
            assert printed >= 1 or failure_probability(7, int(Q), form="appendix", Z=Z) <= printed
    # Without it, the bound of the text says something from these Q on (section 6 of the theory, first row).
    assert [samples_for_confidence(K, c=np.inf) for K in (1, 10, 100)] == [143_469, 160_708, 178_268]
    by_hand = 12 * 3 * 100**2 * np.exp(-100 / 36)
    assert failure_probability(3, 100, form="appendix", c=np.inf) == pytest.approx(by_hand, rel=1e-12)


def test_a_tiny_constant_asks_for_endlessly_many_samples_and_gets_them():
    for c in (1e-7, 1e-30, 1e-90):
        Q = samples_for_confidence(3, c=c)
        # The square root's term decides: c sqrt(Q)/5 = log(8 K) + 9/4 log Q, to the rounding of logarithms.
        assert c * math.sqrt(Q) / 5 == pytest.approx(math.log(24) + 9 / 4 * math.log(Q), rel=1e-9)
        assert failure_probability(3, Q, c=c) < 1 + 1e-9 and failure_probability(3, Q * 99 // 100, c=c) > 1
    assert samples_for_confidence(3, c=1e-7) > 2**60


def test_bounds_at_the_ends_of_the_numbers():
    assert risk_bound(3, 1e308) == 0 and risk_bound(3, [1e308, 90.0]).tolist() == [0, risk_bound(3, 90)]
    for call in (lambda: risk_bound(3, "3"), lambda: refined_risk_bound(3, 100, Z="x", l_b=0.3, d=5, v=0.1, epsilon=1)):
        with pytest.raises(ValueError, match="^(Q must hold numbers|Z must be a whole number)"):
            call()


def test_the_constant_that_both_take_where_none_is_given_is_the_one_that_holds_always():
    assert samples_for_confidence(3) == samples_for_confidence(3, c=1 / 8)
    assert failure_probability(3, 10**6) == failure_probability(3, 10**6, c=1 / 8)


@pytest.mark.theorem("4.3")
@given(K=st.integers(1, 10**5), log_risk=st.floats(-12, 0))
def test_samples_for_bound_inverts_the_bound_on_its_falling_side(K, log_risk):
    Q = samples_for_bound(K, 10**log_risk)
    assert Q > 90 and risk_bound(K, Q) == pytest.approx(10**log_risk, rel=1e-9)
    assert risk_bound(K, Q + 1) < 10**log_risk < risk_bound(K, Q - 1)


@pytest.mark.theorem("B.4")
def test_the_refined_bound_written_out():
    Q, Z, l_b, d, v, epsilon = 50, 2, 0.3, 100, 0.004, 9.0
    exponent = epsilon**2 / (2 * (1 + l_b**2 + d * v**2 + 2 * epsilon * v))
    setting = dict(Z=Z, l_b=l_b, d=d, v=v, epsilon=epsilon)
    assert refined_exponent(Q, **setting) == pytest.approx(exponent, rel=1e-14)
    assert refined_risk_bound(3, Q, **setting) == pytest.approx(6 * Q**2 * np.exp(-exponent), rel=1e-12)
    edge = setting | {"l_b": 1 / (2 * np.sqrt(2))}
    assert refined_exponent(Q, **{**setting, "l_b": None}) == pytest.approx(refined_exponent(Q, **edge), rel=1e-14)
    nearly = epsilon**2 / (2 * (1 + l_b**2 + d * v**2 + 2.5 * epsilon * v))
    assert refined_exponent(Q, **setting, approximate=True) == pytest.approx(nearly, rel=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: failure_probability(0, 5), "^K must be a whole number of at least 1, got 0$"),
        (lambda: failure_probability(1, 0), "^Q must be a whole number of at least 1, got 0$"),
        (lambda: failure_probability(1, 5, form="apendix"), "did you mean 'appendix'"),
        (lambda: failure_probability(1, 5, c=0.0), "^c must lie between 1e-90 and inf, got 0.0$"),
        (lambda: failure_probability(1, 5, form="appendix", v=-1.0), "^v must be a finite number above 0, got -1.0$"),
        (lambda: samples_for_confidence(1, failure=0.0), "^failure must be a finite number above 0, got 0.0$"),
        (lambda: risk_bound(1, 0.5), "^Q must be finite and at least 1, got 0.5$"),
        (lambda: samples_for_bound(1, 5000.0), r"^risk must be above 0 and below 2192\.\d+, .* got 5000.0$"),
        (lambda: samples_for_bound(1, risk_bound(1, 90)), "^risk must be above 0 and below 2192"),
        (lambda: samples_for_bound(1, 0.0), "^risk must be a finite number above 0, got 0.0$"),
        (lambda: refined_risk_bound(1, 5, l_b=-1.0), "^l_b must lie between 0 and .* got -1.0$"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
