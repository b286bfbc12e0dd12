"""The figures of the generalization bound: what they draw, labels, the region that says nothing, fonts."""

import re

import numpy as np
import pytest
from looks import draw

from helpers.figures.scaling import bound_against_samples, bound_law_and_error, powers_against_samples

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
def test_axes_are_labelled_and_nothing_is_cut_off(name):
    figure = MAKERS[name]()
    draw(figure)
    assert re.search(r"\((probability|exponent)\)", figure.axes[0].get_ylabel())
    assert all("Samples per cluster Q" in axes.get_xlabel() for axes in figure.axes)


def lines_of(axes):
    return {line.get_label(): line.get_ydata() for line in axes.get_lines()}


@pytest.mark.parametrize("name", ["bound", "beside"])
def test_the_region_above_one_is_shaded_to_the_top(name):
    for axes in MAKERS[name]().axes:
        (shade,) = [patch for patch in axes.patches if "says nothing" in patch.get_label()]
        box = shade.get_bbox()
        assert box.y0 == 1 and box.y1 >= axes.get_ylim()[1]


def test_bounds_stand_where_they_are():
    lines = lines_of(MAKERS["bound"]().axes[0])
    np.testing.assert_array_equal(lines["four"], BOUNDS["four"])


def test_points_are_means_and_bars_reach_the_extremes():
    axes = MAKERS["beside"]().axes[0]
    (container,) = axes.containers
    mean, _, (bars,) = container.lines
    np.testing.assert_allclose(mean.get_ydata(), 1 / Q)
    ends = np.array(bars.get_segments())[:, :, 1]
    np.testing.assert_allclose(ends, np.array([0.5 / Q, 1.5 / Q]).T)
    assert not MAKERS["prediction first"]().axes[0].containers  # nothing measured is shown with the prediction


def test_the_key_names_each_curve_once_also_one_of_a_single_panel():
    names = [text.get_text() for text in MAKERS["beside"]().legends[0].get_texts()]
    assert sorted(names) == sorted(set(names)) and {"law", "told", "measured test error"} <= set(names)


def test_powers_of_ten_reach_the_lowest_number():
    axes = MAKERS["powers"]().axes[0]
    low, high = axes.get_ylim()
    assert low <= -3 * 48 and high == 10
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["10", "1", "0", "−1", "−10", "−100", "−1,000"]
