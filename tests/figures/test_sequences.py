"""Figures of answers of many tokens: what they draw, in which colour, labels with units."""

import numpy as np
import pytest
from looks import draw
from matplotlib.colors import same_color

from helpers.figures.sequences import both_answers, token_rates
from helpers.figures.theme import MEASURED, PAGE, PREDICTED, SOFT

pytestmark = pytest.mark.usefixtures("themed")
RATES = np.linspace(-0.4, 0.1, 20)
PLACE = np.arange(20) % 5
NAMES = ("honesty", "curiosity")
MOVES = np.array([[-0.2, -0.3], [0.2, 0.1]])
MAKERS = {
    "prediction first": lambda: token_rates(RATES, position=PLACE),
    "with measurement": lambda: token_rates(RATES, RATES + 0.01, position=PLACE, printed=1.5 * RATES),
    "answers, prediction first": lambda: both_answers(NAMES, MOVES, 0.9 * MOVES),
    "answers": lambda: both_answers(NAMES, MOVES, 0.9 * MOVES, 1.1 * MOVES),
}


@pytest.mark.parametrize("name", MAKERS)
def test_labels_carry_units_and_every_rule_is_kept(name):
    sheet = MAKERS[name]()
    draw(sheet)
    assert "(nats" in (sheet.panels[0].get_xlabel() if "answers" in name else sheet.panels[0].get_ylabel())


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


def test_answers_are_tiles_full_for_chosen_at_their_rewards_in_the_row_of_their_value():
    axes = MAKERS["answers"]().panels[0]
    chosen, rejected = dots(axes, MEASURED)
    np.testing.assert_allclose(np.asarray(chosen.get_offsets())[:, 0], 1.1 * MOVES[:, 0])
    np.testing.assert_allclose(np.asarray(rejected.get_offsets())[:, 0], 1.1 * MOVES[:, 1])
    assert same_color(rejected.get_facecolor()[0], PAGE) and not same_color(chosen.get_facecolor()[0], PAGE)
    said = dots(axes, PREDICTED)[0].get_offsets()
    np.testing.assert_allclose(np.asarray(said)[:, 0], MOVES[:, 0])
    assert np.array_equal(np.asarray(said)[:, 1].round(), [0, 1])
    assert [label.get_text() for label in axes.get_yticklabels()] == list(NAMES)
    low, high = axes.get_ylim()
    assert low > high  # the first value stands at the top
    assert not dots(MAKERS["answers, prediction first"]().panels[0], MEASURED)
