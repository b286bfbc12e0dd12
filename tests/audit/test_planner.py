"""The planner against the mixture whose risks are exact: laws of both sides, intervals that cover, conflicts, needs."""

from types import SimpleNamespace

import numpy as np
import pytest

from helpers.audit import Forecast, plan
from helpers.audit.planner import pushes_between, words_of_need
from helpers.layouts import TokenLayout, chain, disjoint, shared, star
from helpers.mixture import ValueMixture
from helpers.risk import (
    cluster_risks,
    interactions,
    law_from_interactions,
    log_law,
    one_step_risk,
    samples_for_risk,
)

pytestmark = pytest.mark.slow  # `make check` has no time for it


def labels(sample, layout):
    return SimpleNamespace(value=sample.value, side=sample.side, layout=layout)


def first_step(sample, mixture):
    """Exact risk of the direction of the first step on this very sample, shape (K, 2)."""
    signed = sample.side[:, None] * sample.x
    means = np.array([signed[sample.value == k].mean(axis=0) for k in range(mixture.K)])
    return cluster_risks(mixture.layout.gram @ means, mixture)


@pytest.mark.parametrize("layout", [disjoint(3), shared(4), chain(4), star(3)])
def test_the_law_of_both_sides_is_the_law_and_takes_any_layout_and_half(layout):
    mixture = ValueMixture(layout, 40, 0.5, 0.7)
    sample, Q = mixture.sample(12, np.random.default_rng(0)), np.array([3.0, 40.0, np.inf])
    found = interactions(sample)
    np.testing.assert_allclose(found.law(layout, Q).mean(-1), law_from_interactions(sample, layout, Q), rtol=1e-9)
    other = shared(layout.K)
    np.testing.assert_allclose(found.law(other, 5).mean(-1), law_from_interactions(sample, other, 5), rtol=1e-9)
    half = found.halves(1, seed=3)[0]
    counts = [np.sum((half.value == i) & (half.side == s)) for i in range(layout.K) for s in (1, -1)]
    assert counts == [6] * (2 * layout.K)


def test_each_side_has_its_own_risk_where_a_common_part_is_not_balanced_by_the_concepts():
    # Concepts that lean on b: one side is learned better. The law of each side against the exact risk of many draws.
    mixture = ValueMixture(shared(3), 30, 0.4, 0.8, 0.5)
    rng, Q = np.random.default_rng(2), 20
    exact = np.mean([first_step(mixture.sample(Q, rng), mixture) for _ in range(60)], axis=0)
    told = np.mean([interactions(mixture.sample(60, rng)).law(mixture.layout, Q) for _ in range(40)], axis=0)
    np.testing.assert_allclose(told, np.exp(log_law(mixture, Q)), atol=0.025)  # 40 pilots of 60, .04 each: .006
    np.testing.assert_allclose(told, exact, atol=0.03)  # and N5's own 3 % of z


@pytest.mark.parametrize("layout, v", [(shared(4), 0.4), (disjoint(3), 0.6)])
def test_intervals_hold_the_exact_risk_as_often_as_they_say(layout, v):
    mixture, rng, Q, draws = ValueMixture(layout, 60, v, 1.0), np.random.default_rng(5), 20, 24
    exact, held, runs, wide, means = one_step_risk(mixture, Q), [], [], [], []
    for _ in range(draws):
        pilot = mixture.sample(20, rng)
        found = plan(pilot.x, labels(pilot, layout), halves=40, layouts={}).now
        at, K = found.at(Q), layout.K
        assert found.Q[at] == Q
        held.append((found.low[at, :K] <= exact) & (exact <= found.high[at, :K]))
        for drawn in (pilot, mixture.sample(Q, rng)):  # the pilot as the training set, and another one
            one = first_step(drawn, mixture).mean(axis=1)
            runs.append((found.run_low[at, :K] <= one) & (one <= found.run_high[at, :K]))
            means.append(found.run_low[at, K] <= one.mean() <= found.run_high[at, K])
        wide.append(found.run_high[at, :K] - found.run_low[at, :K])
    # Nominal .95; values of a draw are dependent, so the error of a share is about sqrt(.05 .95 / 24) = .045 at most.
    assert np.mean(held) > 0.95 - 2 * 0.045 and np.mean(runs) > 0.95 - 2 * 0.045 and np.mean(means) > 0.95 - 2 * 0.045
    assert np.mean(wide) < 0.45  # and they say something: half of the scale would not


@pytest.mark.parametrize("layout, l_b", [(disjoint(2), 0.5), (shared(3), 1.5)])
def test_how_far_one_training_set_strays_is_never_said_too_small(layout, l_b):
    mixture, rng, Q = ValueMixture(layout, 40, 0.5, l_b), np.random.default_rng(3), 10
    spread = np.std([first_step(mixture.sample(Q, rng), mixture).mean(axis=1) for _ in range(400)], axis=0)
    told = np.mean([interactions(mixture.sample(40, rng)).strays(layout, Q)[:-1] for _ in range(10)], axis=0)
    # Ten pilots and 400 runs know the ratio to about a tenth.
    assert (told > 0.85 * spread).all() and (told < 2.2 * spread).all()
    assert interactions(mixture.sample(40, rng)).strays(layout, np.inf).max() == 0


def test_pairs_for_a_target_are_those_of_the_closed_form():
    mixture, rng, target = ValueMixture(disjoint(2), 200, 0.45, 0.5), np.random.default_rng(1), 0.05
    Q = samples_for_risk(target, v=0.45, d=200, l_b=0.0)  # centred: the common part has gone
    told = []
    for _ in range(12):
        pilot = mixture.sample(50, rng)
        told.append(plan(pilot.x, labels(pilot, mixture.layout), target=target, halves=10).now.needed(target)[-1])
    assert np.isfinite(told).all() and np.median(told) == pytest.approx(Q, rel=0.3)
    noisy = ValueMixture(disjoint(2), 200, 0.9, 0.5).sample(50, rng)
    found = plan(noisy.x, labels(noisy, disjoint(2)), target=target, halves=10)
    assert not np.isfinite(found.enough["as they are"]).any() and found.way_out(0) is None
    assert "none suffices" in str(found) and "the first step" in str(found)


