"""The interactive figures: JavaScript computes what Python computes; sliders, grids and the button."""

import math

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binomtest
from scripts import value

from helpers import explore
from helpers.bounds.envelopes import training_envelope
from helpers.dynamics.flow import dimensionless_time, noise_free_margin, paper_horizon
from helpers.explore import grid as explore_grid
from helpers.explore import stepper as explore_stepper
from helpers.explore import widgets as panels
from helpers.layouts import chain, disjoint, shared
from helpers.mixture import ValueMixture
from helpers.statistics import wilson_interval

STEPS = [0, 1, 7, 60, 400, 5000, 10**6]
BETAS = [0.001, 0.01, 0.1, 0.5, 1.0, 3.0]
QS = [1, 2, 8, 32, 100, 1000, 10**6]
SETTINGS = [
    {"K": 1, "lr": 0.001, "scale": 1.0},
    {"K": 10, "lr": 0.1, "scale": 1.0},
    {"K": 4, "lr": 0.5, "scale": 37.5},
]


@pytest.mark.theorem("N1")
@pytest.mark.theorem("4.2")
def test_margin_numbers_in_javascript_equal_python_over_the_sliders():
    cases = [{"steps": n, "beta": b} | setting for setting in SETTINGS for b in BETAS for n in STEPS]
    found = value(
        """cases.map((c) => {
            const S = dimensionlessTime(c.steps, c.beta, c.lr, c.K, c.scale);
            return [S, noiseFreeMargin(S), ...trainingEnvelope(S), paperHorizon(c.beta, c.lr, c.K, c.scale)];
        })""",
        cases=cases,
    )
    order = ("S", "predicted", "lower", "upper", "horizon")
    expected = [[explore.margin_numbers(**case)[name] for name in order] for case in cases]
    found = np.array(found, dtype=float)
    # Both sides are double precision; Newton's method and Lambert's function differ in the last digits.
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-300)
    assert np.isnan(found[:, 2]).any() and not np.isnan(found[:, 2]).all()  # both sides of the horizon


def test_envelope_in_javascript_ends_where_python_ends():
    S = [0.0, 1e-9, 0.2, 0.4 * math.log(3) - 1e-12, 0.4 * math.log(3) + 1e-12, 0.44, 3.0]
    found = np.array(value("S.map(trainingEnvelope)", S=S), dtype=float)
    np.testing.assert_allclose(found.T, np.array(training_envelope(np.array(S))), rtol=1e-15)


def test_risk_numbers_in_javascript_equal_python_over_the_sliders():
    mixtures = [(disjoint(1), 0.05), (disjoint(8), 0.5), (chain(6), 0.3), (shared(4), 0.3), (shared(16), 1.7)]
    cases, expected = [], []
    for layout, v in mixtures:
        for l_b in (0.0, 0.5, 27.9):
            for Q in QS:
                setting = {"kappa": layout.kappa.tolist(), "d": 576, "v": v, "l_b": l_b}
                cases.append([setting, Q])
                numbers = explore.risk_numbers(Q=Q, d=576, v=v, l_b=l_b, layout=layout)
                expected.append([numbers["law"], numbers["floor"]])
    found = value("cases.map(([setting, Q]) => [riskLaw(setting, Q), riskFloor(setting)])", cases=cases)
    # Python's floor is its law at 10^12 samples: up to (l_b^2 + d v^2) / 10^12 = 2e-9 off in D^2, times the
    # sensitivity z^2 = 400 of a tail at z = 20 (v = 0.05).
    np.testing.assert_allclose(np.array(found, dtype=float), expected, rtol=1e-6)
    laws = np.array(found, dtype=float)[:, 0]
    np.testing.assert_allclose(laws, np.array(expected)[:, 0], rtol=1e-11)  # the law itself: double precision


def test_normal_tail_in_javascript_against_scipy():
    z = [-8.0, -3.0, -0.3, 0.0, 1e-6, 0.5, 1.96, 2.999999, 3.0, 3.000001, 4.9, 5.0, 12.0, 30.0, 37.0]
    # 1/2 - density * series loses at most three digits before the continued fraction takes over at z = 3.
    np.testing.assert_allclose(value("z.map(normalTail)", z=z), ndtr(-np.array(z)), rtol=2e-12)


