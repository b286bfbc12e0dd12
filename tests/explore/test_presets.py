"""Margin and risk explorer: their curves are the functions of the theory rooms, at every place of the controls."""

import itertools
import math

import numpy as np
import pytest
from explorers import margins, risks
from scipy.special import lambertw, ndtr
from scipy.stats import binomtest
from scripts import SCRIPTS, drawings, numbers, value

from helpers import explore
from helpers.dynamics.flow import dimensionless_time, noise_free_margin, paper_horizon
from helpers.explore.grid import grid_numbers
from helpers.explore.presets import Q_NAME
from helpers.layouts import chain, disjoint, shared
from helpers.mixture import ValueMixture
from helpers.risk.laws import risk_law

FLOAT32 = {"rel": 1e-7, "abs": 1e-30}  # the page holds 24 bits: 6e-8 of relative rounding


def everywhere(figure):
    """All places of a figure's controls, and their options there."""
    for place in itertools.product(*(range(len(labels)) for _, labels in figure.setting["sliders"])):
        labels = {name: words[i] for (name, words), i in zip(figure.setting["sliders"], place, strict=True)}
        yield place, {name: float(word.replace(",", "")) for name, word in labels.items()}


@pytest.mark.theorem("N1")
@pytest.mark.theorem("4.2")
def test_the_margin_figure_says_the_closed_forms_at_every_place():
    betas = [0.05, 0.1, 0.5]
    measured = np.random.default_rng(0).normal(size=(2, 3, 5))
    figure = margins(K=3, scale=2.5, steps=[0, 4, 16, 20, 50], betas=betas, Qs=[4, 8], measured=measured).figure
    seen = set()
    for _, at in everywhere(figure):
        said = grid_numbers(figure.setting, figure.data, at)
        S = 2 * at["steps"] * at["β"] ** 2 * 0.1 * 2.5 / 3
        # r + e^r = 1 + S by Lambert's function, loses digits only next to S = 0
        r = 1 + S - lambertw(np.exp(1 + S)).real
        assert said["S"] == pytest.approx(S, **FLOAT32)
        assert said["predicted"] == pytest.approx(r, rel=1e-6, abs=1e-14)
        ends = 0.4 * math.log(3)
        if S <= ends:
            assert (said["envelope.lower"], said["envelope.upper"]) == pytest.approx((S / 16, 2.5 * S), **FLOAT32)
        else:
            assert said["horizon"] == math.floor(at["steps"] / S * ends)
        row = measured[[4, 8].index(at[Q_NAME]), betas.index(at["β"])]
        assert said["measured"] == pytest.approx(np.interp(at["steps"], [0, 4, 16, 20, 50], row), rel=1e-6, abs=1e-7)
        assert ("horizon" in said) != ("envelope.lower" in said)
        seen.add("horizon" in said)
    assert seen == {True, False}


def test_the_cursor_of_the_margin_figure_is_fine_and_meets_every_recorded_step():
    for steps in (tuple(range(0, 401, 20)), [0, 1, 7, 60, 400], 300, list(range(501))):
        last = steps if isinstance(steps, int) else steps[-1]
        figure = explore.margin_explorer(K=1, lr=0.1, steps=steps, betas=[0.1, 0.2], Qs=[4]).figure
        x = figure.setting["x"]
        assert x[0] == 0 and x[-1] == last and x == sorted(set(x)) and len(x) <= 203
        assert len(x) >= min(last + 1, 90)     # whole steps: there may be fewer than positions
        if not isinstance(steps, int) and len(steps) < 100:
            assert set(steps) <= set(x)


