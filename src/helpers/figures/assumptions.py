"""Figures of the assumptions: what a check can see, and how far each hypothesis is from being met."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from .drawing import Sheet, dash_of, dot_of, dots, field, powers, stems, zero
from .theme import DASHES, MARKERS, MEASURED, PREDICTED, PROVED, SOFT


class Hypothesis(Protocol):
    """What `verdicts` needs of a hypothesis, such as a check of an audit: `relation` is "<=", ">=" or "="."""

    name: str
    value: float
    low: float
    high: float
    relation: str
    limit: float


def seen_by_checks(
    truth: Sequence[float], predicted: Mapping[str, Sequence[float]],
    measured: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float]]] | None = None, *,
    x_name: str, y_name: str,
) -> Sheet:
    """What checks report against what is true: predicted as blue lines, measured as red dots with intervals.

    Parameters
    ----------
    truth : shape (n,).   predicted : name of a check -> shape (n,); each has its dash.
    measured : the same names -> (mean, low, high), shape (n,) each; leave it out to draw the predictions first. A
        second panel then shows how far they are off, in units of the half of each interval.
    """
    if measured is None:
        sheet = Sheet(x_name, y_name, height=3.4)
    else:
        sheet = Sheet(x_name, [y_name, "measured − predicted (half-intervals)"], ratios=(2.2, 1), height=4.9, phone=5.3)
        field(sheet.panels[1], -1, 1)
        zero(sheet.panels[1])
    axes, entries = sheet.panels[0], []
    zero(axes)
    for k, (name, values) in enumerate(predicted.items()):
        axes.plot(truth, values, color=PREDICTED, ls=DASHES[k], lw=2.6, zorder=3)
        entries.append((dash_of(PREDICTED, DASHES[k], 2.6), name))
        if measured is not None:
            mean, low, high = measured[name]
            stems(axes, truth, low, high, color=MEASURED, lw=1.6, zorder=4)
            dots(axes, truth, mean, full=k % 2 == 0, marker=MARKERS[k])
            off = (np.asarray(mean) - np.asarray(values)) / ((np.asarray(high) - np.asarray(low)) / 2)
            dots(sheet.panels[1], truth, off, full=k % 2 == 0, marker=MARKERS[k])
    if measured is not None:
        low, high = sheet.panels[1].get_ylim()
        sheet.panels[1].set_ylim(min(low, -1.3), max(high, 1.3))
        entries.append((dot_of(MEASURED), "measured"))
    return sheet.key(*entries)


def verdicts(groups: Mapping[str, Sequence[Hypothesis]]) -> Sheet:
    """Measured values in units of their limits, a row for each hypothesis; green is what the hypothesis allows.

    Parameters
    ----------
    groups : name -> hypotheses. One that wants exactly 0, or is not above 0, has no place on a logarithmic axis and is
        left out.
    """
    rows = [(group, one) for group, checks in groups.items() for one in checks if one.limit > 0 and one.value > 0]
    sheet = Sheet("measured / limit (1, logarithmic)", "", height=1.3 + 0.36 * len(rows), phone=1.3 + 0.36 * len(rows))
    axes = sheet.panels[0]
    ends = np.array([(max(one.low, 1e-3 * one.value), one.high) for _, one in rows])
    ratios = ends / np.array([[one.limit] for _, one in rows])
    low, high = min(0.1, ratios.min()) / 2, max(10.0, ratios.max()) * 2
    before = None
    for k, ((group, one), (left, right)) in enumerate(zip(rows, ratios, strict=True)):
        if before not in (None, group):
            axes.axhline(k - 0.5, color=SOFT, lw=0.8)
        before = group
        allowed = {"<=": (low, 1.0), ">=": (1.0, high), "=": (1.0, 1.0)}[one.relation]
        if allowed[0] < allowed[1]:
            axes.plot(allowed, [k, k], color=PROVED, lw=6, solid_capstyle="butt", zorder=2)
        else:
            axes.plot([1.0, 1.0], [k - 0.32, k + 0.32], color=PROVED, lw=4, solid_capstyle="butt", zorder=2)
        axes.plot([left, right], [k, k], color=MEASURED, lw=1.8, marker="", zorder=3)
        dots(axes, [one.value / one.limit], [k])
    axes.axvline(1.0, color=SOFT, lw=0.9, zorder=1)
    axes.set(xscale="log", xlim=(low, high), ylim=(len(rows) - 0.5, -0.5))
    powers(axes.xaxis)
    words = {"<=": "≤", ">=": "≥", "=": "="}
    axes.set_yticks(range(len(rows)), [f"{one.name} {words[one.relation]} {one.limit:.3g}" for _, one in rows])
    axes.grid(visible=False)
    return sheet.key((dash_of(PROVED, lw=6), "allowed"), (dot_of(MEASURED), "measured"))
