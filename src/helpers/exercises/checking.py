"""Instant checks of the exercises: `check("03.2", answer)` says "Right." or the first thing that is off."""

import sys
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from ..checks import one_of
from .marking import NOT_ANSWERED, Exercise, Verdict, is_unanswered


def check(name: str, answer: Any, *given: Any) -> None:
    """Say whether the answer to an exercise is right, and if not in which way it is off.

    Parameters
    ----------
    name : the exercise's number, as "03.2".
    answer : a number, an array, an option or a function, as the exercise asks; ``...`` means no answer yet.
    given : objects of the chapter that the right answer depends on, where the exercise says so.

    In a notebook, a stub's output carries in its metadata what the book's page needs to judge without a kernel.

    Raises ValueError, with the nearest names, for an unknown exercise, and where `given` does not fit; never because
    of the answer.
    """
    found = verdict(name, answer, *given)
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or found.text != NOT_ANSWERED:
        print(found.text)
    else:
        form = {"name": name} | answers(name)[name].form(*given) | ({"run": True} if given else {})
        shell.display_pub.publish({"text/plain": found.text}, {"exercise": form})


def verdict(name: str, answer: Any, *given: Any, table: Mapping[str, Exercise] | None = None) -> Verdict:
    """What `check` prints, as a value: whether the answer is right, and the sentence; `table` is for tests.

    Errors as for `check`.
    """
    table = answers(name) if table is None else table
    one_of("exercise", name, table)
    if is_unanswered(answer):
        return Verdict(False, NOT_ANSWERED)
    return table[name].judge(answer, *given)


def chapters() -> tuple[str, ...]:
    """The numbers of the chapters that have exercises, as "03"."""
    package = import_module(__package__)
    names = (module.name for module in iter_modules(package.__path__))
    return tuple(sorted(name.removeprefix("chapter_") for name in names if name.startswith("chapter_")))


def answers(name: str) -> Mapping[str, Exercise]:
    """The right answers of the chapter that the exercise `name` belongs to; of all chapters, where there is none."""
    chapter = name.split(".")[0] if isinstance(name, str) else ""
    known = chapters()
    wanted = (chapter,) if chapter in known else known
    found: dict[str, Exercise] = {}
    for number in wanted:
        found |= import_module(f"{__package__}.chapter_{number}").ANSWERS
    return found
