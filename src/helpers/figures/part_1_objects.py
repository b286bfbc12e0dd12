"""The pictures of part I, the objects: a pair and its margin, a mixture of values."""

import numpy as np
from scipy.special import log_softmax

from ..layouts import chain, disjoint, shared, star
from ..mixture import ValueMixture
from .marks import answer, arrow, circle, cloud, line, moves, path, prompt, sheet, statements, text, token


def pair() -> str:
    """One answer rises, the other falls; measured from one start, the way between them is the margin."""
    logits = np.array([1.2, 1.6, 0.5, 0.5, 0.5, 0.5])  # Yes, No and four other answers
    before, after = log_softmax(logits), log_softmax(logits + 0.8 * np.array([1, -1, 0, 0, 0, 0]))
    unit, parts = 108, []

    def level(p):
        return 92 + unit * (-0.76 - p)

    for x, k, word in ((330, 0, "Yes"), (420, 1, "No")):
        parts += [
            answer(x, 32, word, chosen=k == 0), line(x - 24, level(before[k]), x + 24, level(before[k]), "soft w3"),
            arrow(x, level(before[k]), x, level(after[k]), width=5),
        ]
    up, down = unit * (after - before)[:2]
    return sheet(
        "01_pair",
        "A pair and its margin",
        "A prompt with two answers. Training moves the log-probability of Yes up and that of No down. Drawn from one "
        "start, the distance between the two moves is the reward margin.",
        prompt(24, 96, ["I would never", "lie to a friend."], 200), arrow(232, 140, 264, 140, "soft", 1.6), *parts,
        text(300, level(before[0]) + 5, "before", "s e wide"), text(314, level(after[0]) + 9, "after", "s e wide"),
        line(474, 24, 474, 272, "hair w1"), moves(508, 162, up, down),
        text(374, 292, "how likely each answer is", "s m wide"), text(560, 292, "from one start", "s m wide"),
    )


def mixture() -> str:
    """Statements for and against a value lie opposite each other; values meet in the answers they share."""
    # Two values in the plane of their concepts; what all share, b, lies across it and is drawn as a shift.
    scatter = ValueMixture(disjoint(2), d=3, v=0.14, l_b=0.5).sample(11, np.random.default_rng(195))
    centre, axes = np.array([212.0, 140.0]), np.array([[104.0, 30.0], [26.0, -92.0]])
    spots = centre + scatter.x[:, 1:] @ axes
    parts = [arrow(40, 272, centre[0] - 8, centre[1] + 6, "soft", 2)]
    for value, axis in enumerate(axes):
        for side in (1, -1):
            parts += [
                cloud(*(centre + side * axis), 38),
                statements(spots[(scatter.value == value) & (scatter.side == side)], side),
                arrow(*centre, *(centre + side * 0.62 * axis), "ink", 2),
            ]
    parts += [
        text(364, 178, "honesty", "b wide"), text(316, 236, "honesty", "b m narrow"), text(290, 46, "frugality", "b"),
        circle(40, 272, 4, "soft-f"), text(56, 291, "what all share", "s wide"), statements([(30, 26)], 1, 6),
        text(44, 32, "for"), statements([(30, 54)], -1, 6), text(44, 60, "against"),
        text(583, 291, "a line is a value, its ends its answers", "s m wide"),
        _graph(520, 52, disjoint(3), [(-32, -30), (32, -30), (-32, 2), (32, 2), (-32, 34), (32, 34)], "own"),
        _graph(646, 52, chain(3), [(-48, 14), (-16, -14), (16, 14), (48, -14)], "chain"),
        _graph(520, 194, star(4), [(0, 2), (-44, -26), (44, -26), (-44, 30), (44, 30)], "hub"),
        _graph(646, 194, shared(3), [(-40, 2), (40, 2)], "shared"),
    ]
    return sheet(
        "02_mixture",
        "Where statements lie, and which answers they share",
        "Left: statements for (full) and against (hollow) two values scatter around opposite points, all shifted by a "
        "common part. Right: answers as tiles, each value a line between its two: own, chain, hub, shared.",
        *parts,
    )


def _graph(x, y, layout, places, word) -> str:
    """A token layout: its answers as tiles, its values as lines between them; values on the same two fan out."""
    at = [(x + a, y + b) for a, b in places]
    ends = [tuple(pair) for pair in layout.indices]
    lines = ""
    for k, (a, b) in enumerate(ends):
        alike = ends.count((a, b))
        lift = 34 * (ends[:k].count((a, b)) - (alike - 1) / 2) if alike > 1 else 0
        t = np.linspace(0, 1, 9 if lift else 2)
        across = [at[a][n] + t * (at[b][n] - at[a][n]) for n in (0, 1)]
        lines += path(list(zip(across[0], across[1] + 4 * lift * t * (1 - t), strict=True)))
    return lines + "".join(token(*spot, chosen=None) for spot in at) + text(x, y + 68, word, "m")
