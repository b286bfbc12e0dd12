"""Run one notebook and measure it: `worker.py FOLDER CWD TIMEOUT`.

Reads in.ipynb of FOLDER, writes out.ipynb and out.json there. `run` starts one such process for each chapter, so that
the peak memory of its kernel can be told from that of the others. The kernel notes which files it opens, and is asked
at the end for them, for the modules that it holds, and for what `helpers.session.say` recorded.
"""

import json
import os
import re
import resource
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, v4

ANSI = re.compile(r"\x1b\[[0-9;]*m")
BAR = re.compile(r"\d+%\|.*\||\d+it \[")  # a progress bar of tqdm, as text
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
NOTE = """\
import sys as _sys
_sys.opened_files = set()
def _note(event, given):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(given[0], str):
        if not _sys._getframe(1).f_code.co_filename.startswith("<frozen importlib"):
            _sys.opened_files.add((given[0], str(given[1]) if event == "open" else "r"))
_sys.addaudithook(_note)
"""
ASK = """\
import json as _json, os as _os, sys as _sys
def _held():
    opened = {_os.path.abspath(name) for name, mode in list(_sys.opened_files) if not set("wax+") & set(mode)}
    modules = {_os.path.abspath(module.__file__) for module in list(_sys.modules.values())
               if getattr(module, "__file__", None)}
    session, embedding = map(_sys.modules.get, ("helpers.session", "helpers.llm.embedding"))
    return {"files": sorted(opened | modules), "numbers": session.said() if session else {},
            "embedding": embedding.embedding_seconds() if embedding else (0.0, 0.0)}
_sys.__stdout__.flush()
get_ipython().display_pub.publish({"text/plain": _json.dumps(_held())})
"""


def main(folder: Path, cwd: str, timeout: int) -> None:
    """Run the notebook in the folder `cwd`; a cell that takes more than `timeout` seconds is an error."""
    startup = Path(os.environ["IPYTHONDIR"], "profile_default", "startup")
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "note.py").write_text(NOTE, encoding="utf-8")
    node = nbformat.read(folder / "in.ipynb", nbformat.NO_CONVERT)
    node.cells.append(v4.new_code_cell(ASK))
    client = NotebookClient(node, timeout=timeout, resources={"metadata": {"path": cwd}}, record_timing=False)
    current, error = [0], ""
    client.on_cell_start = lambda cell, cell_index: current.__setitem__(0, cell_index)
    start = time.perf_counter()
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
        error = f"{_where(node, current[0])}\n{ANSI.sub('', str(problem))}"
    except AssertionError:  # of nbclient, where the kernel dies while it is being cleaned up
        error = f"{_where(node, current[0])}\nKernel died"
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e9
    answer = node.cells.pop()
    held = json.loads(answer.outputs[-1].data["text/plain"]) if answer.outputs and not error else {}
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs = published(cell.outputs)
    keep_shown_widgets(node)
    nbformat.write(node, folder / "out.ipynb")
    now, made = held.pop("embedding", (0.0, 0.0))
    out = {"seconds": round(seconds - now, 2), "embedding": round(made, 2), "memory": round(memory, 3), "error": error}
    (folder / "out.json").write_text(json.dumps({"files": [], "numbers": {}} | held | out), encoding="utf-8")


def published(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs without progress bars, and printed text that came in pieces as one: where those part is chance."""
    whole: list[NotebookNode] = []
    for output in outputs:
        last = whole[-1] if whole else None
        if output.output_type == "stream":
            if last and last.output_type == "stream" and output.name == last.name:
                last.text += output.text
                continue
        elif VIEW in output.get("data", {}) and BAR.search(output.data.get("text/plain", "")):
            continue
        whole.append(output)
    for output in whole:
        if output.get("name") == "stderr":
            lines = re.split(r"(?<=[\r\n])", output.text)  # a bar begins its line anew with a carriage return
            output.text = "".join(line for line in lines if not BAR.search(line)).strip("\r")
    return [output for output in whole if output.get("name") != "stderr" or output.text.strip()]


def keep_shown_widgets(node: NotebookNode) -> None:
    """Drop the state of widgets that no output shows, such as progress bars.

    A widget stays that is shown, or that one that stays refers to; and a link between widgets that stay.
    """
    states = node.metadata.get("widgets", {}).get(STATE, {}).get("state")
    if not states:
        return
    named = {key: set(re.findall(r"IPY_MODEL_(\w+)", json.dumps(state))) for key, state in states.items()}
    views = [output.data[VIEW]["model_id"] for cell in node.cells for output in cell.get("outputs", [])
             if VIEW in output.get("data", {})]
    keep, found = set(), set(views)
    while found - keep:
        keep |= found
        found = set().union(*(named.get(key, set()) for key in keep))
        found |= {key for key, names in named.items() if names and "source" in states[key]["state"] and names <= keep}
    for key in set(states) - keep:
        del states[key]


def _where(node: NotebookNode, index: int) -> str:
    """Number of a cell among the code cells, and the line of its text in the chapter."""
    code = [k for k, cell in enumerate(node.cells[:-1]) if cell.cell_type == "code"]
    lines = node.metadata.get("source_map", [])
    at = f", line {lines[index] + 1}" if index < len(lines) else ""
    number = code.index(index) + 1 if index in code else len(code)
    return f"code cell {number} of {len(code)}{at}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
