"""The pictures of part IV, sharper: a law, a guarantee, the limit of diversity."""

from math import sqrt

import numpy as np

from ..bounds import risk_bound
from ..records import recorded
from .marks import arrow, box, circle, cloud, line, margin, measured, predicted_at, proved, sheet, text, token

# N11 on 16 values with shared answers and 48 statements a side: measured test error, and the guarantee.
FOUND, GUARANTEED = 0.104, 0.28


def told_and_found() -> dict[int, list[tuple[float, float]]]:
    """Said and measured errors of the unseen behaviours, by statements a side: own and shared, 1, 7 and 14 values."""
    record = recorded("law")["unseen"]
    said, found = (
        {name: np.mean(record[what][name], axis=(0, 1)) for name in ("own answers", "Yes and No")}
        for what in ("predictions", "errors")
    )
    at = [record["Ks"].index(K) for K in (1, 7, 14)]
    return {Q: [(float(said[name][k, q]), float(found[name][k, q])) for name in said for k in at]
            for q, Q in enumerate(record["Qs"]) if Q in (4, 16, 64)}


def law() -> str:
    """Eighteen errors said before training, and found after (own and shared answers, 1, 7, 14 values)."""
    def y(error):
        return 250 - 950 * (error - 0.13)

    parts, errors = [], told_and_found()
    for left, (Q, rows) in zip((108, 282, 456), errors.items(), strict=True):
        parts.append(box(left - 18, 26, 156, 232, "tint-f", 6))
        for k, (said, found) in enumerate(sorted(rows)):
            parts += [predicted_at(left + 24 * k, y(said), 10), measured(left + 24 * k, y(found), 5)]
        parts += [text(left + 60, 288, str(Q), "m b wide"), text(left + 60, 290, str(Q), "m narrow")]
    worst = max(abs(said - found) for rows in errors.values() for said, found in rows)
    return sheet(
        "12_law",
        "A predicted number, hit by a measured one",
        "Eighteen test errors predicted before training, as blue dashes, and measured afterwards on a language "
        f"model, as red dots: each dot lies on its dash, off by {worst:.3f} at most. Nothing was fitted.",
        *parts, *(text(74, y(e) + 6, f"{e:.1f}", "s e") for e in (0.2, 0.3)),
        text(708, 288, "statements a side", "s e wide"), text(24, 26, "error", "s wide"), predicted_at(630, 92, 15),
        text(612, 76, "predicted", "predicted-f b wide"), measured(630, 172, 6),
        text(612, 204, "measured", "measured-f b wide"), text(708, 64, "said", "predicted-f b e narrow"),
        text(714, 216, "found", "measured-f b e narrow"),
    )


def ceiling_height(unit: float = 200) -> tuple[float, float]:
    """The paper's bound for 16 values and 48 statements a side, and how far up it hangs, in km at 96 pixels an inch."""
    bound = float(risk_bound(16, 48))
    return bound, bound * unit * 0.0254 / 96 / 1000


def guarantee() -> str:
    """The new guarantee is a ceiling near the error; the paper's hangs more than a kilometre above the page."""
    unit, floor = 200, 268
    bound, km = ceiling_height(unit)

    def y(error):
        return floor - unit * error

    return sheet(
        "13_ceiling",
        "A ceiling close above the error",
        f"The measured error lies near the floor. The new guarantee is a ceiling a little above it. The paper's bound, "
        f"{bound:,.0f} for the same data, would hang {km:.1f} kilometres above this picture at its full size.",
        box(60, y(GUARANTEED), 360, floor - y(GUARANTEED), "tint-f"), line(40, floor, 424, floor, "ink w3"),
        proved([(60, y(GUARANTEED)), (420, y(GUARANTEED))], -1, 11, 10), measured(150, y(FOUND), 8),
        text(170, y(FOUND) + 6, f"measured {FOUND:.3f}", "measured-f b"),
        text(438, y(GUARANTEED) + 6, f"this book: at most {GUARANTEED:.2f}", "proved-f b wide"),
        text(434, y(GUARANTEED) + 6, f"new: {GUARANTEED:.2f}", "proved-f b narrow"),
        line(60, y(1), 420, y(1), "ink d"), text(438, y(1) + 6, "every answer wrong", "wide"),
        text(434, y(1) + 6, "all wrong", "narrow"), arrow(240, y(1) - 8, 240, 12, "proved", 4),
        text(260, 36, f"the paper's ceiling: {km:.1f} km further up", "proved-f b wide"),
        text(260, 38, f"paper: {km:.1f} km up", "proved-f b narrow"), text(438, floor + 6, "no error"),
    )


def diversity() -> str:
    """Through one pair of answers each of K values gets 1/√K; the noise does not shrink."""
    parts, middle, full, v = [], 112, 104, 0.35
    for left, K, share in ((24, 1, "all of it"), (266, 4, "a half each"), (508, 16, "a quarter each")):
        door, reach = left + 104, full / sqrt(K)  # the part of the shared direction that each value gets
        starts = [middle] if K == 1 else np.linspace(middle - 90, middle + 90, K)
        parts += [arrow(left, y, door - 14, middle + 0.12 * (y - middle), "ink", 5 / sqrt(K)) for y in starts]
        parts += [
            line(door, 10, door, middle - 36, "ink w5"), line(door, middle + 36, door, 214, "ink w5"),
            token(door, middle - 30, 9), token(door, middle + 30, 9, False), cloud(door + 50, middle, full * v / 2),
            circle(door + 50, middle, full * v / 2, "l hair w1"),
            margin(door + 50, middle - reach / 2, middle + reach / 2, ""),
            text(left + 92, 260, f"{K} value{'s' * (K > 1)}", "m b"), text(left + 92, 287, share, "s m wide"),
        ]
    return sheet(
        "14_door",
        "Many values through one door",
        "One, four and sixteen values pass through one pair of answers. What reaches each value shrinks as one "
        "over the square root of their number, while the noise stays: with sixteen it has sunk into the noise.",
        *parts, text(202, middle + 6, "noise", "s wide"),
    )
