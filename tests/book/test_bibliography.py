"""The list of references: every entry has a link and a name of its own, the name by which the text cites it."""

from pathlib import Path

import pytest
from pybtex.database import parse_file

from book.extensions.bibliography import AuthorYear, AuthorYearLabels
from book.tools.references import Book

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = parse_file(str(ROOT / "book" / "references.bib")).entries


@pytest.mark.parametrize("key", ENTRIES)
def test_every_reference_has_a_link(key):
    assert ENTRIES[key].fields.keys() & {"doi", "eprint", "url"}
    assert "arXiv:" not in ENTRIES[key].fields.get("note", "")  # else it stands twice, once without a link


def test_names_are_those_of_the_citations_and_differ():
    labels = AuthorYearLabels().format_labels(list(ENTRIES.values()))
    assert len(set(labels)) == len(labels)
    book = Book.load(ROOT)
    for key, label in zip(ENTRIES, labels, strict=True):
        cited = book.cite(ROOT / "chapters" / "01_preferences.md", 1, key, in_text=False)
        assert f"[{label}](https://" in cited


def test_every_entry_can_be_formatted():
    formatted = list(AuthorYear().format_entries(list(ENTRIES.values())))
    assert len(formatted) == len(ENTRIES)
