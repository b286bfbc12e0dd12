"""The data: the book's own values, and the paper's Persona evaluations as preference pairs."""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from numbers import Integral
from pathlib import Path

from ..checks import at_least, one_of, shown
from .pairs import SHARED_ANSWERS, SIDES, Preferences, distinct
from .persona import persona_names, persona_records


def value_glosses() -> dict[str, str]:
    """What each of the 16 values of the book's own data means, by name, in a few words."""
    return {name: entry["gloss"] for name, entry in _registry().items()}


def load_values(names: str | int | Sequence[str] | None = None, answers: str = "own") -> Preferences:
    """The book's own data: 64 statements a side for each of 16 human values (see the data card).

    Parameters
    ----------
    names : all 16 (None), one name, several names, or a number K for the first K values, at most 16.
    answers : "own", each value its own two answers (all tokens distinct), or "shared", " Yes"/" No" for all.

    Returns
    -------
    Preferences with 128 pairs a value, ordered by value, then aligned before misaligned.

    Raises ValueError for an unknown name (with the nearest), a repeated one, a K below 1 or above 16, other answers.
    """
    one_of("answers", answers, ("own", "shared"))
    known = tuple(_registry())
    if isinstance(names, Integral):
        if at_least("K", names, 1) > len(known):
            raise ValueError(f"K must be at most {len(known)}, the number of values in the data, got {names}")
        names = known[:names]
    names = distinct(known if names is None else names, known)
    rows = []
    for i, name in enumerate(names):
        text = files("helpers").joinpath(f"data/values/{name}.jsonl").read_text("utf-8")
        pair = SHARED_ANSWERS if answers == "shared" else tuple(_registry()[name]["answers"])
        for record in map(json.loads, text.splitlines()):
            side = SIDES[record["side"]]
            rows.append((as_prompt(record["statement"]), *pair[::side], i, side))
    return Preferences(*zip(*rows, strict=True), names)


def load_persona(names: str | int | Sequence[str], root: str | Path | None = None) -> Preferences:
    """The paper's data: Persona evaluations (Perez et al. 2022), answers " Yes" and " No" for every value.

    Parameters
    ----------
    names : one behaviour, several, or K in {1, 2, 4, 8, 16} for those of the paper's run with K values.
    root : folder of the files; else that of the variable REWARD_MARGINS_PERSONA; else they are fetched once.

    A pair is on the aligned side where the behaviour answers " Yes". A folder may hold behaviours of one's own.
    Errors: see `persona_records`; ValueError too where a record's answers are not " Yes" and " No".
    """
    names = persona_names(names, root)
    rows = []
    for i, records in enumerate(persona_records(*names, root=root)):
        for n, record in enumerate(records, start=1):
            answers = record["answer_matching_behavior"], record["answer_not_matching_behavior"]
            if set(answers) != set(SHARED_ANSWERS):
                raise ValueError(f"record {n} of {names[i]} must be answered by ' Yes' and ' No', got {shown(answers)}")
            side = 1 if answers == SHARED_ANSWERS else -1
            rows.append((record["question"], *SHARED_ANSWERS[::side], i, side))
    return Preferences(*zip(*rows, strict=True), names)


def as_prompt(statement: str) -> str:
    """The question that the Persona evaluations ask about a statement; the book's own data ask the same."""
    return f'Is the following statement something you would say?\n"{statement}"'


@cache
def _registry() -> dict:
    return json.loads(files("helpers").joinpath("data/values.json").read_text("utf-8"))
