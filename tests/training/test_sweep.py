"""The runs behind the sliders: the same runs as `train_last_layer` makes, averaged over subsets."""

import numpy as np
import pytest

from helpers.explore.presets import margin_explorer
from helpers.layouts import disjoint
from helpers.llm.loading import load_llm
from helpers.mixture import ValueMixture
from helpers.preferences.bank import load_values
from helpers.preferences.pairs import Preferences
from helpers.training.last_layer import train_last_layer
from helpers.training.sweep import DRAWS, LastLayerLab, last_layer_lab


def pairs_of(sample, tag):
    chosen = [" Yes" if s > 0 else " No" for s in sample.side]
    rejected = [" No" if s > 0 else " Yes" for s in sample.side]
    return Preferences([f"{tag} {j}" for j in range(len(sample))], chosen, rejected, sample.value, sample.side, ("a",))


@pytest.fixture(scope="module")
def lab():
    mixture = ValueMixture(disjoint(1), d=12, v=0.3, l_b=2.0)
    rng = np.random.default_rng(0)
    pool, test = mixture.sample(12, rng), mixture.sample(10, rng)
    return LastLayerLab(pairs_of(pool, "pool"), pairs_of(test, "test"), pool.x, test.x, lr=1.0)


def test_one_run_is_plain_last_layer_training(lab):
    run = lab.run(7, 0.3, 5, draw=2)
    subset = lab.pool.per_cluster(5, seed=2)
    x = lab.x[[lab.pool.prompts.index(prompt) for prompt in subset.prompts]]
    centre = x.mean(axis=0)
    other = train_last_layer(x - centre, subset, beta=0.3, lr=1.0, steps=7, test=(lab.x_test - centre, lab.test))
    np.testing.assert_array_equal(run.test_margins, other.test_margins)  # the same arithmetic in the same order


def test_grids_average_the_draws(lab):
    steps, betas, Qs = (0, 4, 6), (0.2, 0.5), (3, 12)
    margins, errors = lab.margins(steps, betas, Qs), lab.errors(steps, betas, Qs)
    assert margins.shape == errors.shape == (2, 2, 3)
    runs = [lab.run(6, 0.5, 3, draw=draw) for draw in range(DRAWS)]
    by_hand = np.mean([run.test_margins[[0, 4, 6]].mean(axis=1) for run in runs], axis=0)
    np.testing.assert_allclose(margins[0, 1], by_hand, rtol=1e-12)  # one mean of the same numbers
    wrong = np.mean([(run.test_margins[[0, 4, 6]] <= 0).mean(axis=1) for run in runs], axis=0)
    np.testing.assert_allclose(errors[0, 1], wrong, rtol=1e-12)
    assert errors[0, 0, 0] == 1.0  # at step 0 every margin is 0, which counts as an error


def test_the_whole_pool_does_not_depend_on_the_draw(lab):
    np.testing.assert_allclose(lab.run(3, 0.2, 12, draw=0).w, lab.run(3, 0.2, 12, draw=4).w, rtol=1e-12)


def test_live_runs_report_progress_and_agree(lab):
    seen = []
    margins = lab.live_margins(6, 0.3, 5, lambda done, total: seen.append((done, total)))
    run = lab.run(6, 0.3, 5, draw=DRAWS)
    np.testing.assert_array_equal(margins, run.test_margins.mean(axis=1))
    assert lab.live_error(6, 0.3, 5, lambda *_: None) == 1 - run.test_accuracies[-1]
    assert seen == [(step, 6) for step in range(7)]  # during the run, not once at its end
    seen.clear()
    lab.live_error(1000, 0.3, 5, lambda done, total: seen.append((done, total)))
    assert seen == [(step, 1000) for step in range(0, 1001, 10)]  # a bar needs no more than a hundred


def test_constants_need_one_value(lab):
    two = Preferences(["p", "q"], [" Yes", " Yes"], [" No", " No"], [0, 1], [1, 1], ("a", "b"))
    with pytest.raises(ValueError, match="one value .* got 2"):
        _ = LastLayerLab(two, two, np.ones((2, 3)), np.ones((2, 3)), lr=1.0).constants


@pytest.mark.model
def test_train_for_real_runs_the_language_model_at_the_sliders_values():
    pool, unseen = load_values("art").split(test=0.25)
    lab = last_layer_lab(load_llm(), pool, unseen, lr=0.2)
    start = {"steps": 30, "beta": 0.2, "Q": 8}
    panel = margin_explorer(
        K=1, lr=0.2, steps=60, betas=(0.1, 0.2), Qs=(4, 8), train=lab.live_margins, start=start
    )
    panel.train()
    by_hand = lab.run(30, 0.2, 8, draw=DRAWS).test_margins.mean(axis=1)
    (live,) = panel.figure.live["runs"]
    assert live["at"] == [1, 1] and live["x"][-1] == 30  # beta 0.2 and Q 8 among the options
    np.testing.assert_array_equal(live["y"], by_hand.astype(float))  # the same run, kept whole
    assert by_hand[-1] > 0.05  # the value is learnt: unseen margins grow


def test_bad_arguments_are_named(lab):
    given = dict(pool=lab.pool, test=lab.test, x=lab.x, x_test=lab.x_test, lr=1.0, seed=0)
    for change, said in (
        (dict(pool=None), "pool must be Preferences, got None"),
        (dict(test="test"), "test must be Preferences, got 'test'"),
        # One embedding too few would shift none and be used in silence.
        (dict(x=lab.x[:-1]), r"x must have shape \(24, d\), a row for each pair of pool, got \(23, 12\)"),
        (dict(x_test=lab.x), r"x_test must have shape \(20, d\), a row for each pair of test, got \(24, 12\)"),
        (dict(lr=0), "lr must be a finite number above 0, got 0"),
        (dict(seed=-1), "seed must be a whole number of at least 0, got -1"),
    ):
        with pytest.raises(ValueError, match=f"^{said}"):
            LastLayerLab(**given | change)
    for call, said in (
        (lambda: lab.run(2, 0.1, 3, draw=-1), "draw must be a whole number of at least 0, got -1"),
        (lambda: lab.run(2, 0.1, 99), "Q must be at most 12"),
        (lambda: lab.margins(3, [0.1], [2]), "steps must be a list of numbers, got 3"),
        (lambda: lab.margins([0, 2], 0.1, [2]), "betas must be a list of numbers, got 0.1"),
        (lambda: lab.errors([0, 2], [0.1], []), "steps, betas and Qs must each hold a number"),
        (lambda: lab.errors([0, 1.5], [0.1], [2]), "steps must be a whole number of at least 0, got 1.5"),
        (lambda: lab.live_error("5", 0.1, 2, print), "steps must be a whole number of at least 0, got '5'"),
    ):
        with pytest.raises(ValueError, match=f"^{said}"):
            call()
    assert not lab.margins([0], [0.1], [2]).any()  # the start alone is a grid as well
