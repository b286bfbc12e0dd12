"""Sphinx: what a chapter costs and what the bench measured, written from the files of the build.

- role {cost}`this chapter` and directive {cost}: "CPU 41 s on 1 core, the first time 33 s more, 1.1 GB".
- directive {costs-table}: one row a chapter, and the machine.
- directive {bench-table}: the rows of a record of the bench, such as `records/bench.json`.

No number is typed. A file or an entry that is missing is a warning, so a strict build fails.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from book.tools.costs import duration, sentence

COSTS = "_build/costs.json"
SPACE = "\N{NO-BREAK SPACE}"
COLUMNS = dict(name="measured", value="value", ours="ours", theirs="theirs", unit="unit", ratio="ratio")
LOGGER = logging.getLogger(__name__)


def load(root, name: str) -> dict | None:
    """A JSON file below the root of the book, or None where it is missing."""
    path = Path(root) / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def machine_words(machine: dict) -> str:
    """The machine and the versions of one measurement, in one sentence."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(machine.get("versions", {}).items()))
    words = f"Measured on {machine['processor']} with {machine['cores']} cores and {machine['memory']:.0f} GB"
    return f"{words}; {versions}." if versions else f"{words}."


def table(header: list[str], rows: list[list], classes: tuple[str, ...] = ()) -> nodes.table:
    """A docutils table; a cell is a text or a node."""
    group = nodes.tgroup(cols=len(header))
    group += [nodes.colspec(colwidth=1) for _ in header]
    head, body = nodes.thead(), nodes.tbody()
    for part, lines in ((head, [header]), (body, rows)):
        for line in lines:
            row = nodes.row()
            for cell in line:
                content = nodes.Text(cell) if isinstance(cell, str) else cell
                row += nodes.entry("", nodes.paragraph("", "", content))
            part += row
    group += [head, body]
    return nodes.table("", group, classes=["colwidths-auto", *classes])


class CostRole(SphinxRole):
    """{cost}`this chapter`, or the name of another one, such as {cost}`03_interaction`."""

    def run(self):
        name = self.env.docname if self.text == "this chapter" else f"chapters/{self.text}"
        return [nodes.inline("", _cost(self.env, name, self.get_location()), classes=["cost"])], []


class CostDirective(SphinxDirective):
    """A paragraph with the cost of this chapter."""

    def run(self):
        text = _cost(self.env, self.env.docname, self.get_location())
        return [nodes.paragraph("", text, classes=["cost"])]


class CostsTable(SphinxDirective):
    """A table of all chapters that ran."""

    def run(self):
        data = load(self.env.srcdir, COSTS)
        _remember(self.env, COSTS)
        if data is None:
            return _missing(COSTS, "run make book", self.get_location())
        rows = [[_link(self.env, name), *(duration(entry[key]).replace(" ", SPACE) for key in ("seconds", "embedding")),
                 f"{entry['memory']:.2f}{SPACE}GB", str(entry["threads"])]
                for name, entry in sorted(data["chapters"].items())]
        header = ["notebook", "time", "more the first time", "peak memory", "threads"]
        return [table(header, rows), nodes.paragraph("", machine_words(data["machine"]))]


class BenchTable(SphinxDirective):
    """The rows of a record: what was measured, ours, theirs, their ratio; the columns that it fills."""

    required_arguments = 1

    def run(self):
        (name,) = self.arguments
        data = load(self.env.srcdir, name)
        _remember(self.env, name)
        if data is None:
            return _missing(name, "run make bench", self.get_location())
        filled = [key for key in COLUMNS if any(key in row for row in data["rows"])]
        rows = [[_number(row.get(key)) for key in filled] for row in data["rows"]]
        parts = [table([COLUMNS[key] for key in filled], rows)]
        parts += [nodes.paragraph("", "", *self.parse_inline(note)[0]) for note in data.get("notes", [])]
        return [*parts, nodes.paragraph("", machine_words(data["machine"]))]


def _number(value) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _link(env, name: str) -> nodes.Node:
    """Title of a notebook, linked to its page; its bare name where the page is not in the book."""
    from sphinx.addnodes import pending_xref

    if name not in env.found_docs:
        return nodes.literal("", name)
    reference = pending_xref("", refdomain="std", reftype="doc", reftarget=f"/{name}", refdoc=env.docname,
                             refexplicit=False, refwarn=True)
    reference += nodes.inline("", name)
    return reference


def _missing(name: str, remedy: str, location) -> list[nodes.Node]:
    LOGGER.warning("%s is missing; %s", name, remedy, location=location)
    return [nodes.paragraph("", "not measured yet")]


def _cost(env, name: str, location) -> str:
    data = load(env.srcdir, COSTS)
    if data is None or name not in data["chapters"]:
        LOGGER.warning("%s has no cost of %s; run make book", COSTS, name, location=location)
        return "not measured yet"
    return sentence(data["chapters"][name])


def _remember(env, name: str) -> None:
    """Read this page again when the file changes."""
    env.note_dependency(str(Path(env.srcdir) / name))


def outdated(app, env, added, changed, removed) -> list[str]:
    """Pages whose notebook ran again since they were read, or that had no cost then.

    Sphinx compares the sources alone, so it would keep the old outputs of a chapter whose helpers changed.
    """
    current = (load(app.srcdir, COSTS) or {"chapters": {}})["chapters"]
    seen = getattr(env, "chapter_costs", {})
    return [name for name in env.all_docs if name not in added and current.get(name) != seen.get(name)]


def remember(app, doctree) -> None:
    """Note the run whose outputs and cost a page shows."""
    if not hasattr(app.env, "chapter_costs"):
        app.env.chapter_costs = {}
    current = (load(app.srcdir, COSTS) or {"chapters": {}})["chapters"]
    app.env.chapter_costs[app.env.docname] = current.get(app.env.docname)


def setup(app):
    app.add_role("cost", CostRole())
    app.add_directive("cost", CostDirective)
    app.add_directive("costs-table", CostsTable)
    app.add_directive("bench-table", BenchTable)
    app.connect("env-get-outdated", outdated)
    app.connect("doctree-read", remember)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
