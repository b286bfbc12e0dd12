"""The 16 steps of the proof: every inequality holds where the theorem does, with the slack of the reference."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from helpers.bounds.proof import (
    HORIZON,
    STEPS,
    Evidence,
    slack,
    step_3_interactions,
    step_4_union_bound,
    step_7_sharing,
    step_11_events,
)
from helpers.dynamics.flow import gradient_flow, noise_free_margin
from helpers.layouts import chain, disjoint, grid, star
from helpers.mixture import ValueMixture

pytestmark = pytest.mark.slow  # `make check` has no time for it

# Layout, l_b, Q, and whether Q is large enough for the event of B.1 in both its parts.
CASES = {
    "disjoint": (disjoint(3), 0.5, 160, True),
    "chain": (chain(3), 0.35, 300, True),
    "star": (star(4), 0.25, 60, False),
    "grid": (grid(16), 0.25, 20, False),
}


def region(layout, l_b, Q):
    return ValueMixture(layout, 5 * Q, 1 / (32 * np.sqrt(Q)), l_b)


@pytest.fixture(scope="module", params=CASES)
def steps(request):
    layout, l_b, Q, event = CASES[request.param]
    return slack(region(layout, l_b, Q), Q, np.random.default_rng(0), draws=3), event


def test_there_are_sixteen_in_order(steps):
    found, _ = steps
    assert [step.number for step in found] == list(range(1, 17))
    assert [step.key for step in found] == list(STEPS) and all(found[step.key] is step for step in found)
    assert all(np.isfinite([step.left, step.right]).all() and step.unit in ("ratio", "log10") for step in found)


@pytest.mark.theorem("B.1")
@pytest.mark.theorem("4.2")
def test_every_inequality_holds(steps):
    found, event = steps
    for step in found[:15]:
        # The main text's failure probability is below the appendix's where both say nothing, and the reverse beyond.
        if step.number == 13 or (not event and step.number <= 4):
            continue
        for name, (left, right) in step.sides.items():
            assert left <= right + 1e-12, f"{step.number} {name}: {left} > {right}"


def test_the_slack_of_the_reference():
    Q = 60
    found = slack(region(disjoint(3), 0.5, Q), Q, np.random.default_rng(1), draws=3)
    assert 3 < found["B.2"].ratio < 12  # measured ratio about 5 to 6
    assert found["pushes"].sides["smallest push"][1] == pytest.approx(0.448, abs=2e-3)
    sides = found["envelope"].sides
    assert 7.4 * 0.98 <= sides["4.2, lower"][1] / sides["4.2, lower"][0] <= 8.1
    assert 4.9 * 0.98 <= sides["4.2, upper"][1] / sides["4.2, upper"][0] <= 5.4
    assert found["horizon"].ratio == pytest.approx(7.05, rel=0.05)
    assert 1 < found["tracking"].ratio < 1.25
    assert 1 < found["discretization"].ratio < 1.3


def test_sides_are_what_they_say():
    """Steps 3, 5 and 6 recomputed from the interaction matrix itself."""
    Q, mixture = 8, ValueMixture(chain(3), 12, 0.01, 0.3)
    sample = mixture.sample(Q, np.random.default_rng(2))
    found = slack(mixture, Q, np.random.default_rng(3), sample=sample, draws=2)
    signed = sample.side[:, None] * sample.x
    G = 2 * mixture.layout.gram[np.ix_(sample.value, sample.value)]
    C = G * (signed @ signed.T)
    clean = sample.side[:, None] * mixture.means[sample.value, (1 - sample.side) // 2]
    centre = G * (clean @ clean.T) + 2 * 12 * 0.01**2 * np.eye(len(G))
    stray = np.abs(C - centre)[G != 0] / np.abs(G)[G != 0]
    assert found["B.1"].left == pytest.approx(stray.max(), rel=1e-9)
    epsilon = 1 / (16 * 0.01 * 4)  # the largest allowed, Z = 2
    noise = sample.x - mixture.means[sample.value, (1 - sample.side) // 2]
    cross = mixture.means[sample.value, (1 - sample.side) // 2] @ noise.T
    for key, part in (("linear", cross + cross.T), ("bilinear", noise @ noise.T - 12 * 0.01**2 * np.eye(len(G)))):
        assert found[key].left == pytest.approx(np.abs(part[G != 0]).max(), rel=1e-9)
        assert found[key].right == pytest.approx(epsilon * 0.01, rel=1e-12)
    assert found["B.1"].right == pytest.approx(2 * epsilon * 0.01, rel=1e-12)
    r = gradient_flow(sample, mixture.layout, [0.4 * np.log(3)]).margins[-1]
    assert found["B.2"].left == pytest.approx(np.abs((C - centre) @ expit(-r)).max(), rel=1e-6)
    assert found["pushes"].sides["smallest push"] == (0.25, pytest.approx(expit(-r).min(), rel=1e-9))
    assert found["events"].left == 4 * Q * 5 and found["events"].right == 2 * 3 * Q**2
    ahead, bound = found["discretization"].sides["ahead of the flow"]
    r, h = 0.0, 0.4 * np.log(3) / 20
    for _ in range(20):
        r += h * expit(-r)
    assert ahead == pytest.approx(r - noise_free_margin(20 * h), rel=1e-9)
    assert bound == pytest.approx(20 * h * h / 16)


def test_how_often_the_event_fails_is_counted_at_twice_epsilon_v():
    """At half of the largest deviation of a data set as epsilon v, that data set is on the edge of the event."""
    mixture, Q = ValueMixture(disjoint(2), 12, 0.02, 0.4), 4
    draws = [mixture.sample(Q, np.random.default_rng(seed)) for seed in range(9)]
    one = Evidence(mixture, Q, draws[0], tuple(draws[1:]))
    largest = sorted(step_3_interactions(replace(one, sample=draw)).left for draw in draws[1:])
    edge = (largest[2] + largest[3]) / 2  # five of the eight stray further
    found = step_4_union_bound(replace(one, epsilon=edge / 2 / mixture.v))
    assert found.left == 5 / 8


def test_some_steps_alone_are_the_same_steps():
    mixture, Q = region(chain(3), 0.35, 8), 8
    full, some = (np.random.default_rng(5) for _ in range(2))
    steps = slack(mixture, Q, full, draws=2)
    assert slack(mixture, Q, some, draws=2, only=("law", "risk", "union")) == (steps[3], steps[9], steps[15])
    assert full.random() == some.random()  # what is drawn does not depend on what is asked for
    assert steps[2:4] == (steps["B.1"], steps["union"]) and steps[-1].key == "law"
    with pytest.raises(ValueError, match="^key must be a known name, got 'envelop'; did you mean 'envelope'"):
        steps["envelop"]
    with pytest.raises(ValueError, match="^only must be a known name, got 'B.3'; did you mean"):
        slack(mixture, Q, full, only=["B.3"])


def test_a_step_computes_no_more_than_it_needs():
    mixture, rng = region(disjoint(2), 0.5, 6), np.random.default_rng(6)
    given = Evidence(mixture, 6, mixture.sample(6, rng), ())
    assert step_11_events(given).sides == {"events": (4 * 6 * 3, 2 * 2 * 36)} and "flow" not in vars(given)
    assert step_7_sharing(given).right == 6 / 8 and given.flow.S[-1] == HORIZON
    assert given.flow is vars(given)["flow"]  # once for all steps


def test_ratios_follow_their_unit():
    Q = 40
    for step in slack(region(disjoint(2), 0.5, Q), Q, np.random.default_rng(4), draws=1):
        if step.unit == "log10":
            assert step.ratio == step.right - step.left
        else:
            assert step.ratio == (step.right / step.left if step.left else np.inf)


@pytest.mark.parametrize(
    ("mixture", "setting", "message"),
    [
        (ValueMixture(disjoint(2), 8, 0.0, 0.5), {}, "^v must be a finite number above 0, got 0.0$"),
        (ValueMixture(disjoint(2), 8, 0.1, 0.5, 0.2), {},
         "^mixture must have orthonormal concepts, delta = 0, got delta = 0.2$"),
        (ValueMixture(disjoint(2), 8, 0.1, 0.5), {"epsilon": -1.0}, "^epsilon must be a finite number above 0"),
        (ValueMixture(disjoint(2), 8, 0.1, 0.5), {"draws": 0}, "^draws must be a whole number of at least 1"),
        (ValueMixture(disjoint(2), 8, 0.1, 0.5), {"failure": 0.0}, "^failure must lie strictly between"),
    ],
)
def test_bad_arguments_are_named(mixture, setting, message):
    with pytest.raises(ValueError, match=message):
        slack(mixture, 4, np.random.default_rng(0), **setting)
