"""The static figures of the chapters, one a function: seaborn, colour-blind safe, a white card on any page."""

from collections.abc import Mapping, Sequence

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .theme import GREY, LINES

PREDICTED, MEASURED, PROVED = LINES[:3]  # blue, red, green as in the interactive figures
SIDE_NAMES = {1: "aligned", -1: "misaligned"}
SIZE = (6.4, 3.8)  # inches; the page shows 100 pixels an inch


def margin_trajectories(
    steps: Sequence[float],
    measured: np.ndarray | None = None,
    predicted: np.ndarray | None = None,
    envelope: tuple[np.ndarray, np.ndarray] | None = None,
    *,
    lines: int = 20,
) -> Figure:
    """Reward margins against training steps; leave `measured` out to draw the prediction first.

    Parameters
    ----------
    steps : shape (T,).
    measured, predicted : margins in nats, shape (T,) or (T, N); of N samples the median and the band from the
        5th to the 95th percentile are drawn, and of `measured` the first `lines` samples.
    envelope : lower and upper bound, shape (T,) each, NaN where there is none.
    """
    figure, axes = _blank("Training step", "Reward margin (nats)")
    axes.axhline(0, color="#555555", lw=0.8)
    if envelope is not None:
        lower, upper = np.asarray(envelope, dtype=float)
        axes.fill_between(steps, lower, upper, color=PROVED, alpha=0.2, lw=0, label="proved envelope")
    for name, margins, colour, dash in (
        ("measured", measured, MEASURED, "-"),
        ("predicted", predicted, PREDICTED, "--"),
    ):
        if margins is None:
            continue
        margins = np.asarray(margins, dtype=float).reshape(len(steps), -1)
        if margins.shape[1] > 1:
            low, high = np.percentile(margins, [5, 95], axis=1)
            axes.fill_between(steps, low, high, color=colour, alpha=0.18, lw=0)
            if name == "measured":
                axes.plot(steps, margins[:, :lines], color=colour, lw=0.5, alpha=0.5)
        label = f"{name}: median and 90 %" if margins.shape[1] > 1 else name
        axes.plot(steps, np.median(margins, axis=1), color=colour, ls=dash, lw=2, label=label)
    return _finish(figure, axes)


def predicted_against_measured(
    predicted: Sequence[float],
    measured: Sequence[float] | None = None,
    *,
    side: Sequence[int] | None = None,
    tolerance: float | Sequence[float] | None = None,
) -> Figure:
    """Margin by margin, prediction across and measurement up: they agree on the diagonal.

    Parameters
    ----------
    predicted, measured : shape (N,), in nats. Without `measured` the points stand where they should fall.
    side : shape (N,), +1 or -1: colours and markers.
    tolerance : how far a measurement may lie from its prediction, one number or shape (N,); drawn as bars.
    """
    predicted = np.asarray(predicted, dtype=float)
    there = predicted if measured is None else np.asarray(measured, dtype=float)
    figure, axes = _blank("Predicted reward margin (nats)", "Measured reward margin (nats)", size=(5.0, 4.6))
    ends = np.array([min(predicted.min(), there.min()), max(predicted.max(), there.max())])
    axes.plot(ends, ends, color="#555555", lw=1, ls="--", label="equal")
    if tolerance is not None:
        bars = np.broadcast_to(np.asarray(tolerance, dtype=float), predicted.shape)
        axes.errorbar(predicted, predicted, yerr=bars, fmt="none", ecolor=GREY, alpha=0.4, label="tolerance")
    sides = np.ones(len(predicted), int) if side is None else np.asarray(side)
    for s, colour, marker in ((1, LINES[0], "o"), (-1, LINES[1], "^")):
        at = sides == s
        if at.any():
            label = "samples" if side is None else f"{SIDE_NAMES[s]} side"
            label += ", expected" if measured is None else ""
            fill = "none" if measured is None else colour
            axes.scatter(predicted[at], there[at], 22, marker=marker, fc=fill, ec=colour, lw=0.8, label=label)
    return _finish(figure, axes)


def two_accuracies(
    steps: Sequence[float], margin_accuracy: Sequence[float], ranking_accuracy: Sequence[float] | None = None
) -> Figure:
    """Two shares of pairs against steps: margin above 0, and chosen answer more likely than the rejected."""
    figure, axes = _blank("Training step", "Share of pairs (%)")
    axes.plot(steps, 100 * np.asarray(margin_accuracy), color=LINES[0], lw=2, label="margin accuracy: r > 0")
    if ranking_accuracy is not None:
        label = "ranking accuracy: chosen more likely"
        axes.plot(steps, 100 * np.asarray(ranking_accuracy), color=LINES[1], lw=2, ls="--", label=label)
    axes.set_ylim(0, 102)
    return _finish(figure, axes)


