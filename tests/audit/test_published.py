"""The paper's checks as published: brute force, what they cannot see, and what does not fit."""

import numpy as np
import pytest

from helpers.audit import published_cosines, published_norms

RNG = np.random.default_rng(0)
VALUE, SIDE = np.repeat(np.arange(3), 8), np.tile(np.repeat([1, -1], 4), 3)
X = RNG.normal(size=(24, 6)) + 3


@pytest.mark.parametrize("again", [True, False])
def test_cosines_by_loops_over_statements(again):
    before, after = published_cosines(X, VALUE, SIDE, again=again)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    rest = unit - unit[SIDE == 1].mean(axis=0)
    if again:
        rest /= np.linalg.norm(rest, axis=1, keepdims=True)
    for found, rows in ((before, unit), (after, rest)):
        for i in range(3):
            for k in range(3):
                products = [rows[a] @ rows[b] for a in range(24) for b in range(24)
                            if (VALUE[a], SIDE[a], VALUE[b], SIDE[b]) == (i, 1, k, 1)]
                assert found[i, k] == pytest.approx(np.mean(products), rel=1e-10)


def test_the_misaligned_side_does_not_enter():
    other = np.where(SIDE[:, None] == 1, X, 100.0)
    for check in (published_cosines, published_norms):
        for one, two in zip(check(X, VALUE, SIDE), check(other, VALUE, SIDE), strict=True):
            np.testing.assert_array_equal(one, two)


def test_centred_products_average_to_minus_the_spread_of_the_groups():
    _, after = published_cosines(X, VALUE, SIDE, again=False)
    assert after[~np.eye(3, dtype=bool)].mean() == pytest.approx(-np.trace(after) / 6, rel=1e-10)


@pytest.mark.parametrize("d", [3, 6])  # more statements than dimensions, and fewer
def test_norms_are_those_of_the_sample_covariance(d):
    x = X[:, :d]
    for reading in ("each", "average"):
        norm, trace = published_norms(x, VALUE, SIDE, norm=reading)
        for i in range(3):
            rows = x[(VALUE == i) & (SIDE == 1)]
            length = np.linalg.norm(rows, axis=1, keepdims=True)
            rows = rows / (length if reading == "each" else np.sqrt((length**2).mean()))
            assert norm[i] == pytest.approx(np.linalg.norm(np.cov(rows.T)), rel=1e-10)
            assert trace[i] == pytest.approx(np.trace(np.cov(rows.T)), rel=1e-10)


def test_bad_input_gets_one_sentence():
    zero = X.copy()
    zero[0] = 0
    with pytest.raises(ValueError, match="^x must hold no statement of length 0"):
        published_cosines(zero, VALUE, SIDE)
    with pytest.raises(ValueError, match="^norm must be a known name, got 'mean'"):
        published_norms(X, VALUE, SIDE, norm="mean")
    with pytest.raises(ValueError, match="^again must be True or False"):
        published_cosines(X, VALUE, SIDE, again=2)
    with pytest.raises(ValueError, match="must have N rows each"):
        published_cosines(X, VALUE[:-1], SIDE)
