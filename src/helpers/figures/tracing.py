"""Curves and points of several claims on the same axes, each marked by what it is: predicted, measured or proved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from ..checks import one_of
from .drawing import Sheet, dash_of, dot_of, dots, powers, stems
from .theme import DASHES, MARKERS, MEASURED, PREDICTED, PROVED, SOFT

COLOURS = {"predicted": PREDICTED, "measured": MEASURED, "proved": PROVED, "guide": SOFT}


@dataclass(frozen=True, eq=False)
class Trace:
    """One curve of a panel, or, where `kind` is "measured", its points with their intervals.

    name : in the key; traces of one name and kind look alike in all panels.
    low, high : ends of the intervals; none is drawn where not given.
    """

    name: str
    x: Annotated[np.ndarray, "n"]
    y: Annotated[np.ndarray, "n"]
    kind: str = "predicted"
    low: Annotated[np.ndarray, "n"] | None = None
    high: Annotated[np.ndarray, "n"] | None = None

    def __post_init__(self) -> None:
        one_of("kind", self.kind, COLOURS)


def traces(
    panels: Mapping[str, Sequence[Trace]], *, x_name: str, y_name: str | Sequence[str], log_x: bool = False,
    log_y: bool = False, y_range: tuple[float, float] | None = None, x_ticks: Sequence[float] | None = None,
    share: bool = True, height: float = 3.4, columns: int | None = None,
) -> Sheet:
    """Predicted and proved curves as lines, measured numbers as dots, panels side by side with one vertical axis.

    Kinds have the hues of the book's key; names of one kind differ by dashes, or by marker and by full or hollow dots.

    Parameters
    ----------
    panels : title -> traces; a single title may be empty.   x_name, y_name : labels with units, `y_name` of all
        panels or one for each.   x_ticks : by default the places of the measured points, where they are few.
    share : panels have one vertical axis; else each begins at 0 and has its own.
    """
    sheet = Sheet(x_name, y_name, panels=len(panels), height=height, phone=(height - 0.4) * len(panels) + 0.8,
                  share=share)
    looks: dict[tuple[str, str], int] = {}
    for trace in (one for part in panels.values() for one in part):
        like = sum(kind == trace.kind for kind, _ in looks)
        looks.setdefault((trace.kind, trace.name), like)
    for axes, (title, part) in zip(sheet.panels, panels.items(), strict=True):
        for trace in part:
            colour, k = COLOURS[trace.kind], looks[trace.kind, trace.name]
            if trace.kind == "measured":
                if trace.low is not None:
                    stems(axes, trace.x, trace.low, trace.high, color=colour, lw=1.4, zorder=3)
                dots(axes, trace.x, trace.y, full=k % 2 == 0, marker=MARKERS[k // 2 % 5], size=22)
            else:
                axes.plot(trace.x, trace.y, color=colour, ls=DASHES[k % 5], lw=1.4 if trace.kind == "guide" else 2.4,
                          zorder=3)
        axes.set(xscale="log" if log_x else "linear", yscale="log" if log_y else "linear")
        if y_range is not None:
            axes.set_ylim(*y_range)
        elif not share:
            axes.set_ylim(0)
        for axis, log in ((axes.xaxis, log_x), (axes.yaxis, log_y)):
            if log:
                powers(axis)
        if log_x:
            found = sorted({float(x) for trace in part if trace.kind == "measured" for x in np.ravel(trace.x)})
            ticks = x_ticks if x_ticks is not None else found if 2 <= len(found) <= 7 else []
            if len(ticks):
                axes.set_xticks(ticks, [f"{x:,g}" for x in ticks])
        if title:
            sheet.title(axes, title)
    entries = [(dot_of(COLOURS[kind], full=k % 2 == 0, marker=MARKERS[k // 2 % 5]) if kind == "measured"
                else dash_of(COLOURS[kind], DASHES[k % 5], 2.4), name) for (kind, name), k in looks.items()]
    return sheet.key(*entries, columns=columns)
