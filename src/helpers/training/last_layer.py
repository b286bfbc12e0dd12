"""Last-layer DPO on fixed embeddings: only the rows of the unembedding that belong to answers in play are held."""

from collections.abc import Callable

import numpy as np

from ..checks import at_least, holds, one_of, positive, shown
from ..losses import margin_loss
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

    Returns
    -------
    Run with margins (T, N) and test margins (T, M), taken before the update of the next step, and the final `w`.
    """
    positive("beta", beta)
    positive("lr", lr)
    at_least("steps", steps, 0)
    at_least("every", every, 1)
    one_of("optimizer", optimizer, ("gd", "adam"))
    objective = margin_loss(loss)
    holds("preferences", preferences, "value side layout", "Preferences")
    train = _Margins(embeddings, preferences, preferences.layout, beta, "embeddings")
    if test is not None:
        if not isinstance(test, tuple | list) or len(test) != 2:
            raise ValueError(f"test must be None or a pair (embeddings, preferences), got {shown(test)}")
        holds("the second of test", test[1], "value side", "Preferences")
        names, others = (getattr(held, "names", None) for held in (preferences, test[1]))
        if names != others:
            raise ValueError(f"test must hold the values {names} in this order, got {others}")
    held_out = None if test is None else _Margins(*test, preferences.layout, beta, "test embeddings", train.shape[1])
    rows = np.zeros(train.shape, train.dtype)
    update = _adam(rows, lr) if optimizer == "adam" else _gradient_descent(rows, lr)
    recorded, losses, margins, test_margins = [], [], [], []
    for step in range(steps + 1):
        r = train.margins(rows)
        if not np.isfinite(r).all():
            raise ValueError(f"lr must keep the margins finite, got {lr!r}, which does not after {step} steps")
        if step % every == 0 or step == steps:
            recorded.append(step)
            losses.append(objective.value(r).mean())
            margins.append(r)
            if held_out is not None:
                test_margins.append(held_out.margins(rows))
        if step < steps:
            update(train.gradient(objective.slope(r) / len(r)))
    margins, test_margins = np.array(margins), np.array(test_margins) if test is not None else None
    pairs = preferences.layout.indices
    return Run(
        steps=np.array(recorded),
        losses=np.array(losses),
        margins=margins,
        accuracies=(margins > 0).mean(axis=1),
        test_margins=test_margins,
        test_accuracies=None if test is None else (test_margins > 0).mean(axis=1),
        w=beta * (rows[pairs[:, 0]] - rows[pairs[:, 1]]),
        settings=dict(kind="last layer", beta=beta, lr=lr, steps=steps, optimizer=optimizer, loss=loss, every=every,
                      N=len(train), d=train.shape[1], K=len(pairs)),
    )


class _Margins:
    """Margins of fixed samples as a function of the answers' rows, and the gradient back to those rows.

    Samples are sorted by their pair of tokens, so that every pair costs two products with its own block: N d in all.
    Values that share both tokens, in either order, are one pair.
    """

    def __init__(self, embeddings: np.ndarray, preferences, layout, beta: float, name: str, d: int | None = None):
        x, value, side = np.asarray(embeddings), np.asarray(preferences.value), np.asarray(preferences.side)
        if x.ndim != 2 or len(x) != len(value) or 0 in x.shape or x.shape[1] != (d or x.shape[1]):
            raise ValueError(f"{name} must have shape ({len(value)}, {d or 'd'}), a row for each pair, got {x.shape}")
        if x.dtype.kind not in "biuf":
            raise ValueError(f"{name} must hold real numbers, got {x.dtype}")
        if not np.isfinite(x.sum(dtype=float)):
            raise ValueError(f"{name} must be finite, got {np.sum(~np.isfinite(x))} entries that are not")
        if not 0 <= value.min() <= value.max() < layout.K:
            raise ValueError(f"the values of {name} must lie between 0 and {layout.K - 1}, got {value.max()}")
        self.dtype = np.float32 if x.dtype == np.float32 else np.float64
        self.shape = len(layout.tokens), x.shape[1]
        tokens = np.sort(layout.indices, axis=1)
        flipped = np.where(layout.indices[:, 0] > layout.indices[:, 1], -1, 1)
        pairs, group = np.unique(tokens, axis=0, return_inverse=True)
        group = group.reshape(-1)[value]
        self.order = np.argsort(group, kind="stable")
        self.x = np.ascontiguousarray(x[self.order], dtype=self.dtype)
        self.sign = (beta * side * flipped[value]).astype(self.dtype)[self.order]
        ends = np.searchsorted(group[self.order], np.arange(len(pairs) + 1))
        self.blocks = [(a, b, slice(*ends[i : i + 2])) for i, (a, b) in enumerate(pairs)]

    def __len__(self) -> int:
        return len(self.x)

    def margins(self, rows: np.ndarray) -> np.ndarray:
        """(N,) reward margins in the order of the samples."""
        r = np.empty(len(self), self.dtype)
        for a, b, block in self.blocks:
            r[block] = self.x[block] @ (rows[a] - rows[b])
        margins = np.empty_like(r)
        margins[self.order] = r * self.sign
        return margins

    def gradient(self, slope: np.ndarray) -> np.ndarray:
        """Gradient with respect to the rows, for the loss's slopes (N,) in the order of the samples."""
        coefficient = slope.astype(self.dtype)[self.order] * self.sign
        gradient = np.zeros(self.shape, self.dtype)
        for a, b, block in self.blocks:
            direction = coefficient[block] @ self.x[block]
            gradient[a] += direction
            gradient[b] -= direction
        return gradient


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
