"""Figures of the chapters on concentration and on the training guarantee."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.lines import Line2D
from scipy.stats import norm

from .drawing import Sheet, dash_of, dot_of, dots, field, field_of, powers, stems, thin, zero
from .theme import DASHES, INK, MARKERS, MEASURED, PREDICTED, PROVED, SOFT

VOID = "above 1: says nothing"


def densities(
    panels: Mapping[str, tuple[Mapping[str, np.ndarray], Mapping[str, tuple[float, float]]]],
    *,
    unit: str,
    reach: float | None = None,
    floor: float | None = None,
) -> Sheet:
    """How often a quantity takes which value: measured as red dots, predicted as blue normal curves.

    Parameters
    ----------
    panels : title -> (measured, predicted): measured name -> numbers, of any shape, at most two names (the first of
        two has hollow dots); predicted name -> (mean, standard deviation). A name looks alike in all panels.
    unit : unit of the values, part of the label.
    reach : the axis goes from -reach to reach; by default as far as the numbers.
    floor : smallest density that is drawn, on a logarithmic scale; without it the scale is linear.
    """
    sheet = Sheet([f"{title} ({unit})" for title in panels], f"Density (per {unit})", panels=len(panels), height=3.7,
                  phone=3.2 * len(panels) + 0.6)
    names = list(dict.fromkeys(name for measured, _ in panels.values() for name in measured))
    curves = list(dict.fromkeys(name for _, predicted in panels.values() for name in predicted))
    for axes, (measured, predicted) in zip(sheet.panels, panels.values(), strict=True):
        pooled = [np.ravel(numbers) for numbers in measured.values()] or [
            np.array([mean - 4 * sd, mean + 4 * sd]) for mean, sd in predicted.values()]
        ends = (-reach, reach) if reach else (min(map(np.min, pooled)), max(map(np.max, pooled)))
        at = np.linspace(*ends, 401)
        for name, numbers in measured.items():
            bins = min(40, max(8, round(2 * np.size(numbers) ** 0.5)))
            heights, edges = np.histogram(np.ravel(numbers), bins=bins, range=ends)
            heights = heights / (np.size(numbers) * np.diff(edges))
            drawn = heights > 0 if floor else np.full(bins, True)
            dots(axes, ((edges[1:] + edges[:-1]) / 2)[drawn], heights[drawn], full=name == names[-1], size=16)
        for name, (mean, sd) in predicted.items():
            curve = norm.pdf(at, mean, sd)
            axes.plot(at, np.where(curve > (floor or 0), curve, np.nan), color=PREDICTED,
                      ls=DASHES[curves.index(name)], lw=2.2, zorder=3)
        axes.set(xlim=ends, yscale="log" if floor else "linear")
        axes.set_ylim(floor or 0, axes.get_ylim()[1] * (1.5 if floor else 1.02))
        if floor:
            powers(axes.yaxis)
    return sheet.key(
        *((dot_of(MEASURED, full=name == names[-1]), name) for name in names),
        *((dash_of(PREDICTED, DASHES[k], 2.2), name) for k, name in enumerate(curves)), columns=2,
    )


def failure_curves(
    panels: Mapping[str, tuple[Sequence[int], Mapping[str, Sequence[float]], Sequence]], *, proved: int = 2
) -> Sheet:
    """Probability that an event fails against samples per cluster: bounds, an estimate, and observed shares.

    `panels` : title -> (Q, curves, observed): curves name -> values at Q, of which the first `proved` are bounds and
    the others estimates; observed rows (Q, share, low, high).
    """
    sheet = Sheet("Samples per cluster Q (number)", "Probability that the event fails (1)", panels=len(panels),
                  height=4.2, phone=3.2 * len(panels) + 1)
    names: list[str] = []
    for axes, (title, (Q, curves, observed)) in zip(sheet.panels, panels.items(), strict=True):
        field(axes, 1, 1e8)
        names = list(curves)
        for k, values in enumerate(curves.values()):
            axes.plot(Q, values, **_status(k, proved), zorder=3)
        where, share, low, high = np.transpose(observed)
        stems(axes, where, np.maximum(low, 1e-4), high, color=MEASURED, lw=1.4, zorder=3)
        dots(axes, where, share)
        sheet.title(axes, title)
        axes.set(xscale="log", yscale="log", ylim=(1e-3, 1e8))
        for axis in (axes.xaxis, axes.yaxis):
            powers(axis)
    return sheet.key(
        *((dash_of(look["color"], look["ls"], 2.4), name)
          for look, name in ((_status(k, proved), name) for k, name in enumerate(names))),
        (dot_of(MEASURED), "observed share"), (field_of(), VOID), columns=2,
    )


def _status(k: int, proved: int) -> dict:
    return {"color": PROVED if k < proved else PREDICTED, "ls": DASHES[k if k < proved else k - proved], "lw": 2.4}


def margins_in_envelopes(
    S: Sequence[float],
    envelopes: Mapping[str, tuple[np.ndarray, np.ndarray]],
    noise_free: np.ndarray,
    margins: np.ndarray | None = None,
) -> Sheet:
    """Every training margin against dimensionless time, with proved envelopes and the predicted noise-free curve.

    Parameters
    ----------
    S : times, shape (T,).
    envelopes : name -> lower and upper bound, shape (T,), NaN where there is none; at most three, widest first.
    noise_free : shape (T,).
    margins : shape (T, N), in nats; leave it out to draw the prediction first. Those that leave the first
        envelope are stronger.
    """
    S = np.asarray(S, dtype=float)
    sheet = Sheet("Dimensionless time S (1)", "Reward margin (nats)", height=4.2)
    axes = sheet.panels[0]
    zero(axes)
    entries = []
    for k, (name, (lower, upper)) in enumerate(envelopes.items()):
        for edge in (lower, upper):
            axes.plot(S, edge, color=PROVED, lw=2.4, ls=DASHES[k], zorder=4)
        entries.append((dash_of(PROVED, DASHES[k], 2.4), name))
    if margins is not None:
        lower, upper = next(iter(envelopes.values()))
        known = ~np.isnan(lower)
        inside = ((margins >= lower[:, None]) & (margins <= upper[:, None]))[known].all(axis=0)
        for chosen, alpha, words in ((inside, 0.4, "stays inside"), (~inside, 0.85, "leaves the wide lines")):
            if chosen.any():  # one line with gaps: small, and no darker where many cross
                x = np.append(S, np.nan)
                y = np.vstack([margins[:, chosen], np.full(chosen.sum(), np.nan)]).T
                axes.plot(np.tile(x, len(y)), y.ravel(), color=MEASURED, lw=0.8, alpha=alpha, zorder=2)
                entries.append((Line2D([], [], color=MEASURED, alpha=alpha, lw=2.5), f"measured: {words}"))
    axes.plot(S, noise_free, color=PREDICTED, lw=3, zorder=5)
    sheet.name(axes, S[-1], noise_free[-1], "without\nnoise", PREDICTED, dodge=True)
    return sheet.key(*entries, columns=2)


def first_exit(
    S: Sequence[float], envelope: tuple[np.ndarray, np.ndarray], margins: np.ndarray, *, ceiling: float,
    words: str = "log 3",
) -> Sheet:
    """Why no margin leaves a box before a stopping time: proved lines, simulated margins, and a path that cannot be.

    Parameters
    ----------
    S : times, shape (T,).
    envelope : lower and upper line that hold as long as all margins are inside the box, shape (T,), NaN from the
        stopping time on, at which the upper one reaches the ceiling.
    margins : simulated margins in nats, shape (T, N), some of which are drawn.
    ceiling : upper end of the box in nats, called `words`; its lower end is 0.
    """
    S, (lower, upper) = np.asarray(S, dtype=float), envelope
    sheet = Sheet("Dimensionless time S (1)", "Reward margin (nats)", height=3.8)
    axes, top, bottom = sheet.panels[0], 1.22 * ceiling, -0.16 * ceiling
    stop = float(S[~np.isnan(upper)].max())
    for low, high in ((ceiling, top), (bottom, 0)):
        field(axes, low, high)
    for at in (0, ceiling):
        axes.axhline(at, color=SOFT, lw=0.9, zorder=1)
    axes.plot([stop, stop], [bottom, top], color=SOFT, ls=":", lw=1.4, zorder=1)
    for edge in (lower, upper):
        axes.plot(S, edge, color=PROVED, lw=2.4, zorder=4)
    shown = margins[:, thin(margins.shape[1], 24)]
    axes.plot(S, shown, color=MEASURED, lw=0.8, alpha=0.5, zorder=2)
    t = np.linspace(0, 0.62 * stop, 40)
    axes.plot(t, ceiling * (t / t[-1]) ** 2.2, color=INK, ls="--", lw=1.8, zorder=5)
    axes.scatter(t[-1], ceiling, 110, marker="o", fc="none", ec=INK, lw=1.8, zorder=5)
    sheet.name(axes, t[-1], ceiling, "first exit?", dx=-11, dy=11, ha="right")
    sheet.name(axes, S[-1], ceiling, words, SOFT)
    sheet.name(axes, stop, bottom, "τ₁", SOFT, dx=5, dy=9)
    axes.set(xlim=(0, S[-1]), ylim=(bottom, top))
    return sheet.key(
        (dash_of(PROVED, lw=2.4), "proved while all are in the box"), (field_of(), "outside of the box"),
        (Line2D([], [], color=MEASURED, alpha=0.5, lw=2.5), "simulated margins"),
        (dash_of(INK, "--", 1.8), "imagined: faster than anything in the box"), columns=2,
    )


def shares(
    x: Sequence[float], y: Mapping[str, Sequence[float]], *, x_name: str, y_name: str, predicted: float | None = None
) -> Sheet:
    """Measured shares in percent against `x`, a marker and a dash for each name; `predicted` is a vertical line."""
    sheet = Sheet(x_name, y_name, height=3.8)
    axes = sheet.panels[0]
    if predicted is not None:
        axes.axvline(predicted, color=PREDICTED, lw=2.6, zorder=2)
        sheet.name(axes, predicted, 100, "predicted", PREDICTED, dx=-6, ha="right")
    entries = []
    for k, (name, values) in enumerate(y.items()):
        percent = 100 * np.asarray(values)
        axes.plot(x, percent, color=MEASURED, ls=DASHES[k], lw=1.6, zorder=3)
        dots(axes, x, percent, marker=MARKERS[k], full=k % 2 == 0)
        entries.append((dot_of(MEASURED, full=k % 2 == 0, marker=MARKERS[k]), name))
    axes.set_ylim(-4, 106)
    return sheet.key(*entries, columns=min(3, len(entries)))
