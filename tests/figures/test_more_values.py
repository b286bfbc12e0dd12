"""Figures of more values: what they draw, in which colour, and the rules of all figures."""

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.figures.more_values import VALUES, Fan, candidates, error_by_values, fans
from helpers.figures.theme import MEASURED, PREDICTED, SOFT

pytestmark = [pytest.mark.usefixtures("themed"), pytest.mark.slow]  # `make check` has no time for it
K = [1, 2, 4, 8, 16]
STEPS = np.arange(0, 101, 10)
TOLD = {k: STEPS / (100 * k) for k in K}
FOUND = {k: np.array([0.9, 1.0, 1.1])[:, None] * TOLD[k] for k in K}
DRAWS = np.array([-0.01, 0.0, 0.01])[:, None]
LAW = {"law": np.linspace(0.1, 0.2, 5), "other law": np.linspace(0.1, 0.4, 5)}
ERRORS = {"first step": LAW["law"] + 0.01 + DRAWS, "Adam, 100 steps": LAW["law"] + 0.03 + DRAWS}
FINE = np.linspace(1, 16, 50)
FITS = {"line in K": ((FINE, 0.1 + FINE / 160), 0.1 + np.array(K) / 160),
        "line in log K": ((FINE, 0.1 + np.log(FINE) / 28), 0.1 + np.log(K) / 28)}


def panels(measured):
    of = {k: STEPS for k in K}
    seen = FOUND if measured else None
    return fans({"same steps": Fan("Steps n (number)", of, TOLD, seen),
                 "same time": Fan("Time S (no unit)", {k: STEPS / k for k in K}, TOLD, seen)}, up="Margin (nats)")


MAKERS = {
    "told": lambda: panels(False), "fans": lambda: panels(True),
    "laws": lambda: error_by_values(K, LAW),
    "errors": lambda: error_by_values(K, {"law": LAW["law"]}, ERRORS,
                                      {name: (None, each - LAW["law"]) for name, each in ERRORS.items()},
                                      difference="measured − law (probability)"),
    "paired": lambda: error_by_values(K, LAW, ERRORS, {"pair": (LAW["law"] - LAW["other law"], DRAWS + np.zeros(5))},
                                      difference="shared − own (probability)"),
    "candidates": lambda: candidates(K, ERRORS["first step"], LAW["law"], FITS),
}


def lines(axes, colour):
    return [line for line in axes.lines if same_color(line.get_color(), colour) and line.get_linestyle() != "None"]


def dots(axes):
    found = [c for c in axes.collections if hasattr(c, "get_sizes") and len(c.get_edgecolor())
             and same_color(c.get_edgecolor()[0], MEASURED)]
    return [np.asarray(group.get_offsets()) for group in found]


@pytest.mark.parametrize("name", MAKERS)
def test_axes_are_labelled_and_every_rule_is_kept(name):
    sheet = MAKERS[name]()
    draw(sheet)
    assert all(axes.get_xlabel() for axes in sheet.panels[-1:])


def test_a_fan_is_five_lines_and_then_five_kinds_of_dots_on_them():
    for measured in (False, True):
        for axes, right in zip(panels(measured).panels, (lambda k: 100, lambda k: 100 / k), strict=True):
            told = lines(axes, PREDICTED)
            assert [line.get_xdata()[-1] for line in told] == [right(k) for k in K]
            np.testing.assert_allclose([line.get_ydata() for line in told], list(TOLD.values()))
            assert len(dots(axes)) == (5 if measured else 0)
    for k, group in zip(K, dots(panels(True).panels[0]), strict=True):
        np.testing.assert_allclose(group, [(n, n / (100 * k)) for n in (20, 40, 60, 80, 100)])


def test_errors_are_means_with_intervals_beside_the_law_and_less_it_below():
    sheet = MAKERS["errors"]()
    top, below = sheet.panels
    np.testing.assert_allclose([line.get_ydata() for line in lines(top, PREDICTED)][0], LAW["law"])
    for group, off, name, gap in zip(dots(top), dots(below), ERRORS, (0.01, 0.03), strict=True):
        np.testing.assert_allclose(group[:, 1], ERRORS[name].mean(axis=0))
        np.testing.assert_allclose(off[:, 1], gap)
        np.testing.assert_allclose(np.round(group[:, 0]), range(5))
    half = 4.302653 * 0.01 / np.sqrt(3)  # Student's t, two degrees of freedom
    ends = lines(top, MEASURED)[0].get_ydata().reshape(-1, 3)[:, :2]
    np.testing.assert_allclose(ends[:, 1] - ends[:, 0], 2 * half, rtol=1e-6)
    assert [tick.get_text() for tick in below.get_xticklabels()] == [str(k) for k in K]


def test_a_predicted_difference_is_a_blue_line_below():
    below = MAKERS["paired"]().panels[1]
    np.testing.assert_allclose(lines(below, PREDICTED)[0].get_ydata(), LAW["law"] - LAW["other law"])


def test_what_was_fitted_is_grey_and_the_law_is_blue():
    top, below = MAKERS["candidates"]().panels
    assert len(lines(top, PREDICTED)) == 1 and len(lines(top, SOFT)) == 2
    np.testing.assert_allclose(lines(below, PREDICTED)[0].get_ydata(), 0.01)
    mean = ERRORS["first step"].mean(axis=0)
    fitted = [line for line in lines(below, SOFT) if len(line.get_ydata()) == 5]
    for line, (_, at) in zip(fitted, FITS.values(), strict=True):
        np.testing.assert_allclose(line.get_ydata(), mean - at)
    assert MAKERS["laws"]().panels[0].get_xlabel() == VALUES
