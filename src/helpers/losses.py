"""Losses of preference pairs, value and slope by one interface: what pushes a margin, and how hard.

A pair shows two numbers to a loss: its reward margin r = beta (log-ratio of the chosen answer less that of the rejected
one), and, where margins do not suffice, the chosen answer's reward beta log(pi / pi_ref). The mean over a batch is
trained. DPO, IPO and SLiC need margins alone (paper, section 7); DPO-Positive needs the chosen reward as well; beta-DPO
becomes a loss of margins once it has seen the batch (`on_batch`).
"""

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from scipy.special import expit

from .checks import between, finite, numbers, one_of, positive, shown


@dataclass(frozen=True)
class Seen:
    """What beta-DPO remembers from batch to batch: running mean and spread of the gaps r / beta, in nats."""

    mean: float = 0.0
    spread: float = 0.0


@dataclass(frozen=True)
class Loss:
    """One loss f of a pair, convex in its margin; training minimizes the mean of f over a batch.

    needs : in words, what the loss has to see besides margins, or "" for a loss of margins alone.
    of_chosen : whether that is the chosen reward.   of_batch : whether it is the batch, by `on_batch`.
    """

    name: ClassVar[str]
    needs: ClassVar[str] = ""
    of_chosen: ClassVar[bool] = False
    of_batch: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The name, with those options that are not as by default: "dpop", "dpop(strength=5)"."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        other = [f"{field.name}={shown(given[field.name])}" for field in fields(self)
                 if np.any(given[field.name] != field.default)]
        return f"{self.name}({', '.join(other)})" if other else self.name

    def at_start(self) -> float:
        """The loss before any training, where every reward is 0."""
        return float(self.value(np.zeros(1), np.zeros(1))[0])

    def value(self, r: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
        """f, shaped like the margins r, any shape; `chosen`, the chosen answers' rewards, counts for "dpop" alone.

        Raises `ValueError` for what are no numbers, and where the loss needs what it is not given.
        """
        raise NotImplementedError

    def slope(self, r: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
        """df/dr, shaped like r; arguments and errors as for `value`."""
        raise NotImplementedError

    def chosen_slope(self, r: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
        """df/d chosen at fixed r, shaped like r: 0 for losses of margins alone; errors as for `value`."""
        return np.zeros(np.shape(r))

    def slopes(self, rewards: np.ndarray) -> np.ndarray:
        """`slope` for margins (1, N); for margins and, below them, chosen rewards (2, N) also `chosen_slope`."""
        slope = self.slope(*rewards)[None]
        return slope if len(rewards) == 1 else np.concatenate([slope, self.chosen_slope(*rewards)[None]])

    def on_batch(
        self, r: np.ndarray, *, beta: float, seen: Seen | None = None, rng: np.random.Generator | None = None
    ) -> tuple["Loss", Seen | None]:
        """The loss to use on the batch of margins r (B,), and what to hand to the next batch: itself and `seen`.

        Only beta-DPO changes with the batch; what it takes from it are constants, through which nothing is
        differentiated. Its mean over the batch is then that over the pairs it keeps.
        """
        return self, seen


class DPO(Loss):
    """f(r) = -log sigma(r) = log(1 + e^-r); log 2 at the start of training (Rafailov et al., 2023)."""

    name = "dpo"

    def value(self, r, chosen=None):
        return _softplus(-numbers("r", r))

    def slope(self, r, chosen=None):
        return -expit(-numbers("r", r))


class IPO(Loss):
    """f(r) = (r - 1)^2: a margin beyond 1 is pushed back (Azar et al., 2023; scaled as in Tang et al., 2024)."""

    name = "ipo"

    def value(self, r, chosen=None):
        with np.errstate(over="ignore"):
            return (numbers("r", r) - 1.0) ** 2

    def slope(self, r, chosen=None):
        with np.errstate(over="ignore"):
            return -2.0 * (1.0 - numbers("r", r))


class SLiC(Loss):
    """f(r) = max(0, 1 - r): a sample stops pushing once its margin reaches 1. At the kink the slope is 0."""

    name = "slic"

    def value(self, r, chosen=None):
        return np.maximum(0.0, 1.0 - numbers("r", r))

    def slope(self, r, chosen=None):
        return -(numbers("r", r) < 1.0).astype(float)


@dataclass(frozen=True)
class DPOPositive(Loss):
    """f = -log sigma(r - strength max(0, -chosen)): DPO that resists a fall of the chosen answer.

    Pal et al. (2024), with beta (Delta - lambda max(0, log pi_ref/pi)) in the sigmoid, as corrected by its authors;
    `strength` is their lambda, at least 0, 50 in most re-implementations. At chosen = 0 there is no penalty yet.
    Raises `ValueError` for another strength.
    """

    strength: float = 50.0
    name: ClassVar[str] = "dpop"
    needs: ClassVar[str] = "the reward of every chosen answer, beta (log pi - log pi_ref), beside the margin"
    of_chosen: ClassVar[bool] = True

    def __post_init__(self) -> None:
        between("strength", self.strength, 0.0, 1e9)

    def value(self, r, chosen=None):
        return _softplus(-self._argument(r, chosen))

    def slope(self, r, chosen=None):
        return -expit(-self._argument(r, chosen))

    def chosen_slope(self, r, chosen=None):
        return self.slope(r, chosen) * self.strength * (np.asarray(chosen) < 0)

    def _argument(self, r, chosen) -> np.ndarray:
        """What stands in the sigmoid."""
        if chosen is None:
            raise ValueError(f"loss {self.name!r} needs {self.needs}; it was given margins alone")
        r, chosen = numbers("r", r), numbers("chosen", chosen)
        if chosen.shape != r.shape:
            raise ValueError(f"chosen must have one reward for each margin, shape {r.shape}, got {chosen.shape}")
        with np.errstate(over="ignore"):
            return r - self.strength * np.maximum(0.0, -chosen)


@dataclass(frozen=True, eq=False)
class WeightedDPO(Loss):
    """f_i = -weight_i log sigma(scale r_i): beta-DPO on one batch.

    scale : the batch's beta over beta.   weight : shape (B,), B/n for the n pairs kept and 0 for the others.
    """

    scale: float
    weight: np.ndarray
    name: ClassVar[str] = "beta-dpo"

    def value(self, r, chosen=None):
        return self._fit(r) * _softplus(-self.scale * numbers("r", r))

    def slope(self, r, chosen=None):
        return -self._fit(r) * self.scale * expit(-self.scale * numbers("r", r))

    def _fit(self, r) -> np.ndarray:
        if np.shape(r) != self.weight.shape:
            raise ValueError(f"r must be the batch of {len(self.weight)} margins, got shape {np.shape(r)}")
        return self.weight


@dataclass(frozen=True)
class BetaDPO(Loss):
    """DPO whose beta follows the batch, on the pairs whose gap is not unusual (Wu et al., 2024, as released).

    With gaps Delta = r / beta of a batch of B: their mean and spread enter running averages M and s
    (`momentum` of the old is kept, from 0 on); floor(keep B) pairs, at least 1, are drawn without replacement with
    weights exp(-((Delta - M) / s)^2 / 2), all equal while s = 0; the batch's beta is
    beta (1 + alpha (mean kept gap - M)), at least `least`. Then `on_batch` gives the mean of -log sigma(beta_t Delta)
    over the pairs kept. The published text defines gaps with beta, its code, followed here, without.

    Raises `ValueError` for alpha below 0, keep outside (0, 1], momentum outside [0, 1], least not above 0.
    """

    alpha: float = 0.6
    keep: float = 0.8
    momentum: float = 0.9
    least: float = 1e-3
    name: ClassVar[str] = "beta-dpo"
    needs: ClassVar[str] = "to see every batch anew (`on_batch`), since beta and the pairs kept follow from its gaps"
    of_batch: ClassVar[bool] = True

    def __post_init__(self) -> None:
        between("alpha", self.alpha, 0.0, 1e9)
        if between("keep", self.keep, 0.0, 1.0) == 0:
            raise ValueError(f"keep must lie above 0 and at most 1, got {shown(self.keep)}")
        between("momentum", self.momentum, 0.0, 1.0)
        positive("least", self.least)

    def value(self, r, chosen=None):
        raise ValueError(f"loss {self.name!r} needs {self.needs}; it was given margins alone")

    slope = chosen_slope = value

    def at_start(self):
        return DPO().at_start()  # at margins of 0 neither beta nor the choice of pairs counts

    def on_batch(self, r, *, beta, seen=None, rng=None):
        """`WeightedDPO` for the margins r (B,) and the updated averages; `seen` None begins at 0.

        Raises `ValueError` for margins that are no list of finite numbers, beta not above 0 (1e-50 to 1e50), a `seen`
        that is none, and for keep below 1 without a generator `rng` to draw with.
        """
        r, before = finite("r", r), Seen() if seen is None else seen
        if r.ndim != 1 or not r.size:
            raise ValueError(f"r must be a list of margins, got {shown(r)}")
        if not isinstance(before, Seen):
            raise ValueError(f"seen must be None or what on_batch gave before, got {shown(seen)}")
        if positive("beta", beta, 1e50) < 1e-50:
            raise ValueError(f"beta must be at least 1e-50, got {shown(beta)}")
        gaps = r / float(beta)
        spread = float(gaps.std(ddof=1)) if len(gaps) > 1 else 0.0
        old, new = self.momentum, 1 - self.momentum
        now = Seen(old * before.mean + new * float(gaps.mean()), old * before.spread + new * spread)
        kept = self._draw(gaps, now, rng)
        weight = np.zeros(len(gaps))
        weight[kept] = len(gaps) / len(kept)
        batch_beta = max(beta * (1 + self.alpha * (float(gaps[kept].mean()) - now.mean)), self.least)
        return WeightedDPO(batch_beta / beta, weight), now

    def _draw(self, gaps: np.ndarray, seen: Seen, rng: np.random.Generator | None) -> np.ndarray:
        """Which pairs to keep."""
        count = max(1, int(self.keep * len(gaps) + 1e-9))  # 0.7 of 10 is 7, whatever the last bit of 0.7
        if self.keep == 1:  # nothing to draw
            return np.arange(len(gaps))
        if not isinstance(rng, np.random.Generator):
            raise ValueError(f"rng must be a numpy.random.Generator for keep below 1, got {shown(rng)}")
        with np.errstate(over="ignore"):  # beyond all bounds is as unlikely as a weight of 0
            off = (gaps - seen.mean) / seen.spread if seen.spread > 0 else np.zeros(len(gaps))
            # Largest log weight + Gumbel noise: the same draw without replacement, and no weight is too small for it.
            ranking = -(off**2) / 2 + rng.gumbel(size=len(gaps))
        return np.sort(np.argsort(ranking)[len(gaps) - count :])


LOSSES: dict[str, type[Loss]] = {loss.name: loss for loss in (DPO, IPO, SLiC, DPOPositive, BetaDPO)}


def _softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + e^x)."""
    with np.errstate(invalid="ignore"):  # NaN stays NaN
        return np.logaddexp(0.0, x)


def get_loss(name: str | Loss) -> Loss:
    """The loss called "dpo", "ipo", "slic", "dpop" or "beta-dpo"; a `Loss`, which may have other options, is itself.

    Raises `ValueError` for another name.
    """
    if isinstance(name, Loss):
        return name
    return LOSSES[one_of("loss", name, LOSSES)]()


def margin_loss(name: str) -> Loss:
    """The loss of that name if margins alone decide it: "dpo", "ipo" or "slic".

    Raises `ValueError`, with what is missing, for the others and for an unknown name.
    """
    alone = [known for known, kind in LOSSES.items() if not kind.needs]
    if isinstance(name, str) and name in LOSSES and name not in alone:
        needs = LOSSES[name].needs
        raise ValueError(f"loss must need margins alone ({', '.join(alone)}), got {name!r}, which needs {needs}")
    return LOSSES[one_of("loss", name, alone)]()