def test_wilson_interval_in_javascript_python_and_scipy():
    cases = [(k, n) for n in (1, 10, 480) for k in (0, 1, n // 3, n) if k <= n]
    found = value("cases.map(([k, n]) => wilsonInterval(k / n, n))", cases=cases)
    for (k, n), (low, high) in zip(cases, found, strict=True):
        oracle = binomtest(k, n).proportion_ci(0.95, method="wilson")
        assert 0 <= low <= high <= 1
        # The ends at 0 and 1 are a difference of equal numbers: an absolute tolerance of rounding.
        assert (low, high) == pytest.approx(wilson_interval(k / n, n), rel=1e-12, abs=1e-15)
        assert (low, high) == pytest.approx((oracle.low, oracle.high), rel=1e-9, abs=1e-12)


def test_caption_numbers_are_those_of_the_modules():
    numbers = explore.margin_numbers(steps=30, beta=0.5, K=4, lr=0.1, scale=2.0)
    S = dimensionless_time(30, 0.5, 0.1, 4) * 2.0
    assert numbers["S"] == pytest.approx(2 * 30 * 0.25 * 0.1 * 2 / 4, rel=1e-14)
    assert numbers["predicted"] == noise_free_margin(S)
    assert numbers["horizon"] == pytest.approx(paper_horizon(4, 0.5, 0.1) / 2, rel=1e-14)
    assert math.isnan(numbers["lower"]) and numbers["horizon"] < 30
    law = explore.risk_numbers(Q=50, d=60, v=0.3, l_b=1.0, layout=shared(4))
    assert law["floor"] == pytest.approx(ndtr(-1 / (0.3 * 2)), rel=1e-9)  # Phi(-1 / (v sqrt K)), N5 item 2
    assert law["law"] == pytest.approx(ndtr(-1 / (0.6 * math.sqrt(1 + (2 + 60 * 0.09) / 100))), rel=1e-12)


def margins(**changes):
    steps, betas, Qs = [0, 10, 20], [0.1, 0.5], [8, 16, 32]
    grid = np.arange(18, dtype=float).reshape(3, 2, 3)
    return explore.margin_explorer(**{"K": 4, "lr": 0.1, "steps": steps, "betas": betas, "Qs": Qs,
                                      "measured": grid} | changes)


def risks(**changes):
    arguments = {"K": 4, "d": 100, "v": 0.3, "l_b": 0.5, "layout": shared(4), "Qs": [8, 32],
                 "steps": [50, 100], "betas": [0.1, 0.5], "measured": np.full((2, 2, 2), 0.25), "tested": 480}
    return explore.risk_explorer(**arguments | changes)


def names(panel):
    return [control.description for control in panel.controls]


def test_each_slider_is_linked_in_the_browser_and_starts_where_the_figure_does():
    for panel in (margins(), risks(), margins(start={"steps": 7, "beta": 0.1, "Q": 8})):
        for control in panel.controls:
            (source, trait), (target, name) = control.link.source, control.link.target
            assert source is control and target is panel.figure
            assert getattr(source, trait) == getattr(target, name)
    assert panel.figure.steps == 7 and panel.figure.beta_index == 0 and panel.figure.q_index == 0


def test_the_grid_reaches_the_page_as_little_endian_float32():
    panel = margins()
    held = np.frombuffer(panel.figure.measured, "<f4").reshape(3, 2, 3)
    np.testing.assert_array_equal(held, np.arange(18).reshape(3, 2, 3))  # small integers are exact in float32


def test_no_slider_that_does_nothing():
    assert names(margins()) == ["steps", "β", "samples per cluster Q"]
    assert names(margins(measured=None)) == ["steps", "β"]
    assert names(margins(measured=None, train=print)) == ["steps", "β", "samples per cluster Q"]
    assert names(risks()) == ["steps", "β", "samples per cluster Q"]
    assert names(risks(measured=None)) == ["samples per cluster Q"]


def test_training_for_real_shows_progress_and_overlays_its_margins():
    seen = []

    def train(steps, beta, Q, progress):
        progress(3, 10)
        seen.append((steps, beta, Q, panel.progress.value, panel.progress.max, panel.button.disabled))
        return np.linspace(0, 2, 501)

    panel = margins(train=train, start={"steps": 20, "beta": 0.5, "Q": 32})
    panel.controls[0].value = 10
    panel.figure.steps = 10                     # the link lives in the browser: set both ends here
    panel.button.click()
    assert seen == [(10, 0.5, 32, 3, 10, True)]
    assert not panel.button.disabled and panel.progress.layout.visibility == "hidden"
    live = panel.figure.live
    assert (live["steps"], live["beta"], live["Q"]) == (10, 0.5, 32)
    assert len(live["x"]) == len(live["y"]) <= 200 and live["x"][0] == 0 and live["x"][-1] == 10
    np.testing.assert_allclose(live["y"], np.array(live["x"]) / 5, rtol=1e-12)  # thinned, not distorted


def test_training_for_real_adds_one_point_of_risk_at_a_time():
    panel = risks(train=lambda steps, beta, Q, progress: Q / 100)
    panel.button.click()
    panel.figure.q_index = 0
    panel.button.click()
    assert panel.figure.live == {"x": [32, 8], "y": [0.32, 0.08]}


def test_a_run_that_fails_says_so_and_leaves_the_button_usable(caplog):
    def train(steps, beta, Q, progress):
        raise RuntimeError("out of memory")

    panel = margins(train=train)
    panel.button.click()
    assert "RuntimeError: out of memory" in caplog.text     # ipywidgets logs what a callback raises
    assert panel.status.value == "stopped: out of memory"
    assert not panel.button.disabled and panel.figure.live == {}


def test_without_a_callback_there_is_no_button():
    assert not hasattr(margins(), "button")
    texts = [child.value for child in margins(train=print).children if hasattr(child, "value")]
    assert panels.WHERE_TO_TRAIN in texts


def test_scripts_and_styles_stay_local_and_small():
    for figure in (panels.MarginFigure, panels.RiskFigure, explore_grid.GridFigure, explore_stepper.StepperFigure):
        script = str(figure._esm)
        assert "http" not in script and "import " not in script     # nothing fetched from anywhere
        assert len(script) < 50_000                                 # one copy a figure lies in the page
    assert "url(" not in str(panels.Figure._css) and "@import" not in str(panels.Figure._css)


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"measured": np.zeros((3, 2))}, r"measured must have shape .* = \(3, 2, 3\), got \(3, 2\)"),
    ({"steps": [5, 10, 20]}, "steps must be at least two numbers that increase from 0"),
    ({"steps": [0, 20, 10]}, "steps must be numbers that increase"),
    ({"steps": "abc"}, "steps must be a whole number of at least 1, got 'abc'"),
    ({"steps": 0, "measured": None}, "steps must be a whole number of at least 1"),
    ({"betas": [0.5, 0.1]}, "betas must be numbers that increase"),
    ({"betas": [0.0, 0.1]}, "betas must be above 0"),
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
    ({"start": {"n": 1}}, r"start must name only steps, beta and Q, got \['n'\]"),
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
    ({"measured": np.full((2, 2, 2), 25.0)}, "measured must lie between 0 and 1, got 25 to 25"),
    ({"start": {"steps": 70}}, r"start steps must be one of \[50, 100\], got 70"),
])
def test_bad_arguments_of_the_risk_explorer(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        risks(**changes)


def test_bad_arguments_of_the_interval():
    with pytest.raises(ValueError, match="error must lie between 0 and 1, got 1.2"):
        wilson_interval(1.2, 10)


def test_missing_runs_are_drawn_as_gaps_not_refused():
    measured = np.full((2, 2, 2), 0.25)
    measured[0] = np.nan
    held = np.frombuffer(risks(measured=measured).figure.measured, "<f4")
    assert np.isnan(held[:4]).all() and (held[4:] == 0.25).all()


def test_mixture_of_the_risk_figure_is_kept_for_the_page_tests():
    setting = risks().figure.setting
    mixture = ValueMixture(shared(4), d=setting["d"], v=setting["v"], l_b=setting["l_b"])
    assert mixture.K == setting["K"] and setting["kappa"] == [4.0] * 4 and len(setting["pairs"]) == 4
