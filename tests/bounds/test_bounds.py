"""The training envelope against its formulas and against runs inside the region of the theorem."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.bounds.envelopes import training_envelope
from helpers.dynamics.flow import gradient_flow, interaction_matrix, noise_free_margin
from helpers.layouts import chain, disjoint, grid, star
from helpers.mixture import ValueMixture

HORIZON = 0.4 * np.log(3)


@pytest.mark.theorem("4.2")
def test_the_papers_envelope_at_its_horizon():
    lower, upper = training_envelope(HORIZON)
    # Section 15 of the reference: log 3 / 40 and log 3.
    assert lower == pytest.approx(0.027465, abs=5e-7) and upper == pytest.approx(np.log(3), rel=1e-15)
    assert lower < noise_free_margin(HORIZON) < upper


@given(Q=st.integers(1, 10**6), ratio=st.floats(0.01, 5), noise=st.floats(0, 1))
def test_the_improved_envelope_lies_inside_and_lasts_longer(Q, ratio, noise):
    d, v = max(1, int(ratio * Q)), noise / (4 * np.sqrt(Q))
    S = np.linspace(0, HORIZON, 7)
    lower, upper = training_envelope(S, form="improved", Q=Q, d=d, v=v)
    paper_lower, paper_upper = training_envelope(S)
    assert not np.isnan(lower).any()
    assert (lower >= paper_lower).all() and (upper <= paper_upper).all()
    # Its slopes and its horizon, written in t as the theorem states them, with K tau = beta = 1 and S = 2t.
    end = 16 / (19 + 8 * d * v**2 / Q) * np.log(3)
    low, high = training_envelope(2 * end * (1 - 1e-12), form="improved", Q=Q, d=d, v=v)
    assert low == pytest.approx(5 / (19 + 8 * d * v**2 / Q) * np.log(3), rel=1e-9)
    assert low == pytest.approx(5 / 16 * end, rel=1e-9)
    assert high == pytest.approx((19 / 16 + d * v**2 / (2 * Q)) * end, rel=1e-9)
    assert high == pytest.approx(np.log(3), rel=1e-9)
    assert np.isnan(training_envelope(2 * end * (1 + 1e-9), form="improved", Q=Q, d=d, v=v)).all()


def test_the_promised_least_margin_at_the_end():
    Q = 11  # the reference: at least 0.26 log 3 for Q >= 11, at the largest noise and dimension allowed
    v, d = 1 / (4 * np.sqrt(Q)), 5 * Q
    end = 32 * np.log(3) / (19 + 8 * d * v**2 / Q)
    assert training_envelope(end * (1 - 1e-12), form="improved", Q=Q, d=d, v=v)[0] >= 0.26 * np.log(3)


@pytest.mark.theorem("C.5")
def test_the_envelopes_for_concepts_that_are_nearly_orthogonal_written_out():
    Q, d, v = 10, 40, 0.05
    lower, upper = training_envelope(0.1, form="paper C")
    assert (lower, upper) == pytest.approx((0.1 / 32, 0.25), rel=1e-14)
    improved = {"form": "improved C", "Q": Q, "d": d, "v": v}
    slope = 39 / 64 + d * v**2 / (4 * Q)
    lower, upper = training_envelope(0.1, **improved)
    assert (lower, upper) == pytest.approx((0.9 / 64, 0.1 * slope), rel=1e-14)
    for end, form in ((HORIZON, {"form": "paper C"}), (np.log(3) / slope, improved)):
        assert training_envelope(end, **form)[1] == pytest.approx(np.log(3), rel=1e-14)
        assert np.isnan(training_envelope(end * (1 + 1e-12), **form)).all()


def test_past_the_horizon_there_is_no_statement():
    lower, upper = training_envelope(np.array([[0.0, HORIZON], [HORIZON * 1.0001, 5.0]]))
    assert np.array_equal(np.isnan(lower), [[False, False], [True, True]])
    assert np.array_equal(np.isnan(lower), np.isnan(upper)) and lower[0, 0] == upper[0, 0] == 0


@pytest.mark.theorem("4.2")
@pytest.mark.theorem("T4.2'")
@settings(max_examples=25, deadline=None)
@given(
    layout=st.sampled_from([disjoint(3), chain(4), chain(6), star(3), star(4), grid(9)]),
    Q=st.sampled_from([20, 40, 60]),
    noise=st.floats(0, 1),
    shared=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_margins_stay_in_both_envelopes(layout, Q, noise, shared, seed):
    v, d = noise / (32 * np.sqrt(Q)), 5 * Q
    l_b = 0.25 + shared * (min(0.5, 1 / np.sqrt(4 * layout.Z)) - 0.25)
    mixture = ValueMixture(layout, d, v, l_b)
    sample = mixture.sample(Q, np.random.default_rng(seed))
    end = 32 * np.log(3) / (19 + 8 * d * v**2 / Q) * (1 - 1e-12)
    S = np.concatenate([np.linspace(0, HORIZON, 9), np.linspace(HORIZON * 1.01, end, 9)])
    margins = gradient_flow(sample, layout, S).margins
    slack = 1e-9  # the integrator's error
    for form in ({}, {"form": "improved", "Q": Q, "d": d, "v": v}):
        lower, upper = training_envelope(S, **form)
        stated = ~np.isnan(lower)
        assert stated.sum() >= 9
        assert (margins[stated] >= lower[stated, None] - slack).all()
        assert (margins[stated] <= upper[stated, None] + slack).all()


@pytest.mark.theorem("4.2")
def test_the_measured_slack_of_the_reference():
    """Section 6: with v = 1/(32 sqrt Q), d = 5Q, Q = 60, the ratios to the paper's bounds."""
    Q = 60
    for layout, l_b in ((disjoint(3), 0.5), (chain(6), 0.35), (star(4), 0.25)):
        sample = ValueMixture(layout, 5 * Q, 1 / (32 * np.sqrt(Q)), l_b).sample(Q, np.random.default_rng(0))
        S = np.linspace(0.01, HORIZON, 10)
        margins, (lower, upper) = gradient_flow(sample, layout, S).margins, training_envelope(S)
        below, above = margins / lower[:, None], upper[:, None] / margins
        # The stated ranges, widened by 2 % for another draw.
        assert 7.4 * 0.98 <= below.min() and below.max() <= 8.1 * 1.02
        assert 4.9 * 0.98 <= above.min() and above.max() <= 5.4 * 1.02


