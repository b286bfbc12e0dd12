"""Write each chapter as a notebook for Jupyter and Colab: plain Markdown, no outputs, first a set-up cell.

    python -m book.tools.export [--check]     write chapters/*.ipynb, or only say which are not current
"""

import argparse
import hashlib
import os
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode, v4

from .plain import Plain
from .references import REPOSITORY, Book
from .source import ROOT, SourceError, find, read

SETUP = '''\
# Set-up: the book's package, where it is missing. Your own torch, numpy and ipywidgets stay as they are.
# To try the notebook in seconds, write start(scale="tiny") in the next cell.
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

found, address = find_spec("helpers"), "{address}"
places = [Path(place) for place in getattr(found, "submodule_search_locations", None) or []]
if found is None:
    source = ".." if Path("../src/helpers").is_dir() else address
    if not source:
        raise ModuleNotFoundError("the book's package is missing: %pip install PATH, of a checkout of the book")
    %pip install -q "{{source}}"
    invalidate_caches()
elif not any((place / "session.py").exists() for place in places):
    raise ImportError(f"{{found.origin or places[0]}} hides the package helpers: rename it, restart, run again")'''
LEFTOVER = re.compile(r"^[ >]*:{3,}|^[ >]*`{3,}\{|\{[a-z][\w:]*\}`", re.MULTILINE)
CODE = re.compile(r"(?ms)^(`{3,})[^`\n]*\n.*?^\1[ \t]*$|(?<!\})(`+)(?!`).+?(?<!`)\2(?!`)")


def export(path: Path, book: Book) -> str:
    """The notebook of one chapter as JSON text."""
    chapter = read(path, book.root)
    plain = Plain(path, book)
    book.labels  # noqa: B018  a label that is used twice is an error even where nothing refers to it
    setup = SETUP.format(address=f"git+{book.repository}@{book.branch}" if book.repository else "")
    cells = [_code(setup, {"tags": ["hide-input"]})]
    for cell in chapter.cells:
        if cell.kind == "code":
            cells.append(_code(cell.source, cell.metadata))
            continue
        for part in plain.sections(cell.source, cell.line):
            if left := LEFTOVER.search(CODE.sub("", part)):
                raise SourceError(path, cell.line, f"the export left {left[0]!r} in the text after this line")
            cells.append(v4.new_markdown_cell(part))
    seen: Counter = Counter()
    for cell in cells:
        # Named by content, so that an edit in one cell leaves the others alone.
        text = f"{cell.cell_type}\0{cell.source}"
        cell.id = hashlib.sha256(f"{text}\0{seen[text]}".encode()).hexdigest()[:12]
        seen[text] += 1
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    node = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    nbformat.validate(node)
    return nbformat.writes(node) + "\n"


def _code(source: str, metadata: dict) -> NotebookNode:
    """A code cell, folded where the page folds it."""
    folded = {"jupyter": {"source_hidden": True}} if {"hide-input", "hide-cell"} & set(metadata.get("tags", [])) else {}
    return v4.new_code_cell(source, metadata={**metadata, **folded})


def stale(root: Path) -> list[str]:
    """One line for each notebook that is missing, not current, or without its chapter.

    A notebook is current when it fits the address in `_config.yml` or the one in the environment.
    """
    books = [Book.load(root)]
    if REPOSITORY in os.environ:
        books.append(replace(books[0], repository=_configured(root)))
    lines = []
    for path in find(root):
        made = path.with_suffix(".ipynb")
        if not made.exists():
            lines.append(f"{made.name} is missing")
        elif made.read_text(encoding="utf-8") not in [export(path, book) for book in books]:
            lines.append(f"{made.name} is not current")
    orphans = {p.stem for p in (root / "chapters").glob("*.ipynb")} - {p.stem for p in find(root)}
    return lines + [f"{name}.ipynb has no chapter; delete it" for name in sorted(orphans)]


def _configured(root: Path) -> str:
    address = os.environ.pop(REPOSITORY)
    try:
        return Book.load(root).repository
    finally:
        os.environ[REPOSITORY] = address


def write(root: Path) -> list[Path]:
    """Export every chapter; return the notebooks that changed. One that fails leaves all as they were."""
    book = Book.load(root)
    texts = {path.with_suffix(".ipynb"): export(path, book) for path in find(root)}
    changed = [p for p, text in texts.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    for path in changed:
        partial = path.with_suffix(".partial")
        partial.write_text(texts[path], encoding="utf-8")
        partial.replace(path)
    return changed


def main(arguments: list[str] | None = None) -> int:
    """Command line; exits with 1 where a chapter cannot be exported or, with --check, is not current."""
    parser = argparse.ArgumentParser(prog="python -m book.tools.export", description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the book")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where one is not current")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            lines = stale(options.root)
            print("\n".join([*lines, "run `make notebooks`"] if lines else ["all notebooks are current"]))
            return 1 if lines else 0
        changed = write(options.root)
    except SourceError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{len(changed)} notebooks written" if changed else "all notebooks are current")
    return 0


if __name__ == "__main__":
    sys.exit(main())
