"""Float32 matrix products through oneDNN, on processors where that is faster and as exact as torch's own choice."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
import torch

# Torch's name for leaving the way to oneDNN: it may round to bfloat16, and on most processors it does not.
_FREE = "bf16"


@contextmanager
def faster_products(device: torch.device) -> Iterator[None]:
    """Send float32 products on a CPU through oneDNN inside, if they stay as exact; what is set already stays.

    With AVX-512 and without matrix units that is about twice as fast.
    """
    switch = getattr(torch.backends.mkldnn, "matmul", None)  # torch before 2.9 has none
    before = getattr(switch, "fp32_precision", None)
    if device.type != "cpu" or before != "none" or not _as_exact():
        yield
        return
    switch.fp32_precision = _FREE
    try:
        yield
    finally:
        switch.fp32_precision = before


@lru_cache
def _as_exact() -> bool:
    """Whether products of a training step's shapes are off by no more through oneDNN than by torch's own choice.

    Not whether they are faster now: that depends on the machine's other work, and a run that goes on from a
    checkpoint must have the products it began with.
    """
    if not torch.backends.mkldnn.is_available():
        return False
    own, switch = _errors(), torch.backends.mkldnn.matmul
    before = switch.fp32_precision
    switch.fp32_precision = _FREE
    try:
        # Another order of the same sums moves the largest error by a factor of order 1, bfloat16 by a thousand.
        return bool((_errors() < 8 * own).all())
    finally:
        switch.fp32_precision = before


def _errors() -> np.ndarray:
    """Largest error, in units of the largest entry, of the products forward and back of a layer of 576 x 1536."""
    rng = np.random.default_rng(0)
    x, g, w = (torch.from_numpy(rng.standard_normal(shape)) for shape in ((640, 576), (640, 1536), (1536, 576)))
    found = []
    for a, b in ((x, w.T), (g, w), (g.T, x)):
        exact = a @ b
        found.append(float((a.float() @ b.float() - exact).abs().max() / exact.abs().max()))
    return np.array(found)
