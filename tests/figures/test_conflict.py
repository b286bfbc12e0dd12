"""The figures of conflict: what they draw, in which colour, labels with units."""

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.figures.conflict import contributions, first_rates
from helpers.figures.theme import MARGIN, PREDICTED

pytestmark = pytest.mark.usefixtures("themed")
RATES = {"own": np.array([[1.0, 2], [0.5, -0.2], [3, 1]]), "shared": np.array([[9.0, 8], [4, 7], [6, 5]])}
ERROR = {name: np.full((3, 2), 0.3) for name in RATES}
SEEN = {name: rates + 0.1 for name, rates in RATES.items()}
MAKERS = {
    "rates": lambda: first_rates(RATES, ERROR, SEEN, opposed={"shared": 1}),
    "rates, prediction first": lambda: first_rates(RATES, ERROR),
    "rates, three panels": lambda: first_rates(RATES | {"chain": RATES["own"]}, ERROR | {"chain": ERROR["own"]}),
    "contributions": lambda: contributions([0.4, -1.2, 0.0, 2.0], list("abcd"), "d"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_axes_have_units_and_every_rule_is_kept(name):
    sheet = MAKERS[name]()
    draw(sheet)
    assert sheet.panels[-1].get_xlabel()
    for axes in sheet.panels:
        assert axes.get_ylabel().endswith(")") or name == "contributions"  # there the rows are named


def offsets(axes, size=None):
    found = [g for g in axes.collections if hasattr(g, "get_sizes") and (size is None or g.get_sizes()[0] == size)]
    return np.concatenate([np.asarray(group.get_offsets()) for group in found])


def test_rates_are_sorted_within_each_way_to_answer_and_measured_on_their_prediction():
    top, residuals = MAKERS["rates"]().panels
    rings = offsets(top, 190)
    order = {name: np.argsort(rates.ravel(), kind="stable") for name, rates in RATES.items()}
    expected = np.concatenate([SEEN[name].ravel()[order[name]] for name in RATES])
    np.testing.assert_allclose(offsets(top, 26)[:, 1], expected)
    np.testing.assert_allclose(offsets(residuals)[:, 1], 0.1 / 0.3)  # in standard errors
    assert "standard errors" in residuals.get_ylabel()
    (ring,) = rings  # the aligned side of value 1 where answers are shared, at its measured rate
    assert ring[1] == pytest.approx(SEEN["shared"][1, 0])


def test_groups_are_named_below():
    labels = [tick.get_text() for tick in MAKERS["rates, three panels"]().panels[-1].get_xticklabels()]
    assert labels == ["own", "shared", "chain"]


def test_bars_show_each_push_and_the_line_their_predicted_sum():
    axes = MAKERS["contributions"]().panels[0]
    widths = {round(patch.get_y() + patch.get_height() / 2): patch.get_width() for patch in axes.patches}
    assert widths == {0: 0.4, 1: -1.2, 3: 2.0}
    assert all(same_color(patch.get_facecolor(), MARGIN) for patch in axes.patches)
    (line,) = [line for line in axes.get_lines() if line.get_color() == PREDICTED]
    assert line.get_xdata()[0] == pytest.approx(1.2)
