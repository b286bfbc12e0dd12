"""Where the references of a chapter lead: labels of the whole book, its pages, its sources."""

import base64
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml
from pybtex.database import Entry, parse_file

from .costs import recorded, rough
from .source import Directive, SourceError, Text, find, parse, walk
from .titles import exercise_title, figure_title

LABELLED = re.compile(
    r"""\$\$.+?\$\$(?:[ \t]*\((?P<equation>[^)\s]+)\))?
    |^\((?P<section>[^)\s]+)\)=[ \t]*\n+(?:\#+[ ](?P<title>[^\n]+))?""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
HIDDEN = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
FIGURES = {"caption", "picture"}  # the directives of a numbered figure
REPOSITORY = "REWARD_MARGINS_REPOSITORY"


@dataclass(frozen=True)
class Target:
    """A place to which a reference leads. `number` counts the labelled equations of one file.

    `figure` is the argument of a figure's directive: its label, or the name of its drawing.
    """

    path: Path
    label: str = ""
    words: str = ""
    number: int = 0
    figure: str = ""


@dataclass(frozen=True)
class Book:
    """The book below `root`; `repository` is its address, "" where it has none."""

    root: Path
    repository: str
    branch: str
    site: str

    @classmethod
    def load(cls, root: Path) -> "Book":
        """Read the addresses from `_config.yml`; the environment variable wins over the file."""
        file = root / "_config.yml"
        config = (yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else None) or {}
        repository = config.get("repository") or {}
        address = os.environ.get(REPOSITORY, repository.get("url") or "")
        site = (config.get("html") or {}).get("baseurl") or ""
        address = address.rstrip("/").removesuffix(".git")
        return cls(root, address, repository.get("branch") or "main", site.rstrip("/"))

    @cached_property
    def labels(self) -> dict[str, Target]:
        """Every label of the chapters and the pages; a label that is used twice is an error."""
        found: dict[str, Target] = {}
        for path in [*find(self.root), *sorted((self.root / "book").glob("*.md"))]:
            for line, target in _targets(path):
                if not target.label:
                    continue
                if target.label in found:
                    other = found[target.label].path.name
                    raise SourceError(path, line, f"the label {target.label!r} is used in {other} too")
                found[target.label] = target
        return found

    @cached_property
    def figures(self) -> dict[tuple[str, str], str]:
        """Titles such as "Figure 5.2" of all figures, by file name and argument of the directive."""
        pages = [*find(self.root), *sorted((self.root / "book").glob("*.md"))]
        targets = [target for path in pages for _, target in _targets(path) if target.figure]
        return {(target.path.name, target.figure): target.words for target in targets}

    def figure(self, path: Path, line: int, argument: str) -> str:
        """Title of a figure, such as "Figure 5.2", by the argument of its directive."""
        if (path.name, argument) not in self.figures:
            raise SourceError(path, line, f"the figure {argument!r} is not in {path.name}")
        return self.figures[path.name, argument]

    def picture(self, path: Path, line: int, name: str) -> str:
        """A drawing as an address that holds it whole, so that a notebook shows it anywhere."""
        from helpers.figures import picture

        try:
            drawing = picture(name)
        except ValueError as problem:
            raise SourceError(path, line, str(problem)) from None
        return f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"

    @cached_property
    def costs(self) -> dict[str, dict]:
        """The record of what chapters cost, by page."""
        return recorded(self.root)

    def cost(self, path: Path, line: int, name: str) -> str:
        """What a chapter costs in rounded words; `name` is that of its file, or "this chapter"."""
        stem = path.stem if name in {"", "this chapter"} else name
        if f"chapters/{stem}" in self.costs:
            return rough(self.costs[f"chapters/{stem}"])
        if not (self.root / "chapters" / f"{stem}.md").exists():
            raise SourceError(path, line, f"there is no chapter {stem!r} whose cost could be told")
        return "not measured yet"

    @cached_property
    def sources(self) -> dict[str, Entry]:
        """The entries of the bibliography."""
        file = self.root / "book" / "references.bib"
        return dict(parse_file(str(file)).entries) if file.exists() else {}

    def target(self, path: Path, line: int, label: str) -> Target:
        """The place of a label."""
        if label not in self.labels:
            raise SourceError(path, line, f"there is no label {label!r} in the book")
        return self.labels[label]

    def page(self, path: Path, line: int, file: str, label: str) -> Target:
        """The place of a link to a source file of the book, such as ../book/notation.md#notation-data."""
        page = (self.root / file[1:] if file.startswith("/") else path.parent / file).resolve()
        if not page.is_file():
            raise SourceError(path, line, f"there is no file {file}")
        if label and self.target(path, line, label).path.resolve() != page:
            raise SourceError(path, line, f"the label {label!r} is not in {file}")
        return self.labels[label] if label else Target(page, words=_heading(page))

    def address(self, path: Path, target: Target) -> str:
        """Where a link in the notebook of `path` points: a notebook, a page, or "" for nowhere."""
        anchor = f"#{target.label}" if target.label else ""
        if target.path.resolve() == path.resolve() and anchor:
            return anchor
        if target.path.parent.name == "chapters":
            return f"{target.path.stem}.ipynb{anchor}"
        page = target.path.resolve().relative_to(self.root.resolve()).with_suffix(".html").as_posix()
        # A label of a page names an equation or a section there; Sphinx prefixes the equations alone.
        prefix = "#equation-" if target.number else "#"
        return f"{self.site}/{page}{anchor.replace('#', prefix)}" if self.site else ""

    def file(self, path: Path, line: int, source: str) -> str:
        """Address of a file beside the chapter: in the repository where that is known, else as written."""
        file = (path.parent / source).resolve()
        if re.match(r"https?:", source):
            return source
        if not file.is_file():
            raise SourceError(path, line, f"there is no file, and no page or label, {source!r}")
        inside = file.relative_to(self.root.resolve()).as_posix()
        return f"{self.repository}/raw/{self.branch}/{inside}" if self.repository else source

    def cite(self, path: Path, line: int, keys: str, in_text: bool) -> str:
        """Citation in words, linked to the source: "Im and Li (2024)", or "(Im and Li, 2024)"."""
        parts = []
        for key in (key.strip() for key in keys.split(",")):
            if key not in self.sources:
                raise SourceError(path, line, f"there is no source {key!r} in references.bib")
            entry = self.sources[key]
            year = entry.fields.get("year", "n.d.")
            words = f"{authors(entry)} ({year})" if in_text else f"{authors(entry)}, {year}"
            address = _address(entry)
            parts.append(f"[{words}]({address})" if address else words)
        return " and ".join(parts) if in_text else f"({'; '.join(parts)})"


def _targets(path: Path):
    number = figures = 0
    text = path.read_text(encoding="utf-8")
    front = re.match(r"---\n.*?\n---\n", text, re.DOTALL)
    start = front.end() if front else 0
    for block in walk(parse(text[start:], text[:start].count("\n") + 1, path), path):
        if isinstance(block, Text):
            lines = HIDDEN.sub("", "\n".join(block.lines))
            for found in LABELLED.finditer(lines):
                line = block.line + lines[:found.start()].count("\n")
                if found["equation"]:
                    number += 1
                    yield line, Target(path, found["equation"], f"({number})", number)
                elif found["section"]:
                    yield line, Target(path, found["section"], (found["title"] or "").strip())
        elif isinstance(block, Directive):
            label = block.options.get("label") or block.options.get("name")
            if block.name in FIGURES:
                figures += 1
                label = block.argument if block.name == "caption" else label
                yield block.line, Target(path, label or "", figure_title(path.stem, figures), figure=block.argument)
            elif label and block.name == "math":
                number += 1
                yield block.line, Target(path, label, f"({number})", number)
            elif label:
                words = f"{block.name.removeprefix('prf:').title()} {block.argument}".strip()
                if block.name == "exercise":
                    words = exercise_title(label, block.argument)
                yield block.line, Target(path, label, words)


def _heading(page: Path) -> str:
    found = re.search(r"^# (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].strip() if found else ""


def authors(entry: Entry) -> str:
    """The authors as a citation names them: one, two, or the first "et al."; else the key or the title."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join(str(part) for part in (*p.rich_prelast_names, *p.rich_last_names)) for p in people]
    if not names:
        return entry.fields.get("key") or entry.fields.get("title", "Anonymous")
    many = len(names) > 2 or names[-1] == "others"  # BibTeX writes "and others" for a list that goes on
    return f"{names[0]} et al." if many else " and ".join(names)


def _address(entry: Entry) -> str:
    """Where the source can be read: its DOI, its own address, or arXiv."""
    fields = entry.fields
    if "doi" in fields:
        return f"https://doi.org/{fields['doi']}"
    if "url" in fields:
        return fields["url"]
    number = fields.get("eprint", "")
    found = re.search(r"arXiv:(\d{4}\.\d{4,5})", fields.get("note", "") + fields.get("journal", ""))
    number = found[1] if found else number
    return f"https://arxiv.org/abs/{number}" if number else ""
