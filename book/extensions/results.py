"""Sphinx: the directive {results-table}, one row for each result with its chapter, functions, tests and status.

The rows are read from the chapters, from `book/results.yml` and from the marks of the tests by `book.tools.checks`.
What does not fit together is a warning, so a strict build fails.
"""

from collections import Counter
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from book.tools.checks import collect

from .cost import table

HEADER = ["result", "statement", "functions and tests"]
BREAK = "\\\n"  # of a line, in Markdown
SPACE = "\N{NO-BREAK SPACE}"
LOGGER = logging.getLogger(__name__)


class ResultsTable(SphinxDirective):
    """A table of all results, those of later chapters at its end."""

    def run(self):
        self.env.note_reread()  # functions and tests may have moved, although no page changed
        root = Path(self.env.srcdir)
        catalogue = collect(root)
        for problem in catalogue.problems:
            LOGGER.warning("%s", problem, location=self.get_location())
        rows = [[self._cell(text) for text in self._row(root, result)] for result in catalogue.results]
        return [table(HEADER, rows, classes=("results",))]

    def _row(self, root, result) -> list[str]:
        """The cells of one result as Markdown."""
        block, name, chapter = result.block, result.number, "later chapter"
        if block:
            name = f"{block.kind} {name}"
            page = block.path.relative_to(root).with_suffix("").as_posix()
            if page in self.env.found_docs:
                up = "../" * self.env.docname.count("/")
                name = f"[{name}](#{block.label})"
                chapter = f"[chapter {int(block.path.stem[:2])}]({up}{page}.md)"
        files = Counter(test.partition(".py::")[0].replace("test_", "") for test in result.tests)
        tests = ", ".join(f"{file}{SPACE}{count}" for file, count in files.items())
        code = [f"`{function}`" for function in result.functions]
        with_others = [f"with {', '.join(result.also)}"] if result.also else []
        first = BREAK.join((name, *with_others, f"*{result.status}*", chapter)).replace(" ", SPACE)
        return [first, result.statement, BREAK.join((*code, tests))]

    def _cell(self, text: str) -> nodes.Node:
        children, messages = self.state.inline_text(text, self.lineno)
        return nodes.inline("", "", *children, *messages)


def setup(app):
    app.add_directive("results-table", ResultsTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
