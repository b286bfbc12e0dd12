"""The figure of the law of risk: what it draws, its labels, its residuals."""

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.figures.scaling import SAMPLES, law_and_error, law_and_full, law_on_trial, risk_over_time
from helpers.figures.theme import MEASURED, PREDICTED

pytestmark = pytest.mark.usefixtures("themed")
Q = [4, 8, 16, 48]
SPLITS = np.array([-0.03, 0.0, 0.06])[:, None]
LAWS = {"one value": 0.3 - 0.05 * np.arange(4) + SPLITS / 2, "four values, Yes and No": 0.4 - SPLITS * np.ones(4) / 2}
ERRORS = {title: law - 0.02 + SPLITS for title, law in LAWS.items()}
MAKERS = {"prediction": lambda: law_and_error(Q, LAWS), "measured": lambda: law_and_error(Q, LAWS, ERRORS)}


def measured(axes):
    """Offsets of the measured dots, one array for each setting."""
    return [np.asarray(group.get_offsets()) for group in axes.collections
            if len(group.get_edgecolor()) and same_color(group.get_edgecolor()[0], MEASURED)]


@pytest.mark.parametrize("name", MAKERS)
def test_axes_are_labelled_and_every_rule_is_kept(name):
    sheet = MAKERS[name]()
    draw(sheet)
    assert sheet.panels[0].get_ylabel() == "Risk (probability)" and sheet.panels[-1].get_xlabel() == SAMPLES
    assert [tick.get_text() for tick in sheet.panels[-1].get_xticklabels()] == ["4", "16", "48"] * 2


@pytest.mark.parametrize("name", MAKERS)
def test_laws_are_blue_means_over_splits(name):
    drawn = [line.get_ydata() for line in MAKERS[name]().panels[0].get_lines() if line.get_color() == PREDICTED]
    np.testing.assert_allclose(drawn, [law.mean(axis=0) for law in LAWS.values()])


def test_dots_are_means_and_bars_their_intervals():
    top = MAKERS["measured"]().panels[0]
    for at, errors in zip(measured(top), ERRORS.values(), strict=True):
        np.testing.assert_allclose(at[:, 1], errors.mean(axis=0))
    bars = [line.get_ydata().reshape(-1, 3)[:, :2] for line in top.get_lines() if line.get_color() == MEASURED]
    for ends, errors in zip(bars, ERRORS.values(), strict=True):
        half = 4.302653 * errors.std(axis=0, ddof=1) / np.sqrt(3)  # Student's t, two degrees of freedom
        np.testing.assert_allclose(ends[:, 1] - ends[:, 0], 2 * half, rtol=1e-6)


def test_residuals_are_in_half_widths_of_the_interval_of_the_paired_difference():
    (one, four) = measured(MAKERS["measured"]().panels[1])
    half = 4.302653 * SPLITS.std(ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(np.concatenate([one, four])[:, 1], (0.02 - SPLITS.mean()) / half, rtol=1e-6)


def test_the_prediction_stands_alone_and_the_key_says_how_many_splits():
    (panel,) = MAKERS["prediction"]().panels
    assert not measured(panel)
    assert [text.get_text() for text in MAKERS["measured"]().legends[0].get_texts()] == ["law", "measured, 3 splits"]


KS = (1, 4, 16)
GRID = {"own": 0.2 + 0.01 * np.arange(6).reshape(3, 2) + SPLITS[:, :, None],
        "shared": 0.3 - SPLITS[:, :, None] * np.ones((3, 2))}
FOUND = {title: law - 0.02 + SPLITS[:, :, None] / 3 for title, law in GRID.items()}


def test_the_trial_draws_laws_errors_and_paired_differences():
    (alone,) = law_on_trial(KS, [4, 16], GRID).panels
    blue = [line.get_ydata() for line in alone.get_lines() if line.get_color() == PREDICTED]
    np.testing.assert_allclose(blue, [law.mean(axis=0)[:, k] for law in GRID.values() for k in (0, 1)])
    assert not measured(alone)
    sheet = law_on_trial(KS, [4, 16], GRID, FOUND)
    draw(sheet)
    top, below = sheet.panels
    dots = np.array([at[:, 1] for at in measured(top)])
    np.testing.assert_allclose(dots, [found.mean(axis=0)[:, k] for found in FOUND.values() for k in (0, 1)])
    np.testing.assert_allclose([at[:, 1] for at in measured(below)], 0.02 - SPLITS.mean() / 3)
    half = 4.302653 * SPLITS.std(ddof=1) / 3 / np.sqrt(3)  # Student's t, two degrees of freedom
    bars = [line.get_ydata().reshape(-1, 3)[:, :2] for line in below.get_lines() if line.get_color() == MEASURED]
    np.testing.assert_allclose([ends[:, 1] - ends[:, 0] for ends in bars], 2 * half, rtol=1e-6)
    assert [tick.get_text() for tick in below.get_xticklabels()] == ["1", "4", "16"] * 2
    assert below.get_xlabel() == "Number of values K" and top.get_ylabel() == "Risk (probability)"


def test_risk_over_time_has_the_law_as_a_level_and_means_on_it():
    time = np.array([0.5, 5.0, 50.0])
    risks = {"own": 0.1 + SPLITS / 10 * np.ones(3), "shared": 0.2 + SPLITS / 10 * np.arange(3)}
    sheet = risk_over_time(time, {"own": 0.11, "shared": 0.19}, risks, across="Time S (no unit)", runs="3 data sets")
    draw(sheet)
    for axes, (title, found) in zip(sheet.panels, risks.items(), strict=True):
        assert axes.get_title("left") == title and axes.get_xlabel() == "Time S (no unit)"
        (at,) = measured(axes)
        np.testing.assert_allclose(at[:, 1], found.mean(axis=0))
        assert [line.get_ydata()[0] for line in axes.get_lines() if line.get_color() == PREDICTED] == [
            {"own": 0.11, "shared": 0.19}[title]]


def test_full_runs_stand_beside_law_and_floor():
    runs = [dict(words=f"K = {K}", law=0.1 + K / 100, floor=0.05, error=0.02 * K, low=0.01 * K, high=0.03 * K)
            for K in (1, 4)] + [dict(words="not made", law=0.2, floor=0.05)]
    sheet = law_and_full(runs)
    draw(sheet)
    (axes,) = sheet.panels
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["K = 1", "K = 4", "not made"]
    lines = [lines.get_segments() for lines in axes.collections if hasattr(lines, "get_segments")]
    law, floor, interval = (np.array([part for part in segments if len(part)]) for segments in lines)
    np.testing.assert_allclose(law[:, 0, 0], [0.11, 0.14, 0.2])
    np.testing.assert_allclose(floor[:, 0, 0], 0.05)
    np.testing.assert_allclose(interval[:, :, 0], [(0.01, 0.03), (0.04, 0.12)])
    dots = [np.asarray(at.get_offsets()) for at in axes.collections if hasattr(at, "get_sizes")]
    np.testing.assert_allclose(dots[0][:2], [(0.02, 2), (0.08, 1)])
