"""Figures of an audit: pairs sorted by how hard the others push them, and what training then did."""

import numpy as np

from ..checks import finite
from .drawing import Sheet, dot_of, dots, stems, zero
from .theme import MARGIN, MEASURED, PREDICTED, SOFT


def sorted_pushes(
    force: np.ndarray, margins: np.ndarray | None = None, *, marked: np.ndarray | None = None
) -> Sheet:
    """One stem a pair, sorted: how hard the others push it; below, where given, the margins after training.

    Parameters
    ----------
    force : shape (N,), in units of what random signs would give; drawn full where positive, hollow where not.
    margins : of the same pairs after training, in nats, shape (N,), in a panel of their own.
    marked : truth values, shape (N,): pairs whose number stands at their stem.

    Raises `ValueError` for arrays of another shape or not finite.
    """
    force = finite("force", force)
    margins = None if margins is None else finite("margins", margins)
    if force.ndim != 1 or (margins is not None and margins.shape != force.shape):
        raise ValueError(f"force and margins must have shape (N,), got {force.shape} and {np.shape(margins)}")
    order, x = np.argsort(force, kind="stable"), np.arange(len(force))
    across, up = "each pair, sorted by push", "Push of the others (in units of random signs)"
    if margins is None:
        sheet = Sheet(across, up, height=3.2)
    else:
        sheet = Sheet(across, [up, "Margin after training (nats)"], ratios=(1, 1), height=4.6, phone=5.2)
    for axes, values, colour in zip(sheet.panels, (force, margins), (PREDICTED, MEASURED), strict=False):
        row = values[order]
        stems(axes, x, 0, row, color=MARGIN, lw=1.6, zorder=2)
        zero(axes)
        for full in (True, False):
            part = (row > 0) == full
            dots(axes, x[part], row[part], full=full, colour=colour)
        axes.margins(y=0.2)
        axes.set_xticks([])
    sheet.panels[0].axhline(-1, color=SOFT, lw=0.8, ls=(0, (5, 3)), zorder=1)
    for n, j in enumerate(order):
        if marked is not None and marked[j]:
            up_side = force[j] > 0
            sheet.panels[0].annotate(str(j + 1), (n, force[j]), xytext=(0, 6 if up_side else -6),
                                     textcoords="offset points", ha="center", va="bottom" if up_side else "top")
    entries = [(dot_of(PREDICTED), "predicted, right way"), (dot_of(PREDICTED, full=False), "predicted, wrong way")]
    if margins is not None:
        entries.append((dot_of(MEASURED), "measured"))
    return sheet.key(*entries)
