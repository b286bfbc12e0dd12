"""Token layouts against brute force over one-hot vectors and against the constants of the paper's cases."""

from itertools import chain as joined

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.layouts import TokenLayout, chain, disjoint, grid, shared, star

pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda p: p[0] != p[1]), min_size=1, max_size=8)


@given(pairs)
def test_numbers_agree_with_brute_force(pairs):
    layout = TokenLayout(tuple(pairs))
    one_hot = np.eye(7)
    u = [one_hot[a] - one_hot[b] for a, b in pairs]
    gram = np.array([[first @ second / 2 for second in u] for first in u])
    # Sums of multiples of 1/4 are exact in floating point, so everything is compared with ==.
    assert (layout.gram == gram).all()
    assert (layout.kappa == [sum(g * g for g in row) for row in gram]).all()
    assert (layout.nu == [sum(abs(g) for g in row) for row in gram]).all()
    assert layout.Z == max(sum(token in pair for pair in pairs) for token in range(7))
    assert set(layout.tokens) == set(joined(*pairs)) and len(set(layout.tokens)) == len(layout.tokens)
    assert tuple((layout.tokens[a], layout.tokens[b]) for a, b in layout.indices) == layout.pairs
    assert (layout.incidence.sum(axis=1) == 0).all() and (np.abs(layout.incidence).sum(axis=1) == 2).all()
    # Section 3.2: sharing is bounded by Z.
    assert (layout.nu - 1 <= 2 * (layout.Z - 1)).all()


@pytest.mark.parametrize("K", [1, 2, 5, 16])
def test_constants_of_the_named_layouts(K):
    one, rest = np.ones(K), np.arange(K)
    neighbours = (rest > 0).astype(int) + (rest < K - 1)
    expected = {
        disjoint: (one, one, 1, 2 * K),
        chain: (1 + neighbours / 4, 1 + neighbours / 2, min(K, 2), K + 1),
        star: (one * (1 + (K - 1) / 4), one * (1 + (K - 1) / 2), K, K + 1),
        shared: (one * K, one * K, K, 2),
    }
    for make, (kappa, nu, Z, tokens) in expected.items():
        layout = make(K)
        assert layout.K == K and layout.Z == Z and len(layout.tokens) == tokens
        assert (layout.kappa == kappa).all() and (layout.nu == nu).all()


def test_the_grid_is_the_worst_case_that_the_theorems_allow():
    layout = grid(16)
    assert layout.pairs == tuple((i // 4, 4 + i % 4) for i in range(16))
    assert layout.Z == 4 and (layout.kappa == 2.5).all() and (layout.nu == 4).all()
    assert ((layout.gram != 0).sum(axis=1) - 1 == 6).all()


def test_which_answer_is_preferred_in_chain_and_star():
    assert chain(3).pairs == ((0, 1), (1, 2), (2, 3)) and star(3).pairs == ((0, 1), (0, 2), (0, 3))


@pytest.mark.parametrize("K", range(1, 30))
def test_a_grid_of_any_size_has_distinct_pairs(K):
    assert len(set(grid(K).pairs)) == grid(K).K == K


def test_swapped_tokens_and_neighbours_of_the_chain_are_opposed():
    assert TokenLayout((("Yes", "No"), ("No", "Yes"))).gram[0, 1] == -1
    assert chain(3).gram[0, 1] == -0.5 and star(3).gram[0, 1] == 0.5


def test_a_layout_is_a_value():
    layout = TokenLayout([["Yes", "No"]])
    assert layout == TokenLayout((("Yes", "No"),)) and hash(layout) == hash(TokenLayout((("Yes", "No"),)))
    for array in (layout.gram, layout.kappa, layout.nu, layout.indices, layout.incidence):
        assert not array.flags.writeable


@pytest.mark.parametrize("bad", [(), [("a", "a")], [("a", "b", "c")], ["ab"], [3], [("a",)], [(["a"], "b")],
                                 [{"a", "b"}], [{0: 1, 1: 0}], [np.ones((2, 2))]])
def test_bad_pairs_are_named(bad):
    with pytest.raises(ValueError, match="^pairs must hold .* got "):
        TokenLayout(bad)


@pytest.mark.parametrize("make", [disjoint, chain, star, grid, shared])
@pytest.mark.parametrize("K", [0, -1, 2.0, "4", True])
def test_bad_K_is_named(make, K):
    with pytest.raises(ValueError, match="^K must be a whole number of at least 1, got "):
        make(K)


@pytest.mark.parametrize("bad", [None, 3, "ab", {0: 1}])
def test_pairs_that_are_no_list_are_named(bad):
    with pytest.raises(ValueError, match="^pairs must be a list of pairs of tokens, got "):
        TokenLayout(bad)
