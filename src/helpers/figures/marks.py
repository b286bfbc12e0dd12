"""The marks that pictures, glyphs and figures of the book share: colours by role, strokes, and what each mark means.

A mark is a piece of SVG text in a sheet of 720 x 300 units. Blue is predicted, red measured, green proved, gold a
margin or a push on one; nothing else has these hues. Each difference is one of shape first, so that it stands in black
and white.
"""

import re
from html import escape
from itertools import pairwise
from math import cos, hypot, pi, sin

from ..checks import one_of

# The same values as in book/static/marks.css, whose variables go before them on the page.
LIGHT = {
    "ink": "#22262b", "soft": "#5a626c", "hair": "#b9c0c9", "tint": "#e9edf1", "page": "#fff",
    "predicted": "#2467b0", "measured": "#c5283d", "proved": "#0f7a63", "margin": "#a36600",
}
DARK = {
    "ink": "#e3e7eb", "soft": "#a6aeb8", "hair": "#4d5763", "tint": "#262e38", "page": "#14181e",
    "predicted": "#7fb4e8", "measured": "#ff8a94", "proved": "#57cba6", "margin": "#f0bd52",
}
THEMES = ("[data-jp-theme-light=false]", "html[theme=dark]", ".vscode-dark")  # dark JupyterLab, Colab, VS Code
# A window narrower than this gets large type: a sheet of 720 units is then too small for small type.
NARROW = 640


def colour(role: str) -> str:
    """CSS of a role: the page's variable, and its light value where a page has none.

    Raises `ValueError` for another role than those of `LIGHT`.
    """
    return f"var(--rm-{one_of('role', role, LIGHT)},{LIGHT[role]})"


def scheme(selector: str) -> str:
    """CSS of drawings under `selector`: fonts, a card where the page brings no scheme, and dark colours.

    On the page of the book the variables come from the page and the card is clear. A drawing that stands alone, as a
    file or an image, follows the reader's scheme; in a notebook it follows the notebook's theme.
    """
    dark = "".join(f"--rm-{name}:{value};" for name, value in DARK.items())
    return (
        f"{selector}{{background:var(--rm-card,{colour('page')});"
        "font-family:var(--rm-sans,'Source Sans 3','Segoe UI',Roboto,system-ui,sans-serif)}"
        f"@media(prefers-color-scheme:dark){{{selector}:root{{{dark}}}}}"
        f"{','.join(f'{theme} {selector}' for theme in THEMES)}{{{dark}}}"
    )


def _style() -> str:
    p = ".rm-picture"
    return (
        scheme(p) + f"{p} text{{font-size:17px;fill:{colour('ink')}}}"
        f"{p} .l{{fill:none;stroke-width:2;stroke-linejoin:round}}"
        + "".join(f"{p} .{c}{{stroke:{colour(c)}}}{p} .{c}-f{{fill:{colour(c)}}}" for c in LIGHT)
        + f"{p} .s{{font-size:15px;fill:{colour('soft')}}}{p} .b{{font-weight:650}}"
        f"{p} .m{{text-anchor:middle}}{p} .e{{text-anchor:end}}"
        f"{p} .w1{{stroke-width:1.2}}{p} .w3{{stroke-width:3}}{p} .w5{{stroke-width:5}}{p} .d{{stroke-dasharray:5 6}}"
        f"{p} .narrow{{display:none}}"
        f"@media(max-width:{NARROW}px){{{p} text,{p} .s{{font-size:25.4px}}"
        f"{p} .wide{{display:none}}{p} .narrow{{display:inline}}}}"
    )


STYLE = _style()


def sheet(name: str, title: str, description: str, *parts: str) -> str:
    """A finished picture: marks in drawing order, with title and description for those who cannot see them.

    The two digits that `name` begins with make the identifiers unique in the book.
    """
    n = name[:2]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 300" class="rm-picture" role="img" '
        f'aria-labelledby="rm-t{n} rm-d{n}">\n<title id="rm-t{n}">{escape(title)}</title>\n'
        f'<desc id="rm-d{n}">{escape(description)}</desc>\n<style>{STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def small(*parts: str) -> str:
    """A glyph: the marks on a sheet of 80 x 50 units, with their colours inside, for a card that has a name itself."""
    looks = {"l": "fill:none;stroke-width:1.75;stroke-linejoin:round", "d": "stroke-dasharray:3 3"}
    looks |= {"w1": "stroke-width:1.2", "w3": "stroke-width:2.5"}
    for role in LIGHT:
        looks |= {role: f"stroke:{colour(role)}", f"{role}-f": f"fill:{colour(role)}"}

    def inside(found: re.Match) -> str:
        declared = ";".join(looks[name] for name in found[1].split())
        return f'style="{declared}{";" + found[2] if found[2] else ""}"'

    body = re.sub(r'class="([^"]*)"(?: style="([^"]*)")?', inside, "".join(parts))
    start = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 50" class="rm-glyph" aria-hidden="true">'
    return f"{start}{body}</svg>"


