"""What a chapter costs, in words: as the build measured it for a page, and rounded for a notebook.

    python -m book.tools.costs     bring records/costs.json, from which notebooks take their words, up to date

The record changes only where a chapter became much faster or slower, so that notebooks do not change at every build.
"""

import argparse
import json
from pathlib import Path

from .run import write_json
from .source import ROOT, find

RECORD = "records/costs.json"
MEASURED = "_build/costs.json"
MUCH = 1.5  # times slower or faster than the record says, and by more than RUSTLE seconds
RUSTLE = 5


def duration(seconds: float) -> str:
    """Seconds in words: "0.4 s", "41 s", "2 min 5 s"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 90 else f"{whole // 60} min {whole % 60} s"


def sentence(cost: dict) -> str:
    """"CPU 12 s on 1 core, the first time 33 s more, 1.1 GB of memory", from an entry of `_build/costs.json`.

    The seconds more are those in which prompts are embedded, whether or not the build found them in a cache.
    """
    threads, embedding = cost["threads"], cost["embedding"]
    more = f", the first time {duration(embedding)} more" if embedding >= 1 else ""
    return (f"CPU {duration(cost['seconds'])} on {threads} core{'s' * (threads > 1)}{more}, "
            f"{cost['memory']:.1f} GB of memory")


def rough(cost: dict) -> str:
    """The same for a reader's machine: "about 10 s on a CPU, the first time about 40 s more, 1.1 GB of memory"."""
    more = f", the first time about {_about(cost['embedding'])} more" if cost["embedding"] >= 1 else ""
    return f"about {_about(cost['seconds'])} on a CPU{more}, {cost['memory']:.1f} GB of memory"


def _about(seconds: float) -> str:
    """To 5 s, above a minute to half a minute."""
    if seconds < 58:
        return f"{max(5, 5 * round(seconds / 5))} s"
    halves = max(2, round(seconds / 30))
    return f"{halves // 2}{'½' * (halves % 2)} min"


def recorded(root: Path) -> dict[str, dict]:
    """The record: costs by the name of a page, such as "chapters/03_interaction"."""
    file = root / RECORD
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def update(root: Path) -> list[str]:
    """Bring the record up to date with what the last build measured; the pages whose words changed."""
    file = root / MEASURED
    measured = json.loads(file.read_text(encoding="utf-8"))["chapters"] if file.exists() else {}
    pages = {path.relative_to(root).with_suffix("").as_posix() for path in find(root)}
    before = {page: cost for page, cost in recorded(root).items() if page in pages}
    now = {page: {key: measured[page][key] for key in ("seconds", "embedding", "memory")}
           for page in pages & set(measured)}
    changed = [page for page, cost in now.items() if page not in before or _much(before[page], cost)]
    write_json(root / RECORD, before | {page: now[page] for page in changed})
    return sorted(changed)


def _much(before: dict, now: dict) -> bool:
    return any(max(before[key], now[key]) > MUCH * min(before[key], now[key]) and abs(before[key] - now[key]) > RUSTLE
               for key in ("seconds", "embedding")) or abs(before["memory"] - now["memory"]) > 0.5


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m book.tools.costs", description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the book")
    changed = update(parser.parse_args().root.resolve())
    print(f"{RECORD}: {', '.join(changed) or 'nothing'} changed")


if __name__ == "__main__":
    main()
