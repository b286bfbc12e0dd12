"""Parts of a causal language model: its blocks, a frozen trunk whose output is kept, the embedding rows in play."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from ..checks import at_least


def all_blocks(model: torch.nn.Module) -> list:
    """The model's transformer blocks in order; none if they are not found."""
    depth = model.config.num_hidden_layers
    found = [m for m in model.base_model.children() if isinstance(m, torch.nn.ModuleList) and len(m) == depth]
    return list(found[0]) if len(found) == 1 else []


def top_blocks(model: torch.nn.Module, count: int) -> tuple[list, list]:
    """The model's transformer blocks in order: those below the last `count`, and the last `count`.

    Raises `ValueError` where the blocks are not found, and for a count below 1 or above their number.
    """
    found, depth = all_blocks(model), model.config.num_hidden_layers
    if not found:
        raise ValueError(f"blocks must be None for {type(model).__name__}, whose list of {depth} blocks is not found")
    if at_least("blocks", count, 1) > depth:
        raise ValueError(f"blocks must be at most {depth}, the blocks of the model, got {count}")
    return found[: depth - count], found[depth - count :]


class FrozenTrunk:
    """What the last of the frozen lower blocks gives for every token of a long row, kept so that it is made once."""

    def __init__(self, lower: list, tokens: int) -> None:
        self.lower, self.tokens = lower, tokens
        self.states: torch.Tensor | None = None  # (tokens, d), or (tokens, streams, d)
        self.rest: tuple | None = None  # where blocks return a tuple: as many None as there is behind the states

    @contextmanager
    def record(self, places: np.ndarray) -> Iterator[None]:
        """Keep the output of the forward pass inside, for its tokens, which stand at `places` of the long row."""

        def keep(block, args, output) -> None:
            self.rest = (None,) * (len(output) - 1) if isinstance(output, tuple) else None
            states = (output if self.rest is None else output[0])[0].detach()
            if self.states is None:
                self.states = states.new_zeros(self.tokens, *states.shape[1:])
            self.states[places] = states

        hook = self.lower[-1].register_forward_hook(keep)
        try:
            yield
        finally:
            hook.remove()

    @contextmanager
    def replay(self, places: np.ndarray) -> Iterator[None]:
        """Let the lower blocks give what was kept in place of computing it."""
        states = self.states[places][None]
        output = states if self.rest is None else (states, *self.rest)
        for block in self.lower:
            block.forward = lambda *args, **kwargs: output
        try:
            yield
        finally:
            for block in self.lower:
                del block.forward


@contextmanager
def rows_in_play(model: torch.nn.Module, tokens: np.ndarray) -> Iterator[None]:
    """Let the input embedding and the head hold the rows of `tokens` alone, in that order.

    Rows of other tokens get no gradient, so leaving them out changes nothing and saves their gradient and moments.
    After it the full matrices are back, with these rows as they were left.
    """
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    full = {(m, name): p for m in (embedding, head) for name, p in m.named_parameters(recurse=False)}
    small = {p: torch.nn.Parameter(p.detach()[tokens]) for p in full.values()}  # tied matrices stay tied
    padding = getattr(embedding, "padding_idx", None)
    try:
        for (module, name), p in full.items():
            setattr(module, name, small[p])
        if padding is not None:
            place = np.flatnonzero(tokens == padding)
            embedding.padding_idx = int(place[0]) if len(place) else None
        yield
    finally:
        for (module, name), p in full.items():
            setattr(module, name, p)
            p.data[tokens] = small[p].detach()
        if padding is not None:
            embedding.padding_idx = padding
