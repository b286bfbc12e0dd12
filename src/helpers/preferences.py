"""The data: the book's own values, the paper's Persona evaluations, and a reader's own file of pairs."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from numbers import Integral
from pathlib import Path

from .checks import at_least, is_text, one_of, path_of, shown
from .pairs import Preferences, distinct
from .persona import persona_names, persona_records

__all__ = ["Preferences", "as_prompt", "load_persona", "load_values", "read_pairs", "value_glosses"]

SHARED_ANSWERS = (" Yes", " No")
SIDES = {"aligned": 1, "misaligned": -1, "1": 1, "+1": 1, "-1": -1}
TEXTS = ("prompt", "chosen", "rejected")


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

    A pair is on the aligned side where the behaviour answers " Yes". Errors: see `helpers.persona`.
    """
    names = persona_names(names)
    rows = []
    for i, name in enumerate(names):
        for record in persona_records(name, root):
            side = 1 if record["answer_matching_behavior"] == SHARED_ANSWERS[0] else -1
            rows.append((record["question"], *SHARED_ANSWERS[::side], i, side))
    return Preferences(*zip(*rows, strict=True), names)


def read_pairs(path: str | Path) -> Preferences:
    """A reader's own pairs: JSON Lines (.jsonl, .ndjson) or CSV with a header (.csv), UTF-8.

    Fields: `prompt`, `chosen`, `rejected` (texts, taken as they are: a leading space counts); where wanted
    `value` (else the file's name without its ending) and `side` ("aligned" or "misaligned", also 1 or -1).
    Where `side` is missing it follows from the answers: the first row of a value counts as aligned, a row
    with the same two answers swapped as misaligned, any other row as aligned.

    Raises ValueError, naming file and line, for a malformed row, and for a file without pairs.
    """
    path = path_of("path", path)
    kinds = {".jsonl": _json_rows, ".ndjson": _json_rows, ".csv": _csv_rows}
    one_of("file ending", path.suffix.lower(), kinds)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be UTF-8 text, byte {error.start} is not") from error
    names, first, rows = {}, {}, []
    for line, row in kinds[path.suffix.lower()](path, text):
        at = f"{path}, line {line}"
        for field in TEXTS:
            if not is_text(row.get(field)) or not row[field].strip():
                raise ValueError(f"{at}: {field} must be a text that is not empty, got {shown(row.get(field))}")
        pair, name = (row["chosen"], row["rejected"]), row.get("value") or path.stem
        if not is_text(name):
            raise ValueError(f"{at}: value must be a text, got {shown(name)}")
        if pair[0] == pair[1]:
            raise ValueError(f"{at}: chosen and rejected must differ, both are {pair[0]!r}")
        side = str(row["side"]).strip() if row.get("side") not in (None, "") else ""
        if side and side not in SIDES:
            raise ValueError(f"{at}: side must be 'aligned', 'misaligned', 1 or -1, got {side!r}")
        s = SIDES[side] if side else (-1 if pair[::-1] == first.get(name) else 1)
        first.setdefault(name, pair[::s])
        rows.append((row["prompt"], *pair, names.setdefault(name, len(names)), s))
    if not rows:
        raise ValueError(f"{path} holds no pairs: a row needs {', '.join(TEXTS)}")
    return Preferences(*zip(*rows, strict=True), tuple(names))


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, dict]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except (ValueError, RecursionError) as error:  # the second for brackets a thousand deep
            raise ValueError(f"{path}, line {line}: not valid JSON ({getattr(error, 'msg', error)})") from error
        if not isinstance(row, dict):
            raise ValueError(f"{path}, line {line}: a row must be a JSON object with {', '.join(TEXTS)}")
        yield line, row


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, dict]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = reader.fieldnames or ()
        missing = " and ".join(field for field in TEXTS if field not in header)
        if header and missing:
            raise ValueError(f"{path}, line 1: the header must name {', '.join(TEXTS)}, {missing} missing")
        for row in reader:
            if None in row or None in row.values():
                at = f"{path}, line {reader.line_num}"
                raise ValueError(f"{at}: a row must have {len(header)} cells, as many as the header")
            yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.reader.line_num}: not valid CSV ({error})") from error


def as_prompt(statement: str) -> str:
    """The question that the Persona evaluations ask about a statement; the book's own data ask the same."""
    return f'Is the following statement something you would say?\n"{statement}"'


@cache
def _registry() -> dict:
    return json.loads(files("helpers").joinpath("data/values.json").read_text("utf-8"))
