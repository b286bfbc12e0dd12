"""The start of a notebook: scale, seeds, device, threads and theme, in one place; and the numbers that it says."""

import os
import random
import re
import string
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
_SAID: dict[str, list] = {}  # what `say` recorded since `start`, by name


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


def start(seed: int = 0, *, scale: str | None = None) -> Session:
    """Begin a notebook: seed everything, set the figures' theme, choose device and threads, print one line.

    Parameters
    ----------
    seed : given to random, NumPy and torch.
    scale : "tiny", "book" or "full"; None takes the environment variable SCALE, else "book".

    The environment variable OMP_NUM_THREADS gives the number of CPU threads (default at most 2). In Colab,
    interactive figures are switched on. What `say` recorded before is forgotten.

    Raises ValueError for a negative seed, an unknown scale, or an OMP_NUM_THREADS that is not a whole number.
    """
    seed = int(between("seed", at_least("seed", seed, 0), 0, 2**32 - 1))  # what NumPy's seed takes
    if scale is None:
        scale = one_of("SCALE", os.environ.get("SCALE") or "book", SCALES)
    scale = one_of("scale", scale, SCALES)
    threads = _threads()
    import torch  # takes two seconds, so only once the settings are known to be sound

    _SAID.clear()
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


def say(sentence: str, **numbers: Any) -> None:
    """Print a sentence with its numbers, and record each number by its name for the tests of the prose.

    A name that is said again, as in a loop, collects its values in a list. A number may be recorded without
    being shown.

    Parameters
    ----------
    sentence : with fields as in `str.format`, such as "margins stray by {stray:.3f}".
    numbers : numbers, texts, NumPy arrays or tensors, or lists and dictionaries of them, by name.

    Raises ValueError (one sentence) for a field that is not given, a format that does not fit its number, and
    a value that is none of these. Nothing is printed or recorded then.
    """
    if not isinstance(sentence, str):
        raise ValueError(f"sentence must be a text with fields such as {{stray:.3f}}, got {shown(sentence)}")
    plain = {name: _plain(name, value) for name, value in numbers.items()}
    try:
        fields = [re.split(r"[.\[]", field)[0] for _, field, _, _ in string.Formatter().parse(sentence)
                  if field is not None]
        missing = [field for field in fields if field not in numbers]
        if missing:
            raise ValueError(f"the field {{{missing[0]}}} is not given; given are {', '.join(numbers) or 'none'}")
        text = sentence.format(**numbers)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as problem:
        raise ValueError(f"sentence must fit its numbers, got {sentence!r}: {problem}") from None
    for name, value in plain.items():
        _SAID.setdefault(name, []).append(value)
    print(text)


def said() -> dict[str, list]:
    """Every value that `say` recorded since `start`, by name, each name with the list of its values."""
    return {name: list(values) for name, values in _SAID.items()}


def _plain(name: str, value: Any) -> Any:
    """A value as JSON has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(name, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(name, inner) for inner in value]
    if hasattr(value, "tolist"):  # an array, a number of NumPy, a tensor
        return _plain(name, value.tolist())
    raise ValueError(f"{name} must be a number, a text or an array of them, got {shown(value)}")


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
