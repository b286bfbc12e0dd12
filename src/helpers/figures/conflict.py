"""Figures of values that help or hinder each other: their first rates, and what becomes of them."""

from collections.abc import Mapping, Sequence

import numpy as np

from .agreement import Group, agreement
from .drawing import Sheet, dash_of, dot_of, dots, powers, zero
from .theme import DASHES, INK, MARGIN, MARKERS, MEASURED, PREDICTED


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


def against_time(
    S: Sequence[float],
    dashed: Mapping[str, np.ndarray],
    solid: Mapping[str, np.ndarray] | None = None,
    *,
    words: tuple[str, str] = ("predicted", "measured"),
    status: str = "predicted",
    up: str = "Mean reward margin (nats)",
) -> Sheet:
    """Curves against dimensionless time on a logarithmic axis; a name has its own dash or marker.

    Parameters
    ----------
    S : times above 0, shape (T,).
    dashed, solid : name -> shape (T,), at most five names. By default predicted (blue lines) and measured (red dots).
    words : what the two are, where they are something else: then both have the colour of `status`, "predicted" or
        "measured", and `dashed` has dashes.
    up : label of the vertical axis with its unit.
    """
    sheet = Sheet("Dimensionless time S (no unit)", up, height=4.0)
    axes = sheet.panels[0]
    zero(axes)
    names = list(dict.fromkeys([*dashed, *(solid or {})]))
    two_kinds = words != ("predicted", "measured")
    S, colour = np.asarray(S), {"predicted": PREDICTED, "measured": MEASURED}[status]
    some = np.searchsorted(S, np.geomspace(S[0], S[-1], 14)).clip(max=len(S) - 1)
    for name, values in dashed.items():
        axes.plot(S, values, color=colour if two_kinds else PREDICTED, lw=2.4, zorder=3,
                  ls=DASHES[2] if two_kinds else DASHES[names.index(name)])
    for name, values in (solid or {}).items():
        k, values = names.index(name), np.asarray(values)
        if two_kinds:
            axes.plot(S, values, color=colour, lw=2.4, zorder=3)
        else:
            axes.plot(S, values, color=MEASURED, lw=0.9, zorder=3)
            dots(axes, S[np.unique(some)], values[np.unique(some)], marker=MARKERS[k], full=k % 2 == 0, size=22)
    for name in names:
        end = (solid or {}).get(name, dashed.get(name))
        sheet.name(axes, S[-1], end[-1], name.replace(", ", "\n"), INK, dodge=True)
        if two_kinds and solid and name in dashed:
            sheet.name(axes, S[-1], dashed[name][-1], name.replace(", ", "\n"), INK, dodge=True)
    axes.set_xscale("log")
    powers(axes.xaxis)
    if dashed and solid:
        kinds = ((dash_of(colour, DASHES[2], 2.4), words[0]), (dash_of(colour, "-", 2.4), words[1])) if two_kinds else (
            (dash_of(PREDICTED, lw=2.4), words[0]), (dot_of(MEASURED), words[1]))
        sheet.key(*kinds)
    return sheet
