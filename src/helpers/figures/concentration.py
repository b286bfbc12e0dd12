"""Figures of the chapters on concentration and on the training guarantee."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import norm

from .margins import _blank, _finish
from .theme import GREY, LINES

DARK = "#222222"
DASHES = ("--", ":", "-.")


def densities(
    panels: Mapping[str, tuple[Mapping[str, np.ndarray], Mapping[str, tuple[float, float]]]],
    *,
    unit: str,
    reach: float | None = None,
    floor: float | None = None,
) -> Figure:
    """How often a quantity takes which value, measured as steps and predicted as normal curves.

    Parameters
    ----------
    panels : title -> (measured, predicted): measured name -> numbers, of any shape; predicted name -> (mean,
        standard deviation). A name has one colour in all panels.
    unit : unit of the values, part of the label.
    reach : the axis goes from -reach to reach; by default as far as the numbers.
    floor : smallest density that is drawn, on a logarithmic scale; without it the scale is linear.
    """
    figure, axes = _panels(len(panels))
    names = list(dict.fromkeys(name for measured, _ in panels.values() for name in measured))
    curves = list(dict.fromkeys(name for _, predicted in panels.values() for name in predicted))
    for one, (title, (measured, predicted)) in zip(axes, panels.items(), strict=True):
        pooled = [np.ravel(numbers) for numbers in measured.values()] or [
            np.array([mean - 4 * sd, mean + 4 * sd]) for mean, sd in predicted.values()]
        ends = (-reach, reach) if reach else (min(map(np.min, pooled)), max(map(np.max, pooled)))
        at = np.linspace(*ends, 401)
        for name, numbers in measured.items():
            bins = min(60, max(8, round(2 * np.size(numbers) ** 0.5)))
            heights, edges = np.histogram(np.ravel(numbers), bins=bins, range=ends)
            heights = heights / (np.size(numbers) * np.diff(edges))
            one.stairs(np.where(heights > 0, heights, np.nan if floor else 0), edges, color=LINES[names.index(name)],
                       lw=1.5, baseline=None if floor else 0, label=name)
        for name, (mean, sd) in predicted.items():
            curve = norm.pdf(at, mean, sd)
            shown, colour = np.where(curve > (floor or 0), curve, np.nan), (DARK, GREY, LINES[2])[curves.index(name)]
            one.plot(at, shown, color=colour, ls=DASHES[curves.index(name)], lw=1.8, label=name)
        one.set(xlabel=f"{title} ({unit})", xlim=ends, ylim=(floor or 0, None), yscale="log" if floor else "linear")
    axes[0].set_ylabel(f"Density (per {unit})")
    return _keyed(figure, axes)


def failure_curves(panels: Mapping[str, tuple[Sequence[int], Mapping[str, Sequence[float]], Sequence]]) -> Figure:
    """Probability that an event fails against samples per cluster: bounds as lines, observed shares as points.

    `panels` : title -> (Q, bounds, observed): bounds name -> values at Q; observed rows (Q, share, low, high).
    """
    figure, axes = _panels(len(panels))
    for one, (title, (Q, bounds, observed)) in zip(axes, panels.items(), strict=True):
        for k, (name, values) in enumerate(bounds.items()):
            one.plot(Q, values, color=(LINES[1], LINES[0], GREY)[k], ls=("-", "--", ":")[k], lw=2, label=name)
        where, share, low, high = np.transpose(observed)
        bars = np.maximum([share - low, high - share], 0)
        one.errorbar(where, share, yerr=bars, fmt="o", color=DARK, ms=5, capsize=3, label="observed share")
        one.axhline(1, color="#555555", lw=0.8)
        one.set(title=title, xlabel="Samples per cluster Q (number)", xscale="log", yscale="log", ylim=(1e-3, 1e8))
    axes[0].set_ylabel("Probability that the event fails (1)")
    return _keyed(figure, axes)


def margins_in_envelopes(
    S: Sequence[float],
    envelopes: Mapping[str, tuple[np.ndarray, np.ndarray]],
    noise_free: np.ndarray,
    margins: np.ndarray | None = None,
) -> Figure:
    """Every training margin against dimensionless time, with envelopes and the noise-free curve.

    Parameters
    ----------
    S : times, shape (T,).
    envelopes : name -> lower and upper bound, shape (T,), NaN where there is none; at most three, widest first.
    noise_free : shape (T,).
    margins : shape (T, N), in nats; leave it out to draw the prediction first. Those that leave the first
        envelope are drawn in another colour.
    """
    figure, axes = _blank("Dimensionless time S (1)", "Reward margin (nats)")
    axes.axhline(0, color="#555555", lw=0.8)
    for (name, (lower, upper)), colour in zip(envelopes.items(), (DARK, LINES[2], LINES[3]), strict=False):
        axes.fill_between(S, lower, upper, color=colour, alpha=0.12, lw=0, zorder=1)
        for edge, label in ((lower, name), (upper, None)):
            axes.plot(S, edge, color=colour, lw=1.6, zorder=3, label=label)
    if margins is not None:
        lower, upper = next(iter(envelopes.values()))
        known = ~np.isnan(lower)
        inside = ((margins >= lower[:, None]) & (margins <= upper[:, None]))[known].all(axis=0)
        for chosen, colour, name in ((inside, LINES[0], "stays inside"), (~inside, LINES[1], "leaves it")):
            axes.plot(S, margins[:, chosen], color=colour, lw=0.6, alpha=0.45, zorder=2)
            axes.plot([], [], color=colour, lw=1.2, label=f"training margin, {name}")
    axes.plot(S, noise_free, color=DARK, lw=2, ls="--", label="without noise (N1)", zorder=4)
    return _finish(figure, axes)


def widening(stages: Mapping[str, tuple[float, float]], *, truth: tuple[float, float]) -> Figure:
    """The range left for a rate after each stage of a proof, stage below stage; logarithmic.

    `stages` : name -> lower and upper end, in units of Q; `truth` : range of the rates that were seen.
    """
    figure, axes = _blank("Rate of the margin, N τ ṙ / (β² Q) (1)", "", size=(6.8, 3.6))
    axes.axvspan(*truth, color=LINES[0], alpha=0.5, lw=0, label="rates that occur")
    for row, (low, high) in enumerate(stages.values()):
        label = "allowed" if row == 0 else None
        axes.plot([low, high], [row, row], color=DARK, lw=3, solid_capstyle="butt", label=label)
        for end, side, word in ((low, -1, "right"), (high, 1, "left")):
            axes.annotate(f"{end:.3g}", (end, row), xytext=(6 * side, 0), textcoords="offset points", va="center",
                          ha=word, fontsize=10)
    axes.set_yticks(range(len(stages)), list(stages))
    axes.set(xscale="log", ylim=(len(stages) - 0.5, -0.5), xlim=(min(low for low, _ in stages.values()) / 2,
                                                                max(high for _, high in stages.values()) * 2))
    axes.grid(visible=False, axis="y")
    return _finish(figure, axes)


def shares(
    x: Sequence[float], y: Mapping[str, Sequence[float]], *, x_name: str, y_name: str, predicted: float | None = None
) -> Figure:
    """Shares in percent against `x`, one line with markers a name; `predicted` is a vertical line."""
    figure, axes = _blank(x_name, y_name)
    if predicted is not None:
        axes.axvline(predicted, color=DARK, ls="--", lw=1.5, label="predicted")
    for k, name in enumerate(y):
        axes.plot(x, 100 * np.asarray(y[name]), color=LINES[k], ls=("-", "--", ":", "-.")[k], marker="os^D"[k],
                  lw=2, label=name)
    axes.set_ylim(-3, 103)
    return _finish(figure, axes)


def _panels(count: int) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(8.0 if count > 1 else 6.4, 3.9), layout="constrained")
    return figure, figure.subplots(1, count, sharey=count > 1, squeeze=False)[0]


def _keyed(figure: Figure, axes: Sequence[Axes]) -> Figure:
    """One key for all panels."""
    found = {}
    for one in axes:
        handles, labels = one.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    figure.legend(found.values(), found.keys(), loc="outside upper left", ncols=2)
    return figure
