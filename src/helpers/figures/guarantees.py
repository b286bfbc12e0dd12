"""Figures of guarantees: several ceilings over one error, and what a guarantee costs as training leaves its start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .drawing import Sheet, dash_of, dot_of, dots, power_of_ten, stems
from .theme import DASHES, INK, MARKERS, MEASURED, PREDICTED, PROVED, SOFT

COLOURS = {"proved": PROVED, "predicted": PREDICTED, "measured": MEASURED}


@dataclass(frozen=True)
class Ceiling:
    """One guarantee, or the risk beneath it, in a panel of `ceilings`.

    log10 : its logarithm to base 10 at each Q, shape (n,); NaN where nothing is said.
    kind : "proved" (green, each name with its dash), "predicted" (blue) or "measured" (red dots).
    low, high : ends of its interval, as log10, or None.
    """

    log10: Sequence[float]
    kind: str = "proved"
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def ceilings(
    Q: Mapping[str, Sequence[int]], panels: Mapping[str, Mapping[str, Ceiling]], *, ends: tuple[float, float] = (-8, 5),
    across: str = "Samples Q (number)", up: str = "Risk (probability)",
) -> Sheet:
    """Guarantees against samples, one panel for each kind of data; what lies beyond the axis has a triangle and words.

    Parameters
    ----------
    Q : panel -> samples a cluster, increasing.   panels : the same names -> name -> what is drawn.
    ends : of the vertical axis, as log10.
    """
    sheet = Sheet(across, up, panels=len(panels), height=4.3, phone=3.4 * len(panels))
    names = list(dict.fromkeys(name for drawn in panels.values() for name in drawn))
    entries: dict[str, object] = {}
    for axes, (title, drawn) in zip(sheet.panels, panels.items(), strict=True):
        at = np.asarray(Q[title], dtype=float)
        sheet.title(axes, title)
        axes.axhline(0, color=SOFT, lw=0.9, zorder=1)
        beyond = {1: [], -1: []}
        for name, one in drawn.items():
            colour, values = COLOURS[one.kind], np.asarray(one.log10, dtype=float)
            dash = DASHES[[n for n in names if _kind(panels, n) == one.kind].index(name) % len(DASHES)]
            if one.low is not None:
                stems(axes, at, one.low, one.high, color=colour, lw=1.5, zorder=3)
            if one.kind == "measured":
                dots(axes, at, values)
                entries[name] = dot_of(MEASURED)
            else:
                seen = np.where((values >= ends[0]) & (values <= ends[1]), values, np.nan)
                axes.plot(at, seen, color=colour, ls=dash, lw=2.4, zorder=3)
                if np.isfinite(seen).any():
                    entries[name] = dash_of(colour, dash, 2.4)
                else:
                    entries.setdefault(name, dot_of(colour, marker="^" if values[-1] > ends[1] else "v"))
            for side, out in ((1, values > ends[1]), (-1, values < ends[0])):
                if out.any():
                    k = int(np.flatnonzero(out)[-1])
                    beyond[side].append((name, colour, at[k], values[k]))
        for side, marks in beyond.items():
            for k, (name, colour, x, value) in enumerate(marks):
                y = ends[side > 0] - side * (0.085 * k + 0.03) * (ends[1] - ends[0])
                axes.scatter(x, y, 34, marker="^" if side > 0 else "v", color=colour, zorder=5, clip_on=False)
                sheet.name(axes, x, y, f"{name}: {_power(value)}", colour, dx=-7, ha="right")
        axes.set(xscale="log", xlim=(at[0] / 1.35, at[-1] * 1.35), ylim=ends)
        axes.set_xticks(at, [f"{q:g}" for q in at])
        axes.minorticks_off()
        ticks = [t for t in range(int(np.ceil(ends[0])), int(ends[1]) + 1) if t % 2 == 0]
        axes.set_yticks(ticks, [f"{10.0**t:,g}" if -3 <= t <= 4 else power_of_ten(t) for t in ticks])
    return sheet.key(*((entries[name], name) for name in names), columns=3)


def _kind(panels: Mapping[str, Mapping[str, Ceiling]], name: str) -> str:
    return next(drawn[name].kind for drawn in panels.values() if name in drawn)


def _power(value: float) -> str:
    """A power of ten whose exponent is whole: "10⁻²⁹⁵³"."""
    return power_of_ten(int(np.floor(value)))


def price_of_distance(
    runs: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float]]], *,
    across: str = "distance from Θ₀ (no unit)", up: str = "Risk (probability)",
) -> Sheet:
    """For each run, at each recorded step: the guarantee (green) and the error of unseen pairs (red) at its distance.

    Parameters
    ----------
    runs : name -> (distance, guarantee, error), shape (steps,) each; each has its marker. At most five.
    """
    if len(runs) > len(MARKERS):
        raise ValueError(f"runs must be at most {len(MARKERS)}, got {len(runs)}")
    sheet = Sheet(across, up, height=4.0, phone=4.4)
    axes, entries = sheet.panels[0], []
    for k, (name, (distance, bound, error)) in enumerate(runs.items()):
        for values, colour in ((bound, PROVED), (error, MEASURED)):
            axes.plot(distance, values, color=colour, lw=1.1, zorder=2)
            dots(axes, distance, values, colour=colour, marker=MARKERS[k], size=20, full=k % 2 == 0)
        entries.append((dot_of(INK, marker=MARKERS[k], full=k % 2 == 0), name))
    axes.set(xlim=(0, None), ylim=(0, None))
    entries += [(dash_of(PROVED, lw=2), "guarantee"), (dash_of(MEASURED, lw=2), "error of unseen pairs")]
    return sheet.key(*entries, columns=4)


def by_share(
    share: Sequence[float], bounds: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float]]], *,
    across: str = "share of the pairs in D₀ (no unit)", up: str = "Risk (probability)",
) -> Sheet:
    """Guarantees against the share of the data that makes their start, with the intervals of their means.

    Parameters
    ----------
    share : shape (n,).   bounds : name -> (mean, low, high), shape (n,) each; each has its dash.
    """
    sheet = Sheet(across, up, height=3.4, phone=3.8)
    axes, entries = sheet.panels[0], []
    for k, (name, (mean, low, high)) in enumerate(bounds.items()):
        axes.fill_between(share, low, high, color=PROVED, alpha=0.16, lw=0)
        axes.plot(share, mean, color=PROVED, ls=DASHES[k], lw=2.4, zorder=3)
        entries.append((dash_of(PROVED, DASHES[k], 2.4), name))
    axes.set(xlim=(0, 1), ylim=(0, None))
    return sheet.key(*entries)
