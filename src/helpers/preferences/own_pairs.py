"""A reader's own file of preference pairs."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

from ..checks import is_text, one_of, path_of, shown
from .pairs import SIDES, Preferences

TEXTS = ("prompt", "chosen", "rejected")


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
