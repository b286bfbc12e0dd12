"""The errors of the first step against one step of the trainer itself, and against the exact expectation N3."""

import numpy as np
import pytest

from helpers.layouts import chain, disjoint, shared, star
from helpers.mixture import Sample, ValueMixture
from helpers.risk.one_step import log_one_step_risk
from helpers.risk.trials import first_step_errors
from helpers.training.last_layer import train_last_layer


class Pairs:
    """The part of `Preferences` that the trainer reads."""

    def __init__(self, value, side, layout):
        self.value, self.side, self.layout = value, side, layout


@pytest.mark.parametrize("layout", [disjoint(2), chain(3), star(3), shared(3)], ids=lambda t: f"K{t.K} Z{t.Z}")
def test_it_is_one_step_of_the_trainer_on_the_samples_that_are_dealt(layout):
    sample = ValueMixture(layout, 9, 0.7, 0.5).sample(12, np.random.default_rng(0))
    found = first_step_errors(sample, layout, [3, 5], np.random.default_rng(4))
    rng, dealt = np.random.default_rng(4), {}
    for i in range(layout.K):
        for s in (1, -1):
            dealt[i, s] = rng.permutation(np.flatnonzero((sample.value == i) & (sample.side == s)))
    for at, Q in enumerate((3, 5)):
        rows = np.concatenate([order[:Q] for order in dealt.values()])
        known = Pairs(sample.value[rows], sample.side[rows], layout)
        for (i, s), order in dealt.items():
            rest = order[Q:]
            test = sample.x[rest], Pairs(sample.value[rest], sample.side[rest], layout)
            run = train_last_layer(sample.x[rows], known, beta=0.3, lr=0.7, steps=1, test=test)
            assert found[at, i, (1 - s) // 2] == pytest.approx(np.mean(run.test_margins[-1] <= 0))


@pytest.mark.theorem("N3")
def test_its_mean_over_draws_is_the_exact_risk_of_each_side():
    """Unequal sides: the shared component is in the centre of the mixture, so an offset moves them apart."""
    layout = star(3)
    mixture = ValueMixture(layout, 15, 0.6, 0.5)
    rng = np.random.default_rng(1)
    found = np.array([first_step_errors(mixture.sample(40, rng), layout, [4, 10], rng) for _ in range(150)])
    for at, Q in enumerate((4, 10)):
        error = found[:, at].std(axis=0, ddof=1) / np.sqrt(len(found))
        off = (found[:, at].mean(axis=0) - np.exp(log_one_step_risk(mixture, Q))) / error
        assert np.abs(off).max() < 4  # standard errors, twelve numbers


def test_what_is_refused():
    layout = disjoint(2)
    sample = ValueMixture(layout, 9, 0.4, 0.5).sample(4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="Q must leave samples to judge by: at most 3, got 4"):
        first_step_errors(sample, layout, [2, 4], np.random.default_rng(0))
    with pytest.raises(ValueError, match="Q must"):
        first_step_errors(sample, layout, [0], np.random.default_rng(0))
    with pytest.raises(ValueError, match="rng must be a NumPy random generator"):
        first_step_errors(sample, layout, [1], 0)
    wrong = Sample(sample.x, sample.value + 1, sample.side)
    with pytest.raises(ValueError, match="sample.value"):
        first_step_errors(wrong, layout, [1], np.random.default_rng(0))
