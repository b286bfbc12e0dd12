"""What the tests of the prose share: what a built chapter prints, and the numbers in it."""

import re
from pathlib import Path

from bs4 import BeautifulSoup

BUILT = Path(__file__).resolve().parents[2] / "_build" / "html"


def page(name, folder="chapters"):
    """What the cells of a built page print."""
    soup = BeautifulSoup((BUILT / folder / f"{name}.html").read_text(), "html.parser")
    return "\n".join(output.get_text() for output in soup.select("div.cell_output"))


def found(pattern, text):
    """All numbers that a printed line of the page shows, as floats."""
    matches = re.findall(pattern, text)
    assert matches, f"the page prints no line like {pattern!r}"
    return [float(number) for match in matches for number in ((match,) if isinstance(match, str) else match)]