# ---- strokes ----


def _n(value: float) -> str:
    short = f"{value:.1f}"
    return {"-0.0": "0"}.get(short, short[:-2] if short.endswith(".0") else short)


def _d(points) -> str:
    return "M" + " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def text(x, y, words, cls="") -> str:
    """Words on the baseline y. Classes: s note, b strong, m middle, e end, ROLE-f, wide or narrow screens only."""
    return f'<text x="{_n(x)}" y="{_n(y)}"' + (f' class="{cls}"' if cls else "") + f">{escape(words)}</text>"


def path(points, cls="ink", close=False) -> str:
    """A line through points. Classes: a role for the stroke, w1 w3 w5 for its width, d dashed."""
    return f'<path class="l {cls}" d="{_d(points)}{"Z" if close else ""}"/>'


def line(x1, y1, x2, y2, cls="ink") -> str:
    """A straight line. Classes as for `path`."""
    return path([(x1, y1), (x2, y2)], cls)


def strokes(pairs, cls="ink w1") -> str:
    """Many short lines (x1, y1, x2, y2) as one path."""
    return f'<path class="l {cls}" d="{"".join(_d([(a, b), (c, d)]) for a, b, c, d in pairs)}"/>'


def area(points, cls="tint-f") -> str:
    """A filled field."""
    return f'<path class="{cls}" d="{_d(points)}Z"/>'


def arrow(x1, y1, x2, y2, role="ink", width=2.5, cls="") -> str:
    """A push, a move or a direction; its length is an amount."""
    far = hypot(x2 - x1, y2 - y1)
    if far < 1:
        return ""
    head = min(3.5 + 2.7 * width, far)
    ux, uy = (x2 - x1) / far, (y2 - y1) / far
    bx, by, half = x2 - head * ux, y2 - head * uy, 0.46 * head
    tip = [(x2, y2), (bx - half * uy, by + half * ux), (bx + half * uy, by - half * ux)]
    stem = _d([(x1, y1), (bx + ux, by + uy)])
    return (
        f'<path class="l {role} {cls}" style="stroke-width:{_n(width)}" d="{stem}"/>' + area(tip, f"{role}-f {cls}")
    )


def box(x, y, width, height, cls, radius=0) -> str:
    """A rectangle with its top left at (x, y)."""
    return (
        f'<rect class="{cls}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
        + (f' rx="{_n(radius)}"' if radius else "")
        + "/>"
    )


def circle(x, y, radius, cls) -> str:
    """A circle around (x, y)."""
    return f'<circle class="{cls}" cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"/>'


# ---- the marks ----


def prompt(x, y, words, width) -> str:
    """A prompt in words: a slip of paper with a folded corner, its top left at (x, y)."""
    r, b, fold = x + width, y + 30 + 29 * len(words), 16
    sheet = [(x, y), (r - fold, y), (r, y + fold), (r, b), (x, b)]
    return (
        path(sheet, "ink page-f", close=True)
        + path([(r - fold, y), (r - fold, y + fold), (r, y + fold)])
        + "".join(text(x + 16, y + 35 + 29 * k, words[k]) for k in range(len(words)))
    )


def statements(points, side=1, r=5, role="ink") -> str:
    """Prompts as points of the embedding space: full speaks for the value, hollow against it."""
    if side > 0:
        spots = "".join(f"M{_n(x)},{_n(y)}h0" for x, y in points)
        return f'<path class="l {role}" style="stroke-width:{_n(2 * r)};stroke-linecap:round" d="{spots}"/>'
    spots = "".join(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(r - 0.5)}"/>' for x, y in points)
    return f'<g class="l {role} page-f">{spots}</g>'


def answer(x, y, word, chosen=True, width=66, height=36) -> str:
    """An answer is a tile around (x, y): full is chosen, hollow is rejected, pale (None) is neither."""
    words = {True: "b page-f", False: "b", None: "soft-f"}[chosen]
    return box(x - width / 2, y - height / 2, width, height, _tile(chosen), 8) + text(x, y + 6, word, f"m {words}")


def _tile(chosen) -> str:
    return {True: "l ink ink-f", False: "l ink page-f", None: "l soft tint-f"}[chosen]


