"""From a pilot to a plan: how many pairs each value needs, with which answers, and which values hinder each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated

import numpy as np
from scipy.stats import norm

from ..checks import at_least, between, finite, flag, holds, inside, one_of, shown
from ..layouts import TokenLayout, disjoint
from ..risk.products import Interactions, interactions
from ..statistics import LEVEL

if TYPE_CHECKING:
    from pandas import DataFrame

ENOUGH = 6  # statements of the smallest cluster of a pilot: then a half has 3
SIZES = tuple(np.append(np.geomspace(2, 1024, 37), np.inf))
ALPHA = 0.05
STAGE = "the first step of training the last layer on centred prompts"
AS_THEY_ARE, OWN = "as they are", "own answers"


@dataclass(frozen=True, eq=False)
class Forecast:
    """Predicted errors with one layout of answers, after the first step; the K values, and last their mean.

    layout : the answers.   Q : pairs a side, shape (T,), the last one endless.
    error : shape (T, K + 1).   sides : shape (T, K, 2), the aligned side first.
    low, high : 95 % for the mean over training sets of that size, shape (T, K + 1): what the pilot leaves open.
    run_low, run_high : 95 % for one training set of that size: its draw besides.
    """

    layout: TokenLayout
    Q: Annotated[np.ndarray, "T"]
    error: Annotated[np.ndarray, "T K1"]
    sides: Annotated[np.ndarray, "T K 2"]
    low: Annotated[np.ndarray, "T K1"]
    high: Annotated[np.ndarray, "T K1"]
    run_low: Annotated[np.ndarray, "T K1"]
    run_high: Annotated[np.ndarray, "T K1"]

    @property
    def floor(self) -> Annotated[np.ndarray, "K1"]:
        """What endless pairs leave at the first step: shape (K + 1,)."""
        return self.error[-1]

    def at(self, Q: float) -> int:
        """The place of the size that is nearest to Q, on a logarithmic scale."""
        return int(np.argmin(np.abs(np.log(self.Q[:-1]) - np.log(Q)))) if np.isfinite(Q) else len(self.Q) - 1

    def needed(self, target: float, curve: str = "error") -> Annotated[np.ndarray, "K1"]:
        """Pairs a side at which `curve` ("error", "low" or "high") comes down to the target, infinite where none do.

        Shape (K + 1,). Between the sizes that were computed it is read on a straight line over log Q.
        Raises `ValueError` for a target that is no share strictly between 0 and 1/2, and for another curve.
        """
        inside("target", target, 0, 0.5)
        one_of("curve", curve, ("error", "low", "high"))
        return np.array([_crossing(self.Q[:-1], column, target) for column in getattr(self, curve)[:-1].T])


@dataclass(frozen=True)
class Push:
    """What one step on the value `by` does to the value `on`, as a share of what a step on `on` itself does.

    low, high : 95 %, for all pushes of the plan at once.   p : of no push at all, times their number (Bonferroni).
    """

    by: str
    on: str
    share: float
    low: float
    high: float
    p: float

    @property
    def named(self) -> bool:
        """Whether it is beyond chance, with all pushes counted."""
        return self.p < ALPHA


@dataclass(frozen=True, eq=False)
class Plan:
    """What a pilot says before any training: of the first step of the last layer, and of no later one.

    names : the K values.   pilot : pairs of the smallest side.   Q : pairs a side that training will have.
    target : the error that is wanted.   halves : random halves behind the intervals.
    options : forecasts by the name of the layout, that of the pilot first.
    pushes : between every two values, with the pilot's answers; none where they share no token.
    against : how hard the rest of its value pushes each statement, shape (N,), see `Interactions.against`.
    counts : pairs by cluster, shape (K, 2).   stage : which training the numbers are of.
    """

    names: tuple[str, ...]
    pilot: int
    Q: float
    target: float
    halves: int
    options: Mapping[str, Forecast]
    pushes: tuple[Push, ...]
    against: Annotated[np.ndarray, "N"]
    counts: Annotated[np.ndarray, "K 2"]
    stage: str = STAGE

    @property
    def now(self) -> Forecast:
        """With the answers that the pilot has."""
        return next(iter(self.options.values()))

    @property
    def conflicts(self) -> tuple[Push, ...]:
        """Pushes the wrong way that are beyond chance, the hardest first."""
        return tuple(sorted((one for one in self.pushes if one.named and one.share < 0), key=lambda one: one.share))

    @property
    def enough(self) -> dict[str, np.ndarray]:
        """Pairs a side for the target by layout, shape (K + 1,) each; infinite where no number suffices."""
        return {name: found.needed(self.target) for name, found in self.options.items()}

    def way_out(self, i: int) -> str | None:
        """The layout with which value i needs fewest pairs for the target, None where none of them reaches it."""
        best = min(self.enough, key=lambda name: self.enough[name][i])
        return best if np.isfinite(self.enough[best][i]) else None

    def frame(self) -> "DataFrame":
        """A table for pandas: a row for each value (and their mean) and layout."""
        from pandas import DataFrame

        rows = []
        for name, found in self.options.items():
            at, need = found.at(self.Q), found.needed(self.target)
            least, most = found.needed(self.target, "low"), found.needed(self.target, "high")
            for i, value in enumerate((*self.names, "mean of all")):
                rows.append({
                    "value": value, "answers": name, "pairs a side": self.Q, "error": found.error[at, i],
                    "low": found.run_low[at, i], "high": found.run_high[at, i], "endless": found.floor[i],
                    "needed": need[i], "needed at least": least[i], "needed at most": most[i],
                })
        return DataFrame(rows)

    def __str__(self) -> str:
        lines = [f"{self.pilot} pairs a side in the pilot; {self.stage}",
                 f"errors with {self.Q:g} pairs a side, 95 % for one training set, and pairs a side for "
                 f"{self.target:.0%}"]
        for name, found in self.options.items():
            at, need = found.at(self.Q), found.needed(self.target)
            lines.append(f"{name}:")
            for i, value in enumerate((*self.names, "mean of all")):
                lines.append(f"  {value:24s} {found.error[at, i]:4.0%} ({found.run_low[at, i]:.0%} to "
                             f"{found.run_high[at, i]:.0%}), endless {found.floor[i]:4.0%}, "
                             f"needs {words_of_need(need[i])}")
        lines += [f"{one.by} hinders {one.on} by {-one.share:.0%} ({-one.high:.0%} to {-one.low:.0%}), "
                  f"p {one.p:.1g} of {len(self.pushes)}" for one in self.conflicts]
        return "\n".join(lines)


def plan(
    embeddings: Annotated[np.ndarray, "N d"], preferences, *, target: float = 0.1, Q: float | None = None,
    layouts: Mapping[str, TokenLayout] | None = None, centred: bool = True, halves: int = 60, seed: int = 0,
) -> Plan:
    """Predict, from a pilot and before any training, the errors of each value for every number of pairs (N5).

    Parameters
    ----------
    embeddings : of the pilot's prompts, shape (N, d).
    preferences : anything with `value`, `side` and `layout`, such as `Preferences`, at least 6 pairs of each side.
    target : the error that is wanted, a share below 1/2.
    Q : pairs a side that training will have; by default those of the pilot's smallest side.
    layouts : name -> answers to be compared with the pilot's. By default answers of their own for all values; where
        values share answers now, also for the one value that gains most, and two pairs of answers for all, grouped so
        that it costs least. What is chosen so is chosen on the pilot: its number is a little too good.
    centred : take the mean of the clusters away first, as training on centred embeddings does. The law of prompts as
        they are says nothing beyond the pilot's own size (its common part would have to cancel).
    halves, seed : random halves of each cluster, without repetition, behind the intervals: a bootstrap would repeat
        statements, and take the agreement of the copies for that of two.

    The law is for equally many pairs on both sides and for the first step; longer training does better than its floor.

    Raises
    ------
    ValueError : arrays that do not fit, a side with fewer than 6 pairs, layouts of other values, numbers out of range.
    """
    inside("target", target, 0, 0.5), flag("centred", centred)
    at_least("halves", halves, 10), at_least("seed", seed, 0)
    holds("preferences", preferences, "value side layout", "preferences with value, side and layout")
    layout, x = preferences.layout, finite("embeddings", embeddings, 1e50)
    sample = SimpleNamespace(x=x, value=preferences.value, side=preferences.side)
    found = interactions(sample)
    counts = np.array([[np.sum((found.value == i) & (found.side == s)) for s in (1, -1)] for i in range(found.K)])
    pilot = int(counts.min())
    if pilot < ENOUGH:
        raise ValueError(f"preferences must hold at least {ENOUGH} pairs of each side, got one with {pilot}")
    if Q is not None:
        between("Q", Q, 1, 1e9)
    if centred:
        means = [x[(found.value == i) & (found.side == s)].mean(axis=0) for i in range(found.K) for s in (1, -1)]
        found = interactions(SimpleNamespace(x=x - np.mean(means, axis=0), value=found.value, side=found.side))
    Q = float(pilot if Q is None else Q)
    if layouts is None:
        layouts = _alternatives(found, layout, Q)
    elif not isinstance(layouts, Mapping) or AS_THEY_ARE in layouts:
        raise ValueError(f"layouts must map names other than {AS_THEY_ARE!r} to layouts, got {shown(layouts)}")
    parts, options = found.halves(halves, seed), {}
    sizes = np.unique(np.append(SIZES, Q))
    for name, answers in {AS_THEY_ARE: layout, **layouts}.items():
        options[name] = _forecast(found, parts, answers, sizes)
    K = found.K
    names = tuple(map(str, getattr(preferences, "names", ())))
    names = names if len(names) == K else tuple(f"value {i + 1}" for i in range(K))
    pushes = pushes_between(layout.gram * found.concept_products,
                            layout.gram * np.array([part.concept_products for part in parts]), names)
    return Plan(names, pilot, Q, float(target), halves, options, pushes, found.against, counts)


def words_of_need(Q: float) -> str:
    """A number of pairs in words: rounded up to two digits, since no pilot knows more."""
    if not np.isfinite(Q):
        return "none suffices"
    if Q <= SIZES[0]:
        return f"at most {SIZES[0]:.0f}"
    unit = 10 ** max(int(np.floor(np.log10(Q))) - 1, 0)
    return f"{int(np.ceil(Q / unit) * unit)}"


def _forecast(found: Interactions, parts: list[Interactions], layout: TokenLayout, Q: np.ndarray) -> Forecast:
    """The law, and on the scale of its argument the spread over halves and over training sets."""
    sides = found.law(layout, Q)
    error, strays = _with_mean(sides), found.strays(layout, Q)
    z = norm.ppf(np.clip(error, 1e-12, 1 - 1e-12))
    of_halves = [_with_mean(part.law(layout, Q)) for part in parts]
    spread = norm.ppf(np.clip(of_halves, 1e-12, 1 - 1e-12)).std(axis=0, ddof=1)
    of_draw = strays / np.maximum(norm.pdf(z), 1e-12)
    wide = norm.ppf((1 + LEVEL) / 2)
    ends = [norm.cdf(z + sign * wide * np.hypot(spread, draw)) for draw in (0.0, of_draw) for sign in (-1, 1)]
    return Forecast(layout, Q, error, sides, *ends)


def _with_mean(sides: np.ndarray) -> np.ndarray:
    each = sides.mean(axis=-1)
    return np.concatenate([each, each.mean(axis=-1, keepdims=True)], axis=-1)


def _alternatives(found: Interactions, layout: TokenLayout, Q: float) -> dict[str, TokenLayout]:
    if np.allclose(layout.gram, np.eye(found.K)):
        return {}
    options = {OWN: disjoint(found.K)}
    if found.K < 3:
        return options
    single = [_grouped([(i,), tuple(k for k in range(found.K) if k != i)]) for i in range(found.K)]
    if np.allclose(np.abs(layout.gram), 1):
        options["own answers for one"] = min(single, key=lambda one: found.law(one, Q).mean())
    groups = [(i,) for i in range(found.K)]
    while len(groups) > 2:
        merged = [[*(g for g in groups if g not in (a, b)), a + b] for n, a in enumerate(groups) for b in groups[:n]]
        groups = min(merged, key=lambda one: found.law(_grouped(one), Q).mean())
    options["two pairs of answers"] = _grouped(groups)
    return options


def _grouped(groups: list[tuple[int, ...]]) -> TokenLayout:
    """Values of a group share their two answers."""
    of = {i: n for n, group in enumerate(groups) for i in group}
    return TokenLayout(tuple((f"yes {of[i]}", f"no {of[i]}") for i in range(len(of))))


def pushes_between(
    products: Annotated[np.ndarray, "K K"], halves: Annotated[np.ndarray, "M K K"], names: tuple[str, ...],
) -> tuple[Push, ...]:
    """Pushes of values on each other, from the mean products of their statements, and those of random halves.

    products : [i, k], what a step on k adds to the margins of i, shape (K, K), NaN or 0 where nothing does.
    halves : the same from M random halves, shape (M, K, K): their spread is the standard error, or more than it.

    p is that of the product itself. A share needs something to be a share of: a value whose own product is less than
    three standard errors above zero has none, and what is done to it is not named.
    """
    error = np.std(halves, axis=0, ddof=1)
    own, sure = np.diag(products), np.diag(products) > 3 * np.diag(error)
    at = [(i, k) for i in range(len(own)) for k in range(len(own))
          if i != k and sure[i] and products[i, k] and error[i, k] > 0]
    wide, found = norm.ppf(1 - (1 - LEVEL) / 2 / max(len(at), 1)), []
    for i, k in at:
        share = float(products[i, k] / own[i])
        off = np.std(halves[:, i, k] - share * halves[:, i, i], ddof=1) / own[i]  # of a ratio, to first order
        found.append(Push(names[k], names[i], share, float(share - wide * off), float(share + wide * off),
                          float(min(1.0, len(at) * 2 * norm.sf(abs(products[i, k]) / error[i, k])))))
    return tuple(found)


def _crossing(Q: np.ndarray, error: np.ndarray, target: float) -> float:
    below = np.flatnonzero(error <= target)
    if not len(below):
        return np.inf
    n = int(below[0])
    if n == 0:
        return float(Q[0])
    part = (error[n - 1] - target) / (error[n - 1] - error[n])
    return float(np.exp(np.log(Q[n - 1]) + part * np.log(Q[n] / Q[n - 1])))
