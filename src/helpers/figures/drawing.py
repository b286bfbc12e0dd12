"""What all plotted figures share: a sheet with one or more panels, names beside curves, and dots of the key."""

from collections.abc import Sequence
from contextlib import contextmanager

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import Bbox

from .theme import INK, MEASURED, PAGE, PREDICTED, SOFT, TINT

WIDE = 7.2  # inches: 720 pixels, a little more than the column of text
PHONE = 4.2  # inches: type of 10.7 points is then 12 pixels high in a column of 341 pixels
_UP = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Sheet(Figure):
    """A figure that can be drawn twice: for a column of text, and for a phone with its panels below one another.

    Parameters
    ----------
    across, up : labels with units; of all panels, or one for each.
    panels : number of panels side by side.   height : inches.
    phone : height in inches on a phone, of all panels together; by default that of the wide sheet for each panel.
    ratios : relative heights of panels that stay below one another also on the wide sheet; None: side by side.
    share : panels side by side have one vertical axis.   ticks : size of the ticks' words on the wide sheet, in points.
    """

    def __init__(self, across: str | Sequence[str], up: str | Sequence[str], *, panels: int = 1, height: float = 3.8,
                 width: float = WIDE, phone: float | None = None, share: bool = True,
                 ratios: Sequence[float] | None = None, ticks: float | None = None):
        super().__init__(figsize=(width, height), layout="constrained")
        if ratios:
            panels = len(ratios)
            axes = self.subplots(panels, 1, sharex=True, height_ratios=ratios, squeeze=False)[:, 0]
        else:
            axes = self.subplots(1, panels, sharey=share, squeeze=False)[0]
        self.panels: list[Axes] = list(axes)
        self.stacked = ratios is not None
        self.phone = phone or height * (1 if self.stacked else panels)
        self.ticks = ticks
        self._names: list[tuple[Axes, object]] = []
        self._key: tuple[list, int] = ([], 1)
        across, up = ([word] * panels if isinstance(word, str) else word for word in (across, up))
        for axes, right, above in zip(self.panels, across, up, strict=True):
            axes.set_xlabel(right, loc="right")
            axes.set_ylabel(above)
            axes.yaxis.label.set_visible(False)
            axes.grid(axis="x", visible=False)
        # No turned words: what is up stands above the axis.
        self._up = [axes.annotate("", (0, 1), xytext=(0, 5), xycoords="axes fraction", textcoords="offset points",
                                  color=INK, annotation_clip=False) for axes in self.panels]
        if not self.stacked and share:
            for axes in self.panels[1:]:
                axes.set_ylabel("")
        if self.stacked:
            for axes in self.panels[:-1]:
                axes.set_xlabel("")

    def title(self, axes: Axes, words: str) -> None:
        """Name a panel, above what is up in it."""
        axes.set_title(words, pad=22 if any(panel.get_ylabel() for panel in self.panels) else 6)

    def name(self, axes: Axes, x: float, y: float, words: str, colour: str = INK, *, dx: float = 6, dy: float = 0,
             ha: str = "left", va: str = "center", weight: str = "bold", dodge: bool = False):
        """Write a name `dx` and `dy` points beside the mark at (x, y); with `dodge` names keep clear of each other."""
        text = axes.annotate(words, (x, y), xytext=(dx, dy), textcoords="offset points", color=colour, ha=ha, va=va,
                             fontweight=weight, annotation_clip=False, fontsize=11)
        if dodge:
            self._names.append((axes, text))
        return text

    def settle(self) -> None:
        """Lay the sheet out, and move names that would overlap apart, up and down."""
        for _, text in self._names:
            text.set_position((text.get_position()[0], 0))
        small = self.ticks if self.ticks and self.get_figwidth() > PHONE else None
        for axes, up in zip(self.panels, self._up, strict=True):
            up.set_text(axes.get_ylabel())
            axes.tick_params(labelsize=small or rcParams["xtick.labelsize"])
        self._lay_key()
        self.draw_without_rendering()
        for axes in self.panels:
            names = [text for at, text in self._names if at is axes]
            boxes = [text.get_window_extent() for text in names]
            for k, move in enumerate(_apart(boxes)):
                names[k].set_position((names[k].get_position()[0], move * 72 / self.dpi))

    @contextmanager
    def on_a_phone(self):
        """Inside, the sheet is as narrow as a phone and its panels stand below one another."""
        before = [(axes.get_subplotspec(), axes.get_ylabel()) for axes in self.panels]
        size = self.get_size_inches().copy()
        self.set_size_inches(PHONE, self.phone)
        if not self.stacked and len(self.panels) > 1:
            grid = self.add_gridspec(len(self.panels), 1)
            for axes, spec in zip(self.panels, grid, strict=True):
                axes.set_subplotspec(spec)
                axes.tick_params(labelleft=True)
                axes.set_ylabel(axes.get_ylabel() or before[0][1])
        try:
            yield self
        finally:
            self.set_size_inches(*size)
            for k, (axes, (spec, up)) in enumerate(zip(self.panels, before, strict=True)):
                axes.set_subplotspec(spec)
                if not self.stacked and not up and k:
                    axes.tick_params(labelleft=False)
                axes.set_ylabel(up)

    def key(self, *entries: tuple[object, str], columns: int | None = None) -> "Sheet":
        """Lines above the panels that say what marks mean, (handle, words) each; returns the sheet."""
        self._key = list(entries), columns or len(entries)
        self._lay_key()
        return self

    def _lay_key(self) -> None:
        """The key in as many columns as were asked for, fewer where they do not fit."""
        entries, columns = self._key
        for number in range(columns, 0, -1) if entries else ():
            for old in list(self.legends):
                old.remove()
            handles, words = zip(*entries, strict=True)
            drawn = self.legend(handles, words, loc="outside upper left", ncols=number, borderaxespad=0.2,
                                handletextpad=0.5, columnspacing=1.4, labelcolor=INK)
            if drawn.get_window_extent(self._get_renderer()).width <= self.bbox.width - 12:
                return


