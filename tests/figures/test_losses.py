"""The figures of other losses: what they draw, their labels, and that every rule of all figures is kept."""

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.figures.losses import margin_paths, paired_errors, pushes_and_margins
from helpers.figures.theme import MEASURED, PREDICTED

pytestmark = pytest.mark.usefixtures("themed")
R, S = np.linspace(-0.5, 2, 11), np.linspace(0, 4, 9)
PUSHES = {"DPO": 1 - R / 4, "IPO": 1 - R, "SLiC": (R < 1).astype(float)}
CURVES = {"DPO": np.log1p(S), "IPO": 1 - np.exp(-S), "SLiC": np.minimum(1, S)}
PATHS = np.outer(S, [0.3, -0.1, 0.2])
M, SPLITS = np.array([0.1, 0.4, 0.8]), np.array([-0.02, 0.0, 0.05])[:, None]
TOLD = {name: 0.2 - k * 0.01 * M + SPLITS for k, name in enumerate(("SLiC", "DPO", "IPO"))}
FOUND = {name: errors + 0.004 * np.arange(3) * SPLITS**2 for name, errors in TOLD.items()}
MAKERS = {
    "pushes": lambda: pushes_and_margins(R, PUSHES, S, CURVES),
    "paths": lambda: margin_paths(S, PATHS),
    "paths, measured": lambda: margin_paths(S, PATHS, S[::2], PATHS[::2] + 1e-3),
    "errors": lambda: paired_errors(M, TOLD, FOUND, base="SLiC"),
}


def dots_of(axes):
    return np.concatenate([np.asarray(group.get_offsets()) for group in axes.collections
                           if len(group.get_edgecolor()) and same_color(group.get_edgecolor()[0], MEASURED)])


@pytest.mark.parametrize("name", MAKERS)
def test_every_rule_is_kept_and_axes_have_units(name):
    sheet = MAKERS[name]()
    draw(sheet)
    assert all("(" in axes.get_xlabel() for axes in sheet.panels if axes.get_xlabel())


def test_losses_are_told_apart_by_dashes_and_name_and_share_a_start():
    left, right = MAKERS["pushes"]().panels
    assert [text.get_text() for text in left.texts if text.get_text() in PUSHES] == list(PUSHES)
    looks = {line.get_linestyle() if isinstance(line.get_linestyle(), str) else line._dash_pattern
             for line in right.get_lines()}
    assert looks and len(right.get_lines()) == 3
    np.testing.assert_allclose([line.get_ydata() for line in right.get_lines()], list(CURVES.values()))


def test_paths_are_blue_lines_and_what_is_left_stands_below_in_thousandths():
    top, below = MAKERS["paths, measured"]().panels
    lines = [line.get_ydata() for line in top.get_lines() if line.get_color() == PREDICTED]
    np.testing.assert_allclose(np.transpose(lines), PATHS)
    np.testing.assert_allclose(dots_of(below)[:, 1], 1.0)
    assert len(dots_of(top)) == 3 * len(S[::2])


def test_differences_are_paired():
    sheet = MAKERS["errors"]()
    for axes, name in zip(sheet.panels, ("DPO", "IPO"), strict=True):
        difference = FOUND[name] - FOUND["SLiC"]
        np.testing.assert_allclose(dots_of(axes)[:, 1], difference.mean(axis=0))
        bars = next(line.get_ydata() for line in axes.get_lines() if line.get_color() == MEASURED)
        half = 4.302653 * difference.std(axis=0, ddof=1) / np.sqrt(3)  # Student's t, two degrees of freedom
        ends = bars.reshape(-1, 3)[:, :2]
        np.testing.assert_allclose(ends[:, 1] - ends[:, 0], 2 * half, rtol=1e-6, atol=1e-12)
