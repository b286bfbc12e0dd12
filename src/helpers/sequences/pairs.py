"""Pairs of answers of many tokens: at every position the hidden state that predicts the token, and the token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..checks import at_least

Answer = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class SequencePairs:
    """N pairs of answers as one list of T positions; the answers of a pair may differ in length.

    states : hidden states g (T, d).   tokens : the token that stands there (T,).
    pair : number of the pair, 0..N-1 (T,).   sign : +1 in the chosen answer, -1 in the rejected one (T,).

    Positions of one answer stand in its order. Raises `ValueError` for arrays that do not fit, states that are not
    finite, and a pair without a chosen or a rejected token.
    """

    states: np.ndarray
    tokens: np.ndarray
    pair: np.ndarray
    sign: np.ndarray

    def __post_init__(self) -> None:
        T = len(finite_states("states", self.states))
        for name in ("tokens", "pair"):
            whole_numbers(name, getattr(self, name), T)
        if np.shape(self.sign) != (T,) or not np.isin(self.sign, (1, -1)).all():
            raise ValueError(f"sign must hold {T} numbers 1 or -1, got {self.sign!r}")
        lacking = np.argwhere(self.lengths == 0)
        if len(lacking):
            pair, answer = lacking[0]
            raise ValueError(f"pair must have both answers, got no {('chosen', 'rejected')[answer]} one for {pair}")

    @classmethod
    def from_answers(cls, chosen: Sequence[Answer], rejected: Sequence[Answer]) -> Self:
        """From N chosen and N rejected answers, each its states (L, d) and its tokens (L,)."""
        if len(chosen) != len(rejected) or not len(chosen):
            raise ValueError(f"chosen and rejected must be equally many, got {len(chosen)} and {len(rejected)}")
        answers = [answer for both in zip(chosen, rejected, strict=True) for answer in both]
        for states, tokens in answers:
            whole_numbers("tokens of an answer", tokens, len(finite_states("states of an answer", states)))
        lengths = [len(tokens) for _, tokens in answers]
        number = np.repeat(np.arange(len(answers)), lengths)
        states, tokens = (np.concatenate(parts) for parts in zip(*answers, strict=True))
        return cls(states, tokens, number // 2, 1 - 2 * (number % 2))

    def __len__(self) -> int:
        """N, the number of pairs."""
        return int(self.pair.max()) + 1

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of the chosen and of the rejected answer, shape (N, 2)."""
        return self.sums(np.ones(len(self.tokens))).astype(int)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums of `values` (T,) over the positions of each chosen and each rejected answer, shape (N, 2)."""
        slot = 2 * self.pair + (self.sign < 0)
        return np.bincount(slot, weights=values, minlength=2 * len(self)).reshape(-1, 2)

    @property
    def position(self) -> np.ndarray:
        """Place of each token in its answer, from 0, shape (T,)."""
        slot = 2 * self.pair + (self.sign < 0)
        order, place = np.argsort(slot, kind="stable"), np.empty(len(slot), dtype=int)
        starts = np.cumsum(self.lengths.ravel()) - self.lengths.ravel()
        place[order] = np.arange(len(slot)) - np.repeat(starts, self.lengths.ravel())
        return place

    def first(self, length: int) -> Self:
        """The same pairs, every answer cut after `length` tokens."""
        return self._keep(self.position < at_least("length", length, 1), self.pair)

    def take(self, pairs: Sequence[int]) -> Self:
        """Some of the pairs, each once, numbered in the order of `pairs`."""
        new = np.full(len(self), -1)
        new[np.asarray(pairs)] = np.arange(len(pairs))
        return self._keep(new[self.pair] >= 0, new[self.pair])

    def _keep(self, kept: np.ndarray, pair: np.ndarray) -> Self:
        return type(self)(self.states[kept], self.tokens[kept], pair[kept], self.sign[kept])


def finite_states(name: str, states: np.ndarray) -> np.ndarray:
    """`states` as an array of shape (T, d) that is finite, else `ValueError` that names it."""
    states = np.asarray(states)
    if states.ndim != 2 or 0 in states.shape or not np.isfinite(states).all():
        raise ValueError(f"{name} must be finite, of shape (T, d) with T at least 1, got {states.shape}")
    return states


def whole_numbers(name: str, numbers: np.ndarray, T: int) -> np.ndarray:
    """`numbers` as T whole numbers of at least 0, else `ValueError` that names them."""
    numbers = np.asarray(numbers)
    if numbers.shape != (T,) or not np.issubdtype(numbers.dtype, np.integer) or numbers.min() < 0:
        raise ValueError(f"{name} must hold {T} whole numbers of at least 0, got {numbers!r}")
    return numbers
