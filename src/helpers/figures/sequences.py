"""Figures of answers of many tokens: rates of token rewards, and where both answers of a pair go."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from .margins import _blank, _finish
from .theme import GREY, LINES

MARKERS = "o^sDv"


def token_rates(
    predicted: Sequence[float],
    measured: Sequence[float] | None = None,
    *,
    position: Sequence[int],
    printed: Sequence[float] | None = None,
) -> Figure:
    """Rates of token rewards, prediction across and measurement up: they agree on the diagonal.

    Parameters
    ----------
    predicted, measured : shape (M,), in nats per unit of learning rate. Without `measured` the points stand where
        they should fall.
    position : place of the token in its answer, from 0, shape (M,): colours and markers.
    printed : what another formula predicts for the same measurements, shape (M,); drawn as crosses.
    """
    predicted, position = np.asarray(predicted, dtype=float), np.asarray(position)
    there = predicted if measured is None else np.asarray(measured, dtype=float)
    figure, axes = _blank(
        "Predicted rate (nats per unit of learning rate)", "Measured rate (nats per unit of learning rate)",
        size=(6.0, 5.0),
    )
    across = predicted if printed is None else np.concatenate([predicted, printed])
    ends = np.array([min(across.min(), there.min()), max(across.max(), there.max())])
    axes.plot(ends, ends, color="#555555", lw=1, ls="--", label="equal")
    if printed is not None:
        axes.scatter(printed, there, 22, marker="x", color=GREY, lw=0.8, label="with the printed p")
    for place in np.unique(position):
        at, colour = position == place, (*LINES, "#222222")[place % 5]
        fill = "none" if measured is None else colour
        label = f"token {place + 1}" + (", expected" if measured is None else "")
        axes.scatter(predicted[at], there[at], 24, marker=MARKERS[place % 5], fc=fill, ec=colour, lw=0.9, label=label)
    return _finish(figure, axes)


def both_answers(
    names: Sequence[str], predicted: np.ndarray, shared: np.ndarray, measured: np.ndarray | None = None
) -> Figure:
    """How far the held-out answers of each value move: chosen and rejected, predicted and measured.

    Parameters
    ----------
    names : the K values.
    predicted, measured : mean change of the reward of the chosen and of the rejected answers, shape (K, 2), nats.
    shared : the part of the prediction that goes through the mean states, shape (K, 2), in nats.
    """
    predicted, shared = np.asarray(predicted, dtype=float), np.asarray(shared, dtype=float)
    across = "Mean change of the reward of held-out answers (nats)"
    figure, axes = _blank(across, "", size=(6.8, 0.75 * len(names) + 1.7))
    axes.axvline(0, color="#555555", lw=1)
    row = np.arange(len(names))
    for answer, (name, colour, marker, shift) in enumerate(
        (("chosen", LINES[0], "o", -0.14), ("rejected", LINES[1], "^", 0.14))
    ):
        at = row + shift
        label = "through the mean states alone" if answer == 0 else None
        axes.scatter(shared[:, answer], at, 130, marker="|", color="#222222", lw=1.5, label=label)
        axes.scatter(predicted[:, answer], at, 60, marker=marker, fc="none", ec=colour, label=f"{name}, predicted")
        if measured is not None:
            there = np.asarray(measured)[:, answer]
            axes.scatter(there, at, 16, marker=marker, color=colour, label=f"{name}, measured")
    axes.set_yticks(row, names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    return _finish(figure, axes)
