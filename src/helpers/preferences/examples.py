"""Forty pairs with longer answers, written for this book, four of them with their answers exchanged."""

import json
from importlib.resources import files

import numpy as np

from .pairs import Preferences

_FILE = "data/pairs/household.jsonl"


def example_pairs() -> Preferences:
    """40 questions of daily life, each with a better and a worse answer of up to 30 words (CC BY 4.0).

    In four of them, drawn by lot, chosen and rejected stand exchanged, as a slip of the hand would have it:
    `example_swaps` says which. The better answer is the longer one in 15 of the 40, so that length gives nothing away.
    """
    rows = _rows()
    columns = [[row[name] for row in rows] for name in ("prompt", "chosen", "rejected")]
    return Preferences(*columns, [0] * len(rows), [1] * len(rows), ("household",))


def example_swaps() -> np.ndarray:
    """Which pairs of `example_pairs` have their answers exchanged: 40 truth values."""
    return np.array([row["swapped"] for row in _rows()])


def _rows() -> list[dict]:
    return [json.loads(line) for line in files("helpers").joinpath(_FILE).read_text("utf-8").splitlines()]
