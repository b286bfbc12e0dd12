"""The start of a notebook: scale, seeds, device, threads and theme, in one place."""

import os
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .checks import at_least, between, one_of, shown
from .figures.theme import theme

if TYPE_CHECKING:
    from .llm.model import LLM

SCALES = ("tiny", "book", "full")
Settings = TypeVar("Settings")


@dataclass(frozen=True)
class Session:
    """What a notebook runs with.

    Attributes
    ----------
    scale : "tiny" (tests: seconds, no network), "book" (what the page shows) or "full" (a GPU, or patience).
    device : "cpu" or "cuda".   seed : given to random, NumPy and torch.   threads : CPU threads of torch.
    """

    scale: str
    device: str
    seed: int
    threads: int

    def settings(
        self, book: Settings, *, tiny: Mapping[str, Any] | None = None, full: Mapping[str, Any] | None = None
    ) -> Settings:
        """The one settings object of an experiment at this scale.

        Parameters
        ----------
        book : a frozen dataclass with the settings of the page.
        tiny, full : the fields that differ at that scale.

        Raises ValueError for a field that `book` does not have, at every scale.
        """
        if not is_dataclass(book) or isinstance(book, type):
            raise ValueError(f"book must be a dataclass object with the settings of the page, got {shown(book)}")
        for at, changes in (("tiny", tiny), ("full", full)):
            if not isinstance(changes, Mapping | None):
                raise ValueError(f"{at} must be a dictionary of settings, got {shown(changes)}")
            for name in changes or ():
                one_of("setting", name, [field.name for field in fields(book)])
        return replace(book, **({"tiny": tiny, "full": full}.get(self.scale) or {}))

    def llm(self) -> "LLM":
        """The language model of this scale: the default model, or at tiny scale a small random one."""
        return _llm("tiny" if self.scale == "tiny" else None, self.device)


def start(seed: int = 0) -> Session:
    """Begin a notebook: seed everything, set the figures' theme, choose device and threads, print one line.

    The environment variable SCALE picks the scale (default "book"), OMP_NUM_THREADS the number of CPU threads
    (default at most 2). In Colab, interactive figures are switched on.

    Raises ValueError for a negative seed, an unknown SCALE, or an OMP_NUM_THREADS that is not a whole number.
    """
    seed = int(between("seed", at_least("seed", seed, 0), 0, 2**32 - 1))  # what NumPy's seed takes
    scale = one_of("SCALE", os.environ.get("SCALE") or "book", SCALES)
    threads = _threads()
    import torch  # takes two seconds, so only once the settings are known to be sound

    torch.set_num_threads(threads)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    theme()
    if "google.colab" in sys.modules:
        from google.colab import output

        output.enable_custom_widget_manager()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    session = Session(scale, device, seed, threads)
    versions = ", ".join(f"{name} {version(name)}" for name in ("reward-margins", "torch", "transformers"))
    print(f"scale {scale}, {device}, {threads} CPU thread{'s' * (threads > 1)}, seed {seed}; {versions}")
    return session


def _threads() -> int:
    given = os.environ.get("OMP_NUM_THREADS")
    if not given:
        return min(2, os.cpu_count() or 1)
    if not given.isdecimal() or int(given) < 1:
        raise ValueError(f"OMP_NUM_THREADS must be a whole number of at least 1, got {given!r}")
    return int(given)


@cache
def _llm(name: str | None, device: str) -> "LLM":
    from .llm.loading import load_llm

    return load_llm(name, device=device)
