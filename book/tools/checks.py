"""The results of the book, read from where they stand, and what does not fit together.

    python -m book.tools.checks

A result is a theorem block of a chapter whose title brings a number and a status, "4.1 (paper): the rate of a margin".
A page of `book/` may hold it instead, until a chapter does.
`book/results.yml` adds one line of words and the functions to each; the tests bring their marks. Nothing is imported.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from .plain import THEOREMS
from .source import ROOT, Directive, find, read
from .titles import NUMBERED

REGISTRY = "book/results.yml"
STATUSES = ("paper", "paper, repaired", "paper, sharpened", "new", "new, heuristic", "new constants")
TITLE = re.compile(r"(?P<number>\S+) \((?P<status>[^)]+)\)(?:: (?P<name>\S.*))?")
MARK = "pytest.mark.theorem"
SEARCH = "search"  # of tests/support/theorems.py: a decorator that marks its test with the results that it is given
FIELDS = {"statement", "functions", "also"}
LATER = {"later", "status"}


@dataclass(frozen=True)
class Block:
    """A theorem block that carries a number; `place` is its file and line."""

    kind: str
    number: str
    status: str
    label: str
    path: Path
    place: str


@dataclass(frozen=True)
class Mark:
    """One result that a test is marked with: the name as written, and the test as "dynamics/test_flow.py::test_x"."""

    name: str
    test: str
    place: str


@dataclass(frozen=True)
class Result:
    """One row. `block` is None where the chapter is still to come, then `status` is that of the registry.

    `also` are the numbers of further results of the paper that the block takes in.
    """

    number: str
    also: tuple[str, ...]
    statement: str
    functions: tuple[str, ...]
    status: str
    tests: tuple[str, ...]
    block: Block | None


@dataclass(frozen=True)
class Catalogue:
    """All rows, those of the chapters in their order first, and one line for each thing that does not fit."""

    results: tuple[Result, ...]
    problems: tuple[str, ...]


def spelled(name: str) -> str:
    """One spelling for each name: "T4.2'" of a mark is "4.2′" of a title."""
    return re.sub(r"^T(?=\d)", "", name.strip()).replace("'", "′").replace("’", "′")


def collect(root: Path = ROOT) -> Catalogue:
    """Bring blocks, registry, functions and marks of the book below `root` together."""
    blocks, problems = _blocks(root)
    marked, more = marks(root)
    entries, yet_more = _entries(root)
    problems += more + yet_more
    holders = {spelled(other): number for number, entry in entries.items() for other in entry.get("also", ())}
    problems += [f"{REGISTRY}: {other!r} stands under `also` of {number!r}, but has a block or an entry of its own"
                 for other, number in holders.items() if other in blocks | entries]
    tests: dict[str, list[str]] = {}
    strange: dict[str, list[str]] = {}
    for mark in marked:
        number = holders.get(spelled(mark.name), spelled(mark.name))
        if number in blocks | entries:
            if mark.test not in tests.setdefault(number, []):
                tests[number].append(mark.test)
        else:
            strange.setdefault(mark.name, []).append(mark.place)
    for name, places in strange.items():
        problems.append(f"{', '.join(places)}: marked {name!r}, but no theorem block has this number; "
                        f"correct the mark, put {name!r} under `also` of the entry whose block takes it in, or add it "
                        f"to {REGISTRY} with `later: true` and its status")
    results = []
    for number in [*blocks, *(name for name in entries if name not in blocks)]:
        block, entry = blocks.get(number), entries.get(number)
        found = _check(root, number, block, entry, tests.get(number, []))
        problems += found
        if entry:
            also, functions = (tuple(entry.get(field, ())) for field in ("also", "functions"))
            status = block.status if block else entry.get("status", "")
            results.append(Result(number, also, entry.get("statement", ""), functions, status,
                                  tuple(tests.get(number, ())), block))
    return Catalogue(tuple(results), tuple(problems))


def _check(root: Path, number: str, block: Block | None, entry: dict | None, tests: list[str]) -> Iterator[str]:
    """What is wrong with one result."""
    here = f"{REGISTRY}: {number!r}"
    name = f"{block.place}: {block.kind} {number}" if block else here
    if not tests:
        yield f"{name} has no test; mark one with @{MARK}({number!r})"
    if entry is None:
        yield (f"{name} has no entry in {REGISTRY}; add\n"
               f"    {number!r}:\n      statement: One line.\n      functions: [module.function]")
        return
    if block and LATER & set(entry):
        yield f"{here} has its block now ({block.place}); remove {' and '.join(sorted(LATER & set(entry)))}"
    if not block and entry.get("later") != "true":
        yield f"{here} has no theorem block; correct the number, delete the entry, or add `later: true` and its status"
    elif not block and entry.get("status") not in STATUSES:
        yield f"{here} comes later, so it needs its `status`, one of {STATUSES}"
    statement, functions = entry.get("statement"), entry.get("functions")
    if not isinstance(statement, str) or not statement.strip() or "\n" in statement.strip():
        yield f"{here} needs a `statement`, one line"
    if not isinstance(functions, list) or not functions:
        yield f"{here} needs `functions`, a list such as [dynamics.gradient_flow]"
        return
    for function in functions:
        if not _defined(root, function):
            yield f"{here}: there is no {function} in src/helpers"


def _blocks(root: Path) -> tuple[dict[str, Block], list[str]]:
    found: dict[str, Block] = {}
    problems = []
    for path in find(root, pages=True):
        for block in read(path, root).blocks():
            kind = block.name.removeprefix("prf:") if isinstance(block, Directive) else ""
            if kind not in THEOREMS or block.name == kind:
                continue
            title, place = TITLE.fullmatch(block.argument), f"{path.relative_to(root)}:{block.line}"
            if not NUMBERED.match(block.argument):
                if title:
                    problems.append(f"{place}: {title['number']!r} is not a number for the book, which would write "
                                    f"{kind.title()} ({block.argument}); write a letter, a number or both, such as D.1")
            elif not title or title["status"] not in STATUSES:
                problems.append(f"{place}: the title {block.argument!r} must read 'NUMBER (STATUS): name', "
                                f"with a status of {STATUSES}")
            elif "label" not in block.options:
                problems.append(f"{place}: {kind.title()} {title['number']} needs a :label:")
            elif (number := spelled(title["number"])) in found and found[number].path.parent != path.parent:
                continue  # a chapter has the result now; chapters come first
            elif number in found:
                problems.append(f"{place}: the number {number} is used at {found[number].place} too")
            else:
                found[number] = Block(kind.title(), number, title["status"], block.options["label"], path, place)
    return found, problems


def _entries(root: Path) -> tuple[dict[str, dict], list[str]]:
    # BaseLoader leaves 4.1 a text; everything is one.
    file = root / REGISTRY
    given = (yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader) if file.exists() else None) or {}
    found, problems = {}, []
    for number, entry in given.items():
        unknown = sorted(set(entry) - FIELDS - LATER) if isinstance(entry, dict) else ["not a mapping"]
        if unknown:
            problems.append(f"{REGISTRY}: {number!r} has what is not known: {', '.join(unknown)}")
        elif not isinstance(entry.get("also", []), list):
            problems.append(f"{REGISTRY}: `also` of {number!r} must be a list, such as [B.3]")
        else:
            found[spelled(number)] = entry
    return found, problems


def _defined(root: Path, dotted: str) -> bool:
    """Whether a room of src/helpers, a module or a folder of modules, defines "room.name" or "room.Class.name"."""
    room, *names = str(dotted).split(".")
    top = root / "src" / "helpers" / room
    files = [top.with_suffix(".py")] if top.with_suffix(".py").exists() else sorted(top.glob("*.py"))
    return bool(names) and any(_holds(ast.parse(file.read_text(encoding="utf-8")).body, names) for file in files)


def _holds(body: list[ast.stmt], names: list[str]) -> bool:
    """Whether a module's statements define names[0], and its body names[1], and so on."""
    found = [node for node in body if names[0] in _names(node)]
    return bool(found) and (len(names) == 1 or _holds(getattr(found[0], "body", []), names[1:]))


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def marks(root: Path = ROOT) -> tuple[list[Mark], list[str]]:
    """Every mark of every test, and one line for each that is not on a test or does not name its results as texts."""
    found, problems = [], []
    for path in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        spellings = {MARK} | {SEARCH for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                              and node.module == "theorems" and SEARCH in {alias.name for alias in node.names}}
        understood: set[ast.Call] = set()
        for test, calls in _tests(tree.body, [], spellings):
            for call in calls:
                names = [name.value for name in call.args if isinstance(name, ast.Constant)]
                if len(names) == len(call.args) > 0 and all(isinstance(name, str) for name in names):
                    understood.add(call)
                    place = f"{path.relative_to(root)}:{call.lineno}"
                    inside = path.relative_to(root / "tests").as_posix()
                    found += [Mark(name, f"{inside}::{test}", place) for name in names]
        problems += [f"{path.relative_to(root)}:{call.lineno}: a theorem mark must be on a test and name its results "
                     "as texts" for call in _calls(tree, spellings) if call not in understood]
    return found, problems


def _tests(body: list[ast.stmt], outer: list[ast.Call], spellings: set[str]) -> Iterator[tuple[str, list[ast.Call]]]:
    """Each test with its own marks and those of its class and module."""
    for node in body:
        if isinstance(node, ast.Assign) and "pytestmark" in _names(node):
            outer = outer + list(_calls(node, spellings))
    for node in body:
        own = [call for line in getattr(node, "decorator_list", []) for call in _calls(line, spellings)]
        if isinstance(node, ast.ClassDef):
            inner = _tests(node.body, outer + own, spellings)
            yield from ((f"{node.name}::{name}", calls) for name, calls in inner)
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield node.name, outer + own


def _calls(tree: ast.AST, spellings: set[str]) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in spellings)


def main() -> int:
    """Print what does not fit; 1 where there is something."""
    problems = collect().problems
    print("\n".join(problems) or "every result has its words, its functions and its tests")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
