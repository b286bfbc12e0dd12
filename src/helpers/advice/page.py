"""The furniture of the audit's page: one HTML file without script and network, every text of the data escaped."""

from collections.abc import Callable, Iterable
from html import escape
from importlib.resources import files

from ..figures.marks import DARK, LIGHT

# Nothing may be loaded, and no script may run, whatever the data hold; the one style is the page's own.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
NUMBERS = "no one two three four five six seven eight nine ten eleven twelve".split()


def page(*, title: str, about: str, verdict: Iterable[str], numbers: Iterable[tuple[str, str, str]],
         sections: Iterable[tuple[str, str]]) -> str:
    """The whole page. `title` and `about` are texts; all else is HTML whose texts are escaped.

    numbers : a number, what it is, and "predicted" or "found".   sections : a heading and its HTML, left out if empty.
    """
    cards = "".join(f'<div><b class="{kind}">{big}</b><span>{small}</span></div>' for big, small, kind in numbers)
    body = "".join(f"<section><h2>{escape(head)}</h2>{text}</section>" for head, text in sections if text)
    style = files("helpers").joinpath("advice/page.css").read_text("utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{clean(title)}</title><style>{_colours()}{style}</style></head><body><main>'
        f'<p class="over">Audit before training</p><h1>{clean(title)}</h1><p class="sub">{clean(about)}</p>'
        f'<div class="verdict">{"".join(f"<p>{one}</p>" for one in verdict)}</div><div class="numbers">{cards}</div>'
        f"{body}</main></body></html>\n"
    )


def clean(text: object, most: int | None = None) -> str:
    """A text of the data as HTML: escaped, without characters that turn the writing round, cut at `most`."""
    words = "".join(c for c in str(text) if c in "\n\t" or (c.isprintable() and c not in _TURNING))
    if most is not None and len(words) > most:
        words = words[:most].rsplit(" ", 1)[0] + " …"
    return escape(words)


def percent(share: float) -> str:
    """A share as whole per cent; below a half of one, and above 99 and a half, as a bound."""
    if share != share:
        return "–"
    if 0 < share < 0.005:
        return "&lt;&nbsp;1&nbsp;%"
    return f"{100 * share:.0f}&nbsp;%"


def between(low: float, high: float) -> str:
    """An interval of shares."""
    return f"{100 * low:.0f} to {percent(high)}"


def word(n: int) -> str:
    """A number up to twelve as a word."""
    return NUMBERS[n] if n < len(NUMBERS) else str(n)


def several(n: int, one: str, more: str | None = None) -> str:
    """A number with its noun."""
    return f"{word(n)} {one if n == 1 else more or one + 's'}"


def listed(words: list[str]) -> str:
    """Words in a row: a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def both(draw: Callable[[int], str]) -> str:
    """A drawing made twice, for the desk and for the phone, so that its type has one size."""
    return f'<div class="wide">{draw(920)}</div><div class="narrow">{draw(350)}</div>'


def svg(width: float, height: float, label: str, *parts: str) -> str:
    """A drawing with what it says to those who do not see it."""
    return (f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{clean(label)}">{"".join(parts)}</svg>')


def line(x1: float, y1: float, x2: float, y2: float, marks: str) -> str:
    """A line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{marks}"/>'


def dot(x: float, y: float, marks: str, r: float = 4.5) -> str:
    """A dot."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}" class="{marks}"/>'


def text(x: float, y: float, words: object, marks: str = "") -> str:
    """Words in a drawing."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{marks}">{clean(words)}</text>'


def _colours() -> str:
    light, dark = (";".join(f"--{name}:{value}" for name, value in table.items()) for table in (LIGHT, DARK))
    return f":root{{color-scheme:light dark;{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"


_TURNING = {chr(n) for n in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)}
