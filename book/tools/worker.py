"""Run one notebook and measure it: `worker.py FOLDER CWD TIMEOUT`.

Reads in.ipynb of FOLDER, writes out.ipynb and out.json there. `run` starts one such process for each
chapter, so that the peak memory of its kernel can be told from that of the others.
"""

import json
import re
import resource
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def main(folder: Path, cwd: str, timeout: int) -> None:
    """Run the notebook in the folder `cwd`; a cell that takes more than `timeout` seconds is an error."""
    node = nbformat.read(folder / "in.ipynb", nbformat.NO_CONVERT)
    client = NotebookClient(node, timeout=timeout, resources={"metadata": {"path": cwd}}, record_timing=False)
    current, error = [0], ""
    client.on_cell_start = lambda cell, cell_index: current.__setitem__(0, cell_index)
    start = time.perf_counter()
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
        error = f"{_where(node, current[0])}\n{ANSI.sub('', str(problem))}"
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e9
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
    nbformat.write(node, folder / "out.ipynb")
    out = {"seconds": round(seconds, 2), "memory": round(memory, 3), "error": error}
    (folder / "out.json").write_text(json.dumps(out), encoding="utf-8")


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Printed text that arrived in pieces as one output: where the pieces part is chance, and the page breaks there."""
    whole: list[NotebookNode] = []
    for output in outputs:
        last = whole[-1] if whole else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            whole.append(output)
    return whole


def _where(node: NotebookNode, index: int) -> str:
    """Number of a cell among the code cells, and the line of its text in the chapter."""
    code = [k for k, cell in enumerate(node.cells) if cell.cell_type == "code"]
    lines = node.metadata.get("source_map", [])
    at = f", line {lines[index] + 1}" if index < len(lines) else ""
    return f"code cell {code.index(index) + 1} of {len(code)}{at}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
