"""Fixed embeddings under all tokens of a vocabulary: what a loss needs that sees the chosen answer's own probability.

A change D of the unembedding moves the logits of a prompt x by D x. The gap of its two answers is moved by two rows of
D; the log-probability of one of them by the normaliser besides, and so by all rows.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from ..checks import between, finite, holds, listed, shown

_BLOCK = 64  # prompts whose logits over the whole vocabulary are held at once


@dataclass(frozen=True, eq=False)
class Head:
    """The unembedding at the start: the logits of an embedding x are W_0 x + bias.

    Parameters
    ----------
    W_0 : (V, d).
    answers : the row of W_0 of every answer of the layout, by answer.
    bias : (V,), or None for 0. Embeddings from which a centre was taken need W_0 centre in it.
    floor : a token that is no answer, and whose probability exceeds this for no prompt at the start, keeps its logits.
        It would be moved by about its probability times what an answer is moved; 0 trains all V rows.

    Raises `ValueError` for arrays that do not fit or are not finite, rows beyond W_0, and a floor outside of 0 to 1.
    """

    W_0: Annotated[np.ndarray, "V d"]
    answers: Mapping[Hashable, int]
    bias: Annotated[np.ndarray, "V"] | None = None
    floor: float = 0.0

    def __post_init__(self) -> None:
        finite("W_0", self.W_0)
        W_0 = np.asarray(self.W_0)
        if W_0.ndim != 2 or 0 in W_0.shape:
            raise ValueError(f"W_0 must have shape (V, d), got {shown(self.W_0)}")
        bias = finite("bias", np.zeros(len(W_0)) if self.bias is None else self.bias)
        if bias.shape != (len(W_0),):
            raise ValueError(f"bias must have shape ({len(W_0)},), a number for each row of W_0, got {bias.shape}")
        holds("answers", self.answers, "keys items", "a dictionary of rows by answer")
        rows = listed("answers", self.answers.values(), "rows")
        if not all(isinstance(row, int | np.integer) and 0 <= row < len(W_0) for row in rows):
            raise ValueError(f"answers must be rows of W_0, from 0 to {len(W_0) - 1}, got {shown(rows)}")
        between("floor", self.floor, 0, 1)
        object.__setattr__(self, "W_0", W_0)
        object.__setattr__(self, "bias", bias)

    def rows(self, layout) -> np.ndarray:
        """The rows of W_0 of the layout's tokens, in their order; `ValueError` for one that is not in `answers`."""
        missing = [token for token in layout.tokens if token not in self.answers]
        if missing:
            raise ValueError(f"head must give the row of every answer, but has none for {shown(missing[0])}")
        return np.array([self.answers[token] for token in layout.tokens])


def last_layer_head(llm, preferences, *, centre: np.ndarray | None = None, floor: float = 0.0) -> Head:
    """The head of a language model for `train_last_layer`, whose embeddings are those of `embed` less `centre`.

    preferences : pairs that use all answers in play, of one token each.   centre : (d,), or None for 0.
    Raises `ValueError` for an answer of several tokens, a centre of another dimension, and a floor outside of 0 to 1.
    """
    holds("llm", llm, "model tokenizer unembedding token", "a model of load_llm")
    holds("preferences", preferences, "layout", "Preferences")
    W_0, bias = llm.unembedding(), getattr(llm.model.get_output_embeddings(), "bias", None)
    bias = np.zeros(len(W_0)) if bias is None else bias.detach().double().cpu().numpy()
    centre = np.zeros(W_0.shape[1]) if centre is None else finite("centre", centre)
    if centre.shape != (W_0.shape[1],):
        raise ValueError(f"centre must have shape ({W_0.shape[1]},), got {centre.shape}")
    answers = {token: llm.token(token) for token in preferences.layout.tokens}
    return Head(W_0, answers, bias + W_0 @ centre, floor)


