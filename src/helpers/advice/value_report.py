"""The report on values with two single-token answers: the plan, long training beside it, and a check."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated

import numpy as np

from ..audit.clusters import cluster_means
from ..audit.planner import AS_THEY_ARE, OWN, Plan, plan
from ..checks import at_least, holds, inside
from ..layouts import TokenLayout
from ..llm.embedding import embed
from ..statistics import wilson_interval
from ..training.last_layer import train_last_layer

LEAST = 8  # pairs of each side: then three quarters of them are the 6 of a pilot
FOLDS, STEPS, BETA, LR = 4, 300, 0.1, 1e-3
MOST = 120  # pairs of a side that are looked at


@dataclass(frozen=True, eq=False)
class Checked:
    """Errors on statements kept back, with one layout: each statement of the file once, in one of four folds.

    Q : pairs a side in training, three quarters of the file.   predicted : the law at that Q, shape (K + 1,).
    first : found after the first step, shape (K + 1,).   late : after `steps` steps of Adam, shape (K + 1,).
    late_low, late_high : Wilson's intervals of `late`.   half : as `late`, trained on half as many pairs.
    """

    Q: float
    predicted: Annotated[np.ndarray, "K1"]
    first: Annotated[np.ndarray, "K1"]
    late: Annotated[np.ndarray, "K1"]
    late_low: Annotated[np.ndarray, "K1"]
    late_high: Annotated[np.ndarray, "K1"]
    half: Annotated[np.ndarray, "K1"]
    steps: int = STEPS


@dataclass(frozen=True, eq=False)
class ValueReport:
    """What to expect of K values before training.

    plan : predictions for the first step.   checked : by layout, what was found on statements kept back, at the first
    step and after long training of the last layer.   common : length of what all prompts have in common, in units of
    half the distance of the two sides of a value (median).   odd : statements that the rest of their value pushes the
    wrong way, hardest first.   looked_at : row numbers of the file that the plan has seen, in its order.
    """

    prompts: tuple[str, ...]
    chosen: tuple[str, ...]
    value: Annotated[np.ndarray, "N"]
    side: Annotated[np.ndarray, "N"]
    names: tuple[str, ...]
    plan: Plan
    checked: Mapping[str, Checked]
    common: float
    looked_at: Annotated[np.ndarray, "N"]
    counts: Annotated[np.ndarray, "K 2"]
    model: str
    seconds: float

    @property
    def odd(self) -> list[int]:
        """Statements that push hard against the rest of their value, the hardest first, at most twelve."""
        order = np.argsort(self.plan.against, kind="stable")
        return [int(j) for j in order if self.plan.against[j] <= -1][:12]

    @property
    def unbalanced(self) -> list[int]:
        """Values with more pairs on one side than on the other."""
        return [int(i) for i in np.flatnonzero(self.counts[:, 0] != self.counts[:, 1])]

    def __str__(self) -> str:
        lines = [str(self.plan)]
        for name, one in self.checked.items():
            lines.append(f"{name}, {one.Q:g} pairs a side, on statements kept back: first step predicted "
                         f"{one.predicted[-1]:.0%}, found {one.first[-1]:.0%}; after {one.steps} steps "
                         f"{one.late[-1]:.0%} ({one.late_low[-1]:.0%} to {one.late_high[-1]:.0%})")
        return "\n".join(lines)


def report_on_values(
    llm, preferences, *, target: float = 0.1, seed: int = 0, tell: Callable[[str], None] | None = None
) -> ValueReport:
    """Plan and check on values that have one pair of single-token answers each.

    Parameters
    ----------
    llm : from `load_llm`.   preferences : at least 8 pairs of each side of each value; of more than 120 a side a random
        part is looked at.   target : the error that is wanted.   seed : of halves and folds.
    tell : called with a few words before each part.

    Raises
    ------
    ValueError : fewer pairs, answers that are no single tokens, more than one pair of answers for a value.
    """
    holds("preferences", preferences, "prompts chosen value side names layout counts take", "Preferences")
    inside("target", target, 0, 0.5), at_least("seed", seed, 0)
    tell, begin, counts = tell or (lambda words: None), time.perf_counter(), np.asarray(preferences.counts)
    layout = preferences.layout
    for answer in dict.fromkeys(token for pair in layout.pairs for token in pair):
        llm.token(answer)
    if counts.min() < LEAST:
        raise ValueError(f"preferences must hold at least {LEAST} pairs of each side, got one with {counts.min()}")
    rng, pick = np.random.default_rng([seed, 2]), []
    for i in range(len(counts)):
        for s in (1, -1):
            pick.append(rng.permutation(np.flatnonzero((preferences.value == i) & (preferences.side == s)))[:MOST])
    rows = np.sort(np.concatenate(pick))
    part = preferences.take(rows)
    tell(f"reading {len(part)} statements")
    x = embed(llm, part.prompts, progress=False).astype(float)
    tell("predicting the first step")
    made = plan(x, part, target=target, Q=float(part.counts.min()), seed=seed)
    tell("training the last layer on parts of the file, long, for comparison")
    checked = {name: check_layout(x, part, found.layout, seed=seed) for name, found in made.options.items()
               if name in (AS_THEY_ARE, OWN)}
    means = cluster_means(x, part.value, part.side)
    lengths = np.sqrt(np.maximum((means.concepts**2).sum(axis=1) - means.excess.mean(axis=1) / 2, 1e-12))
    common = float(np.linalg.norm(means.midpoints.mean(axis=0)) / np.median(lengths))
    return ValueReport(tuple(part.prompts), tuple(part.chosen), part.value, part.side, tuple(part.names), made, checked,
                       common, rows, counts, llm.name, time.perf_counter() - begin)


def check_layout(
    x: Annotated[np.ndarray, "N d"], preferences, layout: TokenLayout, *, steps: int = STEPS, seed: int = 0
) -> Checked:
    """Predict from three quarters of the statements, train on them, and look at the rest; four times.

    x : embeddings (N, d).   preferences : with value and side, at least 8 of each cluster.   layout : the answers.
    Raises `ValueError` for arrays that do not fit and for steps below 1.
    """
    at_least("steps", steps, 1)
    value, side = np.asarray(preferences.value), np.asarray(preferences.side)
    K, fold, rng = layout.K, np.zeros(len(value), dtype=int), np.random.default_rng([seed, 3])
    clusters = [np.flatnonzero((value == i) & (side == s)) for i in range(K) for s in (1, -1)]
    least = min(map(len, clusters))
    for rows in clusters:
        fold[rows] = rng.permutation(np.arange(len(rows)) % FOLDS)
    wrong, predicted = np.zeros((3, len(value))), []
    Q = least - -(-least // FOLDS)
    for n in range(FOLDS):
        known = np.concatenate([rng.permutation(rows[fold[rows] != n])[:Q] for rows in clusters])
        new = np.flatnonzero(fold == n)
        few = np.concatenate([known[(value[known] == i) & (side[known] == s)][: max(Q // 2, 1)]
                              for i in range(K) for s in (1, -1)])
        centre = x[known].mean(axis=0)  # clusters are equally large
        sets = [SimpleNamespace(value=value[rows], side=side[rows], layout=layout) for rows in (known, new, few)]
        made = plan(x[known], sets[0], Q=float(Q), layouts={}, halves=10, seed=seed)
        predicted.append(made.now.error[made.now.at(Q)])
        signed = side[:, None] * (x - centre)
        concepts = np.array([signed[known[value[known] == i]].mean(axis=0) for i in range(K)])
        wrong[0, new] = ((layout.gram @ concepts)[value[new]] * signed[new]).sum(axis=1) <= 0
        for at, rows, labels in ((1, known, sets[0]), (2, few, sets[2])):
            middle = x[rows].mean(axis=0)
            run = train_last_layer((x[rows] - middle).astype(np.float32), labels, beta=BETA, lr=LR, steps=steps,
                                   optimizer="adam", test=((x[new] - middle).astype(np.float32), sets[1]), every=steps)
            wrong[at, new] = run.test_margins[-1] <= 0
    first, late, half = (_by_value(row, value, K) for row in wrong)
    sizes = [*np.bincount(value, minlength=K), len(value)]
    wide = np.array([wilson_interval(float(error), int(n)) for error, n in zip(late, sizes, strict=True)])
    return Checked(float(Q), np.mean(predicted, axis=0), first, late, wide[:, 0], wide[:, 1], half, steps)


def _by_value(wrong: np.ndarray, value: np.ndarray, K: int) -> np.ndarray:
    """Share that is wrong of each value, and last of all."""
    return np.array([*(wrong[value == i].mean() for i in range(K)), wrong.mean()])
