"""Embeddings on disk: one folder a model, a few shards of rows, each found by the digest of its prompt."""

import errno
import hashlib
import logging
import os
import zlib
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ..files import atomic_file, locked, sweep

_LOG = logging.getLogger(__name__)
_MOST_SHARDS = 16


def prompt_key(ids: list[int]) -> bytes:
    """16 bytes that stand for the token ids of a prompt."""
    return hashlib.sha256(np.asarray(ids, dtype="<i8").tobytes()).digest()[:16]


def read_rows(folder: Path) -> dict[bytes, np.ndarray]:
    """All stored embeddings, each (d,) float32, by `prompt_key`. A damaged shard is removed with its rows."""
    if not folder.exists():
        return {}
    with ExitStack() as held:
        with suppress(OSError):  # a folder that is read-only has no lock, and no writer to wait for
            held.enter_context(locked(folder / "rows"))
        return _read(folder)


def read_seconds(folder: Path) -> dict[bytes, float]:
    """Seconds that each stored embedding took when it was made, by `prompt_key`; 0 where that is not known."""
    seconds: dict[bytes, float] = {}
    for shard in sorted(folder.glob("*.safetensors")):
        with suppress(OSError, SafetensorError), safe_open(shard, "np") as file:
            keys = file.get_tensor("keys")
            took = file.get_tensor("seconds") if "seconds" in file.keys() else np.zeros(len(keys))
            seconds.update(zip((key.tobytes() for key in keys), took.tolist(), strict=True))
    return seconds


def add_rows(
    folder: Path, rows: Mapping[bytes, np.ndarray], seconds: Mapping[bytes, float] = MappingProxyType({})
) -> None:
    """Store embeddings as one more shard, whole or not at all; merges the shards when there are many.

    seconds : what each took, where that is known.
    A disk that is full or read-only costs the cache, not the result: it is logged and nothing is left.
    """
    if not rows:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / "rows"):
            sweep(folder)
            shards = sorted(folder.glob("*.safetensors"))
            if len(shards) < _MOST_SHARDS:
                _write(folder, rows, seconds)
                return
            merged = _write(folder, _read(folder) | dict(rows), read_seconds(folder) | dict(seconds))
            for shard in shards:
                if shard != merged:
                    shard.unlink()
    except (OSError, SafetensorError) as error:
        _say_once(folder, "the disk is full" if _full(error) else str(error))


@lru_cache
def _say_once(folder: Path, reason: str) -> None:
    _LOG.warning("the embeddings are not kept in %s: %s", folder, reason)


def _read(folder: Path) -> dict[bytes, np.ndarray]:
    rows: dict[bytes, np.ndarray] = {}
    for shard in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(shard, "np") as file:
                keys, values = file.get_tensor("keys"), file.get_tensor("rows")
                check = (file.metadata() or {}).get("crc32")
            if len(keys) != len(values) or check != _crc32(keys, values):
                raise ValueError("its checksum differs")
        except (OSError, ValueError, SafetensorError) as error:
            _LOG.warning(
                "the cached embeddings %s are damaged (%s) and are computed again", shard.name, error
            )
            with suppress(OSError):
                shard.unlink()
            continue
        rows.update(zip((key.tobytes() for key in keys), values, strict=True))
    return rows


def _write(folder: Path, rows: Mapping[bytes, np.ndarray], seconds: Mapping[bytes, float]) -> Path:
    keys = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(-1, 16)
    values = np.stack([np.asarray(row, dtype=np.float32) for row in rows.values()])
    took = np.array([seconds.get(key, 0) for key in rows], dtype=np.float32)
    shard = folder / f"{hashlib.sha256(keys.tobytes()).hexdigest()[:16]}.safetensors"
    with atomic_file(shard) as partial:
        save_file({"keys": keys, "rows": values, "seconds": took}, partial, metadata={"crc32": _crc32(keys, values)})
    return shard


def _crc32(keys: np.ndarray, values: np.ndarray) -> str:
    return str(zlib.crc32(np.ascontiguousarray(values), zlib.crc32(np.ascontiguousarray(keys))))


def _full(error: Exception) -> bool:
    return getattr(error, "errno", None) == errno.ENOSPC or os.strerror(errno.ENOSPC) in str(error)
