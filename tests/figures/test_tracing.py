"""Curves and points by what they are: hues, shapes, intervals, panels, key."""

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.figures.theme import MEASURED, PREDICTED, PROVED
from helpers.figures.tracing import Trace, traces

pytestmark = [pytest.mark.usefixtures("themed"), pytest.mark.slow]  # `make check` has no time for it
X = np.array([1, 4, 16, 64])
PARTS = {
    "whole": [Trace("law", X, 0.1 * np.sqrt(X) / 8), Trace("bound", X, X / 60 + 0.01, "proved"),
              Trace("for", X, 0.1 + X / 100, "measured", X / 200, X / 50), Trace("against", X, X / 90, "measured")],
    "centred": [Trace("floor", X, np.full(4, 0.2)), Trace("law", X, X / 70), Trace("against", X, X / 80, "measured")],
}


def sheet(**more):
    return traces(PARTS, x_name="values K (number)", y_name="risk (probability)", log_x=True, **more)


@pytest.mark.parametrize("more", [{}, {"log_y": True, "y_range": (1e-3, 2)}, {"columns": 2}, {"share": False}])
def test_every_rule_of_figures_is_kept(more):
    found = sheet(**more)
    draw(found)
    assert [axes.get_title(loc="left") for axes in found.panels] == list(PARTS)
    assert [tick.get_text() for tick in found.panels[0].get_xticklabels()] == ["1", "4", "16", "64"]


def test_a_kind_has_its_hue_and_a_name_one_look_in_all_panels():
    first, second = sheet().panels
    lines = [line for line in first.get_lines() if len(line.get_xdata()) == 4]
    assert [line.get_color() for line in lines] == [PREDICTED, PROVED]
    np.testing.assert_array_equal(lines[0].get_ydata(), PARTS["whole"][0].y)
    floor, law = second.get_lines()
    assert law.get_linestyle() == lines[0].get_linestyle() != floor.get_linestyle()
    full, hollow = first.collections
    assert same_color(full.get_facecolor()[0], MEASURED) and not same_color(hollow.get_facecolor()[0], MEASURED)
    np.testing.assert_array_equal(full.get_offsets(), np.column_stack([X, PARTS["whole"][2].y]))
    np.testing.assert_array_equal(second.collections[0].get_facecolor(), hollow.get_facecolor())


def test_intervals_are_drawn_where_they_are_given():
    first, second = sheet().panels
    stems = [line.get_ydata().reshape(-1, 3)[:, :2] for line in first.get_lines() if line.get_color() == MEASURED]
    np.testing.assert_array_equal(stems[0], np.column_stack([X / 200, X / 50]))
    assert len(stems) == 1 and all(line.get_color() != MEASURED for line in second.get_lines())


def test_a_kind_that_has_no_mark_is_refused():
    with pytest.raises(ValueError, match="kind must be a known name, got .guessed."):
        Trace("a", X, X, "guessed")


def test_ticks_and_names_of_the_axes_can_be_given():
    one, other = traces(PARTS, x_name="K", y_name=["risk", "share"], log_x=True, share=False, x_ticks=[4, 64]).panels
    assert [tick.get_text() for tick in one.get_xticklabels()] == ["4", "64"]
    assert (one.get_ylabel(), other.get_ylabel()) == ("risk", "share")


def test_panels_share_their_vertical_axis_or_begin_at_zero():
    one, other = sheet().panels
    assert one.get_ylim() == other.get_ylim()
    one, other = sheet(share=False).panels
    assert one.get_ylim()[0] == other.get_ylim()[0] == 0 and one.get_ylim() != other.get_ylim()
