"""Read a chapter: the cells of its MyST notebook, the directives in its text, its exercises."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import takewhile
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from myst_parser.parsers.options import TokenizeError, options_to_items
from nbformat import NotebookNode, from_dict, v4

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"(?P<indent> *)(?:`{3,}|~{3,}|:{3,})")
DIRECTIVE = re.compile(r"\{(?P<name>[^}\s]+)\}\s*(?P<argument>.*)$")
FACTS = re.compile(r"\*Difficulty (\d)/5, (\d+) min, practises: (.+)\*")


class SourceError(ValueError):
    """A chapter is not written as the tools expect; the message starts with file and line."""

    def __init__(self, path: Path | str, line: int, message: str):
        super().__init__(f"{path}:{line}: {message}")


@dataclass(frozen=True)
class Text:
    """Lines outside every directive and code fence; `line` is the number of the first, from 1."""

    lines: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Code:
    """A fenced block that is no directive; `lines` holds the fences too."""

    lines: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Directive:
    """A directive with its options; `lines` is its content and `line` the number of its opening fence."""

    name: str
    argument: str
    options: dict[str, str]
    lines: tuple[str, ...]
    line: int
    content_line: int
    indent: str = ""


Block = Text | Code | Directive


@dataclass(frozen=True)
class Cell:
    """A cell: kind is "markdown" or "code"; `line` is where its first line of text stands in the file."""

    kind: str
    source: str
    metadata: dict
    line: int


@dataclass(frozen=True)
class Chapter:
    """A MyST notebook: its path, its cells with their lines, and the metadata of the notebook."""

    path: Path
    cells: tuple[Cell, ...]
    metadata: dict = field(repr=False)

    @property
    def name(self) -> str:
        """File name without its ending, such as "03_interaction"."""
        return self.path.stem

    def blocks(self) -> Iterator[Block]:
        """All blocks of the text in order, those inside directives after the directive that holds them."""
        for cell in self.cells:
            if cell.kind == "markdown":
                yield from walk(parse(cell.source, cell.line, self.path), self.path)


@dataclass(frozen=True)
class Exercise:
    """An exercise: what it promises, the stub with its check, and the code of the folded solution."""

    label: str
    title: str
    line: int
    difficulty: int
    minutes: int
    practises: str
    stub: str
    check_name: str
    check_call: str
    solution: str


def parser_config(root: Path = ROOT) -> MdParserConfig:
    """The Markdown extensions of the book, as `_config.yml` lists them."""
    file = root / "_config.yml"
    settings = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    extensions = (settings or {}).get("parse", {}).get("myst_enable_extensions")
    return MdParserConfig(enable_extensions=set(extensions or ("amsmath", "colon_fence", "dollarmath")))


def find(root: Path = ROOT, pages: bool = False) -> list[Path]:
    """Paths of all chapters in order; with `pages`, also the pages of `book/` that hold code cells."""
    found = sorted((root / "chapters").glob("[0-9][0-9]_*.md"))
    if pages:
        found += [p for p in sorted((root / "book").glob("*.md"))
                  if is_myst_markdown_notebook(p.read_text(encoding="utf-8"))]
    return found


def notebook(path: Path, root: Path = ROOT) -> NotebookNode:
    """The notebook of a MyST file, read as the book's build reads it."""
    return read_myst_markdown_notebook(
        path.read_text(encoding="utf-8"), config=parser_config(root), add_source_map=True, path=path
    )


def read(path: Path, root: Path = ROOT) -> Chapter:
    """Read a chapter into cells with their places in the file."""
    text = path.read_text(encoding="utf-8")
    if not is_myst_markdown_notebook(text):
        raise SourceError(path, 1, "no jupytext header, so the book would not run this file")
    node = notebook(path, root)
    source = text.splitlines()
    cells = []
    for cell, start in zip(node.cells, node.metadata.pop("source_map"), strict=True):
        if cell.cell_type == "markdown":
            while not source[start].strip():  # the reader strips leading blank lines
                start += 1
        else:
            start += 0 if not cell.source else source[start:].index(cell.source.splitlines()[0])
        cells.append(Cell(cell.cell_type, cell.source, dict(cell.metadata), start + 1))
    return Chapter(path, tuple(cells), dict(node.metadata))


@cache
def markdown() -> MarkdownIt:
    """The Markdown parser of the build, for blocks alone."""
    parser = create_md_parser(parser_config(), RendererHTML)
    parser.disable(["front_matter", "inline"])
    return parser


def parse(text: str | tuple[str, ...], line: int, path: Path) -> list[Block]:
    """Split Markdown into text, code fences and directives (not looking inside directives)."""
    lines = text.splitlines() if isinstance(text, str) else list(text)
    blocks: list[Block] = []
    start = 0
    for token in markdown().parse("\n".join(lines)):
        if token.type not in {"fence", "colon_fence"} or not FENCE.match(lines[token.map[0]]):
            continue  # what stands in a quotation stays text
        at, end = token.map
        mark, last = token.markup, lines[end - 1].strip()
        if end - 1 == at or set(last) != {mark[0]} or len(last) < len(mark):
            raise SourceError(path, line + at, f"the fence {lines[at].strip()!r} is never closed")
        if start < at:
            blocks.append(Text(tuple(lines[start:at]), line + start))
        blocks.append(_fenced(token, lines, line, path))
        start = end
    if start < len(lines):
        blocks.append(Text(tuple(lines[start:]), line + start))
    return blocks


