"""Figures of where clusters lie and of what token layouts do with them, one a function."""

from collections.abc import Mapping, Sequence

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from .margins import SIDE_NAMES, _blank
from .theme import GREY, LINES

COLOURS = (*LINES, GREY, "#222222")
MARKERS = {1: "o", -1: "^"}  # by side


def planes(
    x: np.ndarray,
    value: np.ndarray,
    side: np.ndarray,
    pairs: Sequence[tuple[tuple[str, np.ndarray], tuple[str, np.ndarray]]],
) -> Figure:
    """Samples seen in planes of two directions; a colour for each value, a marker for each side.

    Parameters
    ----------
    x : embeddings, shape (N, d).   value, side : shape (N,), values 0..K-1; colours repeat after six.
    pairs : a panel each: ((name across, direction), (name up, direction)), directions of shape (d,).
    """
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    panels = figure.subplots(1, len(pairs), squeeze=False)[0]
    half = 0.54 * max(np.ptp(x @ direction) for pair in pairs for _, direction in pair)  # panels of one size
    for axes, ((across, one), (up, other)) in zip(panels, pairs, strict=True):
        for i in range(int(np.max(value)) + 1):
            for s, marker in MARKERS.items():
                at = (value == i) & (side == s)
                label = f"value {i + 1}, {SIDE_NAMES[s]}" if axes is panels[0] else None
                look = dict(marker=marker, color=COLOURS[i % len(COLOURS)], alpha=0.6, lw=0, label=label)
                axes.scatter(x[at] @ one, x[at] @ other, 9, **look)
        middles = [((x @ to).min() + (x @ to).max()) / 2 for to in (one, other)]
        limits = [(middle - half, middle + half) for middle in middles]
        axes.set(xlabel=across, ylabel=up, aspect="equal", xlim=limits[0], ylim=limits[1])
    return _legend(figure, panels[0], markerscale=2.5)


def square_maps(
    maps: Mapping[str, np.ndarray], labels: Sequence[str], *, unit: str = "cosine", of: str = "cluster",
    numbers: bool = False,
) -> Figure:
    """Square matrices with entries from -1 to 1 as heat maps on one scale: blue along, red against.

    Parameters
    ----------
    maps : title -> matrix, shape (n, n).
    labels : names of the n rows.   unit : what an entry is.   of : what a row is.
    numbers : write the entries.
    """
    size = 10 if len(labels) < 10 else 8
    room = 0.0085 * size * max(len(str(label)) for label in labels)  # for the names beside and below the maps
    figure = Figure(figsize=(7.4, (5.7 - room) / len(maps) + 1.0 + room), layout="constrained")
    panels = figure.subplots(1, len(maps), sharey=True, squeeze=False)[0]
    diverging = sns.diverging_palette(10, 245, s=70, l=50, as_cmap=True)
    for axes, (title, matrix) in zip(panels, maps.items(), strict=True):
        sns.heatmap(
            matrix, ax=axes, cmap=diverging, vmin=-1, vmax=1, square=True, cbar=False, linewidths=0.5,
            xticklabels=labels, yticklabels=labels, annot=numbers, fmt=".2f", annot_kws={"fontsize": 9},
        )
        axes.set_title(title, fontsize=11)
        axes.tick_params(axis="x", rotation=90, labelsize=size)
        axes.tick_params(axis="y", rotation=0, labelsize=size)
        axes.set(xlabel=of, ylabel=of if axes is panels[0] else "")
    figure.colorbar(panels[-1].collections[0], ax=panels, label=unit, shrink=0.8, aspect=15)
    return figure


