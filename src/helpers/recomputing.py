"""Activations that are cheap to make again are not kept between the passes forward and back.

Half of what a transformer block keeps for the backward pass comes from operations that only read and write memory:
norms, activation functions, products, rotations.  The matrix products and the attention between them are kept, so
making the rest again costs a few per cent of the time, where recomputing whole blocks costs a third.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import torch
from torch.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts

_ATEN = torch.ops.aten
# What dear operations give stays; one that is missing here is computed twice, and the result is the same.
KEPT = [
    _ATEN.mm.default,
    _ATEN.addmm.default,
    _ATEN.bmm.default,
    _ATEN.baddbmm.default,
    _ATEN._scaled_dot_product_flash_attention_for_cpu.default,
]


@contextmanager
def recomputed(blocks: Sequence[torch.nn.Module], context: Callable[[], AbstractContextManager]) -> Iterator[None]:
    """Let `blocks` keep only the results of `KEPT` in the forward pass inside, and make the others again going back.

    `context` makes the context that a block runs in: the backward pass comes when the one of the forward pass is over.
    The blocks must not draw random numbers (dropout is off in evaluation mode).
    """

    def lean(forward: Callable) -> Callable:
        def run(*args, **kwargs):
            with context():
                return forward(*args, **kwargs)

        return partial(
            checkpoint, run, use_reentrant=False, preserve_rng_state=False,
            context_fn=partial(create_selective_checkpoint_contexts, KEPT),
        )

    for block in blocks:
        block.forward = lean(block.forward)
    try:
        yield
    finally:
        for block in blocks:
            del block.forward