def test_the_envelope_is_sharp_about_its_hypotheses():
    """Far outside the region, by memorization (d v^2 / 2Q = 10), the upper bound fails, as section 6 says."""
    mixture = ValueMixture(disjoint(2), 2000, np.sqrt(20 * 5 / 2000), 0.5)
    sample = mixture.sample(5, np.random.default_rng(0))
    assert np.diag(interaction_matrix(sample, mixture.layout)).mean() > 2 * 50
    assert gradient_flow(sample, mixture.layout, HORIZON).margins.max() > training_envelope(HORIZON)[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"S": -0.1}, "^S must be finite and at least 0, got -0.1$"),
        ({"S": [0.1, np.nan]}, "^S must be finite"),
        ({"form": "papers"}, "^form must be a known name, got 'papers'; did you mean 'paper'"),
        ({"form": "improved"}, "^d must be a whole number of at least 1, got None$"),
        ({"form": "improved", "Q": 5, "d": 5}, "^v must lie between 0 and .* got None$"),
        ({"form": "improved", "d": 5, "v": 0.1}, "^Q must be a whole number of at least 1, got None$"),
        ({"form": "improved", "Q": 0, "d": 5, "v": 0.1}, "^Q must be .* got 0$"),
        ({"form": "improved", "Q": 5, "d": 5, "v": -0.1}, "^v must .* got -0.1$"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        training_envelope(**{"S": 0.1} | arguments)
