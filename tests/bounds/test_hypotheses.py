"""Hypotheses as data: the right ones for each theorem, each true exactly up to its limit."""

import numpy as np
import pytest

from helpers.bounds.hypotheses import conditions
from helpers.layouts import TokenLayout, chain, disjoint, grid, shared, star

INSIDE = {"Q": 50, "d": 250, "v": 1 / (32 * np.sqrt(50)), "l_b": 0.5}


def verdicts(layout, theorem="4.2", **changes):
    return {(c.name, c.relation): c.holds for c in conditions(layout, theorem=theorem, **(INSIDE | changes))}


def test_the_limits_are_the_numbers_that_the_theorems_print():
    """Literal numbers at Q = 64, d = 7, Z = 2, l_b = 1/4: v <= 1/256 in the main text and 1/32 in the appendix."""
    setting = dict(Q=64, d=7, v=0.001, l_b=0.25, delta=0.001)
    body = [("values with the same two answers", "<=", 1), ("Z", "<=", 4), ("l_b", ">=", 0.25), ("l_b", "<=", 0.5),
            ("d", "<=", 320)]
    main, appendix, epsilon = ("v", "<=", 0.00390625), ("v", "<=", 0.03125), ("epsilon", "<=", 15.625)
    wanted = {
        "4.2": [*body, main],
        "4.3": [*body, main, ("Q", ">=", 40)],
        "B.3": [*body, appendix, epsilon],
        "B.4": [*body, appendix, ("Q", ">=", 2), epsilon],
        "C.5": [*body, appendix, epsilon, ("delta", "<=", 0.001953125)],
        "C.6": [*body, appendix, ("Q", ">=", 2), epsilon, ("delta", "<=", 0.001953125)],
    }
    for theorem, rows in wanted.items():
        found = conditions(chain(3), theorem=theorem, **setting)
        assert [(row.name, row.relation, row.limit) for row in found] == rows, theorem
    values = {row.name: row.value for row in conditions(chain(3), theorem="C.6", **setting)}
    assert values == {"values with the same two answers": 1, "Z": 2, "l_b": 0.25, "d": 7, "v": 0.001, "Q": 64,
                      "epsilon": 15.625, "delta": 0.001}


@pytest.mark.theorem("B.4")
@pytest.mark.parametrize("layout", [disjoint(1), disjoint(5), chain(4), star(3), star(9), grid(16), grid(5)])
def test_two_samples_a_cluster_are_enough_for_the_union(layout):
    """2 n <= 2 K Q^2, from Q = 2 on, for the n training points of values that share a token with the one asked."""
    related = (layout.gram != 0).sum(axis=1).max()
    assert all(2 * 2 * Q * related <= 2 * layout.K * Q**2 for Q in range(2, 50))
    assert not verdicts(disjoint(3), "B.4", Q=1, d=5)["Q", ">="] and verdicts(disjoint(3), "B.4", Q=2, d=5)["Q", ">="]


def test_at_the_edge_of_the_region_all_hold():
    for theorem in ("4.2", "4.3", "B.3", "B.4", "C.5", "C.6"):
        assert all(verdicts(disjoint(3), theorem).values()), theorem
    assert all(verdicts(grid(16), "4.3", l_b=0.25).values())
    at_the_limit = 1 / np.sqrt(12)  # 1 / (4 l_b^2) is 3 less 9e-16
    assert 1 / (4 * at_the_limit**2) < 3 and all(verdicts(star(3), "4.3", l_b=at_the_limit).values())


def test_without_noise_no_epsilon_is_asked_for():
    found = verdicts(disjoint(3), "C.5", v=0.0)
    assert all(found.values()) and ("epsilon", "<=") not in found


@pytest.mark.parametrize(
    ("layout", "changes", "failed"),
    [
        (chain(3), {}, {("Z", "<=")}),
        (disjoint(3), {"l_b": 0.2}, {("l_b", ">=")}),
        (disjoint(3), {"l_b": 0.501}, {("l_b", "<="), ("Z", "<=")}),
        (disjoint(3), {"d": 251}, {("d", "<=")}),
        (disjoint(3), {"v": 0.01}, {("v", "<=")}),
        (disjoint(3), {"Q": 39, "d": 195}, {("Q", ">=")}),
        (shared(2), {"l_b": 0.3}, {("values with the same two answers", "<=")}),
        (TokenLayout(((0, 1), (1, 0))), {"l_b": 0.3}, {("values with the same two answers", "<=")}),
    ],
)
def test_each_hypothesis_fails_alone(layout, changes, failed):
    found = verdicts(layout, "4.3", **changes)
    assert {name for name, holds in found.items() if not holds} == failed


def test_the_appendix_allows_eight_times_the_noise():
    v = 1 / (4 * np.sqrt(50))
    assert verdicts(disjoint(3), "B.3", v=v)["v", "<="] and not verdicts(disjoint(3), "4.2", v=v)["v", "<="]


def test_epsilon_and_delta_have_their_limits():
    v = INSIDE["v"]
    limit = 1 / (16 * v * 3)
    assert verdicts(disjoint(3), "B.3", epsilon=limit)["epsilon", "<="]
    assert not verdicts(disjoint(3), "B.3", epsilon=1.001 * limit)["epsilon", "<="]
    assert verdicts(disjoint(3), "C.5", delta=limit * v / 8)["delta", "<="]
    assert not verdicts(disjoint(3), "C.5", delta=limit * v / 7.9)["delta", "<="]
    assert ("delta", "<=") not in verdicts(disjoint(3), "B.3", delta=0.5)


def test_a_condition_reads_as_a_sentence():
    (found,) = [c for c in conditions(disjoint(3), **(INSIDE | {"d": 300})) if c.name == "d"]
    assert str(found) == "d <= 250: fails, d = 300"


def test_without_a_shared_component_any_Z_is_allowed():
    assert verdicts(shared(9), l_b=0.0)["Z", "<="]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"theorem": "4.4"}, "^theorem must be a known name, got '4.4'"),
        ({"Q": 0}, "^Q must be a whole number of at least 1, got 0$"),
        ({"v": -0.1}, "^v must lie between 0 and"),
        ({"delta": 1.5}, "^delta must lie between 0 and 1, got 1.5$"),
        ({"theorem": "B.3", "epsilon": 0.0}, "^epsilon must be a finite number above 0, got 0.0$"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        conditions(disjoint(2), **(INSIDE | changes))