def test_draws_become_a_mean_and_a_field_that_spans_them():
    draws = np.random.default_rng(1).normal(size=(4, 3, 2, 3))
    panel = margins(measured=draws)
    setting = panel.figure.setting
    at = {"steps": 20, "β": 0.5, Q_NAME: 16}
    said = grid_numbers(setting, panel.figure.data, at)
    runs = draws[:, 1, 1, 2]
    assert said["measured"] == pytest.approx(runs.mean(), rel=1e-6)
    assert (said["measured.lower"], said["measured.upper"]) == pytest.approx((runs.min(), runs.max()), rel=1e-6)
    parts = next(curve["parts"] for curve in setting["curves"] if curve["name"] == "measured")
    assert parts == ["measured", "measured.lower", "measured.upper"]
    drawn = drawings(panel.figure, "drawGrid", [panel.figure.at()])[0]
    assert 'class="rm-area rm-as-measured' in drawn["svg"] and "over 4 draws" in drawn["caption"]


def test_the_risk_figure_says_law_floor_and_wilsons_interval():
    layouts = [(disjoint(1), 0.5), (chain(6), 0.3), (shared(16), 1.7)]
    for layout, v in layouts:
        K, Qs = layout.K, [2, 8, 100, 1000]
        errors = np.random.default_rng(2).integers(0, 481, (4, 2, 3)) / 480
        errors[1, 0, 0] = np.nan
        figure = risks(K=K, layout=layout, v=v, Qs=Qs, steps=[1, 50, 100], measured=errors).figure
        for _, at in everywhere(figure):
            said = grid_numbers(figure.setting, figure.data, at)
            mixture = ValueMixture(layout, d=100, v=v, l_b=0.5)
            assert said["law"] == pytest.approx(np.mean(risk_law(mixture, int(at[Q_NAME]))), **FLOAT32)
            assert said["floor"] == pytest.approx(np.mean(ndtr(-1 / (v * np.sqrt(layout.kappa)))), **FLOAT32)
            error = errors[Qs.index(at[Q_NAME]), [0.1, 0.5].index(at["β"]), [1, 50, 100].index(at["steps"])]
            assert ("measured" in said) == (not np.isnan(error))
            if "measured" in said:
                oracle = binomtest(round(error * 480), 480).proportion_ci(0.95, method="wilson")
                assert said["measured"] == pytest.approx(error, rel=1e-6)
                # The ends at 0 and 1 are a difference of equal numbers: an absolute tolerance of rounding.
                assert said["measured.lower"] == pytest.approx(oracle.low, rel=1e-6, abs=1e-7)
                assert said["measured.upper"] == pytest.approx(oracle.high, rel=1e-6, abs=1e-7)


def test_the_floor_is_the_laws_limit():
    for layout, v in ((disjoint(8), 0.5), (shared(4), 0.3), (chain(6), 0.05)):
        found = explore.risk_numbers(Q=50, d=576, v=v, l_b=27.9, layout=layout)
        mixture = ValueMixture(layout, d=576, v=v, l_b=27.9)
        # The law at 10^15 samples is up to (l_b^2 + d v^2) / 10^15 off in D^2, times z^2 = 400 of the tail at v = 0.05.
        assert found["floor"] == pytest.approx(np.mean(risk_law(mixture, 10**15)), rel=1e-8)
    # Where the shared part is huge no number of samples is endless, and the floor is the limit all the same.
    assert explore.risk_numbers(Q=2, d=100, v=0.3, l_b=1e6, layout=shared(4))["floor"] == pytest.approx(
        ndtr(-1 / 0.6), rel=1e-12)


def test_caption_numbers_are_those_of_the_modules():
    numbers = explore.margin_numbers(steps=30, beta=0.5, K=4, lr=0.1, scale=2.0)
    S = dimensionless_time(30, 0.5, 0.1, 4) * 2.0
    assert numbers["S"] == pytest.approx(2 * 30 * 0.25 * 0.1 * 2 / 4, rel=1e-14)
    assert numbers["predicted"] == noise_free_margin(S)
    assert numbers["horizon"] == pytest.approx(paper_horizon(4, 0.5, 0.1) / 2, rel=1e-14)
    assert math.isnan(numbers["lower"]) and numbers["horizon"] < 30
    law = explore.risk_numbers(Q=50, d=60, v=0.3, l_b=1.0, layout=shared(4))
    assert law["floor"] == pytest.approx(ndtr(-1 / (0.3 * 2)), rel=1e-12)  # Phi(-1 / (v sqrt K)), N5 item 2
    assert law["law"] == pytest.approx(ndtr(-1 / (0.6 * math.sqrt(1 + (2 + 60 * 0.09) / 100))), rel=1e-12)


