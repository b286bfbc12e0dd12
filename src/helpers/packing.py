"""Many prompts in one row: every common beginning is computed once.

The hidden state of a token depends on the tokens before it and on nothing else.  So the sequences of a batch form a
tree of tokens (a trie): sequences that begin alike share the nodes of that beginning, and a sequence is a path from
the root.  The tree is laid out as one row; a token attends to its ancestors only, and its position is its depth.
Any Hugging Face causal model with ``sdpa`` or ``eager`` attention takes such a row as a 4-D attention mask with
position ids, and gives the hidden states that it would give for the sequences one by one, to rounding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

ROW_TOKENS = 1024  # attention over a row costs the square of its length: longer sets are cut into several rows


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


def rows(packing: Packing, groups: Sequence[Sequence[int]], limit: int = ROW_TOKENS) -> Iterator[range]:
    """Cut groups of sequences (which must stay together), in their order, into rows of at most `limit` tokens.

    Yields ranges of group numbers.  A group that is longer than `limit` alone gets a row to itself.
    """
    start, places = 0, set()
    for i, group in enumerate(groups):
        fresh = {int(place) for sequence in group for place in packing.paths[sequence]}
        if i > start and len(places | fresh) > limit:
            yield range(start, i)
            start, places = i, set()
        places |= fresh
    if start < len(groups):
        yield range(start, len(groups))


def hidden_states(model: torch.nn.Module, packing: Packing) -> torch.Tensor:
    """Hidden states (T, d) of the row's tokens after the final norm, with gradients where they are switched on.

    `model` is a Hugging Face causal language model; ``lm_head(hidden_states)`` are its logits.  Raises `ValueError`
    if its attention does not take a 4-D mask, or if a sequence is longer than its attention window.
    """
    attention = getattr(model.config, "_attn_implementation", "eager")
    if attention not in ("sdpa", "eager"):
        raise ValueError(f"attn_implementation of the model must be 'sdpa' or 'eager', got {attention!r}")
    longest = int(packing.positions.max()) + 1
    window = getattr(model.config, "sliding_window", None)
    if window is not None and longest > window:
        raise ValueError(f"sequences must fit the model's window of {window} tokens, the longest has {longest}")
    embedding = model.get_input_embeddings().weight
    allowed = torch.from_numpy(packing.mask()).to(embedding.device)
    mask = torch.zeros(allowed.shape, dtype=embedding.dtype, device=embedding.device)
    mask.masked_fill_(~allowed, torch.finfo(embedding.dtype).min)  # additive: a bool mask is wrong in eager attention

    def place(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array)[None].to(embedding.device)

    output = model.base_model(
        input_ids=place(packing.tokens),
        position_ids=place(packing.positions),
        attention_mask=mask[None, None],
        use_cache=False,
    )
    return output.last_hidden_state[0]
