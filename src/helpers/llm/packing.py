"""Many prompts in one row: every common beginning is computed once.

The hidden state of a token depends on the tokens before it and on nothing else.  So the sequences of a batch form a
tree of tokens (a trie): sequences that begin alike share the nodes of that beginning, and a sequence is a path from
the root.  The tree is laid out as one row; a token attends to its ancestors only, and its position is its depth.
Any Hugging Face causal model with ``sdpa`` or ``eager`` attention takes such a row as a 4-D attention mask with
position ids, and gives the hidden states that it would give for the sequences one by one, to rounding.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from .packed_attention import additive, in_blocks, plan
from .recompute import recomputed

# Activations cost a row's length; a GPU needs long rows to be busy.  On a CPU a batch of 32 prompts should be one row:
# gradients then need not be kept from one row to the next, and they weigh as much as the activations of 500 tokens.
ROW_TOKENS = {"cpu": 768, "cuda": 4096}


@dataclass(frozen=True)
class Packing:
    """Sequences as one row of T tokens.

    ``tokens``, ``positions`` and ``parents`` have shape (T,); a parent stands before its children, -1 marks a root.
    ``paths`` holds, for each sequence, the places of its tokens in the row.
    """

    tokens: np.ndarray
    positions: np.ndarray
    parents: np.ndarray
    paths: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        """T, the number of tokens in the row."""
        return len(self.tokens)

    def mask(self) -> np.ndarray:
        """(T, T) bool: row i is true at token i and at its ancestors."""
        mask = np.eye(len(self), dtype=bool)
        for i, parent in enumerate(self.parents):
            if parent >= 0:
                mask[i] |= mask[parent]
        return mask

    def take(self, sequences: Sequence[int]) -> tuple["Packing", np.ndarray]:
        """The row of some of the sequences, and the places (T',) of its tokens in this row."""
        paths = [self.paths[i] for i in sequences]
        places = np.unique(np.concatenate(paths))
        parents = self.parents[places]
        new_parents = np.where(parents < 0, -1, np.searchsorted(places, parents))
        new_paths = tuple(np.searchsorted(places, path) for path in paths)
        return Packing(self.tokens[places], self.positions[places], new_parents, new_paths), places


def pack(sequences: Sequence[Sequence[int]]) -> Packing:
    """Lay token sequences out as one row, each common beginning once.

    Parameters
    ----------
    sequences : lists of token ids, each of at least one token; equal ones share all their places.
    """
    tokens, positions, parents, paths = [], [], [], []
    known: dict[tuple[int, int], int] = {}
    for sequence in sequences:
        if len(sequence) == 0:
            raise ValueError("sequences must hold at least one token each, got an empty one")
        path, parent = [], -1
        for position, token in enumerate(sequence):
            place = known.setdefault((parent, int(token)), len(tokens))
            if place == len(tokens):
                tokens.append(int(token))
                positions.append(position)
                parents.append(parent)
            path.append(place)
            parent = place
        paths.append(np.array(path))
    return Packing(np.array(tokens), np.array(positions), np.array(parents), tuple(paths))


def rows(packing: Packing, groups: Sequence[Sequence[int]], limit: int) -> list[np.ndarray]:
    """Cut groups of sequences, each of which stays together, in their order into rows of at most `limit` tokens.

    Returns arrays of group numbers, as even in size as may be.  A group longer than `limit` gets a row to itself.
    """
    places = [np.unique(np.concatenate([packing.paths[i] for i in group])) for group in groups]
    count = max(1, -(-len(packing) // limit))
    while True:
        parts = np.array_split(np.arange(len(groups)), min(count, len(groups)))
        if all(len(part) <= 1 or len(np.unique(np.concatenate([places[i] for i in part]))) <= limit for part in parts):
            return parts
        count += 1


def hidden_states(model: torch.nn.Module, packing: Packing, lean: Sequence[torch.nn.Module] = ()) -> torch.Tensor:
    """Hidden states (T, d) of the row's tokens after the final norm, with gradients where they are switched on.

    `model` is a Hugging Face causal language model; ``lm_head(hidden_states)`` are its logits.  `lean` are blocks of
    it that are to keep less for the backward pass (`recomputed`).  Raises `ValueError` if the attention does not take
    a 4-D mask, or if a sequence is longer than its attention window.
    """
    attention = getattr(model.config, "_attn_implementation", "eager")
    if attention not in ("sdpa", "eager"):
        raise ValueError(f"attn_implementation of the model must be 'sdpa' or 'eager', got {attention!r}")
    longest = int(packing.positions.max()) + 1
    window = getattr(model.config, "sliding_window", None)
    if window is not None and longest > window:
        raise ValueError(f"sequences must fit the model's window of {window} tokens, the longest has {longest}")
    embedding = model.get_input_embeddings().weight
    allowed = packing.mask()
    mask = additive(allowed, embedding)  # since a bool mask is wrong in eager attention

    def place(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array)[None].to(embedding.device)

    attending = nullcontext
    if attention == "sdpa":
        attending = partial(in_blocks, model, plan(allowed, embedding))
    with attending(), recomputed(lean, attending):
        output = model.base_model(
            input_ids=place(packing.tokens),
            position_ids=place(packing.positions),
            attention_mask=mask[None, None],
            use_cache=False,
        )
    return output.last_hidden_state[0]


@torch.no_grad()
def check_packing(model: torch.nn.Module, sequences: Sequence[Sequence[int]]) -> None:
    """Raise `ValueError` unless `model` gives the sequences packed the logits that it gives them one by one."""
    packing = pack(sequences)
    hidden = hidden_states(model, packing)
    for path in packing.paths:
        tokens = torch.from_numpy(packing.tokens[path])[None].to(hidden.device)
        plain = model(input_ids=tokens).logits[0, -1]
        packed = model.get_output_embeddings()(hidden[path[-1]])
        # Re-ordered float32 sums differ by about 1e-6 of the largest logit; a mask that is ignored by much more.
        if not torch.allclose(packed, plain, rtol=0, atol=1e-3 * float(plain.abs().max())):
            off = float((packed - plain).abs().max())
            name = type(model).__name__
            raise ValueError(f"model must take packed rows, but the logits of {name} are off by {off:g}")
