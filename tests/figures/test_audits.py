"""The figure of sorted pushes: what it draws, in which colour; bad input."""

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.figures import sorted_pushes
from helpers.figures.theme import MEASURED, PREDICTED

pytestmark = pytest.mark.usefixtures("themed")
FORCE = np.array([0.5, -1.5, 2.0, -0.2])
MARGINS = np.array([0.1, -0.3, 0.2, 0.4])


def points(axes, colour):
    return sorted(tuple(place) for group in axes.collections if hasattr(group, "get_sizes")
                  and same_color(group.get_edgecolor()[0], colour) for place in group.get_offsets().tolist())


def test_pairs_stand_sorted_with_their_margins_below():
    sheet = sorted_pushes(FORCE, MARGINS, marked=np.array([False, True, False, False]))
    draw(sheet)
    top, below = sheet.panels
    assert points(top, PREDICTED) == list(enumerate([-1.5, -0.2, 0.5, 2.0]))
    assert points(below, MEASURED) == list(enumerate([-0.3, 0.4, 0.1, 0.2]))
    assert "2" in [text.get_text() for text in top.texts] and "(nats)" in below.get_ylabel()
    draw(sorted_pushes(FORCE))


def test_bad_input_is_told_in_one_sentence():
    with pytest.raises(ValueError, match="must have shape"):
        sorted_pushes(FORCE, MARGINS[:2])
    with pytest.raises(ValueError, match="finite"):
        sorted_pushes([np.nan])