def walk(blocks: list[Block], path: Path) -> Iterator[Block]:
    """Blocks and, after each directive, the blocks of its content."""
    for block in blocks:
        yield block
        if isinstance(block, Directive) and block.name not in {"math", "code-block", "code"}:
            yield from walk(parse(block.lines, block.content_line, path), path)


def _fenced(token: Token, lines: list[str], line: int, path: Path) -> Block:
    start, end = token.map
    directive = DIRECTIVE.match(token.info.strip())
    if not directive:
        if token.type == "colon_fence":
            raise SourceError(path, line + start, f"a colon fence without a directive: {lines[start]!r}")
        return Code(tuple(lines[start:end]), line + start)
    indent = FENCE.match(lines[start])["indent"]
    body = [text.removeprefix(indent) for text in lines[start + 1:end - 1]]
    if body and body[0].strip() == "---":
        raise SourceError(path, line + start + 1, "write the options of a directive as :name: value")
    given = list(takewhile(lambda text: text.startswith(":") and not FENCE.match(text), body))
    try:
        options, _ = options_to_items("\n".join(text[1:] for text in given))
    except TokenizeError as problem:
        raise SourceError(path, line + start + 1, f"an option cannot be read: {problem}") from None
    return Directive(directive["name"], directive["argument"].strip(), dict(options), tuple(body[len(given):]),
                     line + start, line + start + 1 + len(given), indent)


def exercises(chapter: Chapter) -> list[Exercise]:
    """The exercises of a chapter with their stubs and solutions, each checked to be complete."""
    found, stub, solutions = [], {}, {}
    for cell in chapter.cells:
        if cell.kind == "code":
            if found and found[-1].options["label"] not in stub:
                stub[found[-1].options["label"]] = cell
            continue
        for block in walk(parse(cell.source, cell.line, chapter.path), chapter.path):
            if not isinstance(block, Directive):
                continue
            if block.name == "exercise":
                if "label" not in block.options:
                    raise SourceError(chapter.path, block.line, "an exercise needs a :label:")
                found.append(block)
            elif block.name == "solution":
                solutions[block.argument] = block
    unknown = set(solutions) - {block.options["label"] for block in found}
    if unknown:
        line = solutions[min(unknown)].line
        raise SourceError(chapter.path, line, f"a solution to an exercise that is not there: {min(unknown)}")
    return [_exercise(chapter.path, block, stub, solutions) for block in found]


def _exercise(path: Path, block: Directive, stubs: dict[str, Cell], solutions: dict) -> Exercise:
    label = block.options["label"]
    facts = FACTS.search("\n".join(block.lines))
    if not facts:
        wanted = "*Difficulty D/5, M min, practises: ...*"
        raise SourceError(path, block.line, f"exercise {label} lacks its line {wanted}")
    if label not in stubs:
        raise SourceError(path, block.line, f"exercise {label} has no stub cell after it")
    if label not in solutions:
        raise SourceError(path, block.line, f"exercise {label} has no solution")
    solution = solutions[label]
    parts = [inner for inner in walk(parse(solution.lines, solution.content_line, path), path)
             if isinstance(inner, Code) and "python" in inner.lines[0]]
    if not parts:
        raise SourceError(path, solution.line, f"the solution of {label} has no ```python block")
    name, call = check_call(stubs[label].source)
    if call is None:
        raise SourceError(path, stubs[label].line, f"the stub of {label} never calls check(\"NN.k\", answer)")
    code = "\n".join(line for part in parts for line in part.lines[1:-1])
    return Exercise(label, block.argument, block.line, int(facts[1]), int(facts[2]), facts[3],
                    stubs[label].source, name, call, code)


def check_call(source: str) -> tuple[str, str | None]:
    """Name and source of the last top-level `check("NN.k", ...)` of a cell; ("", None) without one."""
    plain = re.sub(r"^(\s*)([%!].*)$", r"\1pass", source, flags=re.MULTILINE)  # magics are not Python
    name, text = "", None
    for statement in ast.parse(plain).body:
        call = getattr(statement, "value", None)
        if (isinstance(call, ast.Call) and getattr(call.func, "id", "") == "check" and call.args
                and isinstance(call.args[0], ast.Constant)):
            name, text = str(call.args[0].value), ast.get_source_segment(plain, call)
    return name, text


def with_solutions(node: NotebookNode, found: list[Exercise]) -> NotebookNode:
    """The notebook with one more cell for each exercise: its solution, then its check, which must pass."""
    node = from_dict(node)
    for exercise in found:
        judged = "verdict" + exercise.check_call.removeprefix("check")
        lines = (exercise.solution, "from helpers.exercises import verdict", f"judged = {judged}",
                 f'assert judged.right, "exercise {exercise.check_name}: " + judged.text')
        node.cells.append(v4.new_code_cell("\n".join(lines)))
    return node
