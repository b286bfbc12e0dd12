"""Activations that are cheap to make again are not kept between the passes forward and back.

Most of what a transformer block keeps for the backward pass comes from operations that only read and write memory
(norms, activation functions, products, rotations) and from the attention, which is cheap over a packed row.  The
products with the weights are kept, so making the rest again costs about a tenth of a step, where recomputing whole
blocks costs a quarter.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import torch
from torch.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts

# What dear operations give stays; one that is missing here would be computed twice, with the same result.
KEPT = [torch.ops.aten.mm.default, torch.ops.aten.addmm.default]


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