def lengths(rows: Mapping[str, Sequence[float]], wanted: Mapping[str, tuple[float, float]], unit: str) -> Figure:
    """Measured lengths on a logarithmic scale, a row for each kind, with the range that a theory wants.

    Parameters
    ----------
    rows : name -> positive lengths, a dot each.   wanted : name -> (least, most), both positive; drawn as a bar.
    unit : what the axis counts in.
    """
    figure, axes = _blank(unit, "", size=(7.0, 0.9 + 0.5 * len(rows)))
    for k, (name, found) in enumerate(rows.items()):
        if name in wanted:
            low, high = wanted[name]
            label = "what the theorems allow" if name == next(iter(wanted)) else None
            axes.plot([low, high], [k, k], color=LINES[2], lw=9, alpha=0.45, solid_capstyle="butt", label=label)
        found = np.asarray(found, dtype=float)
        axes.scatter(found, np.full(len(found), k), 26, color=LINES[0], zorder=3, label=None if k else "measured")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}"))
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    return _legend(figure, axes)


def alignments(
    layouts: Sequence[str], names: Sequence[str], *, mixture: np.ndarray, means: np.ndarray,
    measured: np.ndarray | None = None,
) -> Figure:
    """Cosine of what a value learned with its concept, layout by layout; leave `measured` out to predict first.

    Parameters
    ----------
    layouts, names : names of the L layouts and of the K values.
    mixture, means, measured : cosines, shape (L, K): for orthonormal concepts, for the measured ones, and of a run.
    """
    figure, axes = _blank("answers, and within them the values", "cosine of direction and concept", (7.4, 4.2))
    L, K = np.shape(mixture)
    at = (np.arange(L)[:, None] * (K + 1.5) + np.arange(K)).ravel()
    axes.axhline(0, color="#555555", lw=1)
    kinds = (
        ("orthonormal concepts", mixture, dict(marker="_", s=130, color=GREY, lw=2.5)),
        ("measured concepts", means, dict(marker="o", s=60, facecolor="none", edgecolor=LINES[0], lw=1.5)),
        ("trained", measured, dict(marker="x", s=32, color=LINES[1], lw=1.8)),
    )
    for label, cosines, style in kinds:
        if cosines is not None:
            axes.scatter(at, np.ravel(cosines), label=label, zorder=3, **style)
    axes.set_xticks(at, list(names) * L, rotation=90, fontsize=7)
    for k, layout in enumerate(layouts):
        middle = k * (K + 1.5) + (K - 1) / 2
        axes.text(middle, 1.08, layout, ha="center", va="bottom", fontsize=10)
    axes.set_ylim(-0.6, 1.25)
    axes.grid(axis="x", visible=False)
    return _legend(figure, axes)


def cluster_margins(
    predicted: Mapping[str, np.ndarray], measured: Mapping[str, np.ndarray], error: Mapping[str, np.ndarray],
    mixture: float,
) -> Figure:
    """Mean margin of each cluster, measured against predicted: a colour for each layout, a marker for each side.

    Parameters
    ----------
    predicted, measured, error : layout -> shape (K, 2), aligned side first, in nats; `error` is a standard error.
    mixture : the one margin that orthonormal concepts predict for all clusters, drawn as a line, in nats.
    """
    figure, axes = _blank("Predicted mean margin (nats)", "Measured mean margin (nats)", (5.8, 5.2))
    ends = np.array([min(map(np.min, predicted.values())), max(map(np.max, predicted.values()))])
    axes.plot(ends, ends, color="#555555", lw=1, ls="--", label="equal")
    axes.axhline(mixture, color="#222222", lw=1.5, ls=":", label="orthonormal concepts")
    for k, (name, there) in enumerate(predicted.items()):
        colour = COLOURS[k % len(COLOURS)]
        for column, (s, marker) in enumerate(MARKERS.items()):
            across, up = there[:, column], measured[name][:, column]
            label = name if s == 1 else None
            axes.errorbar(across, up, error[name][:, column], fmt="none", ecolor=colour, alpha=0.5, lw=1)
            axes.scatter(across, up, 30, marker=marker, color=colour, label=label, zorder=3)
    return _legend(figure, axes)


def _legend(figure: Figure, axes: Axes, *, markerscale: float = 1.0) -> Figure:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3, markerscale=markerscale)
    return figure
