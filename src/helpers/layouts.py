"""Token layouts: which two tokens each value answers with, and what sharing them costs."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from typing import Annotated

import numpy as np

from .checks import at_least, listed, shown

MOST_VALUES = 20_000  # of the makers: a Gram matrix of 3 GB


@dataclass(frozen=True)
class TokenLayout:
    """The answer tokens of K values.

    Parameters
    ----------
    pairs : K pairs (a, b) of distinct hashable tokens. On the aligned side of value i the answer a is
        preferred to b, on the misaligned side b to a.

    Raises
    ------
    ValueError : no pair, an entry that is not a pair, or a pair of equal tokens.

    Arrays are read-only. With u_i = e_a - e_b, the Gram matrix is scaled to a unit diagonal.
    """

    pairs: tuple[tuple[Hashable, Hashable], ...]

    def __post_init__(self) -> None:
        pairs = listed("pairs", self.pairs, "pairs of tokens")
        if not pairs:
            raise ValueError(f"pairs must hold at least one pair of tokens, got {self.pairs!r}")
        for pair in pairs:
            # A string of two letters would unpack into a pair without a sound, and a set in any order.
            two = isinstance(pair, tuple | list | np.ndarray) and getattr(pair, "ndim", 1) == 1 and len(pair) == 2
            if two and not all(isinstance(token, Hashable) for token in pair):
                raise ValueError(f"pairs must hold hashable tokens such as strings or numbers, got {shown(pair)}")
            if not two or pair[0] == pair[1]:
                raise ValueError(f"pairs must hold pairs (a, b) of two distinct tokens, got {shown(pair)}")
        object.__setattr__(self, "pairs", tuple((a, b) for a, b in pairs))

    @property
    def K(self) -> int:
        """Number of values."""
        return len(self.pairs)

    @cached_property
    def tokens(self) -> tuple[Hashable, ...]:
        """The distinct tokens in order of first appearance: the rows that training moves."""
        return tuple(dict.fromkeys(token for pair in self.pairs for token in pair))

    @cached_property
    def indices(self) -> Annotated[np.ndarray, "K 2"]:
        """Row numbers into `tokens` of (a_i, b_i), shape (K, 2)."""
        row = {token: n for n, token in enumerate(self.tokens)}
        return _frozen(np.array([[row[a], row[b]] for a, b in self.pairs]))

    @cached_property
    def incidence(self) -> Annotated[np.ndarray, "K tokens"]:
        """The vectors u_i = e_a - e_b as rows, shape (K, len(tokens))."""
        u = np.zeros((self.K, len(self.tokens)))
        u[np.arange(self.K), self.indices[:, 0]] = 1.0
        u[np.arange(self.K), self.indices[:, 1]] = -1.0
        return _frozen(u)

    @cached_property
    def gram(self) -> Annotated[np.ndarray, "K K"]:
        """u_i . u_k / 2, shape (K, K): 1 on the diagonal, +-1/2 for one shared token, 0 for none."""
        return _frozen(self.incidence @ self.incidence.T / 2)

    @cached_property
    def kappa(self) -> Annotated[np.ndarray, "K"]:
        """Crosstalk factor of a value, sum over k of gram[i, k]^2, shape (K,) (N5)."""
        return _frozen((self.gram**2).sum(axis=1))

    @cached_property
    def nu(self) -> Annotated[np.ndarray, "K"]:
        """The sum over k of |gram[i, k]|, shape (K,). Enters the growth rate of errors in N7 and N8."""
        return _frozen(np.abs(self.gram).sum(axis=1))

    @property
    def Z(self) -> int:
        """Largest number of values in which one token occurs (the reading under which the theorems hold)."""
        return max(Counter(token for pair in self.pairs for token in pair).values())


def disjoint(K: int) -> TokenLayout:
    """Every value has its own two tokens: kappa = nu = Z = 1.

    Raises `ValueError` for a K that is no whole number from 1 to 20,000.
    """
    return TokenLayout(tuple((2 * i, 2 * i + 1) for i in range(at_least("K", K, 1, MOST_VALUES))))


def chain(K: int) -> TokenLayout:
    """Value i answers with tokens i and i + 1, so neighbours share one in opposite roles: Z = 2 for K > 1.

    Raises `ValueError` as `disjoint` does.
    """
    return TokenLayout(tuple((i, i + 1) for i in range(at_least("K", K, 1, MOST_VALUES))))


def star(K: int) -> TokenLayout:
    """All values share the preferred token and own the other: kappa = 1 + (K - 1)/4, Z = K.

    Raises `ValueError` as `disjoint` does.
    """
    return TokenLayout(tuple((0, i + 1) for i in range(at_least("K", K, 1, MOST_VALUES))))


def grid(K: int) -> TokenLayout:
    """Values on a square grid, named by row token and column token. At K = 16, Z = 4 and kappa = 2.5:
    the most sharing that the hypotheses of the theorems allow. Raises `ValueError` as `disjoint` does."""
    side = isqrt(at_least("K", K, 1, MOST_VALUES) - 1) + 1
    return TokenLayout(tuple((i // side, side + i % side) for i in range(K)))


def shared(K: int) -> TokenLayout:
    """All values answer with the same two tokens (Yes and No): kappa = nu = Z = K. Outside the theorems.

    Raises `ValueError` as `disjoint` does.
    """
    return TokenLayout(((0, 1),) * at_least("K", K, 1, MOST_VALUES))


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
