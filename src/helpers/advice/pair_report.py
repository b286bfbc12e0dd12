"""The report on pairs with answers of any length: which of them training will move which way, before it is done."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from ..audit.planner import Push, pushes_between
from ..checks import at_least, holds
from ..llm.answers import answer_states
from ..sequences.pushes import push_matrix, total_pushes
from .judging import Judgement, judge, judge_many

MOST = 300  # pairs up to which every push on every pair is computed
COINS = 12
FEW = 4  # pairs of a value from which it is held against the others


@dataclass(frozen=True, eq=False)
class PairReport:
    """What training will do to N pairs at its first step, and how much of it goes with length.

    judged : see `Judgement`.   lengths : tokens of the chosen and the rejected answer, shape (N, 2).
    values : pushes of the values on each other, where the file names two or more of them.
    model : its name.   seconds : what it took.
    """

    prompts: tuple[str, ...]
    chosen: tuple[str, ...]
    rejected: tuple[str, ...]
    value: Annotated[np.ndarray, "N"]
    names: tuple[str, ...]
    lengths: Annotated[np.ndarray, "N 2"]
    judged: Judgement
    values: tuple[Push, ...]
    model: str
    seconds: float

    def __len__(self) -> int:
        return len(self.prompts)

    @property
    def longer(self) -> Annotated[np.ndarray, "N"]:
        """By how many tokens the chosen answer is longer, shape (N,)."""
        return self.lengths[:, 0] - self.lengths[:, 1]

    def by_length(self) -> dict[str, tuple[int, int]]:
        """How many pairs move the right way, of how many, where the chosen answer is longer, shorter, equally long."""
        parts = {"longer": self.longer > 0, "shorter": self.longer < 0, "equal": self.longer == 0}
        return {name: (int(self.judged.right[part].sum()), int(part.sum())) for name, part in parts.items()}

    @property
    def goes_with_length(self) -> float:
        """Correlation of the force with the difference in length, 0 where either is constant."""
        force, longer = self.judged.force, self.longer
        return float(np.corrcoef(force, longer)[0, 1]) if np.std(force) > 0 and np.std(longer) > 0 else 0.0

    @property
    def conflicts(self) -> tuple[Push, ...]:
        """Values that hinder each other beyond chance, the hardest first."""
        return tuple(sorted((one for one in self.values if one.named and one.share < 0), key=lambda one: one.share))

    def frame(self):
        """A table for pandas: a row for each pair, the one to be read first on top."""
        from pandas import DataFrame

        judged = self.judged
        return DataFrame([{
            "pair": j + 1, "prompt": self.prompts[j], "force": judged.force[j], "moves": "right" if judged.right[j]
            else "wrong", "longer by": int(self.longer[j]), "against": [k + 1 for k in judged.against(j)],
        } for j in map(int, judged.order)])

    def __str__(self) -> str:
        judged, N = self.judged, len(self)
        numbers = ", ".join(str(j + 1) for j in judged.hard) or "none"
        return (
            f"{int(judged.right.sum())} of {N} pairs should move the right way at the first step "
            f"({judged.low:.0%} to {judged.high:.0%}; a coin {judged.chance:.0%}, p {judged.p:.1g})\n"
            f"to read, hardest first: {numbers}; undecided: {len(judged.weak)}\n"
            f"an exchanged pair would be among those to read with probability {judged.would_be_found:.0%}"
            + "".join(f"\n{one.by} hinders {one.on} by {-one.share:.0%}, p {one.p:.1g}" for one in self.conflicts)
        )


def report_on_pairs(
    llm, preferences, *, most: int = MOST, seed: int = 0, tell: Callable[[str], None] | None = None
) -> PairReport:
    """What a first step of training on these pairs does to each of them (Theorem D at the reference).

    Parameters
    ----------
    llm : from `load_llm`.   preferences : `Preferences` or what `read_pairs` gives, at least 3 pairs of any length.
    most : up to so many pairs every push on every pair is computed; beyond, one gradient for all and twelve with labels
        by a coin, which takes time and memory in proportion to the tokens.
    seed : of the coins.   tell : called with a few words before each part.

    Raises
    ------
    ValueError : fewer than 3 pairs, texts that the model cannot take, a model that takes no packed rows.
    """
    holds("preferences", preferences, "prompts chosen rejected value names", "Preferences")
    N, tell = len(preferences.prompts), tell or (lambda words: None)
    at_least("most", most, 3), at_least("seed", seed, 0)
    if N < 3:
        raise ValueError(f"preferences must hold at least 3 pairs, since each is judged by the others, got {N}")
    begin = time.perf_counter()
    tell(f"reading {N} pairs")
    pairs = answer_states(llm, preferences.prompts, preferences.chosen, preferences.rejected)
    W = llm.unembedding()
    tell(f"one step on {len(pairs.tokens)} tokens, before any training")
    values: tuple[Push, ...] = ()
    if N <= most:
        matrix = push_matrix(W, pairs)
        judged = judge(matrix, seed=seed)
        values = value_pushes(judged.matrix, preferences.value, preferences.names, seed=seed)
    else:
        coins = np.random.default_rng(seed).choice([-1, 1], (COINS, N))
        pushes, own = total_pushes(W, pairs, np.concatenate([np.ones((1, N), dtype=int), coins]))
        judged = judge_many(pushes[0], own, pushes[1:])
    return PairReport(tuple(preferences.prompts), tuple(preferences.chosen), tuple(preferences.rejected),
                      np.asarray(preferences.value), tuple(preferences.names), pairs.lengths, judged, values, llm.name,
                      time.perf_counter() - begin)


def value_pushes(
    matrix: Annotated[np.ndarray, "N N"], value: Annotated[np.ndarray, "N"], names: tuple[str, ...], *,
    halves: int = 100, seed: int = 0,
) -> tuple[Push, ...]:
    """What a step on the pairs of one value does to another, as a share of what its own pairs do to each other.

    matrix : pushes of each pair on each, shape (N, N), 0 on the diagonal.   value, names : of the pairs, as in
    `Preferences`; values of fewer than four pairs are left out. Intervals and p are from random halves of the pairs of
    each value, without repetition, and hold for all pushes at once; see `audit.planner.pushes_between`.
    """
    value, rng = np.asarray(value), np.random.default_rng([seed, 1])
    kept = [i for i in range(len(names)) if (value == i).sum() >= FEW]
    if len(kept) < 2:
        return ()

    def means(rows: list[np.ndarray]) -> np.ndarray:
        return np.array([[matrix[np.ix_(a, b)].sum() / (len(a) * len(b) - (len(a) if a is b else 0)) for b in rows]
                         for a in rows])

    rows = [np.flatnonzero(value == i) for i in kept]
    parts = [means([rng.permutation(own)[: -(-len(own) // 2)] for own in rows]) for _ in range(halves)]
    return pushes_between(means(rows), np.array(parts), tuple(str(names[i]) for i in kept))
