"""Figures of the law of risk: predicted risk against samples, values and time, and the errors that were measured."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..statistics import mean_interval, paired_difference
from .drawing import Sheet, dash_of, dot_of, dots, field, field_of, powers, stems, thin, zero
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


def law_on_trial(
    Ks: Sequence[int], Qs: Sequence[int], laws: Mapping[str, np.ndarray],
    errors: Mapping[str, np.ndarray] | None = None, *, aim: float = 0.01,
) -> Sheet:
    """Predicted risk against the number of values, a line for each Q; measured errors on it, and below law - error.

    Parameters
    ----------
    Ks, Qs : numbers of values and of samples a cluster, increasing; Ks are drawn at equal distances.
    laws : title -> predicted risk of each split, shape (splits, Ks, Qs); its mean is drawn.
    errors : title -> test errors of the same splits: drawn are their means with 95 % intervals, and below them the
        means of law - error with theirs. Without them the law stands alone.
    aim : half the height of the pale field around zero.
    """
    up = "Risk (probability)"
    across = "Number of values K"
    if errors is None:
        sheet = Sheet(across, up, height=3.0)
    else:
        sheet = Sheet(across, [up, "predicted − measured (probability)"], ratios=(2, 1), height=4.6, phone=5.4)
    top, below = sheet.panels[0], sheet.panels[-1]
    ticks, middles, ceiling = [], {}, 0.0
    for place, (title, law) in enumerate(laws.items()):
        at = place * (len(Ks) + 1) + np.arange(len(Ks))
        mean = law.mean(axis=0)
        ceiling = max(ceiling, mean.max())
        for k, Q in enumerate(Qs):
            top.plot(at, mean[:, k], color=PREDICTED, lw=2.2, zorder=3)
            sheet.name(top, at[0], mean[0, k], f"{Q}", PREDICTED, dx=-7, ha="right", weight="normal", dodge=True)
            if errors is not None:
                aside = at + 0.16 * (k - (len(Qs) - 1) / 2)  # so that the residuals of one K stand side by side
                middle, low, high = mean_interval(errors[title][:, :, k])
                stems(top, at, low, high, color=MEASURED, lw=1.4, zorder=3)
                dots(top, at, middle, size=20)
                off = paired_difference(law[:, :, k], errors[title][:, :, k])
                stems(below, aside, off.low, off.high, color=MEASURED, lw=1.2, zorder=3)
                dots(below, aside, off.mean, size=14)
                ceiling = max(ceiling, high.max())
        middles[title] = at.mean()
        ticks += at.tolist()
    top.set(xlim=(-1.1, at[-1] + 0.6), ylim=(0, 1.25 * ceiling))
    for title, middle in middles.items():
        sheet.name(top, middle, 1.25 * ceiling, title, dx=0, ha="center", va="top")
    below.set_xticks(ticks, [f"{K}" for K in Ks] * len(laws))
    if errors is None:
        return sheet.key((dash_of(PREDICTED, lw=2.2), "predicted, by samples a cluster"))
    zero(below)
    field(below, -aim, aim)
    low, high = below.get_ylim()
    below.set_ylim(min(low, -2 * aim), max(high, 2 * aim))
    runs = len(next(iter(errors.values())))
    return sheet.key((dash_of(PREDICTED, lw=2.2), "predicted, by samples a cluster"),
                     (dot_of(MEASURED), f"measured, {runs} splits"), (field_of(), f"within {aim:g}"))


def risk_over_time(
    time: np.ndarray, laws: Mapping[str, float], risks: Mapping[str, np.ndarray], *, across: str, runs: str
) -> Sheet:
    """Risk while training goes on, each setting in its panel, beside the law of the first step.

    Parameters
    ----------
    time : shape (T,), above 0 and increasing; the axis is logarithmic.
    laws : title -> the law's risk.   risks : title -> risk of each run, shape (runs, T): means with 95 % intervals.
    across : label of the axis of time.   runs : what a run is, in the key, as "5 data sets".
    """
    sheet = Sheet(across, "Risk (probability)", panels=len(laws), height=3.0, phone=2.4 * len(laws), share=False)
    for axes, (title, law) in zip(sheet.panels, laws.items(), strict=True):
        mean, low, high = mean_interval(risks[title])
        axes.axhline(law, color=PREDICTED, lw=2.6, zorder=3)
        stems(axes, time, low, high, color=MEASURED, lw=1.4, zorder=3)
        dots(axes, time, mean, size=20)
        axes.set(xscale="log", ylim=(0, 1.25 * max(law, high.max())))
        powers(axes.xaxis)
        sheet.title(axes, title)
    return sheet.key((dash_of(PREDICTED, lw=2.6), "law of the first step"), (dot_of(MEASURED), f"mean of {runs}"))


def law_and_full(runs: Sequence[Mapping]) -> Sheet:
    """Error after full fine-tuning, a row for each run, beside the law of the last layer's first step and its floor.

    Parameters
    ----------
    runs : mappings with "words" (what the run is, in a few words), "law" and "floor" (probabilities), and for a run
        that was made "error" and its interval "low", "high".
    """
    sheet = Sheet("Test error (probability)", "", height=1.1 + 0.22 * len(runs), phone=1.6 + 0.26 * len(runs))
    (axes,) = sheet.panels
    at = np.arange(len(runs))[::-1]
    law, floor, error, low, high = (np.array([run.get(name, np.nan) for run in runs], dtype=float)
                                    for name in ("law", "floor", "error", "low", "high"))
    axes.vlines(law, at - 0.36, at + 0.36, color=PREDICTED, lw=3.2, zorder=3)
    axes.vlines(floor, at - 0.36, at + 0.36, color=PREDICTED, lw=1.2, zorder=3)
    axes.hlines(at, low, high, color=MEASURED, lw=1.4, zorder=3)
    dots(axes, error, at, size=26)
    axes.set_yticks(at, [run["words"] for run in runs])
    axes.set(ylim=(-0.7, len(runs) - 0.3), xlim=(0, 1.08 * np.nanmax([law, high])))
    axes.tick_params(axis="y", length=0)
    return sheet.key((dash_of(PREDICTED, lw=3.2), "law, last layer"), (dash_of(PREDICTED, lw=1.2), "its floor"),
                     (dot_of(MEASURED), "all weights, measured"))
