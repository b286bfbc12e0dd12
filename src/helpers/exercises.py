"""Instant checks of the exercises: `check("03.2", answer)` says "Right." or the first thing that is off."""

from collections.abc import Mapping
from typing import Any

from .answers import ANSWERS
from .checks import one_of
from .marking import NOT_ANSWERED, Exercise, Verdict, is_unanswered


def check(name: str, answer: Any, *given: Any) -> None:
    """Say whether the answer to an exercise is right.

    Parameters
    ----------
    name : the exercise's number, as "03.2".
    answer : a number, an array, an option or a function, as the exercise asks; ``...`` means no answer yet.
    given : objects of the chapter that the right answer depends on, where the exercise says so.

    Raises ValueError, with the nearest names, for an unknown exercise; never because of the answer.
    """
    print(verdict(name, answer, *given).text)


def verdict(name: str, answer: Any, *given: Any, table: Mapping[str, Exercise] | None = None) -> Verdict:
    """What `check` prints, as a value: whether the answer is right, and the sentence; `table` is for tests."""
    table = ANSWERS if table is None else table
    one_of("exercise", name, table)
    if is_unanswered(answer):
        return Verdict(False, NOT_ANSWERED)
    return table[name].judge(answer, *given)
