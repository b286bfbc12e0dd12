"""Figures of guarantees: what they draw, their labels, and what lies beyond the axis."""

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.figures.guarantees import Ceiling, by_share, ceilings, price_of_distance
from helpers.figures.theme import MEASURED, PREDICTED, PROVED

pytestmark = pytest.mark.usefixtures("themed")
Q = {"mixture": [40, 160, 640], "model": [6, 48]}
PANELS = {
    "mixture": {"paper": Ceiling([3.7, 3.8, -12.0]), "N8": Ceiling([-2953.0, -11813.0, -47251.0]),
                "exact": Ceiling([-3.0, -3.2, -3.4], "predicted")},
    "model": {"paper": Ceiling([3.0, 6.0]), "N11": Ceiling([-0.2, -0.5]),
              "error": Ceiling([-0.9, -1.0], "measured", [-1.0, -1.1], [-0.8, -0.9])},
}
RUNS = {"DPO": ([0.1, 0.3], [0.3, 0.4], [0.1, 0.05]), "Adam": ([0.7, 0.8], [0.5, 0.6], [0.1, 0.06])}
SHARES = {"early": ([0.3, 0.3], [0.29, 0.29], [0.31, 0.31]), "none": ([0.5, 0.6], [0.4, 0.5], [0.6, 0.7])}
MAKERS = {"ceilings": lambda: ceilings(Q, PANELS), "price": lambda: price_of_distance(RUNS),
          "share": lambda: by_share([0.2, 0.8], SHARES)}


@pytest.mark.parametrize("name", MAKERS)
def test_axes_are_labelled_and_every_rule_is_kept(name):
    sheet = MAKERS[name]()
    draw(sheet)
    assert sheet.panels[0].get_ylabel() == "Risk (probability)" and sheet.panels[-1].get_xlabel()


def test_what_is_beyond_the_axis_has_a_triangle_with_its_power_of_ten():
    mixture, model = ceilings(Q, PANELS).panels
    words = [text.get_text() for panel in (mixture, model) for text in panel.texts]
    assert {"N8: 10⁻⁴⁷²⁵¹", "paper: 10⁻¹²", "paper: 10⁶"} <= set(words)
    assert not any("exact" in word or "N11" in word for word in words)
    (paper,) = [line for line in model.get_lines() if same_color(line.get_color(), PROVED) and line.get_ydata()[0] == 3]
    assert np.isnan(paper.get_ydata()[1])  # the line ends where the axis does


def test_a_guarantee_has_one_dash_in_all_panels_and_kinds_have_their_colours():
    sheet = ceilings(Q, PANELS)
    first, second = ([line for line in panel.get_lines() if same_color(line.get_color(), PROVED)]
                     for panel in sheet.panels)
    assert first[0].get_linestyle() == second[0].get_linestyle() != second[1].get_linestyle()
    assert any(same_color(line.get_color(), PREDICTED) for line in sheet.panels[0].get_lines())
    assert [text.get_text() for text in sheet.legends[0].get_texts()] == ["paper", "N8", "exact", "N11", "error"]


def test_the_price_has_guarantee_and_error_at_the_distance_of_each_step():
    (axes,) = price_of_distance(RUNS).panels
    for colour, k in ((PROVED, 1), (MEASURED, 2)):
        drawn = [line.get_xydata() for line in axes.get_lines() if line.get_color() == colour]
        np.testing.assert_allclose(drawn, [np.column_stack([run[0], run[k]]) for run in RUNS.values()])
    with pytest.raises(ValueError, match="runs must be at most 5"):
        price_of_distance({str(k): RUNS["DPO"] for k in range(6)})


def test_shares_are_green_means_in_their_intervals():
    (axes,) = by_share([0.2, 0.8], SHARES).panels
    np.testing.assert_allclose([line.get_ydata() for line in axes.get_lines()], [mean for mean, *_ in SHARES.values()])
    assert len(axes.collections) == 2
