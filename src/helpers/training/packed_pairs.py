"""What a loss reads of packed preference pairs, from hidden states at the few positions that matter.

That is log p(chosen) - log p(rejected) of a pair, its gap, and for pairs packed `whole` log p(chosen) besides.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..llm.packing import ROW_TOKENS, Packing, hidden_states, pack, rows


@dataclass(frozen=True)
class PackedPairs:
    """N preference pairs in one row: each prompt once, the two answers as branches after it.

    The last token of an answer needs no forward pass, so a pair of one-token answers costs its prompt alone.
    ``terms`` holds one (n, 4) whole-number array a pair, a line for every answer token that counts: its place (the
    position that predicts it), the token, the sign (+1 chosen, -1 rejected), and whether the normaliser counts.
    ``whole``: whether the terms are those of whole answers, not only those that do not cancel in the gap.
    """

    packing: Packing
    terms: tuple[np.ndarray, ...]
    whole: bool = False

    def __len__(self) -> int:
        """N, the number of pairs."""
        return len(self.terms)

    @property
    def normalised(self) -> bool:
        """Whether any term needs the normaliser, a sum over the whole vocabulary.  False for one-token answers."""
        return any(terms[:, 3].any() for terms in self.terms)

    def tokens(self) -> np.ndarray:
        """The distinct token ids of prompts and answers, in order."""
        return np.unique(np.concatenate([self.packing.tokens, *(term[:, 1] for term in self.terms)]))

    def renumbered(self, tokens: np.ndarray) -> "PackedPairs":
        """The same pairs with each token id replaced by its place in the sorted array `tokens`."""
        terms = [term.copy() for term in self.terms]
        for term in terms:
            term[:, 1] = np.searchsorted(tokens, term[:, 1])
        packing = replace(self.packing, tokens=np.searchsorted(tokens, self.packing.tokens))
        return replace(self, packing=packing, terms=tuple(terms))

    def take(self, pairs: Sequence[int]) -> tuple["PackedPairs", np.ndarray]:
        """Some of the pairs, and the places of their tokens in this row."""
        packing, places = self.packing.take([sequence for i in pairs for sequence in (2 * i, 2 * i + 1)])
        terms = [self.terms[i].copy() for i in pairs]
        for term in terms:
            term[:, 0] = np.searchsorted(places, term[:, 0])
        return replace(self, packing=packing, terms=tuple(terms)), places

    def rows(self, device: torch.device) -> Iterator[tuple[np.ndarray, "PackedPairs", np.ndarray]]:
        """The pairs cut into rows of a length that suits the device: pair numbers, the row, its places in this row."""
        for part in rows(self.packing, [(2 * i, 2 * i + 1) for i in range(len(self))], ROW_TOKENS[device.type]):
            yield part, *self.take(part)


def pack_pairs(prompts: Sequence, chosen: Sequence, rejected: Sequence, *, whole: bool = False) -> PackedPairs:
    """Pack N prompts with their answers, all as lists of token ids.

    Tokens that both answers begin with have probability ratio 1 and drop out.  At the first token where the answers
    differ both are read from the same position, so the normaliser cancels; after it, it does not.  For `whole` pairs,
    whose log p(chosen) is to be read, nothing is left out.
    Raises `ValueError` for an empty answer or a pair of equal answers.
    """
    sequences, terms = [], []
    for prompt, *answers in zip(prompts, chosen, rejected, strict=True):
        if not all(answers) or answers[0] == answers[1]:
            raise ValueError(f"chosen and rejected must be two different answers of at least one token, got {answers}")
        sequences += [[*prompt, *answer[:-1]] for answer in answers]
        shared = 0 if whole else len(os.path.commonprefix(answers))
        cancels = not whole and all(len(answer) > shared for answer in answers)
        terms.append([
            (len(prompt) + t - 1, side, answer[t], not (cancels and t == shared))
            for side, answer in zip((1, -1), answers, strict=True)
            for t in range(shared, len(answer))
        ])
    packing = pack(sequences)
    placed = [
        np.array([(packing.paths[2 * i + (side < 0)][t], token, side, normalised)
                  for t, side, token, normalised in lines])
        for i, lines in enumerate(terms)
    ]
    return PackedPairs(packing, tuple(placed), whole)


def policy_gaps(hidden: torch.Tensor, pairs: PackedPairs, head: torch.Tensor, bias: torch.Tensor | None = None):
    """log p(chosen) - log p(rejected) of each pair, shape (N,); arguments as for `policy_readings`."""
    return policy_readings(hidden, pairs, head, bias)[0]


def policy_readings(hidden: torch.Tensor, pairs: PackedPairs, head: torch.Tensor, bias: torch.Tensor | None = None):
    """Gap log p(chosen) - log p(rejected) of each pair, and below it log p(chosen) for `whole` pairs: (1 or 2, N).

    hidden : states (T, d) of the row.
    head : (V, d) rows of the unembedding, indexed by the pairs' tokens; bias : (V,) or None.
    Only the answers' rows are read, unless an answer goes on after the tokens differ: there the true log-softmax is
    needed, at that position alone.
    """
    terms = torch.from_numpy(np.concatenate(pairs.terms)).to(hidden.device)
    owner = torch.from_numpy(np.repeat(np.arange(len(pairs)), [len(term) for term in pairs.terms])).to(hidden.device)
    place, token, sign, normalised = terms.unbind(1)
    state = hidden[place].to(head.dtype)
    score = (state * head[token]).sum(1)
    if bias is not None:
        score = score + bias[token]
    if pairs.normalised:
        counts = normalised.nonzero()[:, 0]
        normaliser = torch.logsumexp(torch.nn.functional.linear(state[counts], head, bias), 1)
        score = score.index_add(0, counts, normaliser, alpha=-1)
    none = torch.zeros(len(pairs), dtype=head.dtype, device=head.device)
    parts = [sign, (sign > 0).to(sign)] if pairs.whole else [sign]
    return torch.stack([none.index_add(0, owner, part * score) for part in parts])


def evaluate_gaps(model: torch.nn.Module, pairs: PackedPairs) -> np.ndarray:
    """Policy gaps (N,) under a Hugging Face causal model, in its own precision, without gradients."""
    return evaluate(model, pairs)[0]


@torch.no_grad()
def evaluate(model: torch.nn.Module, pairs: PackedPairs) -> np.ndarray:
    """`policy_readings` (1 or 2, N) under a Hugging Face causal model, in its own precision, without gradients."""
    head = model.get_output_embeddings()
    found = np.empty((1 + pairs.whole, len(pairs)), np.float32)
    for part, row, _ in pairs.rows(head.weight.device):
        hidden = hidden_states(model, row.packing)
        found[:, part] = policy_readings(hidden, row, head.weight, head.bias).cpu().numpy()
    return found
