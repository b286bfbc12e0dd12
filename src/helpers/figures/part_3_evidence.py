"""The pictures of part III, the evidence: a check that cannot fail, more values, features that move."""

import numpy as np
from scipy.special import expit

from ..dynamics import noise_free_margin
from .marks import arrow, circle, line, margin, predicted, sheet, statements, text


def check() -> str:
    """Two centred means are always opposite; only how far apart they are can surprise."""
    rng, n = np.random.default_rng(15), 11
    spots = np.concatenate([c + np.array([16, 17]) * rng.standard_normal((n, 2)) for c in ([44, -10], [-44, 10])])
    spots -= spots.mean(axis=0)
    sides = np.repeat([1, -1], n)
    parts = []
    for y, who, word, far in ((98, sides, "true", "yes"), (206, rng.permutation(sides), "random", "no")):
        centre, start, mean = np.array([220.0, y]), np.array([386.0, y]), spots[who > 0].mean(axis=0)
        parts += [
            text(24, y - 4, word), text(24, y + 22, "sides"), statements(spots[who > 0] + centre, 1),
            statements(spots[who < 0] + centre, -1), arrow(*start, *(start + 1.35 * mean), "ink", 4),
            arrow(*start, *(start - 1.35 * mean), "ink", 4), text(526, y + 8, "yes", "m b"),
            text(650, y + 8, far, "m b"),
        ]
    return sheet(
        "09_check",
        "A check that cannot fail",
        "Statements with their true sides, and the same with sides drawn by lot. Once the common mean is "
        "removed the two means are opposite in both cases: asking that tells nothing. Asking how far apart "
        "they are does.",
        *parts, text(386, 32, "their means", "s m wide"), text(526, 32, "opposite?", "m"),
        text(648, 32, "far apart?", "m wide"), text(660, 32, "apart?", "m narrow"),
        line(24, 152, 696, 152, "hair w1"), text(526, 284, "cannot fail", "b m"), text(660, 284, "can fail", "b m"),
    )


def values() -> str:
    """More values are slower, but on the same road: plotted per value all runs are one curve."""
    parts, run = [], 4.0  # S of one value at the end of the run

    def left(s, r):
        return 44 + 55 * s, 244 - 150 * r

    def right(s, r):
        return 440 + 55 * s, 244 - 150 * r

    # Where the number of each run stands beside its point on the one curve: it must not touch the curve.
    place = {1: (-4, -16, "e"), 2: (-8, -13, "e"), 4: (-9, -12, "e"), 8: (13, 8, "wide"), 16: (13, 9, "wide")}
    for K, (dx, dy, cls) in place.items():
        S = np.linspace(0, run / K, 25)
        r = noise_free_margin(S)
        (x, y), (u, w) = left(run, r[-1]), right(run / K, r[-1])
        parts += [
            predicted([left(s * K, q) for s, q in zip(S, r, strict=True)]), circle(x, y, 5, "predicted-f"),
            circle(u, w, 6.5, "predicted-f"), text(x + 13, y + 6, str(K), "predicted-f b" + " wide" * (K == 8)),
            text(u + dx, w + dy, str(K), f"predicted-f b {cls}"),
        ]
    S = np.linspace(0, run, 41)
    high = float(noise_free_margin(run))
    return sheet(
        "10_values",
        "More values, the same road",
        "Left: the margin against training steps for 1, 2, 4, 8 and 16 values; more values, slower. Right: the "
        "same five runs against steps for each value lie on one curve; each has only gone a different way along it.",
        *parts, predicted([right(s, q) for s, q in zip(S, noise_free_margin(S), strict=True)]),
        arrow(348, 140, 396, 140, "soft", 1.6), margin(26, left(0, high)[1], 244, ""),
        text(46, 44, "margin", "margin-f b"),
        text(left(run, 0)[0] + 28, left(0, high)[1] + 6, "value", "predicted-f wide"),
        arrow(44, 244, left(run, 0)[0] + 10, 244, "soft", 1.2),
        arrow(440, 244, right(run, 0)[0] + 14, 244, "soft", 1.2), text(left(run, 0)[0], 284, "steps", "e"),
        text(right(run, 0)[0], 284, "steps for each value", "e wide"),
        text(right(run, 0)[0], 288, "steps ÷ values", "e narrow"),
    )


def features() -> str:
    """Train the last layer and the line turns; train all and the statements move."""
    rng, n = np.random.default_rng(12), 7
    start = np.concatenate([side * np.array([0.42, -0.2]) + 0.42 * rng.standard_normal((n, 2)) for side in (1, -1)])
    side = np.repeat([1.0, -1.0], n)
    parts = []
    for left, moving in ((24, 0.0), (376, 1.0)):
        now, first, centre = start.copy(), np.array([0.25, 0.75]), np.array([left + 160, 142.0])
        w = first
        for _ in range(300):  # gradient flow of DPO on the direction alone, or on direction and statements
            push = expit(-side * (now @ w)) * side
            w, now = w + 0.02 * push @ now, now + 0.011 * moving * np.outer(push, w)

        def place(q, centre=centre):
            return centre + np.array([82, -82]) * q

        for direction, cls in ((first, "soft d"), (w, "predicted w3")):
            across = np.array([-direction[1], direction[0]]) / np.linalg.norm(direction)
            across *= min(150 / 82 / abs(across[0]), 118 / 82 / abs(across[1]))
            parts.append(line(*place(across), *place(-across), cls))
        if moving:
            for s in (1, -1):
                parts.append(statements([place(q) for q in start[side == s]], s, 5, "hair"))
            parts += [
                arrow(*place(a), *place(a + 0.9 * (b - a)), "soft", 1.3) for a, b in zip(start, now, strict=True)
            ]
        for s in (1, -1):
            parts.append(statements([place(q) for q in now[side == s]], s, 5.5))
    return sheet(
        "11_features",
        "Features that move",
        "Left: with the last layer trained, statements stay where they are and the dividing line turns. Right: "
        "with all layers trained, the statements themselves move away from the line.",
        *parts, line(360, 20, 360, 280, "hair w1"), text(184, 292, "last layer: the line turns", "m b wide"),
        text(536, 292, "all layers: the statements move", "m b wide"), text(184, 294, "the line turns", "m b narrow"),
        text(536, 294, "statements move", "m b narrow"),
    )
