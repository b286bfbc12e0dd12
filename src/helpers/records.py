"""What the long runs found, kept small, for the chapters that show it.

The runs themselves, with what made them, stand in `records/` of the project; `python -m book.tools.summaries`
makes of them the tables that are read here, so that a chapter has them in a notebook far from the project too.
"""

import json
from importlib.resources import files

from .checks import one_of


def record_names() -> tuple[str, ...]:
    """The names that `recorded` knows, sorted."""
    folder = files("helpers").joinpath("data/records")
    return tuple(sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")))


def recorded(name: str) -> dict:
    """The table of that name: what was found, and under "made" what made it.

    Raises `ValueError` for a name that is none of `record_names`.
    """
    one_of("name", name, record_names())
    return json.loads(files("helpers").joinpath(f"data/records/{name}.json").read_text("utf-8"))
