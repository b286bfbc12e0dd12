"""The figures of chapters 4 and 5: what they draw, labels with units, nothing cut off, fonts that ship."""

import re

import numpy as np
import pytest
from looks import draw
from scipy.stats import norm

from helpers.figures.concentration import densities, failure_curves, margins_in_envelopes, shares, widening

pytestmark = pytest.mark.usefixtures("themed")
RNG = np.random.default_rng(0)
S = np.linspace(0, 0.4, 9)
RATES = np.array([-0.5, 0.5, 1.0, 2.0, 7.0])
MARGINS = S[:, None] / 2 * RATES
WIDE, TIGHT = (S / 16, 5 * S / 2), (np.where(S < 0.3, 5 * S / 32, np.nan), np.where(S < 0.3, 19 * S / 32, np.nan))
NUMBERS = RNG.normal(size=2000)
STAGES = {"frozen": (1.0, 2.0), "paper": (0.25, 10.0)}
MAKERS = {
    "densities": lambda: densities(
        {"Linear part": ({"seen": NUMBERS}, {"theory": (0, 1)}),
         "Bilinear part": ({"seen": NUMBERS}, {"theory": (0, 2)})},
        unit="units", reach=5, floor=1e-4),
    "densities, prediction first": lambda: densities({"Rate": ({}, {"one": (1, 0.2), "two": (1, 1)})}, unit="units"),
    "failures": lambda: failure_curves(
        {"Z = 1": ([10, 100], {"B.1": [50, 0.1], "true": [5, 0.01]}, [(10, 0.5, 0.3, 0.7), (100, 0.0, 0.0, 0.1)])}),
    "envelopes": lambda: margins_in_envelopes(S, {"4.2": WIDE, "4.2′": TIGHT}, S / 2, MARGINS),
    "envelopes, prediction first": lambda: margins_in_envelopes(S, {"4.2": WIDE}, S / 2),
    "widening": lambda: widening(STAGES, truth=(1.8, 2.0)),
    "shares": lambda: shares([0.5, 1], {"star": [0.0, 0.5]}, x_name="Noise (1)", y_name="Data sets (%)", predicted=0.9),
}


@pytest.mark.parametrize("name", MAKERS)
def test_labels_have_units_fit_and_use_fonts_that_ship(name):
    figure = MAKERS[name]()
    draw(figure)
    for axes in figure.axes:
        labels = [text for text in (axes.get_xlabel(), axes.get_ylabel()) if text]
        assert labels and all(re.search(r"\([^)]+\)", text) for text in labels)


def test_densities_are_those_of_the_numbers_and_of_the_normal_law():
    axes = MAKERS["densities"]().axes[1]
    (line,) = axes.get_lines()
    x, y = line.get_data()
    drawn = ~np.isnan(y)
    np.testing.assert_allclose(y[drawn], norm.pdf(x[drawn], 0, 2))
    (steps,) = axes.patches
    heights, edges, _ = steps.get_data()
    assert np.nansum(heights * np.diff(edges)) == pytest.approx(1)  # all 2000 numbers lie within the reach
    assert axes.get_yscale() == "log" and MAKERS["densities, prediction first"]().axes[0].get_yscale() == "linear"


def test_margins_that_leave_the_envelope_have_another_colour():
    axes = MAKERS["envelopes"]().axes[0]
    thin = [line for line in axes.get_lines() if line.get_linewidth() == 0.6]
    colours = {round(line.get_ydata()[1] / (S[1] / 2), 6): line.get_color() for line in thin}
    assert sorted(colours) == sorted(RATES)
    inside, outside = {colours[rate] for rate in (0.5, 1.0, 2.0)}, {colours[rate] for rate in (-0.5, 7.0)}
    assert len(inside) == len(outside) == 1 and inside != outside
    assert [text.get_text() for text in axes.figure.legends[0].get_texts()][:2] == ["4.2", "4.2′"]


def test_failures_and_stages_stand_where_they_are():
    axes = MAKERS["failures"]().axes[0]
    np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), [50, 0.1])
    bars = MAKERS["widening"]().axes[0].get_lines()
    assert [tuple(bar.get_xdata()) for bar in bars] == list(STAGES.values())
    predicted, line = MAKERS["shares"]().axes[0].get_lines()
    assert predicted.get_xdata() == [0.9, 0.9]
    np.testing.assert_allclose(line.get_ydata(), [0, 50])
