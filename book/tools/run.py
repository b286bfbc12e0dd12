"""Run the chapters side by side into the cache of the book's build, and note what each one costs.

    python -m book.tools.run [NAME ...]     all, or those whose names begin so, such as 05

A chapter runs again only when its code cells or their tags changed, or one of the files that its last run read: the
modules that it imported, the data and the records that it opened, the lock file; or the scale. The build of the book
then finds all in the cache and runs nothing. What `helpers.session.say` recorded stands in `_build/numbers`.
"""

import argparse
import ast
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import nbformat
from filelock import FileLock
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbformat import NotebookNode

from .source import ROOT, find, notebook

LOCK = "requirements.lock"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
OUTSIDE = {".venv", "_build", "__pycache__", ".git"}  # parts of paths on which no chapter depends
TIMEOUT = 600  # seconds a cell
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Cost:
    """What one run of a chapter took: wall time in seconds, peak memory of its process in GB, threads.

    `embedding` are the seconds that its prompts took when they were first embedded; `seconds` are all others.
    """

    seconds: float
    embedding: float
    memory: float
    threads: int
    finished: float


@dataclass(frozen=True)
class Result:
    """A chapter that ran: its notebook with outputs, its cost, and what went wrong ("" if nothing).

    `files` are the paths that its kernel read or imported; `numbers` what `say` recorded, each name with its values.
    """

    path: Path
    notebook: NotebookNode
    cost: Cost | None
    error: str
    files: tuple[str, ...] = ()
    numbers: dict[str, list] = field(default_factory=dict)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def execute(jobs: dict[Path, NotebookNode], *, scale: str, timeout: int = TIMEOUT) -> Iterator[Result]:
    """Run notebooks at the same time, one process a core, each in the folder of its file.

    `jobs` maps the path of a chapter to the notebook to run. Every one is run, whatever the others do;
    they start in the order of `jobs`, and the results come in the order in which the runs end.
    """
    workers = max(1, min(cores(), len(jobs)))
    threads = max(1, cores() // workers)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(_execute_one, path, node, Path(folder) / str(k), scale, threads, timeout)
                   for k, (path, node) in enumerate(jobs.items())]
        for future in as_completed(futures):
            yield future.result()


