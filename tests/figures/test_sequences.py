"""Figures of answers of many tokens: what they draw, labels with units, nothing cut off."""

import numpy as np
import pytest
from looks import draw

from helpers.figures.sequences import both_answers, token_rates

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


def points(figure):
    return {c.get_label(): np.asarray(c.get_offsets()) for c in figure.axes[0].collections}


@pytest.mark.parametrize("name", MAKERS)
def test_labels_carry_units_and_nothing_is_cut_off(name):
    figure = MAKERS[name]()
    axes = figure.axes[0]
    assert "(nats" in axes.get_xlabel() and ("(nats" in axes.get_ylabel() or axes.get_yticklabels())
    draw(figure)
    for text in axes.get_yticklabels() if "answers" in name else []:  # numbers may lie outside the axes
        box, whole = text.get_window_extent(), figure.bbox
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1, text


def test_rates_stand_at_prediction_and_measurement():
    drawn = points(MAKERS["with measurement"]())
    for place in range(5):
        at = PLACE == place
        np.testing.assert_allclose(drawn[f"token {place + 1}"], np.column_stack([RATES, RATES + 0.01])[at])
    np.testing.assert_allclose(drawn["with the printed p"], np.column_stack([1.5 * RATES, RATES + 0.01]))
    first = points(MAKERS["prediction first"]())
    assert set(first) == {f"token {n}, expected" for n in range(1, 6)}
    assert all((xy[:, 0] == xy[:, 1]).all() for xy in first.values())


def test_answers_stand_at_their_rewards_in_the_row_of_their_value():
    figure = MAKERS["answers"]()
    drawn = points(figure)
    np.testing.assert_allclose(drawn["chosen, predicted"][:, 0], MOVES[:, 0])
    np.testing.assert_allclose(drawn["rejected, measured"][:, 0], 1.1 * MOVES[:, 1])
    assert np.array_equal(drawn["chosen, predicted"][:, 1].round(), [0, 1])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list(NAMES)
    low, high = figure.axes[0].get_ylim()
    assert low > high  # the first value stands at the top
    assert not any("measured" in name for name in points(MAKERS["answers, prediction first"]()))
