"""Figures of where clusters lie and of what token layouts do with them, one a function."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..layouts import TokenLayout
from .agreement import Group, agreement
from .drawing import PHONE, Sheet, dash_of, dot_of, dots, squares
from .theme import INK, MARKERS, PAGE, SOFT, TINT


def planes(
    x: np.ndarray,
    value: np.ndarray,
    side: np.ndarray,
    pairs: Sequence[tuple[tuple[str, np.ndarray], tuple[str, np.ndarray]]],
) -> Sheet:
    """Statements seen in planes of two directions: a shape for each value, full for it and hollow against it.

    Parameters
    ----------
    x : embeddings, shape (N, d).   value, side : shape (N,), values 0..K-1; shapes repeat after five.
    pairs : a panel each: ((name across, direction), (name up, direction)), directions of shape (d,).
    """
    sheet = Sheet([across for (across, _), _ in pairs], [up for _, (up, _) in pairs], panels=len(pairs), height=4.0,
                  phone=4.2 * len(pairs), share=False)
    half = 0.54 * max(np.ptp(x @ direction) for pair in pairs for _, direction in pair)  # panels of one size
    numbers = range(int(np.max(value)) + 1)
    for axes, ((_, one), (_, other)) in zip(sheet.panels, pairs, strict=True):
        for i in numbers:
            for s in (1, -1):
                at = (value == i) & (side == s)
                dots(axes, x[at] @ one, x[at] @ other, full=s > 0, colour=INK, size=13, marker=MARKERS[i % 5],
                     label=f"value {i + 1}, {'for' if s > 0 else 'against'}")
        middles = [((x @ to).min() + (x @ to).max()) / 2 for to in (one, other)]
        axes.set(aspect="equal", **{f"{axis}lim": (middle - half, middle + half)
                                    for axis, middle in zip("xy", middles, strict=True)})
    shapes = [(dot_of(INK, marker=MARKERS[i % 5]), f"value {i + 1}") for i in numbers]
    return sheet.key(*shapes, (dot_of(INK, full=False), "hollow: against it"))


def token_graphs(
    layouts: Mapping[str, TokenLayout], places: Mapping[str, Sequence[tuple[float, float]]], *, value: int, name: str
) -> Sheet:
    """Token layouts as graphs: an arrow for each value, from the answer that its aligned side rejects to the other.

    Parameters
    ----------
    layouts : name -> layout, a panel each.   places : name -> where each of its `tokens` stands, in their order.
    value, name : number of the value whose arrow is drawn strong, and what it is called.
    """
    sheet = Sheet(list(layouts), "", panels=len(layouts), height=2.5, phone=1.75 * len(layouts), share=False)
    for axes, (title, layout) in zip(sheet.panels, layouts.items(), strict=True):
        at, ends = np.asarray(places[title], dtype=float), [tuple(pair) for pair in layout.indices]
        for k, (chosen, rejected) in enumerate(ends):
            alike = ends.count((chosen, rejected))  # arrows between the same two answers fan out
            bend = 0.22 * (ends[:k].count((chosen, rejected)) - (alike - 1) / 2)
            strong = k == value
            axes.annotate("", at[chosen], at[rejected], zorder=3 + strong, arrowprops={
                "arrowstyle": "-|>,head_width=0.22,head_length=0.45", "color": INK if strong else SOFT,
                "lw": 3 if strong else 1.4, "shrinkA": 5, "shrinkB": 4, "connectionstyle": f"arc3,rad={bend}"})
        axes.scatter(*at.T, 50, marker="s", fc=PAGE, ec=INK, lw=1.3, zorder=5)
        (left, low), (right, high) = at.min(axis=0), at.max(axis=0)
        middle, half = (left + right) / 2, max(right - left, 5) / 2 + 0.6
        axes.set(xlim=(middle - half, middle + half), ylim=(low - 0.25, high + 0.25), xticks=[], yticks=[])
        axes.set_xlabel(title, loc="center")
        for spine in axes.spines.values():
            spine.set_visible(False)
    return sheet.key((dot_of(INK, full=False, marker="s"), "an answer"), (dash_of(SOFT, lw=1.4), "a value"),
                     (dash_of(INK), name))


def square_maps(
    maps: Mapping[str, np.ndarray], labels: Sequence[str], *, unit: str = "cosine", of: str = "cluster",
    numbers: bool = False,
) -> Sheet:
    """Square matrices with entries from -1 to 1: full squares are along, hollow ones against, the area is how much.

    Parameters
    ----------
    maps : title -> matrix, shape (n, n).
    labels : names of the n rows.   unit : what an entry is.   of : what a row is.
    numbers : write the entries instead, on pale squares.
    """
    long = max(len(str(label)) for label in labels)
    room = 0.085 * long  # inches for the names beside and below the maps
    above = 0.3 if numbers else 0.6  # titles, key
    height = (6.7 - room) / len(maps) + room + above + 0.42
    phone = len(maps) * (PHONE + 0.3) + above - 0.3  # maps as wide as the rest, with their names below
    sheet = Sheet(of, "", panels=len(maps), height=height, phone=phone, ticks=9.3 if len(labels) > 9 else None)
    for axes, (title, matrix) in zip(sheet.panels, maps.items(), strict=True):
        squares(axes, matrix, largest=1.0, colour=TINT if numbers else INK)
        sheet.title(axes, title)
        axes.set_xticks(range(len(labels)), labels, rotation=90 if long > 2 else 0)
        axes.set_yticks(range(len(labels)), labels)
        for at in np.ndindex(np.shape(matrix)) if numbers else ():
            axes.text(at[1], at[0], f"{matrix[at]:.2f}".replace("-", "−"), ha="center", va="center", fontsize=10.7)
    if numbers:
        return sheet
    full, hollow = (dot_of(INK, full=full, marker="s") for full in (True, False))
    return sheet.key((full, f"{unit} above 0"), (hollow, "below 0"))


def cluster_margins(
    predicted: Mapping[str, np.ndarray], measured: Mapping[str, np.ndarray] | None = None,
    error: Mapping[str, np.ndarray] | None = None, *, mixture: float, off: str = "standard errors",
) -> Sheet:
    """Mean margin of each cluster, sorted within each layout: predicted, then measured, then how far off.

    Parameters
    ----------
    predicted, measured, error : layout -> shape (K, 2), aligned side first, in nats; `error` is what residuals are
        counted in. Without `measured` the prediction is drawn alone.
    mixture : the one margin that orthonormal concepts predict for all clusters, drawn as a line, in nats.
    off : what `error` is.
    """
    def ravelled(of: Mapping[str, np.ndarray] | None, name: str) -> np.ndarray | None:
        return None if of is None else np.ravel(of[name])

    groups = {name: Group(np.ravel(there), ravelled(measured, name), ravelled(error, name))
              for name, there in predicted.items()}
    return agreement(groups, up="Mean margin (nats)", each="held-out cluster", off=off,
                     level=("orthonormal concepts", mixture))
