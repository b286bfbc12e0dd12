"""The files that hold a reader's own pairs, as rows: JSON Lines, JSON, CSV, Parquet."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..checks import one_line, one_of

TEXTS = ("prompt", "chosen", "rejected")
NEEDED = ("chosen", "rejected")  # the prompt may stand in both of them
Rows = Iterator[tuple[str, dict[str, Any]]]


def rows(path: Path) -> Rows:
    """Each row of a file with its place, such as "line 3"; ValueError, naming the place, where it is malformed."""
    return FORMATS[one_of("file ending", path.suffix.lower(), FORMATS)](path)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be UTF-8 text, byte {error.start} is not") from error


def _json_lines(path: Path) -> Rows:
    for line, content in enumerate(_text(path).split("\n"), start=1):
        if content.strip():
            yield f"line {line}", _object(_parsed(f"{path}, line {line}", content), f"{path}, line {line}")


def _json(path: Path) -> Rows:
    text = _text(path)
    found = _parsed(str(path), text) if text.strip() else []
    if not isinstance(found, list):
        raise ValueError(f"{path} must hold a list of JSON objects with {', '.join(TEXTS)}; one a line is .jsonl")
    for n, row in enumerate(found, start=1):
        yield f"row {n}", _object(row, f"{path}, row {n}")


def _parsed(at: str, text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands twice")
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:  # the second for brackets a thousand deep
        raise ValueError(f"{at}: not valid JSON ({getattr(error, 'msg', error)})") from error


def _object(row: Any, at: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ValueError(f"{at}: a row must be a JSON object with {', '.join(TEXTS)}")
    if not set(NEEDED) <= set(row):
        _named(row, at)
    return row


def _csv(path: Path) -> Rows:
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = reader.fieldnames or ()
        if header:
            _named(header, f"{path}, line 1")
        for row in reader:
            if None in row or None in row.values():
                at = f"{path}, line {reader.line_num}"
                raise ValueError(f"{at}: a row must have {len(header)} cells, as many as the header")
            yield f"line {reader.line_num}", row
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.reader.line_num}: not valid CSV ({error})") from error


def _parquet(path: Path) -> Rows:
    import pandas

    with path.open("rb") as file:
        try:
            table = pandas.read_parquet(file)
        except ImportError as error:
            raise ImportError("a Parquet file needs pyarrow: pip install pyarrow, or write .jsonl") from error
        except Exception as error:  # pyarrow has errors of its own kinds
            raise ValueError(f"{path} must be a Parquet file ({one_line(error)})") from error
    _named(tuple(map(str, table.columns)), str(path))
    for n, row in enumerate(table.to_dict("records"), start=1):
        yield f"row {n}", {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """A cell without NumPy: lists for arrays, None for what is missing."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return None if value != value else value


def _named(names, at: str) -> None:
    """Raise ValueError unless the names of fields hold those needed, none twice; say what they look like instead."""
    names = [str(name) for name in names]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"{at}: {twice[0]!r} stands twice")
    missing = " and ".join(field for field in NEEDED if field not in names)
    if not missing:
        return
    hint = ""
    meant = [name for name in names if name.strip().lower() in TEXTS and name not in TEXTS]
    apart = [mark for mark in (";", "\t", "|") if len(names) == 1 and mark in names[0]]
    if apart:
        hint = f"; its cells must be parted by commas, not by {apart[0]!r}"
    elif meant:
        hint = f"; write {meant[0]!r} as {meant[0].strip().lower()!r}"
    raise ValueError(f"{at}: the fields must be {', '.join(TEXTS)}, {missing} missing{hint}")


FORMATS: dict[str, Callable[[Path], Rows]] = {
    ".jsonl": _json_lines, ".ndjson": _json_lines, ".json": _json, ".csv": _csv, ".parquet": _parquet
}
