"""Pushes of pairs on pairs: against token_terms, a real step, and the sum over the matrix; bad input."""

import numpy as np
import pytest
from hypothesis import strategies as st

from helpers.sequences import (
    SequencePairs,
    push_matrix,
    sequence_gradient,
    sequence_margins,
    token_terms,
    total_pushes,
)
from theorems import search

EXACT = dict(rtol=2e-4, atol=2e-4)  # single precision, sums of some hundred products of size 1 to 10


def draw(seed, N=6, V=40, d=5, longest=6):
    rng = np.random.default_rng(seed)

    def answers():
        return [(rng.normal(size=(n, d)), rng.integers(V, size=n)) for n in rng.integers(1, longest + 1, N)]

    return rng.normal(size=(V, d)), SequencePairs.from_answers(answers(), answers())


def pairwise(W, pairs):
    """Brute force: the terms of Theorem D at the reference, in double precision, summed over both pairs' positions."""
    terms = token_terms(W, pairs, pairs.states, pairs.tokens)
    sums = np.zeros((len(pairs), len(pairs.tokens)))
    sums[pairs.pair, np.arange(len(pairs.tokens))] = pairs.sign
    return sums @ (terms.correlation * terms.sharing) @ sums.T


@search("D", seed=st.integers(0, 10**6), N=st.integers(1, 9), d=st.sampled_from([2, 5, 60]), longest=st.integers(1, 9),
        draws=200)
def test_one_gradient_less_the_own_part_is_the_sum_over_the_other_pairs(seed, N, d, longest):
    W, pairs = draw(seed, N=N, d=d, longest=longest)
    W /= np.sqrt(d)
    R = pairwise(W, pairs)
    scale = max(1.0, np.abs(R).max())
    np.testing.assert_allclose(push_matrix(W, pairs) / scale, R / scale, **EXACT)
    labels = np.random.default_rng(seed).choice([-1, 1], (3, N))
    pushes, own = total_pushes(W, pairs, labels)
    np.testing.assert_allclose(own / scale, np.diag(R) / scale, **EXACT)
    others = R - np.diag(np.diag(R))
    np.testing.assert_allclose(pushes / scale, labels * (labels @ others) / scale, **EXACT)
    np.testing.assert_allclose(total_pushes(W, pairs)[0] / scale, others.sum(axis=1) / scale, **EXACT)


@pytest.mark.parametrize("V", [7, 2048, 5000])  # less than a block, one, more than two
def test_both_ways_to_the_matrix_and_any_number_of_blocks(V):
    for shape in (dict(N=2, longest=20, d=3), dict(N=40, longest=1, d=50)):  # by pair, by position
        W, pairs = draw(3, V=V, **shape)
        R = pairwise(W, pairs)
        np.testing.assert_allclose(push_matrix(W, pairs) / np.abs(R).max(), R / np.abs(R).max(), **EXACT)


def test_one_small_step_moves_margins_by_the_row_sums():
    W, pairs = draw(1)
    beta, lr = 0.3, 1e-5
    step = W - lr * sequence_gradient(W, W, pairs, beta=beta)
    moved = sequence_margins(step, W, pairs, beta=beta) / (lr * beta**2 / 2 / len(pairs))
    np.testing.assert_allclose(moved, push_matrix(W, pairs).sum(axis=1), rtol=3e-3)  # the step's own square: lr |R|


def test_an_exchanged_pair_turns_its_row_and_its_column():
    W, pairs = draw(2)
    turned = SequencePairs(pairs.states, pairs.tokens, pairs.pair, np.where(pairs.pair == 3, -pairs.sign, pairs.sign))
    sign = np.where(np.arange(len(pairs)) == 3, -1, 1)
    np.testing.assert_allclose(push_matrix(W, turned), sign[:, None] * push_matrix(W, pairs) * sign, rtol=1e-5)


@pytest.mark.parametrize("wrong, words", [
    (dict(labels=[1, 1]), "labels must hold 1 or -1 for each of 6 pairs"),
    (dict(labels=[0] * 6), "labels must hold"),
    (dict(labels=["a"] * 6), "labels must hold numbers"),
    (dict(W=np.ones((40, 4))), "must fit W"),
    (dict(W=np.ones((3, 5))), "must fit W"),
    (dict(pairs=None), "pairs must be SequencePairs"),
])
def test_bad_input_is_told_in_one_sentence(wrong, words):
    W, pairs = draw(0)
    with pytest.raises(ValueError, match=words):
        total_pushes(**(dict(W=W, pairs=pairs) | wrong))
