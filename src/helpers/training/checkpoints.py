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
    """Write weights and their Adam moments by name, and the arrays of `history`."""
    tensors = {f"history/{name}": torch.from_numpy(array) for name, array in history.items()}
    for name, weight in weights.items():
        tensors[f"weight/{name}"] = weight.detach()
        for moment in MOMENTS:
            tensors[f"{moment}/{name}"] = optimizer.state[weight][moment]
    with saved(path) as part:
        try:
            save_file(tensors, part, metadata={"settings": as_json(settings)})
        except SafetensorError as error:  # its way to say that the disk is full
            raise OSError(str(error)) from error


def load_checkpoint(path: Path, settings: dict, weights: dict, optimizer) -> dict[str, np.ndarray]:
    """Put weights and Adam moments back in place, and return the history.

    Raises `ValueError` for a file that is damaged or belongs to a run with other settings.
    """
    try:
        with safe_open(path, framework="pt") as file:
            stored = json.loads((file.metadata() or {}).get("settings", "{}"))
            other = {name: stored.get(name) for name in settings if stored.get(name) != settings[name]}
            if other:
                wanted = {name: settings[name] for name in other}
                raise ValueError(f"checkpoint must belong to this run, but {str(path)!r} has {other}, not {wanted}")
            history = {name.removeprefix("history/"): file.get_tensor(name).numpy()
                       for name in file.keys() if name.startswith("history/")}
            steps = torch.tensor(float(len(history["batch_losses"])))
            with torch.no_grad():
                for name, weight in weights.items():
                    weight.copy_(file.get_tensor(f"weight/{name}"))
                    moments = {m: file.get_tensor(f"{m}/{name}").to(weight.device) for m in MOMENTS}
                    optimizer.state[weight] = {"step": steps.clone().to(weight.device), **moments}
    except (SafetensorError, json.JSONDecodeError, KeyError) as error:
        raise ValueError(f"checkpoint must be a file written by fine_tune, got {str(path)!r} ({error})") from error
    return history
