"""Figures of more values: margins that fan out with K or fall on one curve, and what describes errors against K."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..statistics import mean_interval
from .drawing import Sheet, dash_of, dot_of, dots, field, stems, thin, zero
from .theme import DASHES, MARKERS, MEASURED, PREDICTED, SOFT

VALUES = "Values K (number)"


@dataclass(frozen=True, eq=False)
class Fan:
    """One panel of `fans`: a curve for each number of values, by that number.

    across : label of the panel's axis with its unit.   x : shape (n,) each, increasing.
    predicted : shape (n,) each.   measured : shape (draws, n) each, or None where nothing is measured yet.
    """

    across: str
    x: Mapping[int, np.ndarray]
    predicted: Mapping[int, np.ndarray]
    measured: Mapping[int, np.ndarray] | None = None


def fans(panels: Mapping[str, Fan], *, up: str, most: int = 5) -> Sheet:
    """Curves for several numbers of values, panels side by side: predicted blue lines, then red dots on them.

    Parameters
    ----------
    panels : title -> its curves, for the same numbers of values, at most five.
    up : label of the curves with their unit.
    most : dots on a curve; they are means over draws with 95 % intervals.
    """
    sheet = Sheet([fan.across for fan in panels.values()], up, panels=len(panels), height=3.2, phone=3.0 * len(panels))
    values = list(next(iter(panels.values())).x)
    for axes, (title, fan) in zip(sheet.panels, panels.items(), strict=True):
        zero(axes)
        ends = [fan.x[K][-1] for K in values]
        for k, K in enumerate(values):
            axes.plot(fan.x[K], fan.predicted[K], color=PREDICTED, ls=DASHES[k], lw=2.4, zorder=3)
            if fan.measured is not None:
                at = thin(len(fan.x[K]), most + 1)[1:]
                mean, low, high = (part[at] for part in mean_interval(fan.measured[K]))
                stems(axes, fan.x[K][at], low, high, color=MEASURED, lw=1.4, zorder=4)
                dots(axes, fan.x[K][at], mean, marker=MARKERS[k], size=24)
        right = max(ends)
        axes.set_xlim(0, 1.06 * right)
        sheet.title(axes, title)
    seen = any(fan.measured is not None for fan in panels.values())
    handles = [dot_of(MEASURED, marker=MARKERS[k]) if seen else dash_of(PREDICTED, DASHES[k], 2.4)
               for k in range(len(values))]
    entries = [(handle, f"K = {K}") for handle, K in zip(handles, values, strict=True)]
    if seen:
        entries.insert(0, (dash_of(PREDICTED, lw=2.4), "predicted"))
    return sheet.key(*entries)


def candidates(
    values: Sequence[int], errors: np.ndarray, law: np.ndarray, fits: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> Sheet:
    """What describes errors against the number of values: a law without fitted numbers, and curves that were fitted.

    Parameters
    ----------
    values : numbers of values, shape (n,).   errors : shape (draws, n): means with 95 % intervals are drawn.
    law : predicted errors, shape (n,), a blue line.
    fits : name -> fitted numbers, (x, y) of a fine curve and its values at `values`: (curve of shape (2, m), (n,));
        grey, since they were made after the measurement. Below stands measured - each candidate.
    """
    sheet = Sheet(VALUES, ["Risk (probability)", "measured − candidate (probability)"], ratios=(2.2, 1.2), height=4.5,
                  phone=5.4)
    top, below = sheet.panels
    zero(below)
    mean, low, high = mean_interval(errors)
    top.plot(values, law, color=PREDICTED, lw=2.6, zorder=3)
    stems(top, values, low, high, color=MEASURED, lw=1.6, zorder=4)
    dots(top, values, mean, size=26)
    half = float(np.max(high - low) / 2)
    field(below, -half, half)
    below.plot(values, mean - law, color=PREDICTED, lw=1.6, marker="o", ms=5, zorder=3)
    entries = [(dot_of(MEASURED), "measured"), (dash_of(PREDICTED, lw=2.6), "law")]
    for k, (name, (curve, at)) in enumerate(fits.items()):
        top.plot(*curve, color=SOFT, ls=DASHES[k + 1], lw=1.8, zorder=2)
        below.plot(values, mean - at, color=SOFT, ls=DASHES[k + 1], lw=1.4, marker=MARKERS[k + 1], ms=5, zorder=2)
        entries.append((dash_of(SOFT, DASHES[k + 1], 1.8), name))
    top.set_ylim(0, None)
    below.set_xticks(list(values), [str(K) for K in values])
    return sheet.key(*entries)


def error_by_values(
    values: Sequence[int], laws: Mapping[str, np.ndarray], errors: Mapping[str, np.ndarray] | None = None,
    below: Mapping[str, tuple[np.ndarray | None, np.ndarray]] | None = None, *, difference: str = "",
) -> Sheet:
    """Risk against the number of values: laws as blue lines, errors as red dots, and differences below them.

    Parameters
    ----------
    values : numbers of values, shape (n,), drawn at equal distances.
    laws : name -> predicted risk, shape (n,).   errors : name -> test errors, shape (draws, n): means with 95 %
        intervals. Without them the laws stand alone.
    below : name of an error -> (predicted difference of shape (n,) or None, measured one of each draw, (draws, n)).
    difference : label of the differences with their unit.
    """
    up = "Risk (probability)"
    if below is None:
        sheet = Sheet(VALUES, up, height=2.9)
    else:
        sheet = Sheet(VALUES, [up, difference], ratios=(2.2, 1), height=4.3, phone=4.9)
        zero(sheet.panels[1])
    top, at, entries = sheet.panels[0], np.arange(len(values)), []
    for k, (name, law) in enumerate(laws.items()):
        top.plot(at, law, color=PREDICTED, ls=DASHES[k], lw=2.6, zorder=3)
        entries.append((dash_of(PREDICTED, DASHES[k], 2.6), name))
    shift = {name: 0.07 * (k - (len(errors) - 1) / 2) for k, name in enumerate(errors)} if errors else {}
    for k, (name, draws) in enumerate((errors or {}).items()):
        mean, low, high = mean_interval(draws)
        stems(top, at + shift[name], low, high, color=MEASURED, lw=1.5, zorder=4)
        dots(top, at + shift[name], mean, full=k == 0, marker=MARKERS[k])
        entries.append((dot_of(MEASURED, full=k == 0, marker=MARKERS[k]), name))
    for name, (told, draws) in (below or {}).items():
        k = list(errors).index(name) if name in shift else 0
        if told is not None:
            sheet.panels[1].plot(at, told, color=PREDICTED, lw=2.4, zorder=3)
        mean, low, high = mean_interval(draws)
        x = at + shift.get(name, 0)
        stems(sheet.panels[1], x, low, high, color=MEASURED, lw=1.5, zorder=4)
        dots(sheet.panels[1], x, mean, full=k == 0, marker=MARKERS[k])
    top.set(ylim=(0, None), xlim=(-0.4, len(values) - 0.6))
    sheet.panels[-1].set_xticks(at, [str(K) for K in values])
    return sheet.key(*entries)