def _execute_one(
    path: Path, node: NotebookNode, folder: Path, scale: str, threads: int, timeout: int
) -> Result:
    folder.mkdir()
    nbformat.write(node, folder / "in.ipynb")
    environment = os.environ | dict.fromkeys(THREADS, str(threads))
    # Own IPython folder: kernels at the same time share no history file, and no reader's start-up code runs.
    environment |= {"SCALE": scale, "IPYTHONDIR": str(folder), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    worker = Path(__file__).with_name("worker.py")
    command = [sys.executable, str(worker), str(folder), str(path.parent), str(timeout)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode or not (folder / "out.json").exists():
        reason = f"its process ended with status {done.returncode}: {done.stderr.strip()[-2000:]}"
        return Result(path, node, None, f"{path}: {reason}")
    out = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    error, files, numbers = (out.pop(name) for name in ("error", "files", "numbers"))
    cost = Cost(threads=threads, finished=time.time(), **out)
    executed = nbformat.read(folder / "out.ipynb", nbformat.NO_CONVERT)
    return Result(path, executed, cost, error and f"{path}: {error}", tuple(files), numbers)


def inputs(files: Iterable[str], root: Path) -> dict[str, str]:
    """Digests of those of the files that belong to the book, and of its lock file, by path below `root`."""
    paths = {path.relative_to(root) for path in map(Path, files) if path.is_relative_to(root)}
    names = {path.as_posix() for path in paths if not OUTSIDE & set(path.parts) and path.suffix != ".ipynb"}
    return {name: digest(root / name, names) for name in sorted(names | {LOCK})}


def digest(path: Path, read: Collection[str] = ()) -> str:
    """Digest of what a file holds, "" where it is gone; of a module without comments and docstrings, of a
    folder its names.

    Of the face of a room only what it says of its modules that are among `read` counts: more names change nothing.
    """
    if path.is_dir():
        content = "\0".join(sorted(entry.name for entry in path.iterdir() if entry.name not in OUTSIDE)).encode()
    elif not path.exists():
        return ""
    elif path.suffix == ".py":
        room = [Path(name) for name in read if path.name == "__init__.py"]
        leaves = frozenset(leaf.stem for leaf in room if leaf.parent.name == path.parent.name)
        content = _meaning(path, path.stat().st_mtime_ns, leaves)
    else:
        content = path.read_bytes()
    return hashlib.sha256(content).hexdigest()[:16]


@cache
def _meaning(path: Path, changed: int, leaves: frozenset[str]) -> bytes:
    """A module as its syntax tree without docstrings; of a lazy face the lines of those `leaves` alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
        if isinstance(node, ast.keyword) and node.arg == "submod_attrs":
            faces = ast.literal_eval(node.value)
            node.value = ast.Constant(sorted((leaf, sorted(names)) for leaf, names in faces.items() if leaf in leaves))
    return ast.dump(tree).encode()


def cells_digest(node: NotebookNode) -> str:
    """Digest of the code cells of a notebook and their tags."""
    code = [(cell.source, sorted(cell.metadata.get("tags", []))) for cell in node.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:16]


def outdated(entry: dict, root: Path) -> str:
    """The first file of the book that is not as it was when an entry was made, or "" where all are."""
    now = inputs((str(root / name) for name in entry["inputs"]), root)
    return next((name for name, then in entry["inputs"].items() if now.get(name) != then), "")


def machine() -> dict:
    """The machine in words, and the versions that shape a chapter's time."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (named := re.search(r"model name\s*: (.+)", cpuinfo.read_text())):
        model = named[1].strip()
    versions = {"python": platform.python_version()}
    for name in ("torch", "numpy", "transformers"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {"processor": model, "cores": cores(), "memory": round(memory, 1), "versions": versions}


class Cache:
    """The build's cache of executed notebooks; each entry knows what it was made from."""

    def __init__(self, root: Path, scale: str):
        self.root, self.scale = root, scale
        self.store = get_cache(root / "_build" / ".jupyter_cache")

    def lookup(self, node: NotebookNode) -> dict | None:
        """Data of the current entry of a notebook, or None where it has to run."""
        try:
            record = self.store.match_cache_notebook(node)
        except KeyError:
            return None
        data = dict(record.data or {})
        whole = {"scale", "inputs", "cells", "cost", "numbers"} <= set(data)
        if whole and data["scale"] == self.scale and data["cells"] == cells_digest(node):
            if not outdated(data, self.root):
                return data
        self.store.remove_cache(record.pk)
        return None

    def save(self, result: Result) -> dict:
        """Store an executed notebook in place of what the cache has for the same code; its data."""
        cost = asdict(result.cost)
        data = {"scale": self.scale, "cells": cells_digest(result.notebook), "numbers": result.numbers,
                "inputs": inputs(result.files, self.root), "cost": cost, "execution_seconds": cost["seconds"]}
        bundle = CacheBundleIn(result.notebook, str(result.path), data=data)
        self.store.cache_notebook_bundle(bundle, overwrite=True, check_validity=False)
        return data

    def prune(self, nodes: list[NotebookNode]) -> None:
        """Delete every entry that belongs to none of these notebooks."""
        keep = {self.store.create_hashed_notebook(node)[1] for node in nodes}
        for record in self.store.list_cache_records():
            if record.hashkey not in keep:
                self.store.remove_cache(record.pk)


def run(root: Path, names: Collection[str] = (), *, scale: str, timeout: int = TIMEOUT, report=print) -> list[Result]:
    """Bring the cache, `_build/costs.json` and `_build/numbers` up to date; the results of what had to run.

    `names` are beginnings of the names of notebooks; where some are given, the others stay as they are.
    """
    build = root / "_build"
    build.mkdir(exist_ok=True)
    with FileLock(build / "chapters.lock"):
        store = Cache(root, scale)
        nodes = {path: notebook(path, root) for path in find(root, pages=True)}
        chosen = [path for path in nodes if not names or path.name.startswith(tuple(names))]
        known = {path: store.lookup(nodes[path]) for path in chosen}
        todo = longest_first({path: nodes[path] for path, data in known.items() if data is None}, root)
        report(f"{len(chosen) - len(todo)} of {len(chosen)} notebooks are current, {len(todo)} to run")
        results = []
        for result in execute(todo, scale=scale, timeout=timeout):
            results.append(result)
            report(_line(result, root))
            if not result.error:
                known[result.path] = store.save(result)
        current = {path: data for path, data in known.items() if data}
        costs = {_page(path, root): data["cost"] for path, data in current.items()}
        if not names:
            store.prune(list(nodes.values()))
        else:
            last = _costs(root).items()
            costs = {page: cost for page, cost in last if root / f"{page}.md" in nodes} | costs
        write_json(build / "costs.json", {"machine": machine(), "scale": scale, "chapters": costs})
        for path, data in current.items():
            kept = {key: data[key] for key in ("scale", "cells", "inputs", "numbers")}
            write_json(build / "numbers" / f"{path.stem}.json", kept)
    return results


def write_json(path: Path, data: dict) -> None:
    """Write a JSON file, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(path)


def _costs(root: Path) -> dict[str, dict]:
    """The costs of the last run, by page."""
    file = root / "_build" / "costs.json"
    return json.loads(file.read_text(encoding="utf-8"))["chapters"] if file.exists() else {}


def longest_first(jobs: dict[Path, NotebookNode], root: Path) -> dict[Path, NotebookNode]:
    """The jobs that took longest at their last run first, so that none of them is left to run alone at the end.

    What has no last run stands before them all: it may be as long.
    """
    seconds = {name: cost["seconds"] for name, cost in _costs(root).items()}
    return dict(sorted(jobs.items(), key=lambda job: -seconds.get(_page(job[0], root), math.inf)))


def _page(path: Path, root: Path) -> str:
    """Name of a page, as Sphinx and `costs.json` have it: "chapters/03_interaction"."""
    return path.relative_to(root).with_suffix("").as_posix()


def _line(result: Result, root: Path) -> str:
    name = result.path.relative_to(root) if result.path.is_relative_to(root) else result.path
    if result.error:
        return f"{name} failed"
    return f"{name} ran in {result.cost.seconds:.1f} s with {result.cost.memory:.2f} GB"


def main(arguments: list[str] | None = None) -> int:
    """Command line; the exit status is 1 where a cell raised."""
    parser = argparse.ArgumentParser(prog="python -m book.tools.run", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="beginnings of the names of notebooks, such as 05; all if none")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the book")
    parser.add_argument("--scale", choices=("tiny", "book", "full"), default=os.environ.get("SCALE", "book"))
    parser.add_argument("--timeout", type=int, default=TIMEOUT, help="seconds a cell may take")
    parser.add_argument("--no-cache", action="store_true", help="run every chapter and keep nothing")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    if options.no_cache:
        chosen = tuple(options.names) or ""
        jobs = {path: notebook(path, root) for path in find(root, pages=True) if path.name.startswith(chosen)}
        results = []
        for result in execute(jobs, scale=options.scale, timeout=options.timeout):
            results.append(result)
            print(_line(result, root), flush=True)
    else:
        results = run(root, options.names, scale=options.scale, timeout=options.timeout,
                      report=lambda text: print(text, flush=True))
    errors = [result.error for result in results if result.error]
    for error in errors:
        print(f"\n{error}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
