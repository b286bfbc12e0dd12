"""What the tests of the prose share: the numbers that a chapter says, and what its built page prints."""

import json
import re
from functools import cache
from pathlib import Path

from bs4 import BeautifulSoup

from book.tools import run, source

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "_build" / "html"


@cache
def numbers(name: str, root: Path = ROOT) -> dict:
    """The numbers that a chapter says, by name, such as numbers("05_training_guarantee")["stray"].

    A name that was said once has its value, one that was said more often the list of its values. AssertionError
    (one sentence) where the chapter has not run, or has changed since, or what it read has.
    """
    path = next((path for path in source.find(root, pages=True) if path.stem == name), None)
    file = root / "_build" / "numbers" / f"{name}.json"
    remedy = f"run `make chapter N={name}`"
    assert path, f"there is no chapter {name}"
    assert file.exists(), f"{name} has not run: {remedy}"
    kept = json.loads(file.read_text(encoding="utf-8"))
    fresh = kept["cells"] == run.cells_digest(source.notebook(path, root))
    changed = run.outdated(kept, root) if fresh else path.name
    assert not changed, f"the numbers of {name} are older than {changed}: {remedy}"
    assert kept["scale"] == "book", f"the numbers of {name} are of scale {kept['scale']}: {remedy}"
    return {key: said[0] if len(said) == 1 else said for key, said in kept["numbers"].items()}


def page(name, folder="chapters"):
    """What the cells of a built page print."""
    soup = BeautifulSoup((BUILT / folder / f"{name}.html").read_text(), "html.parser")
    return "\n".join(output.get_text() for output in soup.select("div.cell_output"))


def found(pattern, text):
    """All numbers that a printed line of the page shows, as floats."""
    matches = re.findall(pattern, text)
    assert matches, f"the page prints no line like {pattern!r}"
    return [float(number) for match in matches for number in ((match,) if isinstance(match, str) else match)]
