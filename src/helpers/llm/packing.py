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

import numpy as np
import torch

from ..checks import one_line
from .model import rounding
from .packed_attention import additive, in_blocks, plan

# Activations cost a row's length; a GPU needs long rows to be busy.  On a CPU a batch of 32 prompts should be one row:
# gradients then need not be kept from one row to the next, and they weigh as much as the activations of 500 tokens.
ROW_TOKENS = {"cpu": 768, "cuda": 4096}
_CHECKED = 8  # sequences of a row that are also read one by one


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

    Raises `ValueError` for an empty sequence.
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


def hidden_states(model: torch.nn.Module, packing: Packing) -> torch.Tensor:
    """Hidden states (T, d) of the row's tokens after the final norm, with gradients where they are switched on.

    `model` is a Hugging Face causal language model; ``lm_head(hidden_states)`` are its logits.  Raises `ValueError` if
    the attention does not take a 4-D mask, or if a sequence is longer than its attention window.
    """
    attention = _check_attention(model, packing)
    embedding = model.get_input_embeddings().weight
    allowed = packing.mask()
    mask = additive(allowed, embedding)  # since a bool mask is wrong in eager attention

    def place(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array)[None].to(embedding.device)

    with in_blocks(model, plan(allowed, embedding)) if attention == "sdpa" else nullcontext():
        output = model.base_model(
            input_ids=place(packing.tokens),
            position_ids=place(packing.positions),
            attention_mask=mask[None, None],
            use_cache=False,
        )
    return output.last_hidden_state[0]


def _check_attention(model: torch.nn.Module, packing: Packing) -> str:
    """The name of the attention of `model`; `ValueError` where no mask of `packing` can be right for it."""
    attention = getattr(model.config, "_attn_implementation", "eager")
    if attention not in ("sdpa", "eager"):
        raise ValueError(f"attn_implementation of the model must be 'sdpa' or 'eager', got {attention!r}")
    longest = int(packing.positions.max()) + 1
    window = getattr(model.config, "sliding_window", None)
    if window and longest > window:  # some configs say 0 for none
        raise ValueError(f"sequences must fit the model's window of {window} tokens, the longest has {longest}")
    return attention


def check_packing(model: torch.nn.Module, packing: Packing) -> None:
    """Raise `ValueError` (one sentence) unless `model` gives sequences of a row the logits it gives them one by one.

    The row is as full as rows get, and its last sequence is among those that are compared: a model that looks back
    over a number of places, or hands a state from each place to the next, errs only behind other sequences.
    """
    ends = np.maximum.accumulate([path[-1] for path in packing.paths])
    weight = model.get_input_embeddings().weight
    row, _ = packing.take(np.flatnonzero(ends < max(ROW_TOKENS[weight.device.type], ends[0] + 1)))
    path_to = {path[-1]: path for path in row.paths}
    picked = np.linspace(0, len(path_to) - 1, min(_CHECKED, len(path_to))).astype(int)
    paths = [path_to[end] for end in np.array(sorted(path_to))[picked]]
    _check_attention(model, row)
    wanted = f"model must take packed rows, but {type(model).__name__}"
    try:
        packed, plain = _logits(model, row, paths)
    except Exception as error:  # whatever a model raises that knows no masks or positions of its caller's
        raise ValueError(f"{wanted} fails on them ({one_line(error)})") from error
    off = float((packed - plain).abs().max() / plain.abs().max())
    if not off <= rounding(weight.dtype):
        raise ValueError(f"{wanted} gives logits on them that are off by {off:.2g} of the largest")


@torch.no_grad()
def _logits(model: torch.nn.Module, row: Packing, paths: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Float32 logits behind sequences of the row, (n, V) each: packed, and one by one."""
    hidden = hidden_states(model, row)
    packed = model.get_output_embeddings()(torch.stack([hidden[path[-1]] for path in paths]))
    alone = [torch.from_numpy(row.tokens[path])[None].to(hidden.device) for path in paths]
    plain = torch.stack([model(input_ids=tokens, use_cache=False).logits[0, -1] for tokens in alone])
    return packed.float(), plain.float()
