"""The page on a reader's own pairs and model: its code runs, and what its tables say is so."""

import re
from pathlib import Path

import pytest

from book.tools import run, source
from helpers.preferences.formats import FORMATS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "book" / "own.md"
TEXT = PAGE.read_text("utf-8")


@pytest.fixture(scope="module")
def printed():
    """What each code cell prints at scale tiny, the last one's last."""
    (result,) = run.execute({PAGE: source.notebook(PAGE, ROOT)}, scale="tiny")
    assert not result.error, result.error
    cells = [cell for cell in result.notebook.cells if cell.cell_type == "code"]
    return [" ".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)
            for cell in cells]


def test_every_cell_runs_at_tiny_scale_and_says_what_the_text_says(printed):
    text = "\n".join(printed)
    assert "<Preferences: 16 pairs of 1 value: tea 16>" in text
    assert "the same again: True" in text and "are the same: True" in text
    assert "'model': 'tiny'" in text and "64 dimensions" in text
    assert "of 4 unseen statements" in text


def test_the_table_names_every_file_ending():
    assert set(re.findall(r"`(\.\w+)`", TEXT)) == set(FORMATS)


def test_the_page_is_in_the_book_and_in_the_readme():
    assert "- file: book/own\n" in (ROOT / "book/_toc.yml").read_text("utf-8")
    assert "book/own.md" in (ROOT / "README.md").read_text("utf-8")
