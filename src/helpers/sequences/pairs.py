"""Pairs of answers of many tokens: at every position the hidden state that predicts the token, and the token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..checks import at_least, finite, integers, listed, numbers, shown

Answer = tuple[np.ndarray, np.ndarray]
LARGEST = 1e50  # entry of a state or an unembedding: products of them are numbers
MOST_TOKENS = 2**31 - 1


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
        T = len(finite_table("states", self.states))
        for name, most in (("tokens", MOST_TOKENS), ("pair", T)):
            whole_numbers(name, getattr(self, name), T, most)
        if np.shape(numbers("sign", self.sign)) != (T,) or not np.isin(self.sign, (1, -1)).all():
            raise ValueError(f"sign must hold {T} numbers 1 or -1, got {shown(self.sign)}")
        for name in ("states", "tokens", "pair", "sign"):
            object.__setattr__(self, name, np.asarray(getattr(self, name)))
        lacking = np.argwhere(self.lengths == 0)
        if len(lacking):
            pair, answer = lacking[0]
            raise ValueError(f"pair must have both answers, got no {('chosen', 'rejected')[answer]} one for {pair}")

    @classmethod
    def from_answers(cls, chosen: Sequence[Answer], rejected: Sequence[Answer]) -> Self:
        """From N chosen and N rejected answers, each its states (L, d) and its tokens (L,).

        Raises `ValueError` for answers that are no such pairs, whose arrays do not fit, or that are not equally many.
        """
        chosen, rejected = listed("chosen", chosen, "answers"), listed("rejected", rejected, "answers")
        if len(chosen) != len(rejected) or not len(chosen):
            raise ValueError(f"chosen and rejected must be equally many, got {len(chosen)} and {len(rejected)}")
        answers = [answer for both in zip(chosen, rejected, strict=True) for answer in both]
        for answer in answers:
            if not isinstance(answer, tuple | list) or len(answer) != 2:
                raise ValueError(f"an answer must be a pair (states, tokens), got {shown(answer)}")
            whole_numbers("tokens of an answer", answer[1], len(finite_table("states of an answer", answer[0])))
        widths = sorted({np.shape(states)[1] for states, _ in answers})
        if len(widths) > 1:
            raise ValueError(f"states of all answers must have one dimension, got {widths}")
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
        """Sums of `values` (T,) over the positions of each chosen and each rejected answer, shape (N, 2).

        Raises `ValueError` for values that are not T numbers.
        """
        values = numbers("values", values)
        if values.shape != self.pair.shape:
            raise ValueError(f"values must be {len(self.pair)} numbers, one a position, got {shown(values)}")
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
        """The same pairs, every answer cut after `length` tokens. Raises `ValueError` for a length below 1."""
        return self._keep(self.position < at_least("length", length, 1), self.pair)

    def take(self, pairs: Sequence[int]) -> Self:
        """Some of the pairs, each once, numbered in the order of `pairs`.

        Raises `ValueError` for no pair, a number that is no pair's, and one that comes twice.
        """
        pairs, new = integers("pairs", pairs, 0, len(self) - 1), np.full(len(self), -1)
        if not len(pairs) or len(set(pairs.tolist())) < len(pairs):
            raise ValueError(f"pairs must name at least one pair, each once, got {shown(pairs)}")
        new[pairs] = np.arange(len(pairs))
        return self._keep(new[self.pair] >= 0, new[self.pair])

    def _keep(self, kept: np.ndarray, pair: np.ndarray) -> Self:
        return type(self)(self.states[kept], self.tokens[kept], pair[kept], self.sign[kept])


def finite_table(name: str, given: np.ndarray, shape: str = "(T, d)") -> np.ndarray:
    """`given` as a finite array of rows in its own precision, else `ValueError` that names it and its shape."""
    finite(name, given, LARGEST)
    given = np.asarray(given)
    if given.ndim != 2 or 0 in given.shape:
        raise ValueError(f"{name} must be finite, of shape {shape} with at least one row, got {given.shape}")
    return given


def whole_numbers(name: str, given: np.ndarray, T: int, most: int = MOST_TOKENS) -> np.ndarray:
    """`given` as T whole numbers from 0 to `most`, else `ValueError` that names them."""
    numbers(name, given)
    found = np.asarray(given)
    if found.shape != (T,) or not np.issubdtype(found.dtype, np.integer) or found.min() < 0:
        raise ValueError(f"{name} must hold {T} whole numbers of at least 0, got {shown(found)}")
    if found.max() > most:
        raise ValueError(f"{name} must hold {T} whole numbers from 0 to {most}, got {found.max()} in it")
    return found
