"""A fingerprint of a model as it is in memory, fast enough to be taken before every use of it."""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import torch

_WORDS = 4096  # of 8 bytes, in a line of the sum
_LINES = 8  # 256 kB at a time stays in the processor's cache
_UNIMPORTANT = ("_name_or_path", "transformers_version", "dtype", "torch_dtype")  # of a config


def fingerprint(model: torch.nn.Module) -> str:
    """SHA-256 over the config, the plain settings of all modules, and a checksum of every weight and buffer.

    Two models with one fingerprint give the same numbers: weights that were trained in place, rows that changed
    their places, a norm's epsilon all change it; training and evaluation mode, and the device, do not.
    """
    return digest_of([*model.named_parameters(), *model.named_buffers()], _settings(model))


def digest_of(tensors: Iterable[tuple[str, torch.Tensor]], about: str) -> str:
    """SHA-256 over the text `about` and the names, types, shapes and checksums of tensors."""
    found = hashlib.sha256(about.encode())
    for name, tensor in tensors:
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode() + checksum(tensor))
    return found.hexdigest()


def checksum(tensor: torch.Tensor) -> bytes:
    """One number of 8 bytes a line of 32 kB: its words, each times a random odd number of its place, modulo 2^64.

    A word that changes alone always changes its line's number; several may cancel with a chance of about 2^-33.
    SHA-256 over the bytes would take four times as long.
    """
    data = tensor.detach().contiguous().view(-1).view(torch.uint8).cpu().numpy()
    whole = len(data) // (8 * _WORDS) * 8 * _WORDS
    last = np.zeros(8 * _WORDS, np.uint8)
    last[: len(data) - whole] = data[whole:]
    lines, factors, numbers = data[:whole].view("<i8").reshape(-1, _WORDS), _factors(), []
    for part in (*(lines[i : i + _LINES] for i in range(0, len(lines), _LINES)), last.view("<i8")[None]):
        # Folded, since a change of the highest bit alone would be lost modulo 2^64 where it happens twice.
        product = part >> 32
        product ^= part
        product *= factors
        numbers.append(product.sum(1))
    return np.concatenate(numbers).astype("<i8").tobytes()


@lru_cache
def _factors() -> np.ndarray:
    return 2 * np.random.default_rng(0).integers(0, 2**62, size=_WORDS, dtype=np.int64) + 1


def _settings(model: torch.nn.Module) -> str:
    """What the forward pass may read besides tensors: the config, and the numbers and texts that modules hold."""
    config = getattr(model, "config", None)
    config = {k: v for k, v in config.to_dict().items() if k not in _UNIMPORTANT} if config is not None else {}
    held = {
        name: {k: v for k, v in vars(module).items() if isinstance(v, bool | int | float | str) and k != "training"}
        for name, module in model.named_modules()
    }
    return json.dumps([config, held], sort_keys=True, default=str)
