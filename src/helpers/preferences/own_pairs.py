"""A reader's own file of preference pairs."""

import re
from numbers import Real
from pathlib import Path
from typing import Any

from ..checks import is_text, path_of, shown
from .formats import NEEDED, TEXTS, rows
from .pairs import SIDES, Preferences


def read_pairs(path: str | Path) -> Preferences:
    """A reader's own pairs: JSON Lines (.jsonl, .ndjson), JSON (.json), CSV with a header, or Parquet.

    Fields: `prompt`, `chosen`, `rejected`; where wanted `value` (else the file's name without its ending) and `side`
    ("aligned" or "misaligned", also 1 or -1). The three are texts, taken as they are: a leading space counts; or, as
    TRL has them, lists of messages, of which the prompt must be one of the user's and an answer one of the
    assistant's. Where there is no `prompt`, it is what both answers begin with.

    Where `side` is missing it follows from the answers: the first row of a value counts as aligned, a row with the
    same two answers swapped as misaligned, any other row as aligned. So ordinary pairs are all on one side.

    Raises ValueError, naming file and row, for a malformed row, and for a file without pairs; ImportError for a
    Parquet file without pyarrow.
    """
    path = path_of("path", path)
    names, first, found = {}, {}, []
    for place, row in rows(path):
        at = f"{path}, {place}"
        prompt, chosen, rejected = _texts(row, at)
        name = path.stem if row.get("value") in (None, "") else row["value"]  # 0, false and [] are no names
        if not is_text(name) or not name.strip():
            raise ValueError(f"{at}: value must be a text, got {shown(name)}")
        side = _side(row.get("side"), at) or (-1 if (rejected, chosen) == first.get(name) else 1)
        first.setdefault(name, (chosen, rejected)[::side])
        found.append((prompt, chosen, rejected, names.setdefault(name, len(names)), side))
    if not found:
        raise ValueError(f"{path} holds no pairs: a row needs {', '.join(TEXTS)}")
    return Preferences(*zip(*found, strict=True), tuple(names))


def _side(given: Any, at: str) -> int | None:
    if given is None or isinstance(given, str) and not given.strip():
        return None
    whole = isinstance(given, Real) and not isinstance(given, bool) and given in (1, -1)
    side = SIDES.get(given.strip().lower() if isinstance(given, str) else str(int(given)) if whole else None)
    if side is None:
        raise ValueError(f"{at}: side must be 'aligned', 'misaligned', 1 or -1, got {shown(given)}")
    return side


def _texts(row: dict[str, Any], at: str) -> list[str]:
    """Prompt, chosen and rejected as texts."""
    for field in TEXTS if "prompt" in row else NEEDED:
        value = row.get(field)
        if isinstance(value, list):
            if not value or not all(map(_is_message, value)):
                raise ValueError(f"{at}: {field} must be a text, or messages with role and content, got {shown(value)}")
        elif not is_text(value) or not value.strip():
            raise ValueError(f"{at}: {field} must be a text that is not empty, got {shown(value)}")
    chosen, rejected = row["chosen"], row["rejected"]
    if chosen == rejected:
        raise ValueError(f"{at}: chosen and rejected must differ, both are {shown(chosen)}")
    if isinstance(chosen, list) != isinstance(rejected, list):
        raise ValueError(f"{at}: chosen and rejected must both be texts or both be messages")
    prompt = row["prompt"] if "prompt" in row else _beginning(chosen, rejected)
    if "prompt" not in row:
        if not prompt:
            raise ValueError(f"{at}: prompt is missing, and chosen and rejected do not begin alike")
        chosen, rejected = chosen[len(prompt):], rejected[len(prompt):]
        if not chosen or not rejected:
            raise ValueError(f"{at}: prompt is missing, and one answer is no more than what both begin with")
    return [_one(field, messages, at) for field, messages in zip(TEXTS, (prompt, chosen, rejected), strict=True)]


def _beginning(chosen: str | list, rejected: str | list) -> str | list:
    """What both begin with: messages, or whole words, since the space before a word belongs to the answer."""
    differ = (n for n, (a, b) in enumerate(zip(chosen, rejected, strict=False)) if a != b)
    common = chosen[: next(differ, min(len(chosen), len(rejected)))]
    return common if isinstance(common, list) else common[: len(common) - len(re.search(r"(\s?\S*)$", common)[0])]


def _one(field: str, messages: str | list, at: str) -> str:
    """The text itself, or that of the one message of the role that the field must have."""
    if isinstance(messages, str):
        return messages
    role = "user" if field == "prompt" else "assistant"
    if [message["role"] for message in messages] != [role]:
        roles = ", ".join(message["role"] for message in messages)
        raise ValueError(f"{at}: {field} must be one message of the role {role}, got {shown(roles)}")
    return messages[0]["content"]


def _is_message(value: Any) -> bool:
    texts = isinstance(value, dict) and all(is_text(value.get(field)) for field in ("role", "content"))
    return texts and bool(value["content"].strip())
