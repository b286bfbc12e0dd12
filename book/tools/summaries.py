"""Make of the long records in `records/` the small tables that the chapters read (`helpers.records`).

    python -m book.tools.summaries

Nothing is run or fitted here: a table is a selection of what the records hold, and a test makes each one again.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from helpers.files import atomic_file

from .source import ROOT

TABLES = ROOT / "src" / "helpers" / "data" / "records"


def _assumptions() -> dict:
    return json.loads((ROOT / "records" / "assumptions.json").read_text(encoding="utf-8"))


def _law() -> dict:
    """The test of the law, and beside what it says before full fine-tuning the errors of the runs that are recorded."""
    found = json.loads((ROOT / "records" / "law.json").read_text(encoding="utf-8"))
    for said in found["before_full"]:
        path = ROOT / "records" / "full" / f"{said['name']}.json"
        if path.is_file():
            run = json.loads(path.read_text(encoding="utf-8"))
            errors = [sum(margin <= 0 for margin in margins) / len(margins) for margins in run["test_margins"]]
            said |= {"steps": run["steps"], "errors": errors, "tested": len(run["value"])}
    return found


def _audit_pairs() -> dict:
    return json.loads((ROOT / "records" / "audit_pairs.json").read_text(encoding="utf-8"))


def _more_values() -> dict:
    kept = json.loads((ROOT / "records" / "more_values.json").read_text(encoding="utf-8"))
    return {name: value for name, value in kept.items() if name != "slice"}


SUMMARIES: dict[str, Callable[[], dict]] = {
    "assumptions": _assumptions, "audit_pairs": _audit_pairs, "law": _law, "more_values": _more_values,
}


def text(name: str) -> str:
    """The table of that name, as its file holds it."""
    return json.dumps(SUMMARIES[name](), sort_keys=True, separators=(",", ":")) + "\n"


def write(folder: Path = TABLES) -> None:
    """Write every table whose text has changed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SUMMARIES:
        path = folder / f"{name}.json"
        if not path.exists() or path.read_text(encoding="utf-8") != text(name):
            with atomic_file(path) as partial:
                partial.write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(write())
