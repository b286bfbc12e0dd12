"""Figures of reward margins: thresholds and accuracies, interactions, and predictions against what was measured."""

from collections.abc import Mapping, Sequence

import numpy as np

from .agreement import Group, agreement
from .drawing import PHONE, Sheet, dash_of, dot_of, dots, squares, zero
from .theme import MARGIN, MEASURED, PREDICTED, SOFT, TINT

SIDE_NAMES = {1: "aligned", -1: "misaligned"}


def predicted_against_measured(
    predicted: Sequence[float],
    measured: Sequence[float] | None = None,
    *,
    side: Sequence[int] | None = None,
    tolerance: float | Sequence[float] | None = None,
    each: str = "held-out statement",
    up: str = "Reward margin (nats)",
) -> Sheet:
    """Predicted margins, sorted; then the measured ones on them, and how far they are off below.

    Parameters
    ----------
    predicted, measured : shape (N,), in nats. Leave `measured` out to draw the prediction alone.
    side : shape (N,), +1 or -1: the two stand beside each other.
    tolerance : how far a measurement may lie from its prediction, one number or shape (N,): unit of the residuals.
    each, up : what one number belongs to; label of the numbers with their unit.
    """
    arrays = {"predicted": predicted, "measured": measured, "tolerance": tolerance}
    arrays = {name: None if some is None else np.asarray(some, dtype=float) for name, some in arrays.items()}
    shape = arrays["predicted"].shape
    sides = np.ones(shape, int) if side is None else np.asarray(side)

    def of(s) -> Group:
        return Group(**{name: None if some is None else np.broadcast_to(some, shape)[sides == s]
                        for name, some in arrays.items()})

    names = {1: ""} if side is None else {s: f"{name} side" for s, name in SIDE_NAMES.items()}
    return agreement({name: of(s) for s, name in names.items() if (sides == s).any()}, up=up, each=each)


def two_accuracies(
    steps: Sequence[float], margin_accuracy: Sequence[float], ranking_accuracy: Sequence[float] | None = None
) -> Sheet:
    """Two measured shares of pairs against steps: margin above 0, and chosen answer more likely than the rejected."""
    sheet = Sheet("Training step", "Share of pairs (%)", height=3.4)
    axes = sheet.panels[0]
    for shares, name, full in ((margin_accuracy, "margin\nabove 0", True), (ranking_accuracy, "chosen\nahead", False)):
        if shares is not None:
            percent = 100 * np.asarray(shares)
            axes.plot(steps, percent, color=MEASURED, lw=1.6, ls="-" if full else "--")
            dots(axes, steps, percent, full=full, size=22)
            sheet.name(axes, steps[-1], percent[-1], name, MEASURED, dx=9, dodge=True)
    axes.set_ylim(-3, 103)
    return sheet


def flips(
    threshold: Sequence[float], margins: Sequence[float] | None = None, ranked: Sequence[bool] | None = None
) -> Sheet:
    """Margin of each pair against the margin at which its ranking turns right; predicted right above the diagonal.

    Parameters
    ----------
    threshold : beta times the head start of the rejected answer, shape (N,), in nats.
    margins : shape (N,), in nats; without them the thresholds stand as ticks on the axis.
    ranked : whether the policy ranks the pair correctly, shape (N,): full dots, else hollow ones.
    """
    threshold = np.asarray(threshold, dtype=float)
    sheet = Sheet("Margin at which the ranking turns (nats)", "Reward margin (nats)", width=6.0, height=4.4,
                  phone=PHONE)
    axes = sheet.panels[0]
    across = 1.1 * np.abs(threshold).max()
    low, high = -across, across
    if margins is not None:  # margins outgrow thresholds: on one scale for both, the points would be a thin strip
        low, high = 1.1 * min(*margins, -across), 1.1 * max(*margins, across)
    ends = np.array([-across, across])
    axes.fill_between(ends, 0, ends, color=TINT, lw=0, zorder=0)  # where the two notions of success differ
    zero(axes)
    axes.plot(ends, ends, color=PREDICTED, lw=2.4, zorder=2)
    if margins is None:
        axes.scatter(threshold, np.zeros_like(threshold), 90, marker="|", color=PREDICTED, lw=1.2, zorder=3)
        sheet.name(axes, -across, 0, "a tick: a held-out pair", PREDICTED, dx=8, dy=12)
        sheet.name(axes, across / 2, across / 2, "ranking turns right", PREDICTED, dx=-8, dy=6, ha="right")
        sheet.name(axes, -across, high, "both right", SOFT, dx=8, dy=-12, weight="normal")
        sheet.name(axes, across, low, "both wrong", SOFT, dx=-8, dy=12, ha="right", weight="normal")
    else:
        ranked, margins = np.asarray(ranked, dtype=bool), np.asarray(margins, dtype=float)
        for right in (True, False):
            dots(axes, threshold[ranked == right], margins[ranked == right], full=right)
        sheet.key((dash_of(PREDICTED, lw=2.4), "predicted border"), (dot_of(MEASURED), "ranked right"),
                  (dot_of(MEASURED, full=False), "ranked wrong"))
    axes.set(xlim=(-across, across), ylim=(low, high))
    return sheet


def interaction_blocks(
    blocks: Mapping[str, np.ndarray], labels: Sequence[str], *, own_scale: bool = False
) -> Sheet:
    """Mean interaction of every two clusters as squares, a panel for each title: a push is gold.

    Parameters
    ----------
    blocks : title -> mean interactions, shape (2K, 2K), in squared units of the embedding. A full square pushes the
        other up, a hollow one down; its area is how hard.
    labels : names of the 2K clusters.
    own_scale : the largest square of each panel is its own largest push, named in its title, where panels are of
        different sizes; else that of all panels.
    """
    sizes = {title: float(np.abs(block).max()) for title, block in blocks.items()}
    sheet = Sheet("cluster that pushes", "cluster that is pushed", panels=len(blocks), height=4.6,
                  phone=4.1 * len(blocks))
    for axes, (title, block) in zip(sheet.panels, blocks.items(), strict=True):
        squares(axes, block, largest=sizes[title] if own_scale else max(sizes.values()), colour=MARGIN)
        sheet.title(axes, f"{title}: largest {sizes[title]:,.4g} units²" if own_scale else title)
        axes.set_xticks(range(len(labels)), labels, rotation=90)
        axes.set_yticks(range(len(labels)), labels)
    full, hollow = (dot_of(MARGIN, full=full, marker="s") for full in (True, False))
    largest = "" if own_scale else f" (largest: {max(sizes.values()):,.4g} units²)"
    return sheet.key((full, f"pushes up{largest}"), (hollow, "pushes down"))
