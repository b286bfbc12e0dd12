"""Constants of the tracking theorem against the full matrix, and its reference values."""

import numpy as np
import pytest

from helpers.dynamics.flow import gradient_flow, interaction_matrix, noise_free_margin
from helpers.dynamics.rates import first_rates
from helpers.dynamics.tracking import track, track_beforehand
from helpers.layouts import chain, disjoint, grid, shared, star
from helpers.mixture import ValueMixture


@pytest.mark.theorem("N7")
@pytest.mark.parametrize("layout", [disjoint(3), chain(4), shared(3)])
def test_constants_are_row_sums_of_the_interactions(layout):
    mixture = ValueMixture(layout, 9, 0.4, 0.6)
    sample = mixture.sample(100, np.random.default_rng(0))  # more rows than one block holds
    C = layout.K / (2 * len(sample)) * interaction_matrix(sample, layout)
    found = track(sample, layout)
    np.testing.assert_allclose(first_rates(sample, layout), C.sum(axis=1), rtol=1e-10)
    assert found.eta == pytest.approx(np.abs(C.sum(axis=1) - 1).max(), rel=1e-10)
    assert found.gamma == pytest.approx(np.abs(C).sum(axis=1).max(), rel=1e-10)
    S = np.array([0.0, 0.7])
    np.testing.assert_allclose(found.margin(S), found.eta * np.exp(found.gamma * S / 4))
    np.testing.assert_allclose(found.omega(S), found.eta * (np.exp(found.gamma * S / 4) - 1) / found.gamma, atol=1e-15)


@pytest.mark.theorem("N7")
@pytest.mark.parametrize(
    ("layout", "l_b", "eta", "measured", "bound"),
    [
        (disjoint(3), 0.5, 0.011, 0.0111, 0.0123),
        (chain(6), 0.35, 0.015, 0.0154, 0.0173),
        (star(4), 0.25, 0.018, 0.0178, 0.0202),
        (shared(4), 0.5, 0.026, 0.0263, 0.0300),
    ],
)
def test_the_reference_region(layout, l_b, eta, measured, bound):
    """Q = 60, d = 5Q, v = 1/(32 sqrt Q). Another draw moves a maximum over a few hundred samples by up to a third."""
    Q, S = 60, 0.4 * np.log(3)
    mixture = ValueMixture(layout, 5 * Q, 1 / (32 * np.sqrt(Q)), l_b)
    sample = mixture.sample(Q, np.random.default_rng(5))
    found = track(sample, layout)
    off = np.abs(gradient_flow(sample, layout, [S]).margins / noise_free_margin(S) - 1).max()
    assert found.eta == pytest.approx(eta, rel=0.35)
    assert off == pytest.approx(measured, rel=0.35) and found.margin(S) == pytest.approx(bound, rel=0.35)
    assert off <= found.margin(S) <= 1.25 * off  # tight to about 15 %
    before = track_beforehand(mixture, Q, 0.05)
    assert 1 < before.eta / found.eta < 4 and 1 < before.gamma / found.gamma < 5


@pytest.mark.theorem("N8")
def test_the_constants_beforehand_written_out():
    layout, Q, d, v, l_b, failure = chain(4), 7, 11, 0.3, 1.2, 0.04
    assert layout.kappa.tolist() == [1.25, 1.5, 1.5, 1.25] and layout.nu.tolist() == [1.5, 2, 2, 1.5]
    found = track_beforehand(ValueMixture(layout, d, v, l_b), Q, failure)
    q = np.sqrt(2 * np.log(7 * 2 * 4 * Q / failure))
    length, noise = np.sqrt(1 + l_b**2), v * (np.sqrt(d) + q)
    own, self_term = q * v * (np.sqrt(1.5) + length / (2 * Q)), noise**2 / (2 * Q)
    others = v / np.sqrt(2 * Q) * np.sqrt(1.5) * q * (length + noise)
    assert found.eta == pytest.approx(own + self_term + others, rel=1e-12)
    assert found.gamma == pytest.approx(2 * (length + noise) ** 2, rel=1e-12)


@pytest.mark.theorem("N8")
def test_the_reference_value_of_the_constants_beforehand():
    """The most sharing that the paper's region allows, at Q = 40 and with q = sqrt Q: margins within 9.87 %."""
    Q = 40
    mixture = ValueMixture(grid(16), 5 * Q, 1 / (32 * np.sqrt(Q)), 0.25)
    found = track_beforehand(mixture, Q, 7 * 2 * 16 * Q * np.exp(-Q / 2))
    assert found.margin(0.4 * np.log(3)) == pytest.approx(0.0987, abs=5e-5)  # its digits


def test_a_failure_of_nothing_is_refused():
    mixture = ValueMixture(disjoint(2), 5, 0.1, 0.5)
    for failure in (0.0, 1.0):
        with pytest.raises(ValueError, match=f"^failure must lie strictly between 0 and 1, got {failure}$"):
            track_beforehand(mixture, 4, failure)
    with pytest.raises(ValueError, match="^Q must be"):
        track_beforehand(mixture, 0, 0.1)


def test_tilted_concepts_leave_what_is_known_beforehand_and_are_refused():
    tilted, straight = (ValueMixture(shared(4), 60, 0.02, 0.5, delta) for delta in (1.0, 0.0))
    known, seen = track_beforehand(straight, 30, 0.05), track(tilted.sample(30, np.random.default_rng(0)), shared(4))
    assert seen.eta > 5 * known.eta  # the mean of a first rate is no longer 1
    with pytest.raises(ValueError, match="^mixture must have orthonormal concepts, delta = 0, got delta = 1.0$"):
        track_beforehand(tilted, 30, 0.05)
