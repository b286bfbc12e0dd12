"""The picture of part VI, your turn: how many pairs a value needs. And the key of all pictures."""

from math import log10

import numpy as np

from ..risk import samples_for_risk
from .marks import (
    answer,
    arrow,
    box,
    cloud,
    guess,
    line,
    margin,
    measured,
    path,
    predicted,
    predicted_at,
    proved,
    sheet,
    statements,
    strokes,
    text,
    token,
)

NOISE = (0.2, 0.33, 0.46, 0.57, 0.72)  # of five values, from clear to noisy, in units of the concept's length


def pairs_needed(v: float) -> float:
    """Pairs that a value with answers of its own needs for an error of 5 % (N5), infinite where none suffices."""
    return 2 * samples_for_risk(0.05, v=v, d=576, l_b=0.5)


def ruler() -> str:
    """Clear values need few pairs, noisy ones many, and some more than there are."""
    spots = np.random.default_rng(11).standard_normal((2, 8, 2))

    def at(pairs):
        return 64 + 128 * log10(pairs)

    ticks = [(at(a * 10**k), 196, at(a * 10**k), 196 + (22 if a == 1 else 11)) for k in range(4) for a in range(1, 10)]
    parts = [
        box(40, 196, 580, 52, "l ink tint-f", 6), strokes([*ticks, (at(1e4), 196, at(1e4), 218)]),
        *(text(at(10**k), 240, f"{10**k:,}", f"s m {'wide' if k == 3 else ''}".strip()) for k in range(5)),
    ]
    for v in NOISE:
        need = pairs_needed(v)
        x = at(need) if need < np.inf else 655
        for side, places in zip((1, -1), spots, strict=True):
            parts.append(statements([(x + side * 21 + 19 * v * a, 92 + 24 * v * c) for a, c in places], side, 4))
        parts += [arrow(x, 136, x, 192, "predicted", 3)] if need < np.inf else []
    return sheet(
        "20_ruler",
        "How many pairs does a value need?",
        "A ruler of pairs from 1 to 10,000, read for an error of 5 %. Values whose two sides are clearly apart "
        "need a few pairs, noisier ones hundreds; beyond a point no number of pairs is enough.",
        *parts, text(655, 160, "no number", "m b wide"), text(655, 181, "is enough", "m b wide"),
        text(660, 174, "never", "m b narrow"), text(40, 34, "clear", "s"), text(700, 34, "noisy", "s e"),
        arrow(106, 29, 630, 29, "soft", 1.2),
        text(330, 284, "pairs that a value needs for an error of 5 %", "m b wide"),
        text(330, 288, "pairs a value needs", "m b narrow"),
    )


def key() -> str:
    """The vocabulary itself, for the page that says how the pictures are read."""
    x, y, z = [62 + 119 * k for k in range(6)], 64, 206
    dots = [(-16, -6), (-2, -18), (12, -4), (-4, 10), (14, 16)]
    arc = [(x[4] - 44 + 88 * t, z + 16 - 44 * t * (2 - t) + 8) for t in np.linspace(0, 1, 9)]
    names = (
        ("prompt", "statement", "answer", "a value", "margin", "push"),
        ("noise", "your guess", "predicted", "measured", "proved", "before"),
    )

    def place(a, b):
        return [(a + u, b + w) for u, w in dots]

    def slip(a, b):
        corners = [(a - 40, b - 26), (a + 26, b - 26), (a + 40, b - 12), (a + 40, b + 26), (a - 40, b + 26)]
        fold = path([(a + 26, b - 26), (a + 26, b - 12), (a + 40, b - 12)])
        lines = strokes([(a - 26, b - 6, a + 14, b - 6), (a - 26, b + 10, a + 24, b + 10)], "soft")
        return path(corners, "ink page-f", close=True) + fold + lines

    return sheet(
        "00_marks",
        "The marks and what they mean",
        "Each mark of the pictures with its name.",
        slip(x[0], y), statements(place(x[1] - 24, y), 1), statements(place(x[1] + 24, y), -1),
        answer(x[2] - 29, y, "Yes", True, 52), answer(x[2] + 29, y, "No", False, 52),
        token(x[3] - 36, y, chosen=None), token(x[3] + 36, y, chosen=None), line(x[3] - 28, y, x[3] + 28, y),
        margin(x[4], y - 34, y + 34, ""), arrow(x[5] - 40, y, x[5] + 42, y, "margin", width=5),
        cloud(x[0], z, 36), statements(place(x[0], z), 1),
        guess([(x[1] - 40 + 80 * t, z + 18 - 36 * t**0.6) for t in np.linspace(0, 1, 12)]),
        predicted([(x[2] - 44, z + 18), (x[2] - 10, z - 2), (x[2] + 20, z - 12)]), predicted_at(x[2] + 38, z - 18, 10),
        *(measured(x[3] + u, z + w) for u, w in ((-34, 14), (-10, 0), (14, -9), (38, -14))), proved(arc, -1),
        path([(x[5] - 42 + 84 * t, z + 16 - 34 * t) for t in (0, 1)], "soft d"),
        statements([(x[5], z + 16)], 1, 5, "hair"), statements([(x[5] + 28, z + 4)], -1, 5, "hair"),
        *(text(x[k], (126, 268)[row], names[row][k], "m") for row in (0, 1) for k in range(6)),
    )
