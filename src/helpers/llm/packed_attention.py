"""Attention over a packed row in blocks: the same numbers as with the row's whole mask, without its square cost.

A block of neighbouring tokens attends to its ancestors only, and they are few: the common beginning and the block's
own prompts.  So each block takes the keys it needs, and all blocks go through one batched product.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import torch
from transformers import AttentionInterface

NAME, BLOCK = "packed_row", 24
_plan: ContextVar[tuple[torch.Tensor, torch.Tensor]] = ContextVar("keys and mask of the row in hand")


@contextmanager
def in_blocks(model: torch.nn.Module, plan: tuple[torch.Tensor, torch.Tensor]) -> Iterator[None]:
    """Let a model with sdpa attention attend in blocks, to the tokens that a `plan` allows."""
    token, before = _plan.set(plan), model.config._attn_implementation
    model.config._attn_implementation = NAME
    try:
        yield
    finally:
        model.config._attn_implementation = before
        _plan.reset(token)


def additive(allowed: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    """The mask as numbers to add to scores, of the type and on the device of `like`: zero where it is true.

    Finite, so that the softmax of a row that is all false, as padding is, stays a number.
    """
    mask = torch.zeros(allowed.shape, dtype=like.dtype, device=like.device)
    return mask.masked_fill_(torch.from_numpy(~allowed).to(like.device), torch.finfo(like.dtype).min)


def plan(allowed: np.ndarray, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`blocks` of a (T, T) mask as `in_blocks` takes them."""
    keys, allowed = blocks(allowed)
    return torch.from_numpy(keys).to(like.device), additive(allowed, like)


def blocks(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For blocks of rows of a (T, T) mask: the n S columns that each of the n needs, and its mask (n, BLOCK, S)."""
    T = len(mask)
    n = -(-T // BLOCK)
    rows = [mask[i * BLOCK : (i + 1) * BLOCK] for i in range(n)]
    needed = [np.flatnonzero(row.any(0)) for row in rows]
    S = max(map(len, needed))
    keys, allowed = np.zeros((n, S), np.int64), np.zeros((n, BLOCK, S), bool)
    for i, (row, columns) in enumerate(zip(rows, needed, strict=True)):
        keys[i, : len(columns)] = columns
        allowed[i, : len(row), : len(columns)] = row[:, columns]
    return keys.ravel(), allowed


def _attend(module, query, key, value, attention_mask, dropout=0.0, scaling=None, **_):
    """What transformers calls: query (1, heads, T, c), key and value (1, groups, T, c); returns (1, T, heads, c)."""
    keys, mask = _plan.get()
    n, B, S = mask.shape
    T, groups, c = query.shape[2], key.shape[1], query.shape[3]
    query = torch.nn.functional.pad(query[0] * (scaling or c**-0.5), (0, 0, 0, n * B - T))
    # The heads of a group share their keys: as more rows of queries, they need no copies of them.
    query = query.unflatten(1, (n, B)).unflatten(0, (groups, -1)).permute(2, 0, 1, 3, 4).flatten(2, 3)
    key, value = (x[0].index_select(1, keys).unflatten(1, (n, S)).transpose(0, 1) for x in (key, value))
    scores = (query @ key.transpose(2, 3)).unflatten(2, (-1, B)) + mask[:, None, None]
    weights = scores.softmax(-1, dtype=torch.float32).to(value.dtype)
    found = (weights.flatten(2, 3) @ value).unflatten(2, (-1, B)).permute(0, 3, 1, 2, 4)
    # From (n, B, groups, heads of a group, c); some models view it in another shape.
    return found.flatten(2, 3).flatten(0, 1)[None, :T].contiguous(), None


AttentionInterface.register(NAME, _attend)
