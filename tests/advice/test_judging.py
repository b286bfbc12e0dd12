"""Judging pairs by the others: planted exchanges are found, turned labels are signs, chance is a coin, bad input."""

import numpy as np
import pytest

from helpers.advice import judge, judge_many
from helpers.advice.pair_report import value_pushes


def gradients(rng, N=40, common=1.0, d=50):
    """Pushes of N pairs whose gradients share one direction, noise besides."""
    g = rng.standard_normal((N, d))
    g[:, 0] += common * np.sqrt(d) / 3
    return g @ g.T


@pytest.mark.parametrize("seed", range(5))
def test_planted_exchanges_are_the_lowest(seed):
    rng = np.random.default_rng(seed)
    sign = np.ones(40)
    wrong = rng.choice(40, 4, replace=False)
    sign[wrong] = -1
    found = judge(sign[:, None] * gradients(rng, common=2.0) * sign, draws=200)
    assert set(found.order[:4]) == set(wrong) and set(wrong) <= set(found.hard)
    assert found.p < 0.05 and found.low < 0.9 < found.high + 0.1
    right = found.turned(wrong.tolist())
    assert not right.hard and right.right.all()


def test_random_exchanges_are_found_as_often_as_the_page_says():
    rng = np.random.default_rng(7)
    R = gradients(rng, common=0.9)
    whole, hits = judge(R, draws=0), 0
    for j in range(40):  # each pair alone
        hits += j in whole.turned([j]).hard
    # Exchanging pair j turns its own force exactly; its unit stays.
    assert hits == round(40 * whole.would_be_found) and 0 < hits < 40


def test_labels_by_a_coin_are_told_from_labels_that_agree():
    rng, p = np.random.default_rng(1), []
    for _ in range(40):
        sign = rng.choice([-1, 1], 40)
        p.append(judge(sign[:, None] * gradients(rng) * sign, draws=200).p)
    assert np.mean(np.array(p) < 0.05) < 0.15  # .05, standard error .035
    assert judge(gradients(rng), draws=200).p < 0.01


def test_beyond_chance_counts_all_pairs():
    rng, named = np.random.default_rng(3), 0
    for _ in range(100):
        g = rng.standard_normal((40, 60))
        named += bool(judge(g @ g.T, draws=0).beyond_chance)
    assert named <= 11  # .05 at most: 12 or more of 100 has probability .004


def test_many_pairs_are_judged_as_few():
    rng = np.random.default_rng(2)
    R = gradients(rng)
    others, coins = R - np.diag(np.diag(R)), rng.choice([-1, 1], (400, 40))
    few = judge(R, draws=100)
    many = judge_many(others.sum(1), np.diag(R), coins * (coins @ others))
    np.testing.assert_allclose(many.force, few.force, rtol=0.25)  # 1 / sqrt(800) = .035, five of them and more
    assert (many.right == few.right).all() and many.p < 0.01 and abs(many.chance - few.chance) < 0.03
    assert many.against(0) == [] and many.fights() == []
    with pytest.raises(ValueError, match="turned needs the matrix"):
        many.turned([0])


def test_fights_are_shares_of_own_steps():
    R = np.array([[4.0, -2.0, 0.1], [-2.0, 2.0, 0.0], [0.1, 0.0, 1.0]])
    (fight,) = judge(R, draws=0).fights()
    assert fight == (0, 1, 0.5, 1.0)


def test_values_with_opposed_pairs_are_named_and_others_are_not():
    rng, value, false = np.random.default_rng(0), np.repeat([0, 1, 2], 20), 0
    for _ in range(10):
        g = rng.standard_normal((60, 40)) * 0.3
        g[:20, 0] += 1
        g[20:40, 0] -= 0.8
        g[20:40, 1] += 0.6
        g[40:, 2] += 1
        named = {(one.by, one.on) for one in value_pushes(g @ g.T - np.diag((g**2).sum(1)), value, ("a", "b", "c"))
                 if one.named}
        assert {("a", "b"), ("b", "a")} <= named
        false += bool(named - {("a", "b"), ("b", "a")})
    assert false <= 2  # at most .05 each
    assert value_pushes(np.zeros((4, 4)), np.zeros(4, int), ("a",)) == ()


@pytest.mark.parametrize("call, words", [
    (lambda: judge(np.ones((2, 2))), "at least 3 pairs"),
    (lambda: judge(np.triu(np.ones((4, 4)))), "symmetric"),
    (lambda: judge(np.full((4, 4), np.nan)), "finite"),
    (lambda: judge_many(np.ones(4), np.ones(4), np.ones((2, 4))), "at least 4"),
])
def test_bad_input_is_told_in_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()