def histogram_of_margins(
    margins: Sequence[float], side: Sequence[int] | None = None, *, predicted: float | None = None
) -> Figure:
    """How many samples have which reward margin; those left of 0 are on the wrong side.

    `margins` and `side` (+1 or -1) have shape (N,); `predicted` is one margin, drawn as a line. All in nats.
    """
    margins = np.asarray(margins, dtype=float)
    figure, axes = _blank("Reward margin (nats)", "Number of samples")
    edges = np.histogram_bin_edges(margins, bins=min(40, max(8, round(2 * len(margins) ** 0.5))))
    groups = [margins] if side is None else [margins[np.asarray(side) == s] for s in (1, -1)]
    labels = ["samples"] if side is None else [f"{SIDE_NAMES[s]} side" for s in (1, -1)]
    colours = list(LINES[: len(groups)])
    axes.hist(groups, bins=edges, stacked=True, color=colours, ec="white", lw=0.5, label=labels)
    axes.axvline(0, color="#555555", lw=1)
    if predicted is not None:
        axes.axvline(predicted, color="#222222", ls="--", lw=2, label="predicted")
    return _finish(figure, axes)


def flips(
    threshold: Sequence[float], margins: Sequence[float] | None = None, ranked: Sequence[bool] | None = None
) -> Figure:
    """Margin of each pair against the margin at which its ranking turns right; it is right above the diagonal.

    Parameters
    ----------
    threshold : beta times the head start of the rejected answer, shape (N,), in nats.
    margins : shape (N,), in nats; without them the thresholds stand as ticks on the axis.
    ranked : whether the policy ranks the pair correctly, shape (N,).
    """
    threshold = np.asarray(threshold, dtype=float)
    figure, axes = _blank("Margin at which the ranking turns (nats)", "Reward margin (nats)", size=(5.6, 4.4))
    across = 1.1 * np.abs(threshold).max()
    low, high = -across, across
    if margins is not None:  # margins outgrow thresholds: on one scale for both, the points would be a thin strip
        low, high = 1.1 * min(*margins, -across), 1.1 * max(*margins, across)
    axes.axline((0, 0), slope=1, color="#555555", lw=1.2, ls="--", label="ranking turns right")
    axes.axhline(0, color="#555555", lw=1, ls=":", label="margin turns positive")
    if margins is None:
        axes.scatter(threshold, np.zeros_like(threshold), 60, marker="|", color=LINES[0], label="held-out pairs")
    else:
        ranked, margins = np.asarray(ranked, dtype=bool), np.asarray(margins, dtype=float)
        for right, name, marker, colour in ((True, "right", "o", LINES[0]), (False, "wrong", "x", LINES[1])):
            at = ranked == right
            axes.scatter(threshold[at], margins[at], 30, marker=marker, color=colour, label=f"ranked {name}")
    axes.set(xlim=(-across, across), ylim=(low, high))
    return _finish(figure, axes)


def interaction_blocks(blocks: Mapping[str, np.ndarray], labels: Sequence[str]) -> Figure:
    """Mean interaction of every two clusters, a heat map for each way to answer; blue pulls, red pushes apart.

    Parameters
    ----------
    blocks : title -> mean interactions, shape (2K, 2K), in squared units of the embedding.
    labels : names of the 2K clusters.
    """
    figure = Figure(figsize=(7.2, 3.9), layout="constrained")
    panels = figure.subplots(1, len(blocks), sharey=True, squeeze=False)[0]
    limit = max(np.abs(block).max() for block in blocks.values())
    diverging = sns.diverging_palette(10, 245, s=70, l=50, as_cmap=True)
    for axes, (title, block) in zip(panels, blocks.items(), strict=True):
        sns.heatmap(
            block, ax=axes, cmap=diverging, vmin=-limit, vmax=limit, square=True, cbar=axes is panels[-1],
            xticklabels=labels, yticklabels=labels, linewidths=0.5,
            cbar_kws={"label": "mean interaction", "shrink": 0.7},
        )
        axes.set_title(f"{title} answers", fontsize=11)
        axes.set(xlabel="cluster of sample k", ylabel="cluster of sample j" if axes is panels[0] else "")
    return figure


def _blank(across: str, up: str, size: tuple[float, float] = SIZE) -> tuple[Figure, Axes]:
    # Not through pyplot: nothing stays open, and nothing is shown twice.
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=across, ylabel=up)
    return figure, axes


def _finish(figure: Figure, axes: Axes) -> Figure:
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return figure
