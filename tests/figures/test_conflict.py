"""The figures of conflict: what they draw, labels with units, nothing cut off."""

import matplotlib
import numpy as np
import pytest
from looks import draw

from helpers.figures.conflict import against_time, contributions, first_rates
from helpers.figures.theme import LINES

pytestmark = pytest.mark.usefixtures("themed")
RATES = {"own": np.array([[1.0, 2], [0.5, -0.2], [3, 1]]), "shared": np.array([[9.0, 8], [4, 7], [6, 5]])}
ERROR = {name: np.full((3, 2), 0.3) for name in RATES}
SEEN = {name: rates + 0.1 for name, rates in RATES.items()}
S = np.geomspace(0.1, 100, 30)
CURVES = {"own": np.log1p(S), "caution": -np.log1p(S)}
MAKERS = {
    "rates": lambda: first_rates(RATES, ERROR, SEEN, opposed={"shared": 1}),
    "rates, prediction first": lambda: first_rates(RATES, ERROR),
    "rates, three panels": lambda: first_rates(RATES | {"chain": RATES["own"]}, ERROR | {"chain": ERROR["own"]}),
    "contributions": lambda: contributions([0.4, -1.2, 0.0, 2.0], list("abcd"), "d"),
    "time": lambda: against_time(S, CURVES, {name: 0.9 * r for name, r in CURVES.items()}),
    "time, prediction first": lambda: against_time(S, CURVES),
    "correlation": lambda: against_time(S, {}, CURVES, up="Rank correlation (no unit)"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_axes_have_units_and_nothing_is_cut_off(name):
    figure = MAKERS[name]()
    draw(figure)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    for axes in shown:
        assert axes.get_xlabel().endswith(")")
        assert axes.get_ylabel().endswith(")") or name == "contributions"  # there the rows are named


def points(axes):
    return np.array([group.get_offsets()[0] for group in axes.collections if hasattr(group, "get_sizes")
                     and len(group.get_offsets())])


def test_rates_stand_at_prediction_and_measurement():
    own, shared = MAKERS["rates"]().axes[:2]
    for axes, name in ((own, "own"), (shared, "shared")):
        np.testing.assert_allclose(points(axes), np.column_stack([RATES[name].T.ravel(), SEEN[name].T.ravel()]))
    first = points(MAKERS["rates, prediction first"]().axes[0])
    np.testing.assert_allclose(first[:, 0], first[:, 1])


def test_the_value_turned_round_has_its_own_colour():
    shared = MAKERS["rates"]().axes[1]
    markers = [group for group in shared.collections if hasattr(group, "get_sizes") and len(group.get_offsets())]
    colours = [matplotlib.colors.to_hex(group.get_edgecolor()[0]).upper() for group in markers]
    assert colours == [LINES[0], LINES[1], LINES[0]] * 2


def test_an_odd_panel_is_hidden():
    assert [axes.get_visible() for axes in MAKERS["rates, three panels"]().axes] == [True, True, True, False]


def test_bars_show_each_part_and_the_line_their_sum():
    axes = MAKERS["contributions"]().axes[0]
    widths = {round(patch.get_y() + patch.get_height() / 2): patch.get_width() for patch in axes.patches}
    assert widths == {0: 0.4, 1: -1.2, 3: 2.0}
    (line,) = [line for line in axes.get_lines() if line.get_label() == "sum"]
    assert line.get_xdata()[0] == pytest.approx(1.2)


def test_curves_of_one_name_share_a_colour_and_words_appear_only_where_needed():
    lines = {line.get_label(): line for line in MAKERS["time"]().axes[0].get_lines()}
    assert lines["own, predicted"].get_color() == lines["own, measured"].get_color()
    assert lines["own, predicted"].get_color() != lines["caution, predicted"].get_color()
    np.testing.assert_allclose(lines["caution, measured"].get_ydata(), 0.9 * CURVES["caution"])
    assert {"own", "caution"} < {line.get_label() for line in MAKERS["time, prediction first"]().axes[0].get_lines()}
    assert MAKERS["correlation"]().axes[0].get_xscale() == "log"
