"""Run the chapters side by side into the cache of the book's build, and note what each one costs.

A chapter runs again only when its code cells changed, or one of the files that every chapter depends on
(`INPUTS`), or the scale. The build of the book then finds every chapter in the cache and runs nothing.
"""

import argparse
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import resource
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

from chapters import ROOT, find, notebook

INPUTS = ("src/helpers", "requirements.lock", "records")
UNUSED = {"__pycache__", "bench.json"}  # no chapter reads the bench, only the status page does
TIMEOUT = 600  # seconds a cell
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


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
    the results come in the order in which the runs end.
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
    environment |= {"SCALE": scale, "IPYTHONDIR": str(folder / "ipython"), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    worker = [sys.executable, str(Path(__file__).resolve()), "--worker"]
    command = [*worker, str(folder), str(path.parent), str(timeout)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode or not (folder / "out.json").exists():
        reason = f"its process ended with status {done.returncode}: {done.stderr.strip()[-2000:]}"
        return Result(path, node, None, f"{path}: {reason}")
    out = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    error = out.pop("error")
    cost = Cost(threads=threads, finished=time.time(), **out)
    executed = nbformat.read(folder / "out.ipynb", nbformat.NO_CONVERT)
    return Result(path, executed, cost, error and f"{path}: {error}")


def work(folder: Path, cwd: str, timeout: int) -> None:
    """Run the one notebook of `folder`, in a process of its own so that its peak memory can be told."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    node = nbformat.read(folder / "in.ipynb", nbformat.NO_CONVERT)
    client = NotebookClient(node, timeout=timeout, resources={"metadata": {"path": cwd}}, record_timing=False)
    error = ""
    start = time.perf_counter()
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
        error = _where(node) + ANSI.sub("", str(problem))
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e9
    nbformat.write(node, folder / "out.ipynb")
    out = {"seconds": round(seconds, 2), "memory": round(memory, 3), "error": error}
    (folder / "out.json").write_text(json.dumps(out), encoding="utf-8")


def _where(node: NotebookNode) -> str:
    """Which cell stopped the run: the last one that was started."""
    lines = node.metadata.get("source_map", [])
    code = [(i, cell) for i, cell in enumerate(node.cells) if cell.cell_type == "code"]
    started = [k for k, (_, cell) in enumerate(code) if cell.execution_count or cell.outputs]
    k = started[-1] if started else 0
    index = code[k][0]
    at = f", line {lines[index] + 1}" if index < len(lines) else ""
    return f"code cell {k + 1} of {len(code)}{at}\n"


def digest(root: Path, scale: str) -> str:
    """Digest of all files that every chapter depends on, and of the scale."""
    total = hashlib.sha256(scale.encode())
    for name in INPUTS:
        top = root / name
        files = [top] if top.is_file() else sorted(p for p in top.rglob("*") if p.is_file())
        for file in files:
            if not UNUSED & set(file.parts):
                total.update(f"{file.relative_to(root)}\0".encode())
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

    def lookup(self, path: Path, node: NotebookNode) -> dict | None:
        """Data of the current entry of a chapter, or None where it has to run."""
        try:
            record = self.store.match_cache_notebook(node)
        except KeyError:
            return None
        data = dict(record.data or {})
        cached = self.store.get_cache_bundle(record.pk).nb
        flags = [_flags(n) for n in (node, cached)]
        if data.get("digest") != self.digest or "cost" not in data or flags[0] != flags[1]:
            self.store.remove_cache(record.pk)
            return None
        if _metadata(node) != _metadata(cached):  # tags or an alt text changed: new words, same run
            for new, old in zip(_code(node), _code(cached), strict=True):
                old.metadata = new.metadata
            data["changed"] = time.time()
            self.save(path, cached, data)
        return data

    def save(self, path: Path, node: NotebookNode, data: dict) -> None:
        """Put an executed notebook in place of what the cache has for the same code."""
        self.store.cache_notebook_bundle(CacheBundleIn(node, str(path), data=data), overwrite=True,
                                         check_validity=False)

    def prune(self, nodes: list[NotebookNode]) -> None:
        """Delete every entry that belongs to none of these notebooks."""
        keep = {self.store.create_hashed_notebook(node)[1] for node in nodes}
        for record in self.store.list_cache_records():
            if record.hashkey not in keep:
                self.store.remove_cache(record.pk)


def _code(node: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in node.cells if cell.cell_type == "code"]


def _metadata(node: NotebookNode) -> list[dict]:
    return [dict(cell.metadata) for cell in _code(node)]


def _flags(node: NotebookNode) -> list[set]:
    """The tags that change how a cell runs."""
    active = {"raises-exception", "skip-execution"}
    return [active & set(cell.metadata.get("tags", [])) for cell in _code(node)]


def run(root: Path, *, scale: str, timeout: int = TIMEOUT, report=print) -> list[Result]:
    """Bring the cache and `_build/costs.json` up to date; return the results of what had to run."""
    build = root / "_build"
    build.mkdir(exist_ok=True)
    with FileLock(build / "chapters.lock"):
        cache = Cache(root, scale)
        nodes = {path: notebook(path, root) for path in find(root, pages=True)}
        known = {path: cache.lookup(path, node) for path, node in nodes.items()}
        todo = {path: nodes[path] for path, data in known.items() if data is None}
        report(f"{len(nodes) - len(todo)} of {len(nodes)} notebooks are current, {len(todo)} to run")
        results = []
        for result in execute(todo, scale=scale, timeout=timeout):
            results.append(result)
            report(_line(result, root))
            if not result.error:
                known[result.path] = {"digest": cache.digest, "cost": asdict(result.cost),
                                      "execution_seconds": result.cost.seconds}
                cache.save(result.path, result.notebook, known[result.path])
        cache.prune(list(nodes.values()))
        costs = {}
        for path, data in known.items():
            if data:
                name = path.relative_to(root).with_suffix("").as_posix()
                costs[name] = data["cost"] | {"changed": data.get("changed", 0)}
        text = json.dumps({"machine": machine(), "scale": scale, "chapters": costs}, indent=1, sort_keys=True)
        partial = build / "costs.json.partial"
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(build / "costs.json")
    return results


def _line(result: Result, root: Path) -> str:
    name = result.path.relative_to(root) if result.path.is_relative_to(root) else result.path
    if result.error:
        return f"{name} failed"
    return f"{name} ran in {result.cost.seconds:.1f} s with {result.cost.memory:.2f} GB"


def main(arguments: list[str] | None = None) -> int:
    """Command line; the exit status is 1 where a cell raised."""
    if arguments is None and sys.argv[1:2] == ["--worker"]:
        work(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
        return 0
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
