"""Figures of values that help or hinder each other: their first rates, and who adds what to them."""

from collections.abc import Mapping, Sequence

import numpy as np

from .agreement import Group, agreement
from .drawing import Sheet, zero
from .theme import MARGIN, PREDICTED


def first_rates(
    predicted: Mapping[str, np.ndarray],
    error: Mapping[str, np.ndarray],
    measured: Mapping[str, np.ndarray] | None = None,
    *,
    opposed: Mapping[str, int] | None = None,
) -> Sheet:
    """First rates of all clusters, sorted within each way to answer; leave `measured` out to draw the prediction.

    Parameters
    ----------
    predicted, measured : title -> shape (K, 2), aligned side first, in squared units of the embedding.
    error : title -> standard errors of the differences, shape (K, 2): unit of the residuals.
    opposed : title -> number of a value whose aligned side is ringed.
    """
    groups = {
        title: Group(rates.ravel(), None if measured is None else measured[title].ravel(), error[title].ravel(),
                     ring=2 * opposed[title] if opposed and title in opposed else None)
        for title, rates in predicted.items()
    }
    return agreement(groups, up="First rate (units²)", each="held-out cluster", off="standard errors")


def contributions(parts: np.ndarray, names: Sequence[str], value: str) -> Sheet:
    """What each value adds to the first rate of one of them, as golden bars to the right (helps) or left (hinders).

    `parts` has shape (K,), g_ik c_i . c_k in squared units of the embedding; `value` is the one that is pushed. The sum
    is the predicted rate, a blue line.
    """
    parts = np.asarray(parts, dtype=float)
    height = 0.9 + 0.36 * len(names)
    sheet = Sheet(f"Part of the first rate of {value} (units²)", "", height=height, phone=height)
    axes = sheet.panels[0]
    for at, part in enumerate(parts):
        if part:
            axes.barh(at, part, color=MARGIN, height=0.62, zorder=2)
    zero(axes, up=True)
    axes.axvline(parts.sum(), color=PREDICTED, lw=3, zorder=3)
    right = parts.sum() < np.mean(axes.get_xlim())
    ha, dx = ("left", 7) if right else ("right", -7)
    sheet.name(axes, parts.sum(), len(names) - 1, "the sum", PREDICTED, dx=dx, ha=ha)
    axes.set_yticks(range(len(names)), list(names))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    return sheet
