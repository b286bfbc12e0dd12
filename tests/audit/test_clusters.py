"""Measured constants: right on average where they are known, and refused where there is nothing to measure."""

import tracemalloc

import numpy as np
import pytest

from helpers.audit.clusters import cluster_means, measure_geometry, measure_value

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


# The geometry of several values

K_VALUES, OFFSET = 3, 2.5
GRAM = 1.4**2 * (0.6 + 0.4 * np.eye(K_VALUES))  # concepts of length 1.4 with a cosine of 0.6


def draw_values(rng, n, scales=SCALES):
    """Three values with known concepts, offsets that sum to zero, and anisotropic noise."""
    concepts, offsets = np.zeros((K_VALUES, D)), np.zeros((K_VALUES, D))
    concepts[:, :K_VALUES] = np.linalg.cholesky(GRAM)
    offsets[:, 10] = OFFSET * np.array([1, -0.5, -0.5])
    value, side = np.repeat(np.arange(K_VALUES), 2 * n), np.tile(np.repeat([1, -1], n), K_VALUES)
    means = np.full(D, 4.0) + offsets[value] + side[:, None] * concepts[value]
    return means + scales * rng.standard_normal(means.shape), value, side


def test_geometry_is_recovered_on_average():
    rng = np.random.default_rng(0)
    found = [measure_geometry(*draw_values(rng, 20)) for _ in range(200)]
    # Means of 200 draws; each tolerance is about four standard errors, measured from the draws themselves.
    np.testing.assert_allclose(np.mean([g.gram for g in found], axis=0), GRAM, atol=0.1)
    squares = np.mean([g.offset_lengths**2 for g in found], axis=0)
    np.testing.assert_allclose(squares, (OFFSET * np.array([1, 0.5, 0.5])) ** 2, atol=0.25)
    np.testing.assert_allclose(np.mean([g.trace for g in found], axis=0), (SCALES**2).sum(), rtol=0.01)
    np.testing.assert_allclose(np.mean([g.trace_square for g in found], axis=0), (SCALES**4).sum(), rtol=0.03)
    np.testing.assert_allclose(np.mean([g.shared for g in found], axis=0), np.full(D, 4.0), atol=0.05)
    # The plain products are biased by tr Sigma / (2 n): the correction is needed, and the test would see it missing.
    plain = np.mean([np.diag(g.concepts @ g.concepts.T) for g in found], axis=0)
    assert (plain - np.diag(GRAM) > 5 * 0.1).all()


def test_derived_numbers_follow_their_definitions():
    found = measure_geometry(*draw_values(np.random.default_rng(1), 40))
    assert (found.K, found.d) == (K_VALUES, D)
    for i in range(K_VALUES):
        assert found.lengths[i] == pytest.approx(found.gram[i, i] ** 0.5)
        assert found.l_b[i] == pytest.approx(np.linalg.norm(found.shared) / found.lengths[i])
        assert found.participation[i] == pytest.approx(found.trace[i] ** 2 / found.trace_square[i])
        assert found.cosines[0, i] == pytest.approx(found.gram[0, i] / found.lengths[0] / found.lengths[i])


def test_each_value_is_measured_as_if_alone():
    x, value, side = draw_values(np.random.default_rng(2), 30)
    found = measure_geometry(x, value, side)
    for i in range(K_VALUES):
        alone = measure_value(x[value == i], side[value == i])
        assert found.lengths[i] == pytest.approx(alone.concept_length, rel=1e-12)
        assert found.along[i] / found.lengths[i] == pytest.approx(alone.noise, rel=1e-12)


def test_isotropic_noise_participates_in_every_dimension_and_looks_alike_along_a_concept():
    rng = np.random.default_rng(3)
    found = [measure_geometry(*draw_values(rng, 200, np.full(D, 0.5))) for _ in range(10)]
    assert np.mean([g.participation for g in found]) == pytest.approx(D, rel=0.05)  # 30 values of 400 samples
    assert np.mean([g.along for g in found]) == pytest.approx(0.5, rel=0.03)


