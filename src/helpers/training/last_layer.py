"""Preference training of the last layer on fixed embeddings.

The rows of the unembedding that belong to answers in play are held alone, unless a loss sees the chosen answer's own
probability: then its normaliser moves the rows of all tokens.
"""

from collections.abc import Callable

import numpy as np

from ..checks import at_least, holds, one_of, positive, shown
from ..dynamics.flow import MOST_STEPS
from ..dynamics.token_rows import TokenRows
from ..losses import DPO, Loss, get_loss
from ..mixture import Sample
from .batches import draws_of, in_batches
from .full_softmax import FullSoftmax, Head, rows_that_move
from .runs import Run

ADAM = dict(beta1=0.9, beta2=0.999, epsilon=1e-8)  # the paper's runs: PyTorch's defaults


@np.errstate(all="ignore")  # a warning was seen once on finite products, so the margins themselves are checked
def train_last_layer(
    embeddings: np.ndarray,
    preferences,
    *,
    beta: float,
    lr: float,
    steps: int,
    optimizer: str = "gd",
    loss: str | Loss = "dpo",
    head: Head | None = None,
    batch: int | None = None,
    seed: int = 0,
    test: tuple | None = None,
    every: int = 1,
    keep_w: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Preference training of the unembedding matrix on fixed embeddings.

    The normaliser cancels in log p(chosen) - log p(rejected), so the gradient of every row of W that is no answer's
    row is exactly 0, under Adam as well.  Holding the answers' rows alone is therefore the same algorithm as
    training all V rows.  The reference W_0 cancels in the margin and is not needed.  With a `head` all rows are
    trained, and the chosen answers' rewards are followed besides.

    Parameters
    ----------
    embeddings : (N, d); the arithmetic is in its precision (float64 stays float64).
    preferences : anything with ``.value`` (N,), ``.side`` (N,) and ``.layout`` (a `TokenLayout`).
    beta, lr : strength of the preference and learning rate of the mean loss, > 0.
    steps : number of updates.
    optimizer : "gd", plain gradient descent, one step of which is 2 beta^2 lr / K of dimensionless time
        (theory N9), or "adam" with betas (0.9, 0.999) and eps 1e-8, as in the paper's experiments.
    loss : "dpo", "ipo", "slic", "dpop" (which needs `head`) or "beta-dpo", or a `Loss` with other options, such as
        `DPOPositive(5)`.
    head : the unembedding at the start, from `last_layer_head`, or None.
    batch : pairs an update, each epoch in a new order, or None for all of them in each.
    seed : of that order, and of the pairs that "beta-dpo" keeps.
    test : (embeddings, preferences) of held-out samples with the same layout, or None.
    every : record every that many steps, and the last.
    keep_w : keep w of every recorded step, `Run.w_by_step`.
    progress : called during the run, at most about a hundred times, with the steps done and `steps`; last with both
        equal.

    Returns
    -------
    Run with margins (T, N) and test margins (T, M), taken before the update of the next step, and the final `w`; with a
    `head` also `chosen` (T, N) and `test_chosen` (T, M).  `batch_losses` are there where each step has its own batch or
    loss; `kept` and `batch_betas` for "beta-dpo", whose `losses` are those of plain DPO;
    `w_by_step` with `keep_w`.

    Raises
    ------
    ValueError : a setting out of range, "dpop" without a head, a head that lacks an answer, data that do not
        fit each other or are not finite, and an lr at which the margins do not stay finite.
    """
    positive("beta", beta, 1e50)
    positive("lr", lr, 1e100)
    at_least("steps", steps, 0, MOST_STEPS)
    at_least("every", every, 1)
    one_of("optimizer", optimizer, ("gd", "adam"))
    objective = get_loss(loss)
    at_least("seed", seed, 0)
    if progress is not None and not callable(progress):
        raise ValueError(f"progress must be None or a function of the steps done and all steps, got {shown(progress)}")
    holds("preferences", preferences, "value side layout", "Preferences")
    holds("preferences.layout", preferences.layout, "K gram indices incidence tokens", "a TokenLayout")
    if head is not None:
        holds("head", head, "W_0 answers bias floor rows", "a Head of last_layer_head, or None")
    elif objective.of_chosen:
        raise ValueError(f"head must be given, since loss {objective.name!r} needs {objective.needs}")
    beta, layout = float(beta), preferences.layout
    train = _samples(embeddings, preferences, layout, "embeddings")
    held_out = None if test is None else _held_out(test, preferences, train.shape[1])
    if batch is not None and at_least("batch", batch, 1) > train.N:
        raise ValueError(f"batch must be at most {train.N}, the number of pairs, got {batch}")
    pairs = layout.indices
    if head is None:
        train, held_out = _Margins(train), None if held_out is None else _Margins(held_out)
    else:
        sets = [(embeddings, preferences)] + ([] if test is None else [test])
        pairs, engines = _under(head, sets, layout, train)
        train, held_out = (*engines, None)[:2]
    rows = np.zeros(train.shape, train.dtype)
    update = _adam(rows, lr) if optimizer == "adam" else _gradient_descent(rows, lr)
    order = None if batch is None else in_batches(train.N, batch, steps, seed)
    choosing = batch is not None or objective.of_batch  # what to train on, at each step
    trace = _Trace(objective, beta, seed, train.N)
    of_all = DPO() if objective.of_batch else objective  # what is recorded of all pairs
    recorded, losses, readings, test_readings, kept, kept_w = [], [], [], [], [], []

    def push(gaps: np.ndarray) -> np.ndarray:
        rewards, loss = beta * gaps, objective
        if choosing:
            _finite(rewards, lr, step)
            loss = trace.loss(step, part, rewards)
        return loss.slopes(rewards) * (beta / (train.N if part is None else len(part)))

    for step in range(steps + 1):
        part = None if batch is None or step == steps else order[step]
        before = trace.kept.copy() if objective.of_batch else None
        found, gradient = (train.read(rows), None) if step == steps else train.step(rows, part, push, not choosing)
        rewards = _finite(beta * found, lr, step)
        if step % every == 0 or step == steps:
            recorded.append(step)
            readings.append(rewards if part is None else _finite(beta * train.read(rows), lr, step))
            losses.append(of_all.value(*readings[-1]).mean())
            kept.append(before)
            if keep_w:
                kept_w.append(beta * (rows[pairs[:, 0]] - rows[pairs[:, 1]]))
            if held_out is not None:
                test_readings.append(beta * held_out.read(rows))
        if progress is not None and (step == steps or step % max(1, -(-steps // 100)) == 0):
            progress(step, steps)
        if step < steps:
            update(gradient)
    margins, *chosen = np.moveaxis(np.array(readings), 1, 0)
    test_margins, *test_chosen = [None] if test is None else np.moveaxis(np.array(test_readings), 1, 0)
    return Run(
        steps=np.array(recorded),
        losses=np.array(losses),
        margins=margins,
        accuracies=(margins > 0).mean(axis=1),
        test_margins=test_margins,
        test_accuracies=None if test is None else (test_margins > 0).mean(axis=1),
        chosen=chosen[0] if chosen else None,
        test_chosen=test_chosen[0] if test_chosen else None,
        kept=np.array(kept) if objective.of_batch else None,
        batch_losses=np.array(trace.losses) if choosing else None,
        batch_betas=np.array(trace.betas) if objective.of_batch else None,
        w=beta * (rows[pairs[:, 0]] - rows[pairs[:, 1]]),
        w_by_step=np.array(kept_w) if keep_w else None,
        settings=dict(kind="last layer", beta=beta, lr=lr, steps=steps, optimizer=optimizer, loss=objective.label,
                      every=every, N=train.N, d=train.shape[1], K=len(pairs))
        | ({} if head is None else dict(V=len(head.W_0), rows=train.shape[0]))
        | (dict(batch=batch, seed=seed) if choosing else {}),
    )


class _Trace:
    """What each step trained on, where a step has a batch of its own or its loss looks at the batch."""

    def __init__(self, objective: Loss, beta: float, seed: int, N: int):
        self.objective, self.beta, self.seed, self.seen = objective, beta, seed, None
        self.losses, self.betas, self.kept = [], [], np.zeros(N, int)

    def loss(self, step: int, part: np.ndarray | None, rewards: np.ndarray) -> Loss:
        """The loss to use on the batch `part`, all pairs if None."""
        draws = draws_of(self.seed, step)
        loss, self.seen = self.objective.on_batch(rewards[0], beta=self.beta, seen=self.seen, rng=draws)
        self.losses.append(loss.value(*rewards).mean())
        self.betas.append(self.beta * getattr(loss, "scale", 1.0))
        part = np.arange(len(self.kept)) if part is None else part
        np.add.at(self.kept, part, getattr(loss, "weight", np.ones(len(part))) > 0)  # a pair may be in a batch twice
        return loss


class _Margins:
    """Samples of which margins are read alone, for which the rows of their answers are enough."""

    def __init__(self, samples: TokenRows):
        self._samples, self.N, self.shape, self.dtype = samples, samples.N, samples.shape, samples.dtype

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Gaps of all samples, (1, N)."""
        return self._samples.margins(rows)[None]

    def step(self, rows: np.ndarray, part: np.ndarray | None, push: Callable, by_sample: bool):
        """Gaps (1, n) of some samples, all if None, and the gradient; `push` gives slopes, sample by sample or not."""
        if part is None and by_sample:
            gaps, gradient = self._samples.margins_and_force(rows, lambda gaps: push(gaps[None])[0])
            return gaps[None], gradient
        part = np.arange(self.N) if part is None else part
        gaps, pushes = self.read(rows)[:, part], np.zeros(self.N)
        np.add.at(pushes, part, push(gaps)[0])
        return gaps, self._samples.force(pushes)


def _under(head: Head, sets: list[tuple], layout, train: TokenRows) -> tuple[np.ndarray, list[FullSoftmax]]:
    """Rows of the two answers of every value (K, 2) among those that move, and the samples of each set, all checked."""
    if head.W_0.shape[1] != train.shape[1]:
        raise ValueError(f"head must have rows of the embeddings' dimension {train.shape[1]}, got {head.W_0.shape[1]}")
    answers = head.rows(layout)[layout.indices]
    embeddings = [np.asarray(x).astype(train.dtype, copy=False) for x, _ in sets]
    moving = rows_that_move(head, answers, *embeddings)
    found = []
    for x, (_, preferences) in zip(embeddings, sets, strict=True):
        both = answers[np.asarray(preferences.value).astype(int)]
        up = np.asarray(preferences.side)[:, None] > 0
        chosen, rejected = np.where(up, both, both[:, ::-1]).T
        found.append(FullSoftmax(x, chosen, rejected, head, moving))
    return np.searchsorted(moving, answers), found


def _finite(rewards: np.ndarray, lr: float, step: int) -> np.ndarray:
    """The rewards; `ValueError` where one is NaN or infinite."""
    if not np.isfinite(rewards).all():
        raise ValueError(f"lr must keep the margins finite, got {lr!r}, which does not after {step} steps")
    return rewards


def _held_out(test: tuple, preferences, d: int) -> TokenRows:
    """The held-out samples of dimension d; they must be of the values that are trained on."""
    if not isinstance(test, tuple | list) or len(test) != 2:
        raise ValueError(f"test must be None or a pair (embeddings, preferences), got {shown(test)}")
    holds("the second of test", test[1], "value side", "Preferences")
    names, others = (getattr(held, "names", None) for held in (preferences, test[1]))
    if names != others:
        raise ValueError(f"test must hold the values {names} in this order, got {others}")
    return _samples(*test, preferences.layout, "test embeddings", d)


def _samples(embeddings: np.ndarray, preferences, layout, name: str, d: int | None = None) -> TokenRows:
    """The samples in the precision of their embeddings; errors speak of `name`."""
    try:
        x, value, side = np.asarray(embeddings), np.asarray(preferences.value), np.asarray(preferences.side)
    except ValueError:  # rows of different lengths
        raise ValueError(f"{name}, values and sides must be arrays, got lists of lists of different lengths") from None
    if value.ndim != 1 or value.dtype.kind not in "iuf" or side.shape != value.shape or side.dtype.kind not in "iuf":
        raise ValueError(f"the values and sides of {name} must be lists of equally many numbers, "
                         f"got {value.dtype} of shape {value.shape} and {side.dtype} of shape {side.shape}")
    if x.ndim != 2 or len(x) != len(value) or 0 in x.shape or x.shape[1] != (d or x.shape[1]):
        raise ValueError(f"{name} must have shape ({len(value)}, {d or 'd'}), a row for each pair, got {x.shape}")
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, got {x.dtype}")
    if not (np.isfinite(x.min()) and np.isfinite(x.max())):
        raise ValueError(f"{name} must be finite, got {np.sum(~np.isfinite(x))} entries that are not")
    wrong = value[~((value >= 0) & (value < layout.K))]
    if wrong.size:
        raise ValueError(f"the values of {name} must lie between 0 and {layout.K - 1}, got {wrong[0]}")
    dtype = np.float32 if x.dtype == np.float32 else np.float64
    return TokenRows(Sample(x, value, side), layout, dtype=dtype, name=name)


def _gradient_descent(rows: np.ndarray, lr: float) -> Callable[[np.ndarray], None]:
    def update(gradient: np.ndarray) -> None:
        rows[...] -= lr * gradient

    return update


def _adam(rows: np.ndarray, lr: float) -> Callable[[np.ndarray], None]:
    mean, square, power = np.zeros_like(rows), np.zeros_like(rows), [1.0, 1.0]
    b1, b2 = ADAM["beta1"], ADAM["beta2"]

    def update(gradient: np.ndarray) -> None:
        power[0] *= b1
        power[1] *= b2
        mean[...] = b1 * mean + (1 - b1) * gradient
        square[...] = b2 * square + (1 - b2) * gradient**2
        rows[...] -= (lr / (1 - power[0])) * mean / (np.sqrt(square / (1 - power[1])) + ADAM["epsilon"])

    return update
