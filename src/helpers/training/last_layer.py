"""Last-layer DPO on fixed embeddings: only the rows of the unembedding that belong to answers in play are held."""

from collections.abc import Callable

import numpy as np

from ..checks import at_least, holds, one_of, positive, shown
from ..dynamics.flow import MOST_STEPS
from ..dynamics.token_rows import TokenRows
from ..losses import margin_loss
from ..mixture import Sample
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
    loss: str = "dpo",
    test: tuple | None = None,
    every: int = 1,
    keep_w: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Full-batch preference training of the unembedding matrix on fixed embeddings.

    The normaliser cancels in log p(chosen) - log p(rejected), so the gradient of every row of W that is no answer's
    row is exactly 0, under Adam as well.  Holding the answers' rows alone is therefore the same algorithm as
    training all V rows.  The reference W_0 cancels in the margin and is not needed.

    Parameters
    ----------
    embeddings : (N, d); the arithmetic is in its precision (float64 stays float64).
    preferences : anything with ``.value`` (N,), ``.side`` (N,) and ``.layout`` (a `TokenLayout`).
    beta, lr : strength of the preference and learning rate of the mean loss, > 0.
    steps : number of updates.
    optimizer : "gd", plain gradient descent, one step of which is 2 beta^2 lr / K of dimensionless time
        (theory N9), or "adam" with betas (0.9, 0.999) and eps 1e-8, as in the paper's experiments.
    loss : "dpo", "ipo" or "slic".
    test : (embeddings, preferences) of held-out samples with the same layout, or None.
    every : record every that many steps, and the last.
    keep_w : keep w of every recorded step, `Run.w_by_step`.
    progress : called during the run, at most about a hundred times, with the steps done and `steps`; last with both
        equal.

    Returns
    -------
    Run with margins (T, N) and test margins (T, M), taken before the update of the next step, and the final `w`
    (of every recorded step with `keep_w`).

    Raises
    ------
    ValueError : a setting out of range, a loss that needs more than margins, data that do not fit each other or are
        not finite, and an lr at which the margins do not stay finite.
    """
    positive("beta", beta, 1e50)
    positive("lr", lr, 1e100)
    at_least("steps", steps, 0, MOST_STEPS)
    at_least("every", every, 1)
    one_of("optimizer", optimizer, ("gd", "adam"))
    objective = margin_loss(loss)
    if progress is not None and not callable(progress):
        raise ValueError(f"progress must be None or a function of the steps done and all steps, got {shown(progress)}")
    holds("preferences", preferences, "value side layout", "Preferences")
    holds("preferences.layout", preferences.layout, "K gram indices incidence tokens", "a TokenLayout")
    beta, layout = float(beta), preferences.layout
    train = _samples(embeddings, preferences, layout, "embeddings")
    held_out = None if test is None else _held_out(test, preferences, train.shape[1])
    rows = np.zeros(train.shape, train.dtype)
    update = _adam(rows, lr) if optimizer == "adam" else _gradient_descent(rows, lr)
    recorded, losses, margins, test_margins, kept = [], [], [], [], []
    pairs = layout.indices

    def push(gaps: np.ndarray) -> np.ndarray:
        return objective.slope(beta * gaps) * (beta / train.N)

    for step in range(steps + 1):
        gaps, gradient = train.margins_and_force(rows, push) if step < steps else (train.margins(rows), None)
        r = beta * gaps
        if not np.isfinite(r).all():
            raise ValueError(f"lr must keep the margins finite, got {lr!r}, which does not after {step} steps")
        if step % every == 0 or step == steps:
            recorded.append(step)
            losses.append(objective.value(r).mean())
            margins.append(r)
            if keep_w:
                kept.append(beta * (rows[pairs[:, 0]] - rows[pairs[:, 1]]))
            if held_out is not None:
                test_margins.append(beta * held_out.margins(rows))
        if progress is not None and (step == steps or step % max(1, -(-steps // 100)) == 0):
            progress(step, steps)
        if step < steps:
            update(gradient)
    margins, test_margins = np.array(margins), np.array(test_margins) if test is not None else None
    return Run(
        steps=np.array(recorded),
        losses=np.array(losses),
        margins=margins,
        accuracies=(margins > 0).mean(axis=1),
        test_margins=test_margins,
        test_accuracies=None if test is None else (test_margins > 0).mean(axis=1),
        w=beta * (rows[pairs[:, 0]] - rows[pairs[:, 1]]),
        w_by_step=np.array(kept) if keep_w else None,
        settings=dict(kind="last layer", beta=beta, lr=lr, steps=steps, optimizer=optimizer, loss=loss, every=every,
                      N=train.N, d=train.shape[1], K=len(pairs)),
    )


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