def test_geometry_errors_name_the_value():
    x, value, side = draw_values(np.random.default_rng(4), 4)
    with pytest.raises(ValueError, match=r"value 1: side must hold at least 4 samples of each side, got \[3, 4\]"):
        measure_geometry(np.delete(x, 8, axis=0), np.delete(value, 8), np.delete(side, 8))
    with pytest.raises(ValueError, match="must have N rows each"):
        measure_geometry(x, value[:-1], side)
    with pytest.raises(ValueError, match="value must be a list of whole numbers from 0 to 23, got -1 in it"):
        measure_geometry(x, value - 1, side)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (dict(x=np.full((8, 3), np.nan)), r"x must be finite, of shape \(N, d\), got"),
        (dict(x=np.full((8, 3), np.inf)), "x must be finite"),
        (dict(x=np.ones(8)), "x must be finite, of shape"),
        (dict(x=np.ones((8, 0))), "x must be finite, of shape"),
        (dict(x=None), "x must hold numbers, got None"),
        (dict(side=[1, -1] * 3), "side must hold 8 numbers 1 or -1, one for each row of x, got"),
        (dict(side=[1, 0] * 4), "side must hold 8 numbers 1 or -1"),
        (dict(side=[[1]] * 8), "side must hold 8 numbers 1 or -1"),
    ],
)
def test_arrays_that_do_not_fit_are_named(change, said):
    good = dict(x=np.random.default_rng(0).normal(size=(8, 3)), side=[1, -1] * 4)
    with pytest.raises(ValueError, match=f"^{said}"):
        measure_value(**good | change)


@pytest.mark.parametrize(("n", "d"), [(7, 40), (90, 5), (30, 30)])
def test_the_mean_squared_product_is_that_of_all_pairs(n, d):
    rng = np.random.default_rng(6)
    side = np.repeat([1, -1], n)
    x = side[:, None] * np.eye(1, d) + rng.standard_normal((2 * n, d)) * np.linspace(0.3, 1, d)
    found = measure_geometry(x, np.zeros(2 * n, int), side)
    noise = [(c[k] - c[k + 1]) / np.sqrt(2) for c in (x[:n], x[n:]) for k in range(0, n - 1, 2)]
    products = [(noise[a] @ noise[b]) ** 2 for a in range(len(noise)) for b in range(len(noise)) if a != b]
    assert found.trace_square[0] == pytest.approx(np.mean(products), rel=1e-10)  # less the squares of own products
    assert found.trace[0] == pytest.approx(np.mean([one @ one for one in noise]), rel=1e-12)


def test_memory_grows_with_the_samples_not_with_their_pairs():
    rng, n = np.random.default_rng(7), 20_000
    side = np.repeat([1, -1], n)
    x = side[:, None] + rng.standard_normal((2 * n, 8))
    tracemalloc.start()
    measure_geometry(x, np.zeros(2 * n, int), side)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * x.nbytes  # 51 MB; the products of all pairs of differences would take 3.2 GB


def test_means_and_geometry_are_one_measurement():
    x, value, side = draw_values(np.random.default_rng(8), 25)
    means, found = cluster_means(x, value, side), measure_geometry(x, value, side)
    np.testing.assert_array_equal(means.concepts, found.concepts)
    np.testing.assert_allclose(means.midpoints - means.midpoints.mean(axis=0), found.offsets, atol=1e-14)
    for i in range(K_VALUES):
        for column, s in enumerate((1, -1)):
            cluster = x[(value == i) & (side == s)]
            np.testing.assert_allclose(means.means[i, column], cluster.mean(axis=0), rtol=1e-12)
            assert means.excess[i, column] == pytest.approx(np.trace(np.cov(cluster.T)) / 25, rel=1e-12)


def test_values_must_be_all_there():
    x, value, side = draw_values(np.random.default_rng(9), 4)
    for measure in (cluster_means, measure_geometry):
        with pytest.raises(ValueError, match="value must hold every number from 0 to 3, got no 1"):
            measure(x, np.where(value == 1, 3, value), side)
        with pytest.raises(ValueError, match="value 0: x must be finite"):
            measure(np.where(x == x[0, 0], np.inf, x), value, side)
