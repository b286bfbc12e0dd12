"""The figures of the generalization bound: what they draw, labels, the region that says nothing."""

import re

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.figures.scaling import bound_against_samples, bound_law_and_error, powers_against_samples
from helpers.figures.theme import MEASURED, PREDICTED, PROVED

pytestmark = pytest.mark.usefixtures("themed")
Q = np.array([4, 8, 16, 48])
BOUNDS = {"one": 2.0 * Q**2, "four": 8.0 * Q**2}
LAWS = {"one": {"law": 1 / Q}, "four": {"law": 2 / Q, "told": 1.5 / Q}}
ERRORS = {name: np.array([0.5, 1.0, 1.5])[:, None] * np.array([1 / Q])[0] for name in BOUNDS}
MAKERS = {
    "bound": lambda: bound_against_samples(Q, BOUNDS),
    "powers": lambda: powers_against_samples(Q, {"a": -3.0 * Q, "b": 2 - Q / 10}),
    "prediction first": lambda: bound_law_and_error(Q, BOUNDS, LAWS),
    "beside": lambda: bound_law_and_error(Q, BOUNDS, LAWS, ERRORS),
}


@pytest.mark.parametrize("name", MAKERS)
def test_axes_are_labelled_and_every_rule_is_kept(name):
    sheet = MAKERS[name]()
    draw(sheet)
    assert re.search(r"\((probability|exponent)\)", sheet.panels[0].get_ylabel())
    assert all("Samples per cluster Q" in axes.get_xlabel() for axes in sheet.panels)


def curves(axes, colour):
    return [line.get_ydata() for line in axes.get_lines() if line.get_color() == colour]


@pytest.mark.parametrize("name", ["bound", "beside"])
def test_the_region_above_one_is_shaded_to_the_top(name):
    for axes in MAKERS[name]().panels:
        (shade,) = [patch for patch in axes.patches if "says nothing" in patch.get_label()]
        box = shade.get_bbox()
        assert box.y0 == 1 and box.y1 >= axes.get_ylim()[1]


def test_bounds_are_green_and_laws_blue():
    np.testing.assert_array_equal(curves(MAKERS["bound"]().panels[0], PROVED)[1], BOUNDS["four"])
    beside = MAKERS["beside"]().panels[1]
    np.testing.assert_array_equal(curves(beside, PROVED), [BOUNDS["four"]])
    np.testing.assert_array_equal(curves(beside, PREDICTED), list(LAWS["four"].values()))


def test_dots_are_means_and_bars_reach_the_extremes():
    axes = MAKERS["beside"]().panels[0]
    (seen,) = [group for group in axes.collections if same_color(group.get_edgecolor()[0], MEASURED)]
    np.testing.assert_allclose(np.asarray(seen.get_offsets())[:, 1], 1 / Q)
    (bars,) = curves(axes, MEASURED)
    np.testing.assert_allclose(bars.reshape(-1, 3)[:, :2], np.array([0.5 / Q, 1.5 / Q]).T)
    assert not curves(MAKERS["prediction first"]().panels[0], MEASURED)  # nothing measured beside the prediction


def test_the_key_names_each_curve_once_also_one_of_a_single_panel_and_says_how_many_runs():
    names = [text.get_text() for text in MAKERS["beside"]().legends[0].get_texts()]
    assert sorted(names) == sorted(set(names)) and {"law", "told", "mean and range of 3 runs"} <= set(names)


def test_powers_of_ten_reach_the_lowest_number():
    axes = MAKERS["powers"]().panels[0]
    low, high = axes.get_ylim()
    assert low <= -3 * 48 and high == 10
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["10", "1", "0", "−1", "−10", "−100", "−1,000"]
