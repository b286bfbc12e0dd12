"""The paper's Persona evaluations, from a folder or fetched at one pinned commit; pinned digests always checked."""

import hashlib
import http.client
import json
import os
import urllib.request
import warnings
from functools import cache
from importlib.resources import files
from numbers import Integral
from pathlib import Path

from ..checks import is_text, listed, one_line, one_of, path_of, shown
from ..files import atomic_file, cache_folder, locked, sweep

VARIABLE = "REWARD_MARGINS_PERSONA"
SITE = "https://raw.githubusercontent.com"


@cache
def persona_source() -> dict:
    """The committed table: `repository`, `commit`, `sha256` by behaviour, `paper_runs` (behaviours by K)."""
    return json.loads(files("helpers").joinpath("data/persona_sha256.json").read_text("utf-8"))


def persona_names(
    names: str | int | list[str] | tuple[str, ...], root: str | Path | None = None
) -> tuple[str, ...]:
    """Names of behaviours: one name, several names, or K in {1, 2, 4, 8, 16} for the paper's own choice.

    Raises ValueError for a name that is neither pinned nor, where there is a folder (see `persona_records`), the
    name of a file in it (with the nearest ones), a repeated name, or another K.
    """
    if isinstance(names, Integral):
        runs = {int(K): behaviours for K, behaviours in persona_source()["paper_runs"].items()}
        if isinstance(names, bool) or names not in runs:
            raise ValueError(f"K must be one of {', '.join(map(str, runs))} (the paper's runs), got {shown(names)}")
        names = runs[names]
    names = (names,) if isinstance(names, str) else tuple(listed("names", names, "behaviours"))
    for name in names:
        one_of("persona behaviour", name, _known(_folder(root)))
    if not names or len(set(names)) < len(names):
        raise ValueError(f"names must hold at least one behaviour and none twice, got {shown(names)}")
    return names


def persona_records(*names: str, root: str | Path | None = None) -> list[list[dict]]:
    """The records of behaviours, a list for each, as they stand in their files.

    Parameters
    ----------
    names : behaviours of `persona_source`, or of the folder.
    root : folder that holds ``NAME.jsonl``; else the folder named by the environment variable
        ``REWARD_MARGINS_PERSONA``; else the user's cache, filled from the pinned commit when needed.

    A file of the folder that `persona_source` does not know is read with a warning, one for all.

    Raises
    ------
    FileNotFoundError : the folder lacks the file.   ConnectionError : it could not be fetched.
    ValueError : an unknown name, a digest that is not the committed one, or a record that is none.
    OSError : it could not be kept in the cache.
    """
    names, folder = persona_names(names, root), _folder(root)
    foreign = [name for name in names if name not in persona_source()["sha256"]]
    if foreign:
        said = f"{', '.join(foreign)} of {folder}: read without a digest, so the data may not be the paper's"
        warnings.warn(said, stacklevel=2)
    return [_records(name, _from_cache(name) if folder is None else _from_folder(name, folder)) for name in names]


def _folder(root: str | Path | None) -> Path | None:
    root = os.environ.get(VARIABLE) or None if root is None else path_of("root", root)
    return None if root is None else Path(root)


def _known(folder: Path | None) -> list[str]:
    """The names that have a digest, and those of the folder's files."""
    known = list(persona_source()["sha256"])
    return known if folder is None else known + sorted({path.stem for path in folder.glob("*.jsonl")} - set(known))


def _records(name: str, data: bytes) -> list[dict]:
    found = []
    for line, text in enumerate(data.split(b"\n"), start=1):
        if not text.strip():
            continue
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{name}.jsonl, line {line}: not valid JSON ({one_line(error)})") from error
        fields = ("question", "answer_matching_behavior", "answer_not_matching_behavior")
        if not isinstance(record, dict) or not all(is_text(record.get(field)) for field in fields):
            raise ValueError(f"{name}.jsonl, line {line}: a record must have the texts {', '.join(fields)}")
        found.append(record)
    if not found:
        raise ValueError(f"{name}.jsonl holds no records")
    return found


def _from_folder(name: str, folder: Path) -> bytes:
    path = folder / f"{name}.jsonl"
    if not path.is_file():
        raise FileNotFoundError(f"the folder {folder} given for the persona data has no file {path.name}")
    data = path.read_bytes()
    if name in persona_source()["sha256"] and not _is_pinned(name, data):
        raise ValueError(f"{path} is not the file of the pinned commit: its SHA-256 digest differs")
    return data


def _from_cache(name: str) -> bytes:
    folder = cache_folder("persona", persona_source()["commit"][:12])
    path = folder / f"{name}.jsonl"
    # Before the lock too: a cache that is read-only holds whole files and no lock.
    if path.is_file() and _is_pinned(name, data := path.read_bytes()):
        return data
    with locked(path):
        if path.is_file() and _is_pinned(name, data := path.read_bytes()):
            return data
        # Absent, or damaged since it was written: fetch it (again).
        sweep(folder)
        data = _fetch(name)
        try:
            with atomic_file(path) as partial:
                partial.write_bytes(data)
        except OSError as error:
            raise OSError(f"{path} could not be written ({error.strerror}); nothing was kept") from error
    return data


def _fetch(name: str) -> bytes:
    source = persona_source()
    url = f"{SITE}/{source['repository']}/{source['commit']}/persona/{name}.jsonl"
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            data = answer.read()
    except (http.client.HTTPException, OSError) as error:  # URLError and time-outs are OSErrors
        reason = getattr(error, "reason", error)
        raise ConnectionError(
            f"{name}.jsonl could not be fetched from {url} ({reason}): connect to the network, "
            f"or put the files into a folder and name it in {VARIABLE}"
        ) from error
    if not _is_pinned(name, data):
        raise ValueError(f"{url} did not send the pinned file: its SHA-256 digest differs; nothing was kept")
    return data


def _is_pinned(name: str, data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == persona_source()["sha256"][name]
