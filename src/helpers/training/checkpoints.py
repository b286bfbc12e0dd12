"""Checkpoints of a fine-tuning run: one safetensors file, written whole, that belongs to one set of settings."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..files import locked, saved
from ..llm.fingerprint import digest_of
from .runs import as_json

MOMENTS = ("exp_avg", "exp_avg_sq")


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep the checkpoint for this process, and remove what an interrupted write left.

    `TimeoutError` if another process holds it, `OSError` if its folder cannot be made or it is a folder itself.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        reason = f"checkpoint must be a file that can be written, got {str(path)!r} ({error.strerror})"
        raise OSError(error.errno, reason) from error
    with locked(path, timeout=0):
        for part in path.parent.glob(f".{path.name}.partial-*"):
            part.unlink(missing_ok=True)
        yield


def save_checkpoint(path: Path, settings: dict, weights: dict, optimizer, history: dict[str, np.ndarray]) -> None:
    """Write weights and their Adam moments by name, the arrays of `history`, and a checksum of them all.

    Raises `OSError` (one sentence) where the file cannot be written; one that was there stays as it was.
    """
    tensors = {f"history/{name}": torch.from_numpy(array) for name, array in history.items()}
    for name, weight in weights.items():
        tensors[f"weight/{name}"] = weight.detach()
        for moment in MOMENTS:
            tensors[f"{moment}/{name}"] = optimizer.state[weight][moment]
    about = as_json(settings)
    digest = digest_of(sorted(tensors.items()), about)
    with saved(path) as part:
        try:
            save_file(tensors, part, metadata={"settings": about, "digest": digest})
        except SafetensorError as error:  # its way to say that the disk is full
            raise OSError(str(error)) from error


def load_checkpoint(path: Path, settings: dict, weights: dict, optimizer) -> dict[str, np.ndarray]:
    """Put weights and Adam moments back in place, and return the history.

    Raises `ValueError` for a file that is damaged or belongs to a run with other settings; then nothing is changed.
    """
    stored = _settings(path)
    other = {name: stored.get(name) for name in settings if stored.get(name) != settings[name]}
    if other:
        wanted = {name: settings[name] for name in other}
        raise ValueError(f"checkpoint must belong to this run, but {str(path)!r} has {other}, not {wanted}")
    with safe_open(path, framework="pt") as file, torch.no_grad():
        history = {name.removeprefix("history/"): file.get_tensor(name).numpy()
                   for name in file.keys() if name.startswith("history/")}
        steps = torch.tensor(float(len(history["batch_losses"])))
        for name, weight in weights.items():
            weight.copy_(file.get_tensor(f"weight/{name}"))
            moments = {m: file.get_tensor(f"{m}/{name}").to(weight.device) for m in MOMENTS}
            optimizer.state[weight] = {"step": steps.clone().to(weight.device), **moments}
    return history


def _settings(path: Path) -> dict:
    """The settings of a checkpoint whose every byte is as it was written; `ValueError` for another file."""
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata()["settings"]
            found = digest_of(((name, file.get_tensor(name)) for name in sorted(file.keys())), about)
            if found != file.metadata()["digest"]:
                raise ValueError("its checksum differs")
            return json.loads(about)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"checkpoint must be a file written by fine_tune, got {str(path)!r} ({error})") from error
