"""A plotted figure as themed SVG: in the font of the page, in its colours, and once more for a phone."""

import hashlib
import io
import re
from contextlib import nullcontext
from html import escape

import matplotlib
from IPython.display import display
from matplotlib.figure import Figure

from ..checks import holds
from .drawing import PHONE, Sheet
from .marks import LIGHT, NARROW, colour, scheme

_ROLES = {value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:]): name
          for name, value in LIGHT.items()}


def _style() -> str:
    p = ".rm-figure"
    return (
        scheme(p) + f"{p}{{margin:.6em 0;position:relative}}{p} svg{{display:block;max-width:100%;height:auto;"
        f"margin:0 auto;stroke-linejoin:round}}{p} .rm-narrow{{display:none}}{p} text{{stroke:none}}"
        # Out of sight but not out of hearing: the wide drawing carries the name for screen readers.
        f"@media(max-width:{NARROW}px){{{p} .rm-wide{{position:absolute;width:1px;height:1px;clip-path:inset(50%)}}"
        f"{p} .rm-narrow{{display:block;width:100%}}}}"
    )


STYLE = _style()


def show(figure: Figure) -> None:
    """Display a figure inline, as SVG that has the page's font and follows its scheme.

    A figure wider than a phone is drawn twice, and the reader's screen picks one. In a notebook it stands on a card.
    What it shows is told by the `{caption}` directive after the cell, with its `:alt:`. Raises ValueError where
    `figure` is no figure.
    """
    holds("figure", figure, "savefig axes get_size_inches", "a matplotlib figure")
    name = _name(figure)
    page = f'<div class="rm-figure"><style>{STYLE}</style>{drawings(figure, name)}</div>'
    display({"text/html": page, "text/plain": f"Figure: {name}"}, raw=True)


def drawings(figure: Figure, name: str) -> str:
    """The SVG of a figure for a column of text and, where that is too wide for it, the one for a phone."""
    wide = _svg(figure, f'class="rm-wide" role="img" aria-label="{escape(name)}"')
    if figure.get_size_inches()[0] <= PHONE:
        return wide
    with figure.on_a_phone() if isinstance(figure, Sheet) else nullcontext():
        return wide + _svg(figure, 'class="rm-narrow" aria-hidden="true"')


def _name(figure: Figure) -> str:
    """What the axes say, for a figure that has no other name."""
    labels = [(axes.get_ylabel(), axes.get_xlabel()) for axes in figure.axes]
    return "; ".join(dict.fromkeys(" against ".join(word for word in pair if word) for pair in labels if any(pair)))


def _svg(figure: Figure, attributes: str) -> str:
    if isinstance(figure, Sheet):
        figure.settle()
    drawn = io.StringIO()
    quiet = {"svg.fonttype": "none", "svg.hashsalt": "reward margins"}
    with matplotlib.rc_context(quiet):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    width, height = figure.get_size_inches()
    body = drawn.getvalue()
    body = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>|<defs>\s*</defs>", "", body, flags=re.S)
    body = body[body.index("<g ", body.index("<svg")) : body.rindex("</svg>")]
    body = re.sub(r'<text style="([^"]*)"', lambda found: f'<text style="{_plain(found[1])}"', body)
    body = re.sub(r'<tspan ([^>]*)style="([^"]*)"', lambda found: f'<tspan {found[1]}style="{_plain(found[2])}"', body)
    body = re.sub(r'\b(d|x|y|transform|points)="([^"]*)"', lambda found: f'{found[1]}="{_short(found[2])}"', body)
    body = re.sub(r"#[0-9a-f]{6}\b", lambda found: colour(_ROLES[found[0]]) if found[0] in _ROLES else found[0], body)
    body = _own_names(body).replace("xlink:href", "href")
    body = _together(re.sub(r">\s+<", "><", body))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {attributes} width="{100 * width:.0f}" '
        f'viewBox="0 0 {72 * width:.6g} {72 * height:.6g}">{body}</svg>'
    )


def _plain(style: str) -> str:
    """Style of a text without its fonts: it has the page's."""
    style = re.sub(r"font: (?:(italic|oblique) )?(?:(\d+|bold) )?([\d.]+px) [^;]*", _longhand, style)
    return re.sub(r"font-family: [^;]*;? ?", "", style).replace("font-weight: 700", "font-weight: 650").strip("; ")


def _longhand(found: re.Match) -> str:
    slant, weight, size = found.groups()
    return "; ".join(
        part for part in (slant and f"font-style: {slant}", weight and f"font-weight: {weight}", f"font-size: {size}")
        if part
    )


def _short(numbers: str) -> str:
    """Coordinates to a tenth of a point, small ones to a hundredth, and no blanks that a path does not need."""
    def rounded(found: re.Match) -> str:
        value = float(found[0])
        return f"{value:.{2 if abs(value) < 10 else 1}f}".rstrip("0").rstrip(".").replace("-0.0", "0") or "0"

    numbers = re.sub(r"-?\d+\.\d+(?:e-?\d+)?", rounded, " ".join(numbers.split()))
    return re.sub(r" ?([A-DF-Za-df-z]) ?(?=[-\d.]|$)", r"\1", numbers)


def _own_names(body: str) -> str:
    """Only names that something refers to, and those unlike any other drawing's."""
    used = set(re.findall(r'(?:href="|url\()#([\w.-]+)', body))
    mark = "rm" + hashlib.sha256(body.encode()).hexdigest()[:6]
    short = {name: f"{mark}{k}" for k, name in enumerate(sorted(used))}
    body = re.sub(r' id="([^"]*)"', lambda found: f' id="{short[found[1]]}"' if found[1] in short else "", body)
    return re.sub(r'((?:href="|url\()#)([\w.-]+)', lambda found: found[1] + short[found[2]], body)


def _together(body: str) -> str:
    """Marks of one look in one group: its style is written once."""
    def group(found: re.Match) -> str:
        style = found[2]
        return f'<g style="{style}">' + found[0].replace(f' style="{style}"', "") + "</g>"

    use = r'<use (href="[^"]*") x="[^"]*" y="[^"]*" style="([^"]*)"/>'
    return re.sub(use + r'(?:<use \1 x="[^"]*" y="[^"]*" style="\2"/>)+', group, body)
