"""Run the chapters side by side into the cache of the book's build, and note what each one costs.

A chapter runs again only when its code cells or their tags changed, or one of the files that every chapter
depends on (`INPUTS`), or the scale. The build of the book then finds all in the cache and runs nothing.
"""

import argparse
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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
from filelock import FileLock
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbformat import NotebookNode

from .source import ROOT, find, notebook

INPUTS = ("src/helpers", "requirements.lock", "records")
UNUSED = {"__pycache__", "bench.json", "pages.json"}  # no chapter reads the bench, only the status page does
TIMEOUT = 600  # seconds a cell
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Cost:
    """What one run of a chapter took: wall time in seconds, peak memory of its process in GB, threads."""

    seconds: float
    memory: float
    threads: int
    finished: float


@dataclass(frozen=True)
class Result:
    """A chapter that ran: its notebook with outputs, its cost, and what went wrong ("" if nothing)."""

    path: Path
    notebook: NotebookNode
    cost: Cost | None
    error: str


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
    error = out.pop("error")
    cost = Cost(threads=threads, finished=time.time(), **out)
    executed = nbformat.read(folder / "out.ipynb", nbformat.NO_CONVERT)
    return Result(path, executed, cost, error and f"{path}: {error}")


def digest(root: Path, scale: str) -> str:
    """Digest of all files that every chapter depends on, and of the scale."""
    total = hashlib.sha256(scale.encode())
    for name in INPUTS:
        top = root / name
        files = [top] if top.is_file() else sorted(p for p in top.rglob("*") if p.is_file())
        for file in files:
            inside = file.relative_to(root)
            if not UNUSED & set(inside.parts):
                total.update(f"{inside.as_posix()}\0".encode())
                total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()[:16]


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
    """The build's cache of executed notebooks; each entry knows the digest of what it depends on."""

    def __init__(self, root: Path, scale: str):
        self.root, self.digest = root, digest(root, scale)
        self.store = get_cache(root / "_build" / ".jupyter_cache")

    def lookup(self, node: NotebookNode) -> dict | None:
        """Data of the current entry of a notebook, or None where it has to run."""
        try:
            record = self.store.match_cache_notebook(node)
        except KeyError:
            return None
        data = dict(record.data or {})
        if data.get("digest") == self.digest and "cost" in data:
            return data
        self.store.remove_cache(record.pk)
        return None

    def save(self, result: Result) -> dict:
        """Store an executed notebook in place of what the cache has for the same code; its data."""
        cost = asdict(result.cost)
        data = {"digest": self.digest, "cost": cost, "execution_seconds": cost["seconds"]}
        bundle = CacheBundleIn(result.notebook, str(result.path), data=data)
        self.store.cache_notebook_bundle(bundle, overwrite=True, check_validity=False)
        return data

    def prune(self, nodes: list[NotebookNode]) -> None:
        """Delete every entry that belongs to none of these notebooks."""
        keep = {self.store.create_hashed_notebook(node)[1] for node in nodes}
        for record in self.store.list_cache_records():
            if record.hashkey not in keep:
                self.store.remove_cache(record.pk)


def run(root: Path, *, scale: str, timeout: int = TIMEOUT, report=print) -> list[Result]:
    """Bring the cache and `_build/costs.json` up to date; return the results of what had to run."""
    build = root / "_build"
    build.mkdir(exist_ok=True)
    with FileLock(build / "chapters.lock"):
        cache = Cache(root, scale)
        nodes = {path: notebook(path, root) for path in find(root, pages=True)}
        known = {path: cache.lookup(node) for path, node in nodes.items()}
        todo = longest_first({path: nodes[path] for path, data in known.items() if data is None}, root)
        report(f"{len(nodes) - len(todo)} of {len(nodes)} notebooks are current, {len(todo)} to run")
        results = []
        for result in execute(todo, scale=scale, timeout=timeout):
            results.append(result)
            report(_line(result, root))
            if not result.error:
                known[result.path] = cache.save(result)
        cache.prune(list(nodes.values()))
        costs = {}
        for path, data in known.items():
            if data:
                costs[_page(path, root)] = data["cost"]
        text = json.dumps({"machine": machine(), "scale": scale, "chapters": costs}, indent=1, sort_keys=True)
        partial = build / "costs.json.partial"
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(build / "costs.json")
    return results


def longest_first(jobs: dict[Path, NotebookNode], root: Path) -> dict[Path, NotebookNode]:
    """The jobs that took longest at their last run first, so that none of them is left to run alone at the end.

    What has no last run stands before them all: it may be as long.
    """
    file = root / "_build" / "costs.json"
    last = json.loads(file.read_text(encoding="utf-8"))["chapters"] if file.exists() else {}
    seconds = {name: cost["seconds"] for name, cost in last.items()}
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the book")
    parser.add_argument("--scale", choices=("tiny", "book", "full"), default=os.environ.get("SCALE", "book"))
    parser.add_argument("--timeout", type=int, default=TIMEOUT, help="seconds a cell may take")
    parser.add_argument("--no-cache", action="store_true", help="run every chapter and keep nothing")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    if options.no_cache:
        jobs = {path: notebook(path, root) for path in find(root, pages=True)}
        results = []
        for result in execute(jobs, scale=options.scale, timeout=options.timeout):
            results.append(result)
            print(_line(result, root), flush=True)
    else:
        results = run(root, scale=options.scale, timeout=options.timeout,
                      report=lambda text: print(text, flush=True))
    errors = [result.error for result in results if result.error]
    for error in errors:
        print(f"\n{error}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