def test_formulas_in_javascript_against_lambert_and_scipy():
    formulas = (SCRIPTS / "formulas.js").read_text(encoding="utf-8")
    S = [0.0, 1e-9, 0.2, 0.44, 3.0, 40.0, 1e4]
    found = value("S.map(noiseFreeMargin)", formulas, S=S)
    # Both sides are double precision; Newton's method and Lambert's function differ in the last digits.
    np.testing.assert_allclose(found, noise_free_margin(np.array(S)), rtol=1e-11, atol=1e-300)
    z = [-8.0, -3.0, -0.3, 0.0, 1e-6, 0.5, 1.96, 2.999999, 3.0, 3.000001, 4.9, 5.0, 12.0, 30.0, 37.0]
    # 1/2 - density * series loses at most three digits before the continued fraction takes over at z = 3.
    np.testing.assert_allclose(value("z.map(normalTail)", formulas, z=z), ndtr(-np.array(z)), rtol=2e-12)


def names(panel):
    return [name for name, _ in panel.figure.setting["sliders"]]


def test_no_control_that_does_nothing():
    assert names(margins()) == ["steps", "β", Q_NAME]
    assert names(margins(measured=None)) == ["steps", "β"]
    assert names(margins(measured=None, train=print)) == ["steps", "β", Q_NAME]
    assert names(margins(betas=[0.1], measured=None)) == ["steps"]
    assert names(risks()) == [Q_NAME, "steps", "β"]
    assert names(risks(measured=None)) == [Q_NAME]
    assert names(risks(steps=[50], betas=[0.1], measured=np.full((2, 1, 1), 0.25))) == [Q_NAME]


def test_controls_begin_where_start_says():
    figure = margins(start={"steps": 7, "beta": 0.1, "Q": 8}).figure
    x = figure.setting["x"]
    assert figure.at() == [x.index(7), 0, 0]
    figure = risks(start={"steps": 100, "beta": 0.1, "Q": 8}).figure
    assert figure.at() == [0, 1, 0]
    assert [figure.setting["x"][i] for i in figure.setting["stops"]] == [8, 32]   # where runs were recorded


def test_training_for_real_shows_progress_and_overlays_its_margins():
    seen = []

    def train(steps, beta, Q, progress):
        progress(3, 10)
        seen.append((steps, beta, Q, panel.figure.running))
        return np.linspace(0, 2, 501)

    panel = margins(train=train, start={"steps": 10, "beta": 0.5, "Q": 32})
    panel.train()
    assert seen == [(10, 0.5, 32, [3, 10])] and panel.figure.running == []
    (run,) = panel.figure.live["runs"]
    assert run["at"] == [1, 2] and run["line"]
    assert len(run["x"]) == len(run["y"]) <= 200 and run["x"][0] == 0 and run["x"][-1] == 10
    np.testing.assert_allclose(run["y"], np.array(run["x"]) / 5, rtol=1e-12)  # thinned, not distorted


def test_a_double_click_draws_one_point():
    panel = risks(train=lambda steps, beta, Q, progress: Q / 100, start={"Q": 32})
    for _ in range(2):  # what two clicks send
        panel.figure._handle_custom_msg({"type": "train"}, [])
    assert [(run["x"], run["y"]) for run in panel.figure.live["runs"]] == [([32.0], [0.32])]
    panel.figure.knob_0 = 0
    panel.train()
    assert [(run["x"], run["y"]) for run in panel.figure.live["runs"]] == [([32.0], [0.32]), ([8.0], [0.08])]


def test_a_run_that_fails_says_so_and_leaves_the_button_usable():
    def train(steps, beta, Q, progress):
        raise RuntimeError("out of memory")

    panel = margins(train=train)
    with pytest.raises(RuntimeError, match="out of memory"):
        panel.train()
    assert panel.figure.status == "stopped: out of memory"
    assert panel.figure.running == [] and panel.figure.live == {}


