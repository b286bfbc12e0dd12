"""A still picture of a grid of curves, for a notebook that is opened without a kernel: no controls, few numbers."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from ..figures.marks import LIGHT
from .curves import read

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 546, 28, 256
ROLES = {"predicted": "predicted", "floor": "predicted", "measured": "measured", "points": "measured",
         "band": "proved", "bound": "proved", "guide": "soft"}
DASHES = {"floor": "5 4", "measured": ".1 6"}
FAR = 1e4  # pixels; what lies further out is cut off anyway


def drawn(setting: Mapping, data: bytes, at: Sequence[int]) -> str:
    """The figure of a `grid_explorer` as SVG where its controls stand; `at` are their places as indices."""
    held = np.frombuffer(data, "<f4").astype(float)
    cursor, *knobs = at
    xs, (low, high) = np.asarray(setting["x"], dtype=float), setting["yRange"]
    along = np.log(xs) if setting["logX"] else xs
    px = LEFT + (along - along[0]) / (along[-1] - along[0]) * (RIGHT - LEFT)

    def row(name: str) -> np.ndarray:
        grid = read(held, setting["series"], name)
        values = grid[tuple(min(i, n - 1) for i, n in zip(knobs, grid.shape, strict=False))]
        values = np.broadcast_to(values, xs.shape)
        if setting["logY"] and not setting["log10"]:
            values = np.log10(values, where=values > 0, out=np.full(xs.shape, np.nan))
        return np.clip(BOTTOM - (values - low) / (high - low) * (BOTTOM - TOP), -FAR, FAR)

    def line(points: np.ndarray) -> str:
        stretches = np.split(np.arange(len(xs)), np.flatnonzero(np.isnan(points)))
        kept = [[i for i in part if not np.isnan(points[i])] for part in stretches]
        return "".join("M" + "L".join(f"{px[i]:.1f} {points[i]:.1f}" for i in part) for part in kept if part)

    marks = ""
    for curve in setting["curves"]:
        style, ink = curve["style"], LIGHT[ROLES[curve["style"]]]
        for name in curve["parts"] if style == "band" else curve["parts"][:1]:
            if style == "points":
                dots = [(x, y) for x, y in zip(px, row(name), strict=True) if not np.isnan(y)]
                marks += "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{ink}"/>' for x, y in dots)
            else:
                width = 4 if style == "measured" else 1 if style == "guide" else 2
                marks += (f'<path d="{line(row(name))}" fill="none" stroke="{ink}" stroke-width="{width}" '
                          f'stroke-linecap="round" stroke-dasharray="{DASHES.get(style, "none")}"/>')
    ends = [10.0**end if setting["logY"] else end for end in (low, high)] if abs(low) < 300 and abs(high) < 300 else []
    words = [(LEFT - 6, y, "end", f"{end:.3g}") for y, end in zip((BOTTOM, TOP + 4), ends, strict=False)]
    words += [(LEFT, BOTTOM + 16, "middle", f"{xs[0]:g}"), (RIGHT, BOTTOM + 16, "end", f"{xs[-1]:g}"),
              (RIGHT, BOTTOM + 34, "end", setting["xLabel"]), (0, 14, "start", setting["yName"])]
    told = "".join(f'<text x="{x}" y="{y}" text-anchor="{side}">{escape(text)}</text>' for x, y, side, text in words)
    now = px[setting["stops"][cursor]]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" font-family="sans-serif" font-size="13" fill="{LIGHT["soft"]}" '
        f'style="background:{LIGHT["page"]}">'
        f'<clipPath id="rm-still"><rect x="{LEFT - 5}" y="{TOP - 5}" width="{RIGHT - LEFT + 10}" '
        f'height="{BOTTOM - TOP + 10}"/></clipPath><g clip-path="url(#rm-still)">{marks}</g>'
        f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}M{now:.1f} {TOP}V{BOTTOM}" fill="none" '
        f'stroke="{LIGHT["hair"]}"/>{told}</svg>'
    )
