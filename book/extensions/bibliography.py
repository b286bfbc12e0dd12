"""Sphinx: a style `author_year` for the list of references, whose entries are called as the text cites them.

The styles that come with pybtex call an entry "IL24", which no citation of the book says.
"""

from pybtex.plugin import register_plugin
from pybtex.style.formatting.unsrt import Style
from pybtex.style.labels import BaseLabelStyle

from book.tools.references import authors


class AuthorYearLabels(BaseLabelStyle):
    """Labels such as "Im and Li, 2024", in the order of the list."""

    def format_labels(self, sorted_entries):
        return [f"{authors(entry)}, {entry.fields['year']}" for entry in sorted_entries]


class AuthorYear(Style):
    """Sorted by author, year and title."""

    default_sorting_style = "author_year_title"
    default_label_style = AuthorYearLabels


def setup(app):
    register_plugin("pybtex.style.formatting", "author_year", AuthorYear)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
