"""Twenty small pictures for the cards of the chapters, in the marks of the large ones."""

from collections.abc import Callable, Sequence
from math import cos, exp, pi, sin

from ..checks import one_of
from . import marks as m
from .pictures import picture_names


def _curve(f: Callable[[float], float], start=8.0, end=72.0) -> list[tuple[float, float]]:
    return [(start + (end - start) * k / 16, f(k / 16)) for k in range(17)]


def _cluster(x, y, side) -> str:
    return m.statements([(x + a, y + b) for a, b in ((-6, -2), (-1, 5), (4, -4), (7, 3), (0, -1))], side, 2.2)


def _pushes(ends: Sequence[tuple[float, float]], chosen: int) -> tuple[str, ...]:
    """Statements on a string, each with its push; the chosen one has a ring."""
    return (
        m.line(4, 25, 76, 25, "hair w1"), *(m.arrow(x, 25, x, y, "margin", 1.6) for x, y in ends),
        m.statements([(x, 25) for x, y in ends if y < 25], 1, 2.8),
        m.statements([(x, 25) for x, y in ends if y > 25], -1, 3), m.circle(ends[chosen][0], 25, 6, "l ink w1"),
    )


_FLOOR = m.line(6, 44, 74, 44, "hair w1")
_RING = [(40 + 13 * sin(pi * k / 12), 16 - 13 * cos(pi * k / 12)) for k in range(25)]
_GLYPHS = {
    1: (m.line(8, 25, 50, 25, "soft w1"), m.arrow(18, 25, 18, 7), m.arrow(40, 25, 40, 43), m.margin(65, 7, 43, "", 5)),
    2: (
        m.line(24, 14, 56, 36, "soft w1"), m.line(55, 14, 25, 36, "soft w1"), _cluster(16, 10, 1), _cluster(63, 10, 1),
        _cluster(17, 40, -1), _cluster(64, 40, -1),
    ),
    3: _pushes([(10, 18), (22, 12), (34, 4), (46, 14), (58, 34), (70, 39)], 2),
    4: (
        m.cloud(40, 16, 13), m.proved(_RING, -1, 5, 4),
        m.strokes([(40, 46, x, y) for x, y in ((31, 18), (36, 9), (44, 22), (49, 13))], "soft w1"),
        m.arrow(40, 46, 40, 14, "predicted", 2),
    ),
    5: (
        m.proved([(6, 44), (74, 7)], -1, 6, 4), m.proved([(6, 44), (74, 36)], 1, 6, 4),
        *(m.line(6, 44, 74, y, "margin") for y in (17, 21)),
    ),
    6: (
        m.proved(_curve(lambda t: 15 - 9 * sin(pi * t)), -1, 6, 4), m.line(6, 24, 74, 24, "hair w1"),
        m.predicted(_curve(lambda t: 30 + 13 * t)), *(m.measured(8 + 64 * t, 30 + 13 * t, 3) for t in (0.1, 0.5, 0.9)),
    ),
    7: (
        m.arrow(36, 42, 68, 24, "ink", 2), m.arrow(36, 42, 10, 28, "ink", 2), m.arrow(36, 42, 42, 6, "predicted", 2.4),
    ),
    8: tuple(
        m.token(10 + 15 * k, 38, 6, None if k < 3 else True)
        + m.box(6.5 + 15 * k, 27 - high, 7, high, "soft-f" if k < 3 else "ink-f")
        for k, high in enumerate((4, 3, 5, 14, 20))
    ),
    9: (
        m.arrow(40, 13, 10, 16, "ink", 2.2), m.arrow(40, 13, 70, 10, "ink", 2.2), m.line(6, 26, 74, 26, "hair w1"),
        m.arrow(40, 38, 27, 36, "ink", 2.2), m.arrow(40, 38, 53, 40, "ink", 2.2),
    ),
    10: (
        _FLOOR, *(m.path(_curve(lambda t, k=k: 44 - 48 * (1 - exp(-1.6 * t / k))), "predicted") for k in (1, 2, 4, 8)),
    ),
    11: (
        m.line(8, 18, 72, 32, "soft d"), m.line(46, 4, 34, 46, "predicted"),
        *(m.arrow(x, y, end, y, "soft", 1.2) for x, y, end in ((32, 9, 17), (29, 38, 16), (50, 11, 65), (46, 40, 62))),
        m.statements([(13, 9), (12, 38)], -1, 3), m.statements([(69, 11), (66, 40)], 1, 3),
    ),
    12: (
        _FLOOR,
        *(
            m.line(x - 7, y, x + 7, y, "predicted w3") + m.measured(x, y + off, 2.8)
            for x, y, off in ((14, 36, 2), (31, 27, 5), (48, 19, 3), (65, 8, 1))
        ),
    ),
    13: (m.proved([(8, 22), (72, 22)], -1, 6, 5), m.measured(26, 35, 3.4), m.line(6, 44, 74, 44)),
    14: (
        m.line(46, 4, 46, 17, "ink w3"), m.line(46, 33, 46, 46, "ink w3"),
        *(m.arrow(8, 25 + 5.5 * k, 40, 25 + k, "ink", 1.2) for k in (-3.6, -1.2, 1.2, 3.6)), m.cloud(62, 25, 10),
        m.margin(62, 19, 31, "", 4),
    ),
    15: (
        m.line(8, 30, 72, 30, "soft w1"), m.path([(8, 8), (72, 46)], "ink d"),
        m.path([(8, 8), (44, 8), (44, 30), (72, 30)], "ink w1"),
        m.path(_curve(lambda t: 26 - 18 * exp(-1.3 * t)), "ink w3"),
    ),
    16: (
        m.line(8, 10, 60, 10, "hair w1"), *(m.path(_curve(lambda t, d=d: 10 + d * t, 8, 58)) for d in (12, 32)),
        m.margin(67, 22, 42, "", 5),
    ),
    17: (
        m.line(6, 12, 74, 12, "soft d"), m.spring(26, 19, 46, 4, 7), m.token(26, 12, 7),
        m.arrow(56, 12, 56, 30, "soft", 1.6), m.token(56, 38, 7, False),
    ),
    18: (
        m.line(6, 30, 74, 30, "soft w1"),
        *(m.box(10 + 13 * k, 30 - max(h, 0), 8, abs(h), "ink-f") for k, h in enumerate((6, -8, 12, -4, 23))),
    ),
    19: (m.dial(40, 40, 0.7, 28),),
    20: (
        m.box(6, 28, 68, 16, "l ink tint-f", 3),
        m.strokes([(6 + 8.5 * k, 28, 6 + 8.5 * k, 28 + (8 if k % 2 else 5)) for k in range(1, 8)]),
        m.arrow(48.5, 5, 48.5, 25, "predicted", 2.4),
    ),
}


def glyph(name: str) -> str:
    """SVG text of 80 x 50 units for the card of a chapter, in the colours of the page; hidden from screen readers.

    `name` is that of its picture, 01_pair to 20_ruler. Raises `ValueError` for another.
    """
    names = [known for known in picture_names() if known != "00_marks"]
    return m.small(*_GLYPHS[int(one_of("glyph", name, names)[:2])])
