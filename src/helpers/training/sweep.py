"""Many small last-layer runs on one language model: what the sliders of a chapter show as measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..audit.clusters import ValueConstants, measure_value
from ..checks import at_least, holds, listed, positive, shown
from ..llm.embedding import embed
from ..llm.model import LLM
from ..preferences.pairs import Preferences
from .last_layer import train_last_layer
from .many import run_all
from .runs import Run

DRAWS = 5  # random subsets of the pool behind every recorded curve


@dataclass(frozen=True, eq=False)
class LastLayerLab:
    """DPO by plain gradient descent on the last layer, for subsets of a pool of pairs.

    pool, test : pairs to draw from, and held-out pairs.   x, x_test : their embeddings.
    lr : learning rate of the mean loss.   seed : of the subsets; draw n has seed + n, so labs of one pool whose seeds
        are near share subsets.

    Every run subtracts the mean of its own training embeddings from all embeddings.  The runs of a grid are made by
    `run_all`: on many workers inside `joblib.parallel_config`.
    Raises `ValueError` for embeddings that do not fit their pairs, lr not above 0 or a seed below 0.
    """

    pool: Preferences
    test: Preferences
    x: np.ndarray
    x_test: np.ndarray
    lr: float
    seed: int = 0

    def __post_init__(self) -> None:
        for name, pairs, x in (("pool", self.pool, self.x), ("test", self.test, self.x_test)):
            holds(name, pairs, "prompts value side per_cluster", "Preferences")
            if getattr(x, "ndim", None) != 2 or len(x) != len(pairs):
                wanted = f"({len(pairs)}, d), a row for each pair of {name}"
                found = np.shape(x) if isinstance(x, np.ndarray) else shown(x)
                raise ValueError(f"{'x' if name == 'pool' else 'x_test'} must have shape {wanted}, got {found}")
        positive("lr", self.lr)
        at_least("seed", self.seed, 0)

    @cached_property
    def constants(self) -> ValueConstants:
        """Concept length, noise and effective dimension of a pool with one value; `ValueError` for more values."""
        if self.pool.K != 1:
            raise ValueError(f"pool must hold one value to have one set of constants, got {self.pool.K}")
        return measure_value(self.x, self.pool.side)

    def run(
        self, steps: int, beta: float, Q: int, *, every: int = 1, draw: int = 0,
        progress: Callable[[int, int], None] | None = None,
    ) -> Run:
        """One run on Q pairs of every cluster, the `draw`-th random subset of the pool.

        `every` and `progress` as for `train_last_layer`, whose errors it raises; `ValueError` too for a Q beyond the
        pool and a draw below 0.
        """
        subset = self.pool.per_cluster(Q, seed=self.seed + at_least("draw", draw, 0))
        row = {prompt: j for j, prompt in enumerate(self.pool.prompts)}
        x = self.x[[row[prompt] for prompt in subset.prompts]]
        centre = x.mean(axis=0)
        test = (self.x_test - centre, self.test)
        return train_last_layer(x - centre, subset, beta=beta, lr=self.lr, steps=steps, test=test, every=every,
                                progress=progress)

    def margins(self, steps: Sequence[int], betas: Sequence[float], Qs: Sequence[int]) -> np.ndarray:
        """Mean held-out margin over `DRAWS` subsets, shape (Qs, betas, steps).

        Raises `ValueError` for lists that are none or empty, and as `run`.
        """
        return self._grid(lambda run: run.test_margins.mean(axis=1), steps, betas, Qs)

    def errors(self, steps: Sequence[int], betas: Sequence[float], Qs: Sequence[int]) -> np.ndarray:
        """Share of held-out pairs with a margin of at most 0, over `DRAWS` subsets, shape (Qs, betas, steps).

        Raises `ValueError` as `margins`.
        """
        return self._grid(lambda run: 1 - run.test_accuracies, steps, betas, Qs)

    def live_margins(self, steps: int, beta: float, Q: int, progress: Callable[[int, int], None]) -> np.ndarray:
        """Mean held-out margin at every step of a new run; for the button of the margin explorer. Errors as `run`."""
        return self.run(steps, beta, Q, draw=DRAWS, progress=progress).test_margins.mean(axis=1)

    def live_error(self, steps: int, beta: float, Q: int, progress: Callable[[int, int], None]) -> float:
        """Held-out error after a new run; for the button of the risk explorer. Errors as `run`."""
        run = self.run(steps, beta, Q, every=max(1, at_least("steps", steps, 0)), draw=DRAWS, progress=progress)
        return float(1 - run.test_accuracies[-1])

    def _grid(self, measure: Callable[[Run], np.ndarray], steps, betas, Qs) -> np.ndarray:
        steps, betas, Qs = (listed(*given, "numbers") for given in (("steps", steps), ("betas", betas), ("Qs", Qs)))
        if not (steps and betas and Qs):
            raise ValueError(f"steps, betas and Qs must each hold a number, got {steps}, {betas} and {Qs}")
        for beta in betas:
            positive("betas", beta)
        for Q in Qs:
            at_least("Qs", Q, 1)
        every = int(np.gcd.reduce([at_least("steps", step, 0) for step in steps])) or 1
        at = np.asarray(steps) // every
        keys = [(max(steps), beta, Q, every, draw) for Q in Qs for beta in betas for draw in range(DRAWS)]
        missing = [key for key in dict.fromkeys(keys) if key not in self._runs]
        names = "steps", "beta", "Q", "every", "draw"
        made = run_all(self.run, [dict(zip(names, key, strict=True)) for key in missing])
        self._runs.update(zip(missing, made, strict=True))
        found = np.array([measure(self._runs[key])[at] for key in keys])
        return found.reshape(len(Qs), len(betas), DRAWS, len(steps)).mean(axis=2)

    @cached_property
    def _runs(self) -> dict[tuple, Run]:
        return {}

    def __getstate__(self) -> dict:
        """What a worker of `run_all` needs: not the runs that were made."""
        return {name: value for name, value in vars(self).items() if name != "_runs"}


def last_layer_lab(llm: LLM, pool: Preferences, test: Preferences, *, lr: float, seed: int = 0) -> LastLayerLab:
    """Embed both sets of pairs with `llm` and make a lab of them. Raises `ValueError` as `LastLayerLab` and `embed`."""
    holds("pool", pool, "prompts value side per_cluster", "Preferences")
    holds("test", test, "prompts value side per_cluster", "Preferences")
    return LastLayerLab(pool, test, embed(llm, pool.prompts), embed(llm, test.prompts), lr, seed)
