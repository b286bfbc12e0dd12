"""The figure of the law of risk: predicted risk against samples, and the errors that were measured."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..statistics import mean_interval, paired_difference
from .drawing import Sheet, dash_of, dot_of, dots, field, stems, thin, zero
from .theme import MEASURED, PREDICTED

SAMPLES = "Samples per cluster Q (number)"


def law_and_error(
    Q: Sequence[float], laws: Mapping[str, np.ndarray], errors: Mapping[str, np.ndarray] | None = None,
    *, across: str = SAMPLES,
) -> Sheet:
    """Predicted risk against samples, settings side by side; measured errors on it, and below how far it is off.

    Parameters
    ----------
    Q : samples a cluster (or what `across` says), increasing; drawn at equal distances.
    laws : title -> predicted risk of each split, shape (splits, Q); its mean is drawn.
    errors : title -> test errors of the same splits, shape (splits, Q): drawn are their means with 95 % intervals, and
        below them the mean of law - error in half-widths of its own interval. Without them the law stands alone.
    across : what `Q` is where it is not samples, with its unit.
    """
    up = "Risk (probability)"
    if errors is None:
        sheet = Sheet(across, up, height=2.6)
    else:
        sheet = Sheet(across, [up, "law − error (half-widths of its interval)"], ratios=(2, 1), height=4.2, phone=5.0)
    top, below = sheet.panels[0], sheet.panels[-1]
    shown = thin(len(Q), 3)
    middles, ticks, ceiling = {}, [], 0.0
    for place, (title, law) in enumerate(laws.items()):
        at = place * (len(Q) + 1) + np.arange(len(Q))
        top.plot(at, law.mean(axis=0), color=PREDICTED, lw=2.6, zorder=3)
        ceiling = max(ceiling, law.mean(axis=0).max())
        if errors is not None:
            mean, low, high = mean_interval(errors[title])
            stems(top, at, low, high, color=MEASURED, lw=1.4, zorder=3)
            dots(top, at, mean, size=22)
            off = paired_difference(law, errors[title])
            dots(below, at, 2 * off.mean / (off.high - off.low), size=22)
            ceiling = max(ceiling, high.max())
        middles[title] = at.mean()
        ticks += at[shown].tolist()
    top.set(xlim=(-1, at[-1] + 1), ylim=(0, 1.35 * ceiling))
    for title, middle in middles.items():
        sheet.name(top, middle, 1.35 * ceiling, title.replace(", ", ",\n"), dx=0, ha="center", va="top")
    below.set_xticks(ticks, [f"{Q[k]}" for k in shown] * len(laws))
    if errors is None:
        return sheet.key((dash_of(PREDICTED, lw=2.6), "law"))
    zero(below)
    field(below, -1, 1)
    low, high = below.get_ylim()
    below.set_ylim(min(low, -1.5), max(high, 1.5))
    runs = len(next(iter(errors.values())))
    return sheet.key((dash_of(PREDICTED, lw=2.6), "law"), (dot_of(MEASURED), f"measured, {runs} splits"))
