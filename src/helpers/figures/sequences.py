"""Figures of answers of many tokens: rates of token rewards, and where both answers of a pair go."""

from collections.abc import Sequence

import numpy as np

from .agreement import Group, agreement
from .drawing import Sheet, dot_of, dots, zero
from .theme import INK, MEASURED, PREDICTED, SOFT


def token_rates(
    predicted: Sequence[float],
    measured: Sequence[float] | None = None,
    *,
    position: Sequence[int],
    printed: Sequence[float] | None = None,
) -> Sheet:
    """Rates of token rewards, sorted within each place of the answer; measured ones on them, and how far off below.

    Parameters
    ----------
    predicted, measured : shape (M,), in nats per unit of learning rate. Leave `measured` out to draw the prediction.
    position : place of the token in its answer, from 0, shape (M,).
    printed : what another formula predicts for the same measurements, shape (M,); drawn as crosses.
    """
    position, parts = np.asarray(position), {"predicted": predicted, "measured": measured, "rival": printed}
    groups = {
        f"token {place + 1}": Group(**{name: None if some is None else np.asarray(some, dtype=float)[position == place]
                                       for name, some in parts.items()})
        for place in np.unique(position)
    }
    return agreement(groups, up="Rate of reward (nats / learning rate)", each="held-out token",
                     rival="with the printed p")


def both_answers(
    names: Sequence[str], predicted: np.ndarray, shared: np.ndarray, measured: np.ndarray | None = None
) -> Sheet:
    """How far the held-out answers of each value move: chosen (full) and rejected (hollow), predicted and measured.

    Parameters
    ----------
    names : the K values.
    predicted, measured : mean change of the reward of the chosen and of the rejected answers, shape (K, 2), nats.
    shared : the part of the prediction that goes through the mean states, shape (K, 2), in nats.
    """
    predicted, shared = np.asarray(predicted, dtype=float), np.asarray(shared, dtype=float)
    height = 0.75 * len(names) + 1.6
    sheet = Sheet("Mean change of the reward of held-out answers (nats)", "", height=height, phone=height + 0.8)
    axes = sheet.panels[0]
    zero(axes, up=True)
    row = np.arange(len(names))
    for answer, shift in ((0, -0.15), (1, 0.15)):
        full = answer == 0
        axes.scatter(shared[:, answer], row + shift, 150, marker="|", color=SOFT, lw=1.6, zorder=2)
        dots(axes, predicted[:, answer], row + shift, full=full, colour=PREDICTED, marker="s", size=52)
        if measured is not None:
            dots(axes, np.asarray(measured)[:, answer], row + shift + 0.12, full=full, marker="s", size=30)
    axes.set_yticks(row, names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    entries = [(dot_of(PREDICTED, marker="s"), "predicted"), (dot_of(INK, full=False, marker="s"), "hollow: rejected"),
               (dot_of(SOFT, marker="|"), "through the mean states alone")]
    if measured is not None:
        entries.insert(1, (dot_of(MEASURED, marker="s"), "measured"))
    return sheet.key(*entries)