def mixed(x, y, share, width=66, height=36, r=8) -> str:
    """A tile filled to the share with which the chosen answer is given."""
    left, low, run = x - width / 2, y + height / 2, share * width - r
    full = f"M{_n(left + r)},{_n(low)}h{_n(run)}v{-height}h{_n(-run)}"
    full += f"a{r},{r} 0 0 0 {-r},{r}v{height - 2 * r}a{r},{r} 0 0 0 {r},{r}"
    return box(left, y - height / 2, width, height, "l ink page-f", r) + f'<path class="ink-f" d="{full}Z"/>'


def token(x, y, r=8, chosen=True) -> str:
    """An answer without its word."""
    return box(x - r, y - r, 2 * r, 2 * r, _tile(chosen), 4)


def margin(x, y1, y2, word="margin", half=9, cls="") -> str:
    """A golden measure with flat ends: how far the two answers have moved apart."""
    bars = strokes([(x - half, y1, x + half, y1), (x, y1, x, y2), (x - half, y2, x + half, y2)], "margin w3")
    return bars + (text(x + half + 7, (y1 + y2) / 2 + 6, word, f"margin-f b {cls}".strip()) if word else "")


def cloud(x, y, radius) -> str:
    """Noise: the disc in which the statements of one side scatter."""
    return circle(x, y, radius, "tint-f")


def predicted(points, cls="") -> str:
    """What a formula says before anything is run: a blue line."""
    return path(points, f"predicted w3 {cls}".strip())


def predicted_at(x, y, half=13) -> str:
    """One predicted number: a blue dash."""
    return line(x - half, y, x + half, y, "predicted w5")


def measured(x, y, r=5.5) -> str:
    """One measured number: a red dot."""
    return circle(x, y, r, "measured-f")


def guess(points) -> str:
    """The reader's own guess: ink, dashed, with a hollow square to take hold of."""
    x, y = points[-1]
    return path(points, "ink d") + box(x - 6, y - 6, 12, 12, "l ink page-f")


def proved(points, side=1, every=9, length=8) -> str:
    """What a proof excludes: a green line with hatches on the side where nothing can be (+1: right of its way)."""
    hatches, at = [], every / 2
    for (x1, y1), (x2, y2) in pairwise(points):
        far = hypot(x2 - x1, y2 - y1)
        ux, uy = (x2 - x1) / far, (y2 - y1) / far
        while at < far:
            x, y = x1 + at * ux, y1 + at * uy
            hatches.append((x, y, x + length * (0.6 * ux - side * uy), y + length * (0.6 * uy + side * ux)))
            at += every
        at -= far
    return strokes(hatches, "proved w1") + path(points, "proved w3")


def spring(x, y1, y2, turns=5, half=13) -> str:
    """A penalty that pushes back when it is pressed: a coil from y1 to y2."""
    step = (y2 - y1) / (2 * turns + 2)
    zigzag = [(x + half * (1 if k % 2 else -1), y1 + step * (k + 1.5)) for k in range(2 * turns)]
    return path([(x, y1), (x, y1 + step), *zigzag, (x, y2 - step), (x, y2)])


def dial(x, y, share, radius=34) -> str:
    """A setting between 0 (left) and 1 (right)."""
    turn = pi * (1 - share)
    arc = [(x - radius * cos(pi * k / 24), y - radius * sin(pi * k / 24)) for k in range(25)]
    ticks = [
        (x + radius * cos(a), y - radius * sin(a), x + (radius + 6) * cos(a), y - (radius + 6) * sin(a))
        for a in (0, pi / 4, pi / 2, 3 * pi / 4, pi)
    ]
    hand = arrow(x, y, x + (radius - 5) * cos(turn), y - (radius - 5) * sin(turn))
    return path(arc, "soft") + strokes(ticks, "soft w1") + hand + circle(x, y, 4.5, "ink-f")


def time_axis(x1, x2, y, words) -> str:
    """Training goes from left to right."""
    return arrow(x1, y, x2, y, "soft", 1.2) + text(x2, y + 22, words, "s e")


def moves(x, middle, up, down) -> str:
    """The moves of the chosen and of the rejected answer from one start, and the margin between their ends."""
    zero = middle + (up + down) / 2
    high, low = zero - up, zero - down
    return (
        line(x - 6, zero, x + 92, zero, "soft w3") + arrow(x + 18, zero, x + 18, high, width=5)
        + arrow(x + 68, zero, x + 68, low, width=5) + token(x + 18, high - 16)
        + token(x + 68, low + 16, chosen=False) + margin(x + 118, high, low, "margin", cls="wide")
        + text(716, low + 32, "margin", "margin-f b e narrow")
    )
