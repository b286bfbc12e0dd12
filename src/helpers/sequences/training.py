"""Gradient descent on the loss of whole answers, followed at the positions in play: W itself is never changed.

Every gradient is a sum of outer products with training states, so after any number of steps Delta W = A^T G with
the distinct training states G (U, d) and coefficients A (U, V), and the logits at a state g move by (G g)^T A. A step
costs O(U^2 V) in place of O(U d V).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.special import expit

from ..checks import at_least, between, positive, shown
from .pairs import SequencePairs, finite_table
from .rewards import check_pairs

MOST_STEPS = 10**7


@dataclass(frozen=True)
class SequenceRun:
    """Training on whole answers, seen at T numbers of steps.

    steps : (T,).   rewards : of the chosen and the rejected answers (T, N, 2), in nats, 0 at the start.
    test_rewards : of the held-out pairs (T, M, 2), or None without them.
    """

    steps: Annotated[np.ndarray, "T"]
    rewards: Annotated[np.ndarray, "T N 2"]
    test_rewards: Annotated[np.ndarray, "T M 2"] | None = None

    @property
    def margins(self) -> np.ndarray:
        """Reward margins of the training pairs (T, N)."""
        return self.rewards[..., 0] - self.rewards[..., 1]

    @property
    def test_margins(self) -> np.ndarray | None:
        """Reward margins of the held-out pairs (T, M)."""
        return None if self.test_rewards is None else self.test_rewards[..., 0] - self.test_rewards[..., 1]


class SequenceStart:
    """Training and held-out pairs read under the unembedding at the start, from which runs can be made.

    Parameters
    ----------
    W_0 : unembedding at the start (V, d); the arithmetic is in its precision.
    pairs : training pairs.   test : held-out pairs, or None.
    floor : a token that no answer holds, and whose probability exceeds this at no state at the start, keeps its
        logits. It moves by about its probability times what an answer's token moves; 0 trains all V tokens.

    Raises `ValueError` for a floor outside of 0 to 1, pairs that are none, and states or tokens that do not fit W_0.
    """

    def __init__(
        self, W_0: np.ndarray, pairs: SequencePairs, test: SequencePairs | None = None, *, floor: float = 0.0
    ):
        between("floor", floor, 0, 1)
        W_0 = finite_table("W_0", W_0, "(V, d)")
        V, d = W_0.shape
        for name, given in (("pairs", pairs), ("test", test)):
            if name == "pairs" or given is not None:
                check_pairs(name, given)
                if given.states.shape[1] != d or given.tokens.max() >= V:
                    found = f"{given.states.shape} and {given.tokens.max()}"
                    raise ValueError(f"the states and tokens of {name} must fit W_0 of shape {(V, d)}, got {found}")
        known = [_Positions(W_0, given) for given in (pairs, test) if given is not None]
        if floor > 0:
            likely = np.any([positions.likely(floor) for positions in known], axis=0)
            for positions in known:
                positions.keep(likely)
        self._train, self._test = known[0], known[1] if test is not None else None

    def train(
        self, *, beta: float, lr: float, steps: int, every: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> SequenceRun:
        """Full-batch gradient descent; arguments and errors as for `train_sequences`."""
        positive("beta", beta, 1e50)
        positive("lr", lr, 1e100)
        at_least("steps", steps, 0, MOST_STEPS)
        at_least("every", every, 1)
        if progress is not None and not callable(progress):
            wanted = "None or a function of the steps done and all steps"
            raise ValueError(f"progress must be {wanted}, got {shown(progress)}")
        train, test, N = self._train, self._test, len(self._train.pairs)
        logits, coefficients = train.logits.copy(), np.zeros_like(train.logits)  # A
        within = train.states @ train.states.T
        across = None if test is None else test.states @ train.states.T
        recorded, rewards, test_rewards = [], [], []
        with np.errstate(over="ignore", invalid="ignore"):  # a step that is too long is reported below
            for step in range(steps + 1):
                probabilities, found = train.read(logits, beta)
                if not np.isfinite(found).all():
                    raise ValueError(f"lr must keep the rewards finite, got {lr!r}, which does not after {step} steps")
                if step % every == 0 or step == steps:
                    recorded.append(step)
                    rewards.append(found)
                    if test is not None:
                        test_rewards.append(test.read(test.logits + across @ coefficients, beta)[1])
                if progress is not None and (step == steps or step % max(1, -(-steps // 100)) == 0):
                    progress(step, steps)
                if step < steps:
                    push = expit(found[:, 1] - found[:, 0]) * (lr * beta / N)
                    change = train.descent(probabilities, push)
                    coefficients += change
                    logits += within @ change
        return SequenceRun(np.array(recorded), np.array(rewards), None if test is None else np.array(test_rewards))


def train_sequences(
    W_0: np.ndarray,
    pairs: SequencePairs,
    *,
    beta: float,
    lr: float,
    steps: int,
    test: SequencePairs | None = None,
    every: int = 1,
    floor: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> SequenceRun:
    """Full-batch gradient descent of the unembedding on -mean log sigma(r_i), the hidden states fixed (App. D).

    Parameters
    ----------
    W_0, pairs, test, floor : as for `SequenceStart`.
    beta, lr : strength of the preference and learning rate, > 0.   steps : number of updates.
    every : record every that many steps, and the last.
    progress : called during the run, at most about a hundred times, with the steps done and `steps`.

    Raises
    ------
    ValueError : an argument out of range, arrays that do not fit, and an lr at which the rewards do not stay finite.
    """
    start = SequenceStart(W_0, pairs, test, floor=floor)
    return start.train(beta=beta, lr=lr, steps=steps, every=every, progress=progress)


class _Positions:
    """The distinct states (U, d) behind some answers, their logits (U, V), and which state a token is read from."""

    def __init__(self, W_0: np.ndarray, pairs: SequencePairs):
        self.pairs, self.tokens = pairs, pairs.tokens
        self.states, place = np.unique(pairs.states.astype(W_0.dtype), axis=0, return_inverse=True)
        self.place = place.reshape(-1)
        self.logits = self.states @ W_0.T
        self.rest = np.full((len(self.states), 1), -np.inf, W_0.dtype)  # log of what the tokens left out add up to
        self.start = self._log_likelihood(self.logits)[1]

    def likely(self, floor: float) -> np.ndarray:
        """Which of the V tokens are in an answer, or more probable than `floor` at some state."""
        likely = self._log_likelihood(self.logits)[0].max(axis=0) > floor
        likely[self.tokens] = True
        return likely

    def keep(self, kept: np.ndarray) -> None:
        """Hold the logits of some tokens alone, given as V truth values; the others stay as they are."""
        top = self.logits.max(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):  # nothing is left out, or nothing that counts
            self.rest = top + np.log(np.exp(self.logits - top) @ (~kept).astype(top.dtype)[:, None])
        self.logits = np.ascontiguousarray(self.logits[:, kept])  # one order of summation: rewards start at 0
        self.tokens = np.cumsum(kept)[self.tokens] - 1
        self.start = self._log_likelihood(self.logits)[1]

    def read(self, logits: np.ndarray, beta: float) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (U, V) at the states, and the rewards (N, 2) of the answers."""
        probabilities, found = self._log_likelihood(logits)
        return probabilities, beta * self.pairs.sums(found - self.start)

    def descent(self, probabilities: np.ndarray, push: np.ndarray) -> np.ndarray:
        """Sum of push (e_y - probabilities) over the tokens read from each state, minus in a rejected answer."""
        weight = (push[self.pairs.pair] * self.pairs.sign).astype(probabilities.dtype)
        net = np.bincount(self.place, weights=weight, minlength=len(self.states))
        change = probabilities * -net[:, None].astype(weight.dtype)
        np.add.at(change, (self.place, self.tokens), weight)
        return change

    def _log_likelihood(self, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        top = logits.max(axis=1, keepdims=True)
        probabilities = np.exp(logits - top)
        total = probabilities.sum(axis=1, keepdims=True) + np.exp(self.rest - top)
        probabilities /= total
        found = logits[self.place, self.tokens] - (top + np.log(total))[self.place, 0]
        return probabilities, found.astype(float)
