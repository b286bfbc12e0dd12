"""Attention over a packed row in blocks: the same numbers as with the row's whole mask, without its square cost.

A block of neighbouring tokens attends to its ancestors only, and they are few: the common beginning and the block's
own prompts.  So each block takes the keys it needs, and all blocks go through one batched attention.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import torch
from transformers import AttentionInterface

NAME, BLOCK = "sdpa_over_packed_row", 64
_plan: ContextVar[tuple[torch.Tensor, torch.Tensor]] = ContextVar("keys and mask of the row in hand")


@contextmanager
def in_blocks(model: torch.nn.Module, plan: tuple[torch.Tensor, torch.Tensor]) -> Iterator[None]:
    """Let a model with sdpa attention attend in blocks, to the tokens that `plan`, from `blocks`, allows."""
    token, before = _plan.set(plan), model.config._attn_implementation
    model.config._attn_implementation = NAME
    try:
        yield
    finally:
        model.config._attn_implementation = before
        _plan.reset(token)


def blocks(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For blocks of rows of a (T, T) mask: the n S columns that each of the n needs, and its mask (n, 1, BLOCK, S)."""
    T = len(mask)
    n = -(-T // BLOCK)
    rows = [mask[i * BLOCK : (i + 1) * BLOCK] for i in range(n)]
    needed = [np.flatnonzero(row.any(0)) for row in rows]
    S = max(map(len, needed))
    keys, allowed = np.zeros((n, S), np.int64), np.zeros((n, 1, BLOCK, S), bool)
    for i, (row, columns) in enumerate(zip(rows, needed, strict=True)):
        keys[i, : len(columns)] = columns
        allowed[i, 0, : len(row), : len(columns)] = row[:, columns]
    allowed[-1, 0, len(rows[-1]) :, 0] = True  # rows that pad the last block: a softmax over nothing is not a number
    return keys.ravel(), allowed


def _attend(module, query, key, value, attention_mask, dropout=0.0, scaling=None, **_):
    """What transformers calls: query (1, heads, T, c), key and value (1, groups, T, c); returns (1, T, heads, c)."""
    keys, allowed = _plan.get()
    n, _, B, S = allowed.shape
    T, groups = query.shape[2], key.shape[1]
    query = torch.nn.functional.pad(query[0], (0, 0, 0, n * B - T))
    # The heads of a group share their keys: as more rows of queries, they need no copies of them.
    query = query.unflatten(1, (n, B)).unflatten(0, (groups, -1)).permute(2, 0, 1, 3, 4)
    found = torch.nn.functional.scaled_dot_product_attention(
        query.flatten(2, 3),
        key[0].index_select(1, keys).unflatten(1, (n, S)).transpose(0, 1),
        value[0].index_select(1, keys).unflatten(1, (n, S)).transpose(0, 1),
        attn_mask=allowed.repeat(1, 1, query.shape[2], 1),
        scale=scaling,
    )
    found = found.unflatten(2, (-1, B)).permute(0, 3, 1, 2, 4)  # (n, B, groups, heads of a group, c)
    return found.flatten(2, 3).flatten(0, 1)[None, :T], None


AttentionInterface.register(NAME, _attend)