class FullSoftmax:
    """Samples whose normaliser counts, at a change D (V', d) of the V' rows that may move.

    x : embeddings (N, d), in whose precision all is computed.   chosen, rejected : rows of their answers (N,).
    kept : the rows of `head` that may move, in order, all answers among them.
    """

    def __init__(self, x: np.ndarray, chosen: np.ndarray, rejected: np.ndarray, head: Head, kept: np.ndarray):
        self.x, self.N, self.dtype, self.shape = x, len(x), x.dtype, (len(kept), x.shape[1])
        self._chosen, self._rejected = np.searchsorted(kept, chosen), np.searchsorted(kept, rejected)
        self._start = np.empty((len(x), len(kept)), x.dtype)
        self._rest = np.full((len(x), 1), -np.inf, x.dtype)  # log of what the other tokens add up to
        others = np.setdiff1d(np.arange(len(head.W_0)), kept)
        for block, logits in logits_of(head, x):
            self._start[block] = logits[:, kept]
            if len(others):
                top = logits[:, others].max(axis=1, keepdims=True)
                self._rest[block] = top + np.log(np.exp(logits[:, others] - top).sum(axis=1, keepdims=True))
        self._reference = self._normaliser(self._start, self._rest)[0]

    def read(self, change: np.ndarray, part: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Gaps, and below them log pi - log pi_ref of the chosen answers, of some samples: (2, n)."""
        return self._look(change, part)[0]

    def step(self, change: np.ndarray, part: np.ndarray | None, push: Callable, by_sample: bool = True):
        """What `read` gives, and the gradient (V', d) for the slopes (2, n) that `push` makes of it."""
        part = slice(None) if part is None else part
        found, probabilities = self._look(change, part)
        x, (gaps, chosen) = self.x[part], push(found).astype(self.dtype, copy=False)
        counts = np.flatnonzero(chosen)  # the normaliser counts for these alone
        gradient = (probabilities[counts] * -chosen[counts, None]).T @ x[counts]
        np.add.at(gradient, self._chosen[part], (gaps + chosen)[:, None] * x)
        np.add.at(gradient, self._rejected[part], -gaps[:, None] * x)
        return found, gradient

    def _look(self, change: np.ndarray, part: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
        moved = self.x[part] @ change.T
        rows = np.arange(len(moved))
        chosen, rejected = moved[rows, self._chosen[part]], moved[rows, self._rejected[part]]
        normaliser, probabilities = self._normaliser(self._start[part] + moved, self._rest[part])
        return np.stack([chosen - rejected, chosen - (normaliser - self._reference[part])]), probabilities

    @staticmethod
    def _normaliser(logits: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log of the sum over all tokens (n,), and the probabilities (n, V')."""
        top = np.maximum(logits.max(axis=1, keepdims=True), rest)
        probabilities = np.exp(logits - top)
        total = probabilities.sum(axis=1, keepdims=True) + np.exp(rest - top)
        probabilities /= total
        return (top + np.log(total))[:, 0], probabilities


def rows_that_move(head: Head, answers: np.ndarray, *embeddings: np.ndarray) -> np.ndarray:
    """The rows of `answers`, and those of tokens more probable than the head's floor for one of the embeddings."""
    if head.floor == 0:
        return np.arange(len(head.W_0))
    likely = np.zeros(len(head.W_0), bool)
    likely[answers] = True
    for x in embeddings:
        for _, logits in logits_of(head, x):
            top = logits.max(axis=1, keepdims=True)
            total = top + np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
            likely |= (logits > total + np.log(head.floor)).any(axis=0)
    return np.flatnonzero(likely)


def logits_of(head: Head, x: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """The logits (n, V) of a block of embeddings after the other, in their precision: slices, and the logits."""
    W_0, bias = head.W_0.astype(x.dtype, copy=False), head.bias.astype(x.dtype, copy=False)
    for start in range(0, len(x), _BLOCK):
        block = slice(start, start + _BLOCK)
        yield block, x[block] @ W_0.T + bias