def test_a_single_setting_stands_in_the_caption_as_text():
    panel = risks(steps=[50], betas=[0.1], measured=np.full((2, 1, 1), 0.25))
    caption = drawings(panel.figure, "drawGrid", [(1,)])[0]["caption"]
    assert "after 50 steps at β = 0.1" in caption and numbers(caption)["measured"] == 0.25


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"measured": np.zeros((3, 2))}, r"measured must have shape .* = \(3, 2, 3\), got \(3, 2\)"),
    ({"measured": np.full((3, 2, 3), np.inf)}, "measured must hold finite numbers"),
    ({"measured": "abc"}, "measured must hold numbers, got 'abc'"),
    ({"measured_name": "a {b}"}, "measured_name must have no braces"),
    ({"steps": [5, 10, 20]}, "steps must be at least two numbers that increase from 0"),
    ({"steps": [0, 20, 10]}, "steps must be numbers that increase"),
    ({"steps": "abc"}, "steps must be a whole number of at least 1, got 'abc'"),
    ({"steps": 0, "measured": None}, "steps must be a whole number of at least 1"),
    ({"betas": [0.5, 0.1]}, "betas must be numbers that increase"),
    ({"betas": [0.0, 0.1]}, "betas must be above 0"),
    ({"betas": [0.1, 1e308], "measured": None}, "lr, scale and betas must keep S finite"),
    ({"betas": 3}, "betas must be a list of numbers, got 3"),
    ({"Qs": []}, "Qs must be numbers that increase"),
    ({"Qs": [2.5, 8]}, r"Qs must be whole numbers that increase, got \[2.5, 8\]"),
    ({"Qs": ["2", "8"]}, "Qs must hold numbers"),
    ({"title": 3}, "title must be a text, got 3"),
    ({"train": "now"}, "train must be a function or None, got 'now'"),
    ({"K": 0}, "K must be a whole number of at least 1"),
    ({"lr": -1.0}, "lr must be a finite number above 0"),
    ({"scale": 0.0}, "scale must be a finite number above 0"),
    ({"start": {"beta": 0.3}}, r"start beta must be one of \[0.1, 0.5\], got 0.3"),
    ({"start": {"steps": 21}}, "start steps must lie between 0 and 20, got 21"),
    ({"start": {"n": 1}}, r"start must name only steps, beta, Q, got \['n'\]"),
    ({"start": 3}, "start must map names to values, got 3"),
])
def test_bad_arguments_of_the_margin_explorer(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        margins(**changes)


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"K": 3}, "K must be the number of values of the layout, 4, got 3"),
    ({"layout": None}, "layout must be a TokenLayout, got None"),
    ({"v": 0.0}, "v must be"),
    ({"d": 4}, "d must be"),
    ({"tested": 0}, "tested must be a whole number of at least 1"),
    ({"Qs": [8]}, "Qs must be at least two numbers"),
    ({"measured": np.full((2, 2, 2), 25.0)}, "measured must lie between 0 and 1, got 25 to 25"),
    ({"measured": np.full((5, 2, 2, 2), 0.5)}, r"measured must have shape .* = \(2, 2, 2\), got \(5, 2, 2, 2\)"),
    ({"start": {"steps": 70}}, r"start steps must be one of \[50, 100\], got 70"),
])
def test_bad_arguments_of_the_risk_explorer(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        risks(**changes)


def test_missing_runs_are_drawn_as_gaps_not_refused():
    measured = np.full((2, 2, 2), 0.25)
    measured[0] = np.nan
    panel = risks(measured=measured)
    assert "measured" not in grid_numbers(panel.figure.setting, panel.figure.data, {Q_NAME: 8, "steps": 50, "β": 0.1})
    assert drawings(panel.figure, "drawGrid", [(0, 0, 0)])[0]["svg"].count('class="rm-spot rm-as-points') == 1
