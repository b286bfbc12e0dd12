"""Predictions alone, then the measurements on them, then how far they are off: one manner for the whole book."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .drawing import Sheet, dash_of, dashes, dot_of, dots, field, power_of_ten, stems, zero
from .theme import HAIR, INK, MEASURED, PREDICTED, SOFT


@dataclass(frozen=True)
class Group:
    """Numbers that stand together, shape (N,) each.

    predicted : what a formula says.   measured : what was found, or None where it has not been measured.
    tolerance : how far a measurement may lie off, or None.   rival : what another formula says, or None.
    ring : number of one that is ringed, or None.   ordered : keep the order instead of sorting by the prediction.
    hollow : which measurements are drawn as hollow dots (rejected answers), or None.
    """

    predicted: np.ndarray
    measured: np.ndarray | None = None
    tolerance: np.ndarray | None = None
    rival: np.ndarray | None = None
    ring: int | None = None
    ordered: bool = False
    hollow: np.ndarray | None = None


def agreement(
    groups: Mapping[str, Group], *, up: str, each: str, off: str = "tolerances", rival: str = "",
    level: tuple[str, float] | None = None,
) -> Sheet:
    """Predicted numbers as blue dashes, sorted within each group; measured ones as red dots on them; residuals below.

    Parameters
    ----------
    groups : name -> its numbers; names stand below the axis.
    up : label of the numbers with their unit.   each : what one number belongs to, as "held-out statement".
    off : what residuals are counted in, where groups have a tolerance.
    rival : name of what another formula says.
    """
    both = [group for group in groups.values() if group.measured is not None]
    across = f"each {each}, sorted by prediction" if not any(g.ordered for g in groups.values()) else f"each {each}"
    if both:
        told = all(group.tolerance is not None for group in both)
        unit, scale = (off, 1.0) if told else _unit_of_residuals(up[up.rfind("(") + 1 : up.rfind(")")], both)
        below = f"measured − predicted ({unit})"
        sheet = Sheet(across, [up, below], ratios=(2.2, 1), height=4.9, phone=5.3)
    else:
        sheet = Sheet(across, up, height=3.6)
    top, many = sheet.panels[0], sum(np.size(group.predicted) for group in groups.values())
    gap, at, ticks = max(2.0, 0.03 * many), 0.0, []
    few = many <= 110  # then dashes can be told apart
    size = 26 if many <= 40 else 14
    zero(top)
    for group in groups.values():
        order = np.arange(len(group.predicted)) if group.ordered else np.argsort(group.predicted, kind="stable")
        x, said = at + np.arange(len(order)), np.asarray(group.predicted)[order]
        if group.tolerance is not None:
            reach = np.broadcast_to(group.tolerance, said.shape)[order]
            stems(top, x, said - reach, said + reach, color=HAIR, lw=4 if few else 2, zorder=2,
                  solid_capstyle="butt")
        if group.rival is not None:
            top.scatter(x, np.asarray(group.rival)[order], size, marker="x", color=SOFT, lw=1, zorder=2)
        if few:
            dashes(top, x, said, half=0.42)
        else:  # the dashes would touch: a line, wider than the dots on it
            top.plot(x, said, color=PREDICTED, lw=3 if group.measured is None else 5, zorder=3)
        if group.ring is not None:
            k = int(np.flatnonzero(order == group.ring)[0])
            there = said[k] if group.measured is None else group.measured[group.ring]
            top.scatter(x[k], there, 190, marker="o", fc="none", ec=INK, lw=1.6, zorder=5)
        if group.measured is not None:
            found = np.asarray(group.measured)[order]
            off = (found - said) / (reach if told else scale)
            hollow = np.zeros(len(x), bool) if group.hollow is None else np.asarray(group.hollow)[order]
            for kind in filter(np.any, (~hollow, hollow)):
                full = kind is not hollow
                dots(top, x[kind], found[kind], full=full, size=size if few else 5)
                dots(sheet.panels[1], x[kind], off[kind], full=full, size=size)
        ticks.append(at + (len(order) - 1) / 2)
        at += len(order) - 1 + gap
    long = sum(map(len, groups)) > 40
    sheet.panels[-1].set_xticks(ticks, [name.replace(" ", "\n") if long else name for name in groups])
    sheet.panels[-1].tick_params(axis="x", length=0)
    top.set_xlim(-gap / 2, at - gap / 2)
    entries = [(dash_of(PREDICTED, lw=3.5), "predicted")]
    if any(group.rival is not None for group in groups.values()):
        entries.append((dot_of(SOFT, marker="x"), rival))
    if level:
        top.axhline(level[1], color=SOFT, lw=1.6, ls="--", zorder=2)
        entries.append((dash_of(SOFT, "--", 1.6), level[0]))
    if both:
        residuals = sheet.panels[1]
        zero(residuals)
        if told:
            field(residuals, -1, 1)
            low, high = residuals.get_ylim()
            residuals.set_ylim(min(low, -1.3), max(high, 1.3))
        entries.append((dot_of(MEASURED), "measured"))
    return sheet.key(*entries)


def _unit_of_residuals(unit: str, groups: list[Group]) -> tuple[str, float]:
    """The unit, and for residuals that are very small a power of ten of it: the axis then has short numbers."""
    largest = max(np.abs(np.subtract(group.measured, group.predicted)).max() for group in groups)
    exponent = int(np.floor(np.log10(largest))) if largest > 0 else 0
    return (unit, 1.0) if exponent >= -3 else (f"{power_of_ten(exponent)} {unit}", 10.0**exponent)
