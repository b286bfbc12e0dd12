"""Figures of answers of many tokens: what they draw, in which colour, labels with units."""

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.figures.sequences import answer_rates, token_rates
from helpers.figures.theme import MEASURED, PAGE, SOFT

pytestmark = pytest.mark.usefixtures("themed")
RATES = np.linspace(-0.4, 0.1, 20)
PLACE = np.arange(20) % 5
NAMES = ("honesty", "curiosity")
MOVES = np.array([[-0.2, -0.3], [0.2, 0.1]])[:, None] + np.array([0.01, -0.02, 0.0])[None, :, None]  # 3 splits
ERROR = np.full(MOVES.shape, 0.05)
MAKERS = {
    "prediction first": lambda: token_rates(RATES, position=PLACE),
    "with measurement": lambda: token_rates(RATES, RATES + 0.01, position=PLACE, printed=1.5 * RATES),
    "with tolerance": lambda: token_rates(RATES, RATES - 0.01, position=PLACE, tolerance=np.full(20, 0.02)),
    "answers, prediction first": lambda: answer_rates(NAMES, MOVES, error=ERROR),
    "answers": lambda: answer_rates(NAMES, MOVES, MOVES + 0.1, error=ERROR),
}


@pytest.mark.parametrize("name", MAKERS)
def test_labels_carry_units_and_every_rule_is_kept(name):
    sheet = MAKERS[name]()
    draw(sheet)
    assert "(nats" in sheet.panels[0].get_ylabel()


def dots(axes, colour):
    return [group for group in axes.collections
            if hasattr(group, "get_sizes") and same_color(group.get_edgecolor()[0], colour)]


def test_rates_stand_by_their_place_in_the_answer_sorted_with_the_other_formula_beside():
    top, residuals = MAKERS["with measurement"]().panels
    order = np.concatenate([np.flatnonzero(PLACE == place)[np.argsort(RATES[PLACE == place])] for place in range(5)])
    seen = np.concatenate([group.get_offsets() for group in dots(top, MEASURED)])
    np.testing.assert_allclose(seen[:, 1], (RATES + 0.01)[order])
    printed = np.concatenate([np.asarray(group.get_offsets()) for group in top.collections
                              if hasattr(group, "get_sizes") and same_color(group.get_facecolor()[0], SOFT)])
    np.testing.assert_allclose(printed, np.column_stack([seen[:, 0], 1.5 * RATES[order]]))
    off = np.concatenate([group.get_offsets() for group in dots(residuals, MEASURED)])
    np.testing.assert_allclose(off[:, 1], 0.01)
    labels = [tick.get_text() for tick in residuals.get_xticklabels()]
    assert labels == [f"token {n}" for n in range(1, 6)]


def test_residuals_are_counted_in_tolerances_where_there_are_some():
    _, residuals = MAKERS["with tolerance"]().panels
    off = np.concatenate([group.get_offsets() for group in dots(residuals, MEASURED)])
    np.testing.assert_allclose(off[:, 1], -0.5)
    assert "tolerances" in residuals.get_ylabel()


def test_answers_are_full_for_chosen_and_hollow_for_rejected_sorted_by_the_forecast_with_residuals():
    top, residuals = MAKERS["answers"]().panels
    kinds = [np.asarray(group.get_offsets()) for group in dots(top, MEASURED)]
    full = [not same_color(group.get_facecolor()[0], PAGE) for group in dots(top, MEASURED)]
    assert full == [True, False, True, False]  # chosen and rejected of each value
    for found, moves in zip(kinds, MOVES.transpose(0, 2, 1).reshape(4, 3), strict=True):
        np.testing.assert_allclose(found[:, 1], np.sort(moves) + 0.1)
    assert kinds[0][:, 0].max() < kinds[1][:, 0].min()  # chosen left
    off = np.concatenate([group.get_offsets() for group in dots(residuals, MEASURED)])
    np.testing.assert_allclose(off[:, 1], 0.1 / 0.05)
    assert "standard errors" in residuals.get_ylabel()
    assert [label.get_text() for label in residuals.get_xticklabels()] == list(NAMES)
    assert not dots(MAKERS["answers, prediction first"]().panels[0], MEASURED)
