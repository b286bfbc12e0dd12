"""Measured constants: right on average where they are known, and refused where there is nothing to measure."""

import numpy as np
import pytest

from helpers.audit import measure_value

D, LENGTH = 60, 1.7
SCALES = np.linspace(0.2, 1.2, D)  # standard deviations of an anisotropic noise


def draw(rng, n, scales=SCALES, length=LENGTH):
    concept = np.zeros(D)
    concept[3] = length
    side = np.repeat([1, -1], n)
    shared = np.full(D, 5.0)
    return shared + side[:, None] * concept + scales * rng.standard_normal((2 * n, D)), side


@pytest.mark.theorem("N5")
def test_constants_are_recovered_on_average():
    rng = np.random.default_rng(0)
    found = [measure_value(*draw(rng, 200)) for _ in range(100)]
    length = np.mean([constants.concept_length**2 for constants in found])
    along = np.mean([(constants.noise * constants.concept_length**2) ** 2 for constants in found])
    square = np.mean(
        [c.effective_dimension * c.noise**4 * c.concept_length**4 for c in found]
    )
    # Means of 100 draws of 400; each tolerance is about four standard errors, measured from the draws themselves.
    assert length == pytest.approx(LENGTH**2, rel=0.03)
    assert along == pytest.approx(SCALES[3] ** 2 * LENGTH**2, rel=0.2)
    assert square == pytest.approx((SCALES**4).sum(), rel=0.1)


def test_isotropic_noise_has_the_dimension_of_the_space():
    rng = np.random.default_rng(1)
    found = [measure_value(*draw(rng, 400, np.full(D, 0.5))) for _ in range(20)]
    assert np.mean([c.noise for c in found]) == pytest.approx(0.5 / LENGTH, rel=0.03)  # 20 draws of 800
    assert np.mean([c.effective_dimension for c in found]) == pytest.approx(D, rel=0.15)


def test_the_shared_component_does_not_enter():
    x, side = draw(np.random.default_rng(2), 30)
    one, other = measure_value(x, side), measure_value(x + 100.0, side)
    assert one.concept_length == pytest.approx(other.concept_length, rel=1e-9)  # rounding of the shift


def test_errors_name_what_is_wrong():
    x, side = draw(np.random.default_rng(3), 3)
    with pytest.raises(ValueError, match="at least 4 samples of each side, got \\[3, 3\\]"):
        measure_value(x, side)
    with pytest.raises(ValueError, match="two clusters with different means"):
        measure_value(np.ones((16, D)), np.repeat([1, -1], 8))


def test_clusters_nearer_than_their_noise_still_give_numbers():
    x, side = draw(np.random.default_rng(5), 4, length=0.0)
    constants = measure_value(x, side)
    assert constants.concept_length > 0 and constants.noise > 0 and constants.effective_dimension >= 2
