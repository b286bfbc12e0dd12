"""The figures of concentration and of the training guarantee: what they draw, in which colour, labels with units."""

import re

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color
from scipy.stats import norm

from helpers.figures.concentration import (
    densities,
    failure_curves,
    first_exit,
    margins_in_envelopes,
    shares,
)
from helpers.figures.theme import INK, MEASURED, PREDICTED, PROVED

pytestmark = [pytest.mark.usefixtures("themed"), pytest.mark.slow]  # `make check` has no time for it
RNG = np.random.default_rng(0)
S = np.linspace(0, 0.4, 9)
RATES = np.array([-0.5, 0.5, 1.0, 2.0, 7.0])
MARGINS = S[:, None] / 2 * RATES
WIDE, TIGHT = (S / 16, 5 * S / 2), (np.where(S < 0.3, 5 * S / 32, np.nan), np.where(S < 0.3, 19 * S / 32, np.nan))
NUMBERS = RNG.normal(size=2000)
MAKERS = {
    "densities": lambda: densities(
        {"Linear part": ({"seen": NUMBERS}, {"theory": (0, 1)}),
         "Bilinear part": ({"seen": NUMBERS}, {"theory": (0, 2)})},
        unit="units", reach=5, floor=1e-4),
    "densities, prediction first": lambda: densities({"Rate": ({}, {"one": (1, 0.2), "two": (1, 1)})}, unit="units"),
    "failures": lambda: failure_curves(
        {"Z = 1": ([10, 100], {"B.1": [50, 0.1], "true": [5, 0.01], "estimate": [0.5, 0.001]},
                   [(10, 0.5, 0.3, 0.7), (100, 0.0, 0.0, 0.1)])}),
    "envelopes": lambda: margins_in_envelopes(S, {"4.2": WIDE, "4.2′": TIGHT}, S / 2, MARGINS),
    "envelopes, prediction first": lambda: margins_in_envelopes(S, {"4.2": WIDE}, S / 2),
    "first exit": lambda: first_exit(S, tuple(np.where(S < 0.31, edge, np.nan) for edge in (S / 16, 4 * S)),
                                     S[:, None] / 2 * np.ones(50), ceiling=1.2),
    "shares": lambda: shares([0.5, 1], {"star": [0.0, 0.5]}, x_name="Noise (1)", y_name="Data sets (%)", predicted=0.9),
}


@pytest.mark.parametrize("name", MAKERS)
def test_labels_have_units_and_every_rule_is_kept(name):
    sheet = MAKERS[name]()
    draw(sheet)
    for axes in sheet.panels:
        labels = [text for text in (axes.get_xlabel(), axes.get_ylabel()) if text]
        assert labels and all(re.search(r"\([^)]+\)", text) for text in labels)


def test_densities_are_those_of_the_numbers_and_of_the_normal_law():
    axes = MAKERS["densities"]().panels[1]
    (line,) = axes.get_lines()
    x, y = line.get_data()
    drawn = ~np.isnan(y)
    np.testing.assert_allclose(y[drawn], norm.pdf(x[drawn], 0, 2))
    assert line.get_color() == PREDICTED
    (seen,) = [group for group in axes.collections if len(group.get_offsets()) > 1]
    assert same_color(seen.get_edgecolor()[0], MEASURED)
    centres, heights = np.asarray(seen.get_offsets()).T
    # all 2000 numbers lie within the reach: 40 bins of a quarter, those that are empty left out
    assert heights.sum() * 10 / 40 == pytest.approx(1)
    assert axes.get_yscale() == "log" and MAKERS["densities, prediction first"]().panels[0].get_yscale() == "linear"


def test_margins_that_leave_the_envelope_are_stronger():
    axes = MAKERS["envelopes"]().panels[0]
    fans = [line for line in axes.get_lines() if line.get_color() == MEASURED]
    inside, outside = sorted(fans, key=lambda line: line.get_alpha())

    def rates(line):
        return {round(rate / (S[1] / 2), 6) for rate in line.get_ydata()[1 :: len(S) + 1]}

    assert rates(inside) == {0.5, 1.0, 2.0} and rates(outside) == {-0.5, 7.0}
    np.testing.assert_allclose(inside.get_ydata()[: len(S)], MARGINS[:, 1])
    key = axes.figure.legends[0]
    proved = [words.get_text() for line, words in zip(key.get_lines(), key.get_texts(), strict=True)
              if line.get_color() == PROVED]
    assert proved == ["4.2", "4.2′"] and axes.texts[-1].get_color() == PREDICTED


def test_failures_and_shares_stand_where_they_are():
    axes = MAKERS["failures"]().panels[0]
    np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), [50, 0.1])
    assert [line.get_color() for line in axes.get_lines()] == [PROVED, PROVED, PREDICTED, MEASURED]
    predicted, line = MAKERS["shares"]().panels[0].get_lines()
    assert predicted.get_xdata() == [0.9, 0.9] and predicted.get_color() == PREDICTED
    np.testing.assert_allclose(line.get_ydata(), [0, 50])


def test_powers_of_ten_are_words_that_can_be_read():
    words = MAKERS["failures"]().panels[0].yaxis.get_major_formatter()
    assert [words(value) for value in (0.001, 1, 10_000, 1e8, 1e-5, 20)] == ["0.001", "1", "10,000", "10⁸", "10⁻⁵", ""]


def test_the_imagined_exit_comes_before_the_stopping_time_and_only_above_the_proved_line():
    axes = MAKERS["first exit"]().panels[0]
    lower, upper = (line for line in axes.get_lines() if same_color(line.get_color(), PROVED))
    assert upper.get_ydata()[S < 0.31].max() == pytest.approx(1.2) and np.isnan(upper.get_ydata()[S > 0.31]).all()
    (path,) = [line for line in axes.get_lines() if same_color(line.get_color(), INK)]
    t, r = path.get_data()
    assert r[-1] == pytest.approx(1.2) and t[-1] < 0.3  # it leaves the box too early
    assert (r >= t / 16 - 1e-12).all() and r[-1] > 4 * t[-1]  # for which it must outrun the upper line
    ring = [group for group in axes.collections if len(group.get_facecolor()) == 0]
    np.testing.assert_allclose(ring[0].get_offsets(), [[t[-1], 1.2]])
    assert len([line for line in axes.get_lines() if same_color(line.get_color(), MEASURED)]) == 24
