"""The figures of other losses: how hard a pair pushes, margins on their way, and who errs less than whom."""

from collections.abc import Mapping

import numpy as np

from ..statistics import paired_difference
from .drawing import Sheet, dash_of, dot_of, dots, stems, zero
from .theme import DASHES, INK, MEASURED, PREDICTED, SOFT

MARGIN = "Reward margin (nats)"


def pushes_and_margins(
    r: np.ndarray, pushes: Mapping[str, np.ndarray], S: np.ndarray, margins: Mapping[str, np.ndarray]
) -> Sheet:
    """Push of a pair against its margin, and beside it the margin without noise against time, a line for each loss.

    Parameters
    ----------
    r : margins, shape (R,).   pushes : loss -> -f'(r) in units of its own start, shape (R,).
    S : times in units of each loss's clock, shape (T,).   margins : loss -> margin at these times, shape (T,).
    """
    sheet = Sheet([MARGIN, "Time since the start, S × push at 0 (1)"],
                  ["Push (of that at 0)", MARGIN], panels=2, height=3.0, share=False)
    for k, name in enumerate(pushes):
        look = dict(color=INK, lw=2.4, ls=DASHES[k])
        sheet.panels[0].plot(r, pushes[name], **look)
        sheet.panels[1].plot(S, margins[name], **look)
        for axes, x, y in zip(sheet.panels, (r, S), (pushes[name], margins[name]), strict=True):
            sheet.name(axes, x[-1], y[-1], name, dodge=True)
    sheet.panels[0].plot(r[[0, -1]], [0, 0], color=SOFT, lw=0.9, zorder=1)  # not through the names
    for axes in sheet.panels:
        axes.set_xlim(right=axes.get_xlim()[1] * 1.12)
    return sheet


def margin_paths(
    S: np.ndarray, predicted: np.ndarray, at: np.ndarray | None = None, measured: np.ndarray | None = None
) -> Sheet:
    """Margins of single statements over time: a predicted line for each, measured dots on it, what is left below.

    S : times of the lines, shape (T,).   predicted : shape (T, M).
    at, measured : times of the dots, among S, shape (P,), and what was found there, shape (P, M); None for lines alone.
    """
    across = "Dimensionless time S (1)"
    if measured is None:
        sheet = Sheet(across, MARGIN, height=3.0)
    else:
        below = "measured − predicted (10⁻³ nats)"
        sheet = Sheet(across, [MARGIN, below], ratios=(2.2, 1), height=3.9, phone=4.4)
    top = sheet.panels[0]
    zero(top)
    top.plot(S, predicted, color=PREDICTED, lw=2.0, zorder=3)
    if measured is None:
        return sheet.key((dash_of(PREDICTED, lw=2.0), "predicted"))
    told = predicted[np.searchsorted(S, at)]
    x = np.broadcast_to(np.asarray(at)[:, None], told.shape)
    dots(top, x, measured, size=18)
    zero(sheet.panels[1])
    dots(sheet.panels[1], x, 1e3 * (measured - told), size=18)
    return sheet.key((dash_of(PREDICTED, lw=2.0), "predicted"), (dot_of(MEASURED), "measured, one run"))


def paired_errors(
    m: np.ndarray, predicted: Mapping[str, np.ndarray], measured: Mapping[str, np.ndarray], *, base: str
) -> Sheet:
    """Error of each loss less that of the loss `base` on the same splits, at equal mean margins, side by side.

    m : mean training margins, shape (M,).   predicted, measured : loss -> errors, shape (splits, M), `base` among them.
    Dots are means of the paired differences with their 95 % intervals, lines the means of the predicted ones.
    """
    others = [name for name in predicted if name != base]
    sheet = Sheet("Mean training margin (nats)", "Difference of errors (probability)", panels=len(others), height=2.9)
    for axes, name in zip(sheet.panels, others, strict=True):
        zero(axes)
        axes.plot(m, (predicted[name] - predicted[base]).mean(axis=0), color=PREDICTED, lw=2.6, zorder=3)
        found = paired_difference(measured[name], measured[base])
        stems(axes, m, found.low, found.high, color=MEASURED, lw=1.4, zorder=3)
        dots(axes, m, found.mean, size=22)
        sheet.title(axes, f"{name} less {base}")
    return sheet.key((dash_of(PREDICTED, lw=2.6), "predicted"),
                     (dot_of(MEASURED), f"measured, {len(measured[base])} splits"))
