"""Preference pairs: a prompt, a chosen and a rejected answer, its value, and its side of that value."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from ..checks import at_least, integers, listed, one_of, shown, texts
from ..layouts import TokenLayout

SHARED_ANSWERS = (" Yes", " No")
SIDES = {"aligned": 1, "misaligned": -1, "1": 1, "+1": 1, "-1": -1}


@dataclass(frozen=True, eq=False)
class Preferences:
    """N preference pairs over K values.

    Attributes
    ----------
    prompts, chosen, rejected : tuples of N strings.
    value : shape (N,), the value's number 0..K-1.   side : shape (N,), +1 aligned, -1 misaligned.
    names : the K names of the values.

    On the aligned side of value i the answer a_i is preferred to b_i, on the misaligned side b_i to a_i
    (paper, section 4.1); a cluster is one side of one value.

    Raises ValueError for columns of different lengths, entries that are no texts, a name that comes twice, and numbers
    of values or sides that are none.
    """

    prompts: tuple[str, ...]
    chosen: tuple[str, ...]
    rejected: tuple[str, ...]
    value: np.ndarray
    side: np.ndarray
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        for field in ("prompts", "chosen", "rejected", "names"):
            object.__setattr__(self, field, texts(field, getattr(self, field)))
        distinct(self.names, self.names)
        for field, low, high in (("value", 0, self.K - 1), ("side", -1, 1)):
            array = integers(field, getattr(self, field), low, high).copy()
            array.setflags(write=False)
            object.__setattr__(self, field, array)
        sizes = {f: len(getattr(self, f)) for f in ("prompts", "chosen", "rejected", "value", "side")}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"prompts, chosen, rejected, value and side must be equally long, got {sizes}")
        if not np.isin(self.side, (1, -1)).all():
            raise ValueError(f"side must hold +1 and -1 only, got {sorted(set(self.side.tolist()))}")

    def __len__(self) -> int:
        return len(self.prompts)

    def __repr__(self) -> str:
        sizes = self.counts.sum(axis=1)
        listed = [f"{name if len(name) <= 20 else name[:17] + '...'} {sizes[i]}" for i, name in enumerate(self.names)]
        more = ", ..." if self.K > 4 else ""
        values = "1 value" if self.K == 1 else f"{self.K} values"
        return f"<Preferences: {len(self)} pairs of {values}: {' '.join(', '.join(listed[:4]).split())}{more}>"

    @property
    def K(self) -> int:
        """Number of values."""
        return len(self.names)

    @property
    def counts(self) -> np.ndarray:
        """Pairs by cluster, shape (K, 2): aligned, misaligned."""
        of_side = [(self.value == i) & (self.side == s) for i in range(self.K) for s in (1, -1)]
        return np.sum(of_side, axis=1).reshape(self.K, 2)

    @property
    def layout(self) -> TokenLayout:
        """Which two answers each value uses: pair i is (aligned answer, misaligned answer).

        Raises ValueError where a value has no pairs or uses more than two answers: then it has no layout.
        """
        pairs = []
        for i, name in enumerate(self.names):
            rows = np.flatnonzero(self.value == i)
            found = {(self.chosen[j], self.rejected[j])[:: self.side[j]] for j in rows}
            if len(found) != 1:
                got = f"{len(found)} pairs such as {shown(sorted(found)[:2])}" if found else "none"
                raise ValueError(
                    f"value {shown(name)} must use one pair of answers for a token layout, got {got}; "
                    "fine_tune needs no layout, and no single tokens"
                )
            pairs.append(found.pop())
        return TokenLayout(tuple(pairs))

    def take(self, rows: Sequence[int]) -> "Preferences":
        """The pairs of the given row numbers, in that order, with the same values; ValueError for another number."""
        rows = integers("rows", rows, 0, len(self) - 1)
        pick = [tuple(column[j] for j in rows) for column in (self.prompts, self.chosen, self.rejected)]
        return Preferences(*pick, self.value[rows], self.side[rows], self.names)

    def of(self, names: str | Sequence[str]) -> "Preferences":
        """The pairs of the named values only, numbered in the order of `names`.

        ValueError for an unknown name (with the nearest), for none and for a repeated one.
        """
        names = distinct(names, self.names)
        old = [self.names.index(name) for name in names]
        part = self.take(np.flatnonzero(np.isin(self.value, old)))
        return replace(part, value=[old.index(i) for i in part.value], names=names)

    def split(self, test: float = 0.25, seed: int = 0) -> tuple["Preferences", "Preferences"]:
        """Training and test pairs: a share `test` of every cluster is held out, at least 1 pair, never all.

        A cluster's split depends on `seed`, its value's name, its side and its pairs alone, so that the same
        statements are held out whichever other values are in the set. A side without pairs is left as it is.

        Raises ValueError for a share out of range and for a cluster of a single pair.
        """
        if not isinstance(test, Real) or not 0 < test < 1:
            raise ValueError(f"test must be a share strictly between 0 and 1, got {shown(test)}")
        held = []
        for name, side, rows in self._shuffled(seed, "split"):
            if len(rows) == 1:
                where = f"{shown(name)}, side {side:+d}"
                raise ValueError(f"every cluster needs 2 pairs to be split, {where} holds 1: "
                                 "add a pair, or leave it out with take or of")
            held += rows[: min(max(round(test * len(rows)), 1), len(rows) - 1)].tolist() if len(rows) else []
        return self.take(np.setdiff1d(np.arange(len(self)), held)), self.take(sorted(held))

    def per_cluster(self, Q: int, seed: int = 0) -> "Preferences":
        """Q pairs of every cluster (2KQ in all); for one seed a smaller Q gives a subset of a larger one.

        A side without pairs gives none. Raises ValueError where a cluster has pairs, but fewer than Q.
        """
        at_least("Q", Q, 1)
        keep = []
        for name, side, rows in self._shuffled(seed, "cluster"):
            if 0 < len(rows) < Q:
                where = f"{shown(name)}, side {side:+d}"
                raise ValueError(f"Q must be at most {len(rows)}, the number of pairs of {where}, got {Q}")
            keep += rows[:Q].tolist()
        return self.take(sorted(keep))

    def _shuffled(self, seed: int, purpose: str) -> Iterator[tuple[str, int, np.ndarray]]:
        at_least("seed", seed, 0)
        for i, name in enumerate(self.names):
            for side in (1, -1):
                rows = np.flatnonzero((self.value == i) & (self.side == side))
                key = zlib.crc32(f"{purpose} {name} {side}".encode())
                yield name, side, np.random.default_rng([seed, key]).permutation(rows)


def distinct(names: str | Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Names as a tuple; ValueError for an unknown one (with the nearest), for none and for a repeated one."""
    names = (names,) if isinstance(names, str) else tuple(listed("names", names, "values"))
    for name in names:
        one_of("value", name, known)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"names must hold at least one value and none twice, got {shown(names)}")
    return names
