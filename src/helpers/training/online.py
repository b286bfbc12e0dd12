"""Online DPO for several rewards at once, on fixed embeddings and a small set of answers (MO-ODPO, Gupta et al., 2025).

A prompt says how much each reward counts. Two answers are drawn from the policy itself, the rewards label them, and one
step of DPO follows, with the policy at the start as reference; nothing is differentiated through the draw. The last
layer is trained, a change D (A, d) of the answers' rows, so that logits are those at the start plus D x.

Two readings of the label exist. "sum": one label, by the weighted sum of the rewards. "each": one label a reward, and
the losses are weighted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.special import expit, softmax

from ..checks import at_least, finite, holds, one_of, positive, shown

LABELS = ("sum", "each")
_LARGEST = 1e50


@dataclass(frozen=True, eq=False)
class OnlinePrompts:
    """N prompts with A answers, m rewards of each answer, and how much each reward counts.

    Parameters
    ----------
    x : embeddings (N, d) of the prompts, in which the weights may be written.
    logits : (N, A), of the answers at the start; probabilities are those among these answers.
    rewards : (N, m, A).   weights : (N, m), at least 0.

    Raises `ValueError` for arrays that do not fit or are not finite, fewer than two answers, and a weight below 0.
    """

    x: Annotated[np.ndarray, "N d"]
    logits: Annotated[np.ndarray, "N A"]
    rewards: Annotated[np.ndarray, "N m A"]
    weights: Annotated[np.ndarray, "N m"]

    def __post_init__(self) -> None:
        for name, axes in (("x", 2), ("logits", 2), ("rewards", 3), ("weights", 2)):
            array = finite(name, getattr(self, name), _LARGEST)
            if array.ndim != axes or 0 in array.shape:
                raise ValueError(f"{name} must be an array of dimension {axes} that is not empty, got {array.shape}")
            object.__setattr__(self, name, array)
        (N, A), m = self.logits.shape, self.weights.shape[1]
        for name, shape in (("x", (N, self.x.shape[1])), ("rewards", (N, m, A)), ("weights", (N, m))):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have shape {shape}, got {getattr(self, name).shape}")
        if A < 2:
            raise ValueError(f"logits must be those of at least 2 answers, got {A}")
        if (self.weights < 0).any():
            raise ValueError(f"weights must be at least 0, got {self.weights.min():g}")

    def __len__(self) -> int:
        """N, the number of prompts."""
        return len(self.x)


@dataclass(frozen=True)
class OnlineRun:
    """Online training, seen at T numbers of steps.

    steps : (T,).   logits : of the training prompts (T, N, A).   test_logits : of held-out ones (T, M, A), or None.
    change : D (A, d) at the end.
    """

    steps: Annotated[np.ndarray, "T"]
    logits: Annotated[np.ndarray, "T N A"]
    test_logits: Annotated[np.ndarray, "T M A"] | None
    change: Annotated[np.ndarray, "A d"]


@np.errstate(over="ignore", invalid="ignore")
def pair_pulls(
    logits: Annotated[np.ndarray, "N A"], prompts: OnlinePrompts, *, beta: float, label: str = "sum"
) -> Annotated[np.ndarray, "N A A"]:
    """How hard a drawn pair (y, y') pulls y up and y' down, over beta: (N, A, A), antisymmetric, 0 for a tie.

    With r the margin of y over y': sigma(-r) where y is preferred, -sigma(r) where y' is; for "each" the mean over the
    rewards by their weights. Raises `ValueError` for logits that do not fit and another label.
    """
    holds("prompts", prompts, "x logits rewards weights", "OnlinePrompts")
    logits, beta = finite("logits", logits), positive("beta", beta, _LARGEST)
    one_of("label", label, LABELS)
    if logits.shape != prompts.logits.shape:
        raise ValueError(f"logits must have shape {prompts.logits.shape}, got {logits.shape}")
    moved = logits - prompts.logits  # the normaliser cancels in a margin
    r = beta * (moved[:, :, None] - moved[:, None, :])
    rewards, weights = prompts.rewards, prompts.weights
    if label == "sum":
        rewards, weights = np.einsum("nm,nma->na", weights, rewards)[:, None], np.ones((len(r), 1))
    better = rewards[..., :, None] > rewards[..., None, :]
    first = np.einsum("nm,nmab->nab", weights, better)
    return first * expit(-r) - first.swapaxes(1, 2) * expit(r)


def expected_push(
    logits: Annotated[np.ndarray, "N A"], prompts: OnlinePrompts, *, beta: float, label: str = "sum"
) -> Annotated[np.ndarray, "N A"]:
    """F (N, A), the mean push of one drawn pair on the logits: 2 beta sum over y' of pi(y) pi(y') `pair_pulls`.

    Errors as for `pair_pulls`.
    """
    pulls = pair_pulls(logits, prompts, beta=beta, label=label)
    pi = softmax(logits, axis=1)
    return 2 * beta * pi * np.einsum("nab,nb->na", pulls, pi)


def sampled_push(
    logits: Annotated[np.ndarray, "N A"], prompts: OnlinePrompts, *, beta: float, rng: np.random.Generator,
    label: str = "sum",
) -> Annotated[np.ndarray, "N A"]:
    """The push (N, A) of one pair drawn from the policy for each prompt; its mean is `expected_push`, errors too."""
    pulls, N = pair_pulls(logits, prompts, beta=beta, label=label), np.arange(len(prompts))
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got {shown(rng)}")
    up_to = np.cumsum(softmax(logits, axis=1), axis=1)
    first, second = ((rng.random((len(N), 1)) * up_to[:, -1:] >= up_to).sum(axis=1) for _ in range(2))
    pull, push = beta * pulls[N, first, second], np.zeros(logits.shape)
    np.add.at(push, (N, first), pull)
    np.add.at(push, (N, second), -pull)
    return push


@np.errstate(over="ignore", invalid="ignore")  # a step that is too long is reported
def train_online(
    prompts: OnlinePrompts,
    *,
    beta: float,
    lr: float,
    steps: int,
    label: str = "sum",
    batch: int | None = None,
    seed: int = 0,
    test: OnlinePrompts | None = None,
    every: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> OnlineRun:
    """Gradient steps of online DPO on the answers' rows.

    batch : prompts drawn, with replacement, for each update, one pair of answers each; None for the mean over all
        prompts and all pairs, without any draw.
    lr : of the mean over the batch.   seed : of the draws.   test : prompts of the same dimension and answers.
    every : record every that many steps, and the last.   progress : called during the run, at most about a hundred
        times, with the steps done and `steps`.

    Raises `ValueError` for a setting out of range, prompts that do not fit, and an lr at which logits are not finite.
    """
    positive("beta", beta, _LARGEST)
    positive("lr", lr, 1e100)
    one_of("label", label, LABELS)
    at_least("seed", seed, 0)
    at_least("every", every, 1)
    at_least("steps", steps, 0, 10**7)
    for name, given in (("prompts", prompts), ("test", test)):
        if name == "prompts" or given is not None:
            holds(name, given, "x logits rewards weights", "OnlinePrompts")
    if batch is not None:
        at_least("batch", batch, 1, 10**6)
    if progress is not None and not callable(progress):
        raise ValueError(f"progress must be None or a function of the steps done and all steps, got {shown(progress)}")
    shape = prompts.logits.shape[1], prompts.x.shape[1]
    if test is not None and (test.logits.shape[1], test.x.shape[1]) != shape:
        found = test.logits.shape[1], test.x.shape[1]
        raise ValueError(f"test must have {shape[0]} answers and dimension {shape[1]}, got {found[0]} and {found[1]}")
    change, rng, recorded, seen, unseen = np.zeros(shape), np.random.default_rng(seed), [], [], []
    for step in range(steps + 1):
        logits = prompts.logits + prompts.x @ change.T
        if not np.isfinite(logits).all():
            raise ValueError(f"lr must keep the logits finite, got {lr!r}, which does not after {step} steps")
        if step % every == 0 or step == steps:
            recorded.append(step)
            seen.append(logits)
            if test is not None:
                unseen.append(test.logits + test.x @ change.T)
        if progress is not None and (step == steps or step % max(1, -(-steps // 100)) == 0):
            progress(step, steps)
        if step == steps:
            break
        if batch is None:
            push, x = expected_push(logits, prompts, beta=beta, label=label), prompts.x
        else:
            part = rng.integers(len(prompts), size=batch)
            some = OnlinePrompts(prompts.x[part], prompts.logits[part], prompts.rewards[part], prompts.weights[part])
            push, x = sampled_push(logits[part], some, beta=beta, rng=rng, label=label), some.x
        change = change + lr / len(x) * push.T @ x
    return OnlineRun(np.array(recorded), np.array(seen), np.array(unseen) if test is not None else None, change)
