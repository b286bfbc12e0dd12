"""Files that are whole or absent: the user cache, atomic writes, locks between processes, digests."""

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import platformdirs

CACHE_VARIABLE = "REWARD_MARGINS_CACHE"
_PARTIAL = ".partial-"


class DamagedFile(OSError):
    """A file whose bytes are not the ones that were expected."""


def cache_path(*parts: str) -> Path:
    """Where the user cache is, or what is called `parts` below it, whether it exists or not.

    The cache is the platform's cache folder for "reward-margins"; the environment variable
    REWARD_MARGINS_CACHE names another one.
    """
    root = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("reward-margins", appauthor=False)
    return Path(root).expanduser().joinpath(*parts)


def cache_folder(*parts: str) -> Path:
    """`cache_path`, made if it is missing. OSError (one sentence) where it cannot be made."""
    folder = cache_path(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"the cache folder {folder} cannot be made ({error.strerror}); "
            f"set {CACHE_VARIABLE} to a folder that can be written"
        ) from error
    return folder


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; what is written there takes its place when the block ends well.

    After an error (a full disk, an interrupt) `path` is as it was before and the temporary file is gone.
    """
    path = Path(path)
    partial = _partial_name(path)
    try:
        yield partial
        _flush(partial)
        os.replace(partial, path)
        _flush_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def saved(path: str | Path) -> Iterator[Path]:
    """`atomic_file` for what a reader asked to be written: OSError with one sentence that names `path`."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        with atomic_file(path) as partial:
            yield partial
    except OSError as error:
        reason = f"{path} could not be written ({error.strerror or error}) and is as it was before"
        # Without a number Python would begin the sentence with "[Errno None]".
        raise (OSError(reason) if error.errno is None else OSError(error.errno, reason)) from error


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """As `atomic_file`, for a folder: yield an empty temporary folder that becomes `path`."""
    path = Path(path)
    partial, old = _partial_name(path), _partial_name(path)
    partial.mkdir()
    try:
        yield partial
        for file in partial.rglob("*"):
            if file.is_file():
                _flush(file)
        if path.exists():
            os.replace(path, old)  # a folder that is not empty cannot be replaced in one step
        os.replace(partial, path)
        _flush_folder(path.parent)
    finally:
        if old.exists() and not path.exists():
            os.replace(old, path)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def sweep(folder: str | Path) -> None:
    """Remove temporary files that a killed process left in `folder`. Call it only while holding its lock."""
    for left in Path(folder).glob(f".*{_PARTIAL}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


@contextmanager
def locked(path: str | Path, *, timeout: float = -1) -> Iterator[None]:
    """Hold the lock of `path` against other processes and threads; it goes when the holder ends or dies.

    `timeout` in seconds, -1 waits for ever; TimeoutError (one sentence) when it has passed.
    """
    lock = filelock.FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=timeout)
    except filelock.Timeout:
        raise TimeoutError(f"another process has held {path} for more than {timeout:g} seconds") from None
    try:
        yield
    finally:
        lock.release()


def sha256(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: str | Path, digest: str) -> None:
    """Raise `DamagedFile` (one sentence) unless the file at `path` has this SHA-256."""
    found = sha256(path)
    if found != digest:
        raise DamagedFile(f"{Path(path).name} must have SHA-256 {digest}, got {found}")


def _partial_name(path: Path) -> Path:
    return path.with_name(f".{path.name}{_PARTIAL}{uuid.uuid4().hex[:12]}")


def _flush(path: Path) -> None:
    # Without this a power cut after the rename may leave a file of the right name with no content.
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    if os.name == "posix":  # elsewhere a folder cannot be opened
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
