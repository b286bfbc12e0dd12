"""The mixture against its definition: means, noise, order, and the tilted concepts of Appendix C."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.layouts import disjoint, shared
from helpers.mixture import Sample, ValueMixture


def test_concepts_are_orthonormal_and_orthogonal_to_the_shared_component():
    mixture = ValueMixture(disjoint(5), 9, 0.3, 0.5)
    assert np.array_equal(mixture.concepts @ mixture.concepts.T, np.eye(5))
    assert np.array_equal(mixture.concepts @ mixture.shared, np.zeros(5))
    assert np.linalg.norm(mixture.shared) == 0.5 and mixture.shared.shape == (9,) and mixture.K == 5
    assert np.array_equal(mixture.mean(2, -1), mixture.shared - mixture.concepts[2])
    assert np.array_equal(mixture.means, [[mixture.mean(value, side) for side in (1, -1)] for value in range(5)])


@pytest.mark.theorem("C.2")
@given(K=st.integers(1, 8), extra=st.integers(1, 4), delta=st.floats(0, 1))
def test_tilted_concepts_meet_the_definition_and_the_lemma(K, extra, delta):
    concepts = ValueMixture(disjoint(K), K + extra, 0.1, 0.3, delta).concepts
    basis = np.eye(K + extra)[1 : K + 1]
    tiny = 1e-12  # rounding of a few products of numbers of size 1
    assert np.allclose(np.linalg.norm(concepts, axis=1), 1, rtol=0, atol=tiny)
    # The product with the basis vector is the least that the definition allows.
    assert np.allclose((concepts * basis).sum(axis=1), 1 - delta**2 / 8, rtol=0, atol=tiny)
    assert (np.linalg.norm(concepts - basis, axis=1) <= delta / 2 + tiny).all()
    assert (np.abs(concepts[:, 0]) <= delta / 2 + tiny).all()
    assert (np.abs(concepts @ concepts.T - np.diag(np.ones(K))) <= delta + tiny).all()


def test_delta_tilts_towards_both_the_shared_component_and_another_concept():
    concepts = ValueMixture(disjoint(3), 6, 0.1, 0.3, delta=0.4).concepts
    assert (concepts[:, 0] > 0.1).all() and concepts[0] @ concepts[1] > 0.1


def test_samples_have_the_means_and_the_noise_of_their_clusters():
    mixture, Q = ValueMixture(shared(3), 7, 0.4, 0.5), 4000
    sample = mixture.sample(Q, np.random.default_rng(1))
    assert isinstance(sample, Sample) and len(sample) == 6 * Q and sample.x.shape == (6 * Q, 7)
    for value in range(3):
        for side in (1, -1):
            noise = sample.x[(sample.value == value) & (sample.side == side)] - mixture.mean(value, side)
            assert len(noise) == Q
            # Five standard errors, of means v / sqrt(Q), of variances sqrt(2 / Q) relative.
            assert np.abs(noise.mean(axis=0)).max() < 5 * 0.4 / np.sqrt(Q)
            assert np.abs(noise.var(axis=0) / 0.4**2 - 1).max() < 5 * np.sqrt(2 / Q)
            # Coordinates are independent: correlations have standard error 1 / sqrt(Q).
            assert np.abs(np.corrcoef(noise.T) - np.eye(7)).max() < 5 / np.sqrt(Q)


def test_without_noise_a_sample_is_its_mean():
    mixture = ValueMixture(disjoint(2), 4, 0.0, 0.3)
    sample = mixture.sample(2, np.random.default_rng(0))
    means = [mixture.mean(v, s) for v, s in zip(sample.value, sample.side, strict=True)]
    assert np.array_equal(sample.x, means)
    assert sample.value.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert sample.side.tolist() == [1, 1, -1, -1, 1, 1, -1, -1]


def test_counts_may_differ_and_may_be_zero():
    counts = np.array([[3, 0], [1, 2]])
    sample = ValueMixture(disjoint(2), 4, 0.2, 0.3).sample(counts, np.random.default_rng(0))
    assert sample.value.tolist() == [0, 0, 0, 1, 1, 1] and sample.side.tolist() == [1, 1, 1, 1, -1, -1]


def test_the_generator_decides_the_sample():
    mixture = ValueMixture(disjoint(2), 4, 0.2, 0.3)
    first, again, other = (mixture.sample(3, np.random.default_rng(seed)).x for seed in (5, 5, 6))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d": 3}, r"^d must be at least K \+ 1 = 4, got 3$"),
        ({"d": 4.0}, "^d must be a whole number"),
        ({"v": -0.1}, "^v must lie between 0 and .* got -0.1$"),
        ({"v": np.nan}, "^v must"),
        ({"l_b": -1.0}, "^l_b must"),
        ({"delta": 1.5}, "^delta must lie between 0 and 1, got 1.5$"),
        ({"layout": "disjoint"}, "^layout must be a TokenLayout, got 'disjoint'$"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        ValueMixture(**{"layout": disjoint(3), "d": 6, "v": 0.1, "l_b": 0.5} | change)


@pytest.mark.parametrize(
    "Q", [0, -2, 1.5, True, [[1, 1]], [[1, -1], [1, 1]], [[0, 0], [0, 0]], [[1.0, 1.0], [1.0, 1.0]], "2"]
)
def test_bad_Q_is_named(Q):
    with pytest.raises(ValueError, match="^Q must be a whole number"):
        ValueMixture(disjoint(2), 4, 0.2, 0.3).sample(Q, np.random.default_rng(0))


def test_bad_places_and_generators_are_named():
    mixture = ValueMixture(disjoint(2), 4, 0.2, 0.3)
    with pytest.raises(ValueError, match="^value must be a whole number from 0 to 1, got 2$"):
        mixture.mean(2, 1)
    with pytest.raises(ValueError, match="^value must be a whole number"):
        mixture.mean(0.5, 1)
    with pytest.raises(ValueError, match="^side must be 1 or -1, got 0$"):
        mixture.mean(0, 0)
    with pytest.raises(ValueError, match="^rng must be a numpy.random.Generator, got 0$"):
        mixture.sample(1, 0)


def test_bad_arrays_are_shown_on_one_line():
    mixture = ValueMixture(disjoint(2), d=5, v=0.1, l_b=0.1)
    for call in (lambda: mixture.counts(np.ones((2, 2))), lambda: mixture.mean(0, np.ones((2, 2)))):
        with pytest.raises(ValueError, match=r"^(Q|side) must be .*, got an array of shape \(2, 2\)$"):
            call()
    with pytest.raises(ValueError, match=r"^Q must be a whole number from 1 to 9007199254740992, got 1000"):
        mixture.counts(10**30)
