"""Figures of values that help or hinder each other: their first rates, and what becomes of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from .margins import SIDE_NAMES, _blank, _finish
from .theme import GREY, LINES


def first_rates(
    predicted: Mapping[str, np.ndarray],
    error: Mapping[str, np.ndarray],
    measured: Mapping[str, np.ndarray] | None = None,
    *,
    opposed: Mapping[str, int] | None = None,
) -> Figure:
    """First rates of all clusters, a panel for each way to answer; leave `measured` out to draw the prediction.

    Parameters
    ----------
    predicted, measured : title -> shape (K, 2), aligned side first, in squared units of the embedding.
    error : title -> standard errors of the differences, shape (K, 2); drawn as bars.
    opposed : title -> number of a value that is drawn in the second colour.
    """
    rows = -(-len(predicted) // 2)
    figure = Figure(figsize=(8.0, 3.7 * rows), layout="constrained")
    panels = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes, (title, rates) in zip(panels, predicted.items(), strict=False):
        there = rates if measured is None else measured[title]
        ends = np.array([min(rates.min(), there.min(), 0), max(rates.max(), there.max())])
        axes.plot(ends, ends, color="#555555", lw=1, ls="--", label="equal")
        axes.axhline(0, color="#555555", lw=0.8)
        axes.axvline(0, color="#555555", lw=0.8)
        colours = np.full(len(rates), LINES[0], dtype=object)
        if opposed and title in opposed:
            colours[opposed[title]] = LINES[1]
        for column, (s, marker) in enumerate(((1, "o"), (-1, "^"))):
            for i, colour in enumerate(colours):
                at = rates[i, column], there[i, column]
                axes.errorbar(*at, error[title][i, column], fmt="none", ecolor=colour, alpha=0.45, lw=1)
                fill = "none" if measured is None else colour
                label = f"{SIDE_NAMES[s]} side" if i == 0 else None
                axes.scatter(*at, 26, marker=marker, fc=fill, ec=colour, lw=0.9, label=label, zorder=3)
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("Predicted first rate (units²)")
        axes.set_ylabel("Measured first rate (units²)")
    for axes in panels[len(predicted):]:
        axes.set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3)
    return figure


def contributions(parts: np.ndarray, names: Sequence[str], value: str) -> Figure:
    """What each value adds to the first rate of one of them, as bars: blue helps, red hinders.

    `parts` has shape (K,), g_ik c_i . c_k in squared units of the embedding; `value` is the one that is pushed.
    """
    figure, axes = _blank(f"Part of the first rate of {value} (units²)", "", (6.4, 0.9 + 0.34 * len(names)))
    parts = np.asarray(parts, dtype=float)
    for sign, colour, word in ((1, LINES[0], "helps"), (-1, LINES[1], "hinders")):
        at = np.flatnonzero(np.sign(parts) == sign)
        if len(at):
            axes.barh(at, parts[at], color=colour, height=0.7, label=word)
    axes.axvline(0, color="#555555", lw=1)
    axes.axvline(parts.sum(), color="#222222", lw=1.6, ls="--", label="sum")
    axes.set_yticks(range(len(names)), list(names))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    return _finish(figure, axes)


def against_time(
    S: Sequence[float],
    dashed: Mapping[str, np.ndarray],
    solid: Mapping[str, np.ndarray] | None = None,
    *,
    words: tuple[str, str] = ("predicted", "measured"),
    up: str = "Mean reward margin (nats)",
) -> Figure:
    """Curves against dimensionless time on a logarithmic axis, a colour for each name.

    Parameters
    ----------
    S : times above 0, shape (T,).
    dashed, solid : name -> shape (T,), at most five names. The same name has the same colour in both.
    words : what dashed and solid curves are; told where there are both.
    up : label of the vertical axis with its unit.
    """
    figure, axes = _blank("Dimensionless time S (no unit)", up)
    axes.axhline(0, color="#555555", lw=0.8)
    names = list(dict.fromkeys([*dashed, *(solid or {})]))
    colours = dict(zip(names, [*LINES, GREY], strict=False))
    for curves, dash, word in ((dashed, "--", words[0]), (solid or {}, "-", words[1])):
        for name, values in curves.items():
            label = f"{name}, {word}" if dashed and solid else name
            axes.plot(S, np.asarray(values), color=colours[name], ls=dash, lw=2, label=label)
    axes.set_xscale("log")
    return _finish(figure, axes)