def _apart(boxes: Sequence[Bbox], gap: float = 5.0) -> np.ndarray:
    """How far each box moves up so that none touches another, as little as possible, in pixels."""
    if not boxes:
        return np.zeros(0)
    middle = np.array([(box.y0 + box.y1) / 2 for box in boxes])
    high = max(box.height for box in boxes) + gap
    order = np.argsort(middle, kind="stable")
    placed = middle[order].copy()
    for _ in range(200):  # neighbours push each other equally; few names, so it ends soon
        for k in range(len(placed) - 1):
            short = high - (placed[k + 1] - placed[k])
            if short > 1e-6:
                placed[k] -= short / 2
                placed[k + 1] += short / 2
    moves = np.empty_like(placed)
    moves[order] = placed - middle[order]
    return moves


def zero(axes: Axes, *, up: bool = False) -> None:
    """The grey line of zero, across or `up`."""
    (axes.axvline if up else axes.axhline)(0, color=SOFT, lw=0.9, zorder=1)


def dots(axes: Axes, x, y, *, full: bool = True, colour: str = MEASURED, size: float = 26, marker: str = "o", **more):
    """Measured numbers as dots, full (for a value) or hollow (against it)."""
    return axes.scatter(x, y, size, marker=marker, fc=colour if full else PAGE, ec=colour, lw=1.3, zorder=4, **more)


def dashes(axes: Axes, x, y, *, half: float, colour: str = PREDICTED, lw: float = 3.2):
    """Predicted numbers as dashes that reach `half` to both sides."""
    x, y = np.ravel(x), np.ravel(y)
    return axes.hlines(y, x - half, x + half, color=colour, lw=lw, zorder=3)


def stems(axes: Axes, x, low, high, **look) -> None:
    """Upright lines from `low` to `high`, all as one: tolerances and ranges."""
    x, low, high = (np.ravel(some) for some in np.broadcast_arrays(x, low, high))
    gap = np.full(x.shape, np.nan)
    axes.plot(np.column_stack([x, x, gap]).ravel(), np.column_stack([low, high, gap]).ravel(), marker="", **look)


def field(axes: Axes, low: float, high: float, *, up: bool = False):
    """A pale field from `low` to `high`, across the axes or `up`: here, excluded or allowed, never data."""
    return (axes.axvspan if up else axes.axhspan)(low, high, color=TINT, lw=0, zorder=0)


def power_of_ten(exponent: int) -> str:
    """Such as 10⁻⁶, in plain characters."""
    return f"10{str(exponent).translate(_UP)}"


def powers(axis) -> None:
    """Ticks of a logarithmic axis as plain numbers, or powers of ten where they are long."""
    def words(value: float, _) -> str:
        if value <= 0:
            return ""
        exponent = round(np.log10(value))
        if abs(np.log10(value) - exponent) > 1e-6:
            return ""
        return f"{value:,g}" if -3 <= exponent <= 4 else power_of_ten(exponent)

    axis.set_major_formatter(FuncFormatter(words))
    axis.set_minor_formatter(FuncFormatter(lambda value, _: ""))


def thin(count: int, most: int) -> np.ndarray:
    """Numbers of at most `most` of `count` things, evenly, first and last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def squares(axes: Axes, matrix: np.ndarray, *, largest: float, colour: str = INK) -> None:
    """A matrix as squares whose area is the amount: full where positive, hollow where negative, none at zero."""
    matrix = np.asarray(matrix, dtype=float)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    for sign in (1, -1):
        found = [(x, y, 0.45 * np.sqrt(min(1.0, abs(matrix[y, x]) / largest)))
                 for y, x in np.argwhere(np.sign(matrix) == sign)]
        rim = 0 if sign > 0 else 0.035  # of an outline, so that it has the same area
        found = [(x, y, half - rim) for x, y, half in found if half > 0.02 + rim]
        if found:
            points = np.concatenate([np.array([x, y]) + half * corners for x, y, half in found])
            look = {"fc": colour, "lw": 0} if sign > 0 else {"fc": PAGE, "ec": colour, "lw": 1.3}
            axes.add_patch(PathPatch(Path(points, codes * len(found)), **look))
    rows, columns = matrix.shape
    axes.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6), aspect="equal")
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)


def dash_of(role_colour: str, ls="-", lw: float = 3.0) -> Line2D:
    """The entry of a line or a dash in the key above the panels."""
    return Line2D([], [], color=role_colour, ls=ls, lw=lw)


def dot_of(role_colour: str, *, full: bool = True, marker: str = "o") -> Line2D:
    """The entry of a dot in the key above the panels."""
    return Line2D([], [], color=role_colour, ls="", marker=marker, ms=6, mew=1.3, mfc=role_colour if full else PAGE)


def field_of() -> Patch:
    """The entry of a pale field in the key above the panels."""
    return Patch(fc=TINT, lw=0)