def test_shared_answers_have_a_floor_and_own_ones_a_lower_one():
    mixture = ValueMixture(shared(4), 60, 0.4, 1.0)
    pilot = mixture.sample(60, np.random.default_rng(0))
    found = plan(pilot.x, labels(pilot, mixture.layout), halves=10)
    assert list(found.options) == ["as they are", "own answers", "own answers for one", "two pairs of answers"]
    floors = [found.options[name].floor[-1] for name in ("own answers", "two pairs of answers", "as they are")]
    assert floors[0] < floors[1] < floors[2]
    # Orthonormal concepts: Phi(-1/(v sqrt kappa)), kappa 1, 2 and 4.
    np.testing.assert_allclose(floors, [0.0062, 0.0385, 0.1056], atol=0.02)
    frame = found.frame()
    assert len(frame) == 4 * 5 and (frame["low"] <= frame["error"]).all() and (frame["error"] <= frame["high"]).all()
    assert plan(pilot.x, labels(pilot, disjoint(4)), halves=10).pushes == ()


def planted(cosine, rng, n=30, d=60, v=0.8, K=3):
    """Values of which the first two have concepts with this cosine, all others orthogonal."""
    concepts = np.eye(K, d)
    concepts[1, :2] = cosine, np.sqrt(1 - cosine**2)
    value, side = np.repeat(np.arange(K), 2 * n), np.tile(np.repeat([1, -1], n), K)
    x = side[:, None] * concepts[value] + 3 * np.eye(d)[5] + v / np.sqrt(5) * rng.standard_normal((len(value), d))
    return x, SimpleNamespace(value=value, side=side, layout=shared(K))


def test_a_planted_conflict_is_named_and_none_that_is_not_there():
    rng, named, false = np.random.default_rng(0), 0, 0
    for _ in range(10):
        found = plan(*planted(-0.7, rng), halves=30, layouts={})
        both = {(one.by, one.on) for one in found.conflicts}
        named += {("value 1", "value 2"), ("value 2", "value 1")} <= both
        false += len(both - {("value 1", "value 2"), ("value 2", "value 1")}) > 0
        hit = next(one for one in found.pushes if (one.by, one.on) == ("value 1", "value 2"))
        assert hit.low < hit.share < hit.high
    assert named == 10  # -.7 against a spread of about .1
    assert false <= 2  # at most .05 each: 3 or more of 10 has probability .012
    quiet = sum(bool(plan(*planted(0.0, rng), halves=30, layouts={}).conflicts) for _ in range(10))
    assert quiet <= 2


def test_noise_alone_names_nothing():
    rng, named = np.random.default_rng(9), 0
    for _ in range(10):  # no value is learned at all: no share exists, and none may be invented
        x, given = planted(0.0, rng)
        named += len(plan(rng.standard_normal(x.shape), given, halves=30, layouts={}).conflicts)
    assert named <= 1


def test_pushes_of_known_products():
    products = np.array([[2.0, -1.0], [-1.0, 4.0]])
    halves = products + 0.01 * np.random.default_rng(0).standard_normal((50, 2, 2))
    one, two = pushes_between(products, halves, ("a", "b"))
    assert (one.by, one.on, one.share) == ("b", "a", -0.5) and (two.by, two.on, two.share) == ("a", "b", -0.25)
    assert one.named and one.low == pytest.approx(-0.5, abs=0.03)
    assert pushes_between(products, 100 * halves - 99 * products + 5 * halves.std() * 0, ("a", "b")) != ()
    assert pushes_between(np.array([[0.01, -1.0], [-1.0, 0.01]]), halves, ("a", "b")) == ()  # nothing to be a share of


def test_a_turned_statement_pushes_against_its_value():
    rng = np.random.default_rng(4)
    x, given = planted(0.0, rng, v=0.5)
    given.side = given.side.copy()
    given.side[[3, 40]] *= -1
    found = plan(x, given, halves=10, layouts={})
    assert set(np.argsort(found.against)[:2]) == {3, 40}


@pytest.mark.parametrize("Q, said", [(1.0, "at most 2"), (17.2, "18"), (123.0, "130"), (np.inf, "none suffices")])
def test_needs_in_words(Q, said):
    assert words_of_need(Q) == said


def test_bad_input_is_told_in_one_sentence():
    x, given = planted(0.0, np.random.default_rng(0), n=7)
    for wrong, words in (
        (dict(target=0.6), "target must lie strictly between 0 and 0.5"), (dict(halves=3), "halves must be"),
        (dict(Q=0), "Q must lie between 1 and"), (dict(embeddings=x[:5]), "sample"),
        (dict(layouts={"two": disjoint(2)}), "layout must have 3 values"),
        (dict(layouts={"as they are": disjoint(3)}), "layouts must map names other than"),
        (dict(preferences=SimpleNamespace(value=given.value[::3], side=given.side[::3], layout=shared(3)),
              embeddings=x[::3]), "at least"),
    ):
        with pytest.raises(ValueError, match=words):
            plan(**(dict(embeddings=x, preferences=given) | wrong))
    with pytest.raises(ValueError, match="at most once"):
        interactions(SimpleNamespace(x=x, value=given.value, side=given.side)).take([1, 1])
    assert isinstance(plan(x, given, halves=10).now, Forecast) and isinstance(shared(3), TokenLayout)
