"""The reference numbers of the theory, all in one place, as the book's functions give them."""

import numpy as np
import pytest

from helpers.bounds.envelopes import training_envelope
from helpers.bounds.guarantees import (
    failure_probability,
    refined_exponent,
    risk_bound,
    samples_for_bound,
    samples_for_confidence,
)
from helpers.dynamics.flow import dimensionless_time, noise_free_margin, paper_horizon
from helpers.layouts import chain, disjoint, grid, shared
from helpers.mixture import ValueMixture
from helpers.risk.one_step import log_chernoff, one_step_risk

HORIZON = 0.4 * np.log(3)
FIRST_Q = {  # first Q at which the failure probability is below 1, for K = 1, 10, 100
    ("paper", 1, np.inf): (143_469, 160_708, 178_268),
    ("paper", 1, 1 / 4): (384_783, 454_014, 528_025),
    ("paper", 1, 1 / 8): (1_918_861, 2_221_649, 2_543_370),
    ("appendix", 1, 1 / 8): (543, 638, 730),
    ("appendix", 2, 1 / 8): (1_087, 1_253, 1_416),
    ("appendix", 3, 1 / 8): (1_837, 2_093, 2_346),
    ("appendix", 4, 1 / 8): (2_803, 3_170, 3_533),
}
SCALING = {1: 763.4, 2: 798.7, 4: 833.7, 8: 868.6, 10: 879.8, 16: 903.3, 32: 937.9, 64: 972.3, 100: 994.4, 1000: 1107.8}


def test_reference_numbers():
    """Each to the digits that the reference prints."""
    assert dimensionless_time(paper_horizon(3, 0.2, 0.5), 0.2, 0.5, 3) == pytest.approx(0.439445, abs=5e-7)
    assert noise_free_margin(HORIZON) == pytest.approx(0.208104, abs=5e-7)
    lower, upper = training_envelope(HORIZON)
    assert lower == pytest.approx(0.027465, abs=5e-7) and upper == pytest.approx(1.098612, abs=5e-7)
    assert noise_free_margin(3.098612) == pytest.approx(np.log(3), abs=5e-7)
    assert 3.098612 / HORIZON == pytest.approx(7.0512, abs=5e-5)
    assert risk_bound(10, 875) == pytest.approx(0.0550, abs=5e-5)
    assert risk_bound(10, 40) == pytest.approx(13156, abs=0.5)
    assert samples_for_bound(10, 0.05) == pytest.approx(879.79, abs=5e-3)
    Q = np.arange(1, 400)
    assert Q[np.argmax(risk_bound(1, Q))] == 90
    for Z, divisor in zip((1, 2, 3, 4), (5.83, 9.29, 13.92, 19.59), strict=True):
        assert 1000 / refined_exponent(1000, Z=Z) == pytest.approx(divisor, abs=5e-3)
    assert paper_horizon(10, 0.01, 1e-3) == pytest.approx(2.197e7, rel=2e-4)
    assert paper_horizon(10, 0.1, 0.1) == pytest.approx(2197.2, abs=0.05)


@pytest.mark.parametrize("case", FIRST_Q, ids=str)
def test_first_Q_at_which_the_theorems_speak(case):
    form, Z, c = case
    found = tuple(samples_for_confidence(K, form=form, Z=Z, c=c) for K in (1, 10, 100))
    assert found == FIRST_Q[case]
    for K, Q in zip((1, 10, 100), found, strict=True):
        assert failure_probability(K, Q, form=form, Z=Z, c=c) < 1 <= failure_probability(K, Q - 1, form=form, Z=Z, c=c)


@pytest.mark.theorem("4.3")
def test_the_papers_scaling_curve():
    for K, Q in SCALING.items():
        assert samples_for_bound(K, 0.05) == pytest.approx(Q, abs=0.05)
    # The bound is below 1 from these on.
    for K, Q in ((1, 608.1), (10, 727.9), (100, 845.0)):
        assert samples_for_bound(K, 1.0) == pytest.approx(Q, abs=0.05)


@pytest.mark.theorem("N3")
@pytest.mark.parametrize(
    ("layout", "Q", "d", "v", "l_b", "exact"),
    [
        (disjoint(3), 5, 20, 0.5, 0.5, 0.05336),
        (disjoint(2), 5, 400, 0.4, 0.5, 0.18082),
        (chain(4), 6, 40, 0.4, 0.5, 0.04524),
        (shared(6), 6, 60, 0.3, 1.0, 0.14119),
    ],
)
def test_exact_one_step_risks(layout, Q, d, v, l_b, exact):
    assert one_step_risk(ValueMixture(layout, d, v, l_b), Q).mean() == pytest.approx(exact, abs=5e-6)


@pytest.mark.theorem("N4")
@pytest.mark.parametrize(("layout", "l_b", "Q", "power"), [
    (disjoint(1), 0.5, 1, -182), (grid(16), 0.25, 1, -63), (disjoint(1), 0.5, 40, -8865), (grid(16), 0.25, 40, -3528),
])
def test_the_risk_inside_the_papers_region(layout, l_b, Q, power):
    """At Q = 1 the grid of 16 values needs d >= 17 for its concepts, more than 5Q; the risk hardly knows d."""
    mixture = ValueMixture(layout, max(5 * Q, layout.K + 1), 1 / (32 * np.sqrt(Q)), l_b)
    assert int(log_chernoff(mixture, Q).max() / np.log(10)) == power
