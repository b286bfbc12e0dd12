"""What each step of the paper's proof gives away on drawn data: left side, right side, and their ratio.

Sixteen steps lead from Lemma B.1 to the risk; each is a function of the same `Evidence`, which computes what several of
them need once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit, logsumexp

from ..checks import at_least, holds, listed, one_of, positive
from ..dynamics.flow import Trajectory, gradient_flow, noise_free_margin, push
from ..dynamics.rates import pull
from ..dynamics.token_rows import checked_arrays
from ..dynamics.tracking import Tracking, check_orthonormal, track, track_beforehand
from ..mixture import Sample, ValueMixture
from ..risk.exact import log_exact_risk
from ..risk.laws import log_law
from ..risk.one_step import first_step, log_one_step_risk
from .concentration import largest_epsilon, noise_parts, rate_bracket, rate_tolerance, sharing_term
from .envelopes import LOG3, training_envelope
from .guarantees import failure_probability, refined_exponent, risk_bound

HORIZON = 0.4 * LOG3  # S at the paper's stopping time tau_1
LN10 = float(np.log(10))


@dataclass(frozen=True)
class Slack:
    """One step of the proof, an inequality left <= right.

    key : short name that stays, such as "B.2" or "envelope".
    number, name : 1 to 16, and what the step says.
    sides : what is compared -> (left, right); the first entry is the step's own.
    unit : "ratio", where right / left is given away, or "log10", where both sides are powers of ten and the
        difference counts. Steps 15 and 16 compare approximations; there the left side may be the larger.
    """

    key: str
    number: int
    name: str
    sides: Mapping[str, tuple[float, float]]
    unit: str = "ratio"

    @property
    def left(self) -> float:
        """Left side of the first comparison."""
        return next(iter(self.sides.values()))[0]

    @property
    def right(self) -> float:
        """Right side of the first comparison."""
        return next(iter(self.sides.values()))[1]

    @property
    def ratio(self) -> float:
        """right / left, or right - left in powers of ten; infinite where the left side is 0."""
        if self.unit == "log10":
            return self.right - self.left
        return self.right / self.left if self.left else np.inf


class Slacks(tuple[Slack, ...]):
    """Steps in their order, a tuple; ``steps["envelope"]`` is the one of that key.

    A key that is not there raises `ValueError` with the nearest ones.
    """

    def __getitem__(self, which):
        if not isinstance(which, str):
            return super().__getitem__(which)
        by_key = {step.key: step for step in self}
        return by_key[one_of("key", which, by_key)]


@dataclass(frozen=True)
class Evidence:
    """What the steps are measured on: a mixture, one data set and some further ones, the constants of the proof.

    mixture, Q : the distribution, with noise and orthonormal concepts, and the number of samples a cluster.
    sample : the data set.   others : further ones, for frequencies and means.
    epsilon : the free constant of the proof; by default the largest allowed, 1 / (16 v (Z + 2)).
    steps : gradient descent steps to the stopping time in step 15.
    failure : probability that the a-priori constants of step 14 may fail with.

    Raises `ValueError` for v = 0, concepts that are not orthonormal, or an argument out of range.
    """

    mixture: ValueMixture
    Q: int
    sample: Sample
    others: tuple[Sample, ...]
    epsilon: float | None = None
    steps: int = 20
    failure: float = 0.05

    def __post_init__(self) -> None:
        largest = largest_epsilon(positive("v", self.mixture.v), self.mixture.layout.Z)
        check_orthonormal(self.mixture)
        object.__setattr__(self, "epsilon", largest if self.epsilon is None else positive("epsilon", self.epsilon))
        at_least("steps", self.steps, 1)

    @property
    def allowed(self) -> float:
        """epsilon v, how far each part of an inner product may stray."""
        return self.epsilon * self.mixture.v

    @property
    def setting(self) -> dict:
        """Z, d, v and epsilon, as the guarantees take them."""
        mixture = self.mixture
        return {"Z": mixture.layout.Z, "d": mixture.d, "v": mixture.v, "epsilon": self.epsilon}

    @cached_property
    def flow(self) -> Trajectory:
        """Training on the sample, at eight times up to the stopping time."""
        return gradient_flow(self.sample, self.mixture.layout, HORIZON * np.linspace(0, 1, 9)[1:])

    @cached_property
    def pushes(self) -> np.ndarray:
        """sigma(-r_j) at the stopping time."""
        return expit(-self.flow.margins[-1])

    @cached_property
    def stray(self) -> tuple[float, float, float]:
        """Largest linear part, bilinear part and sum of both, of all pairs of samples that share a token (B.1)."""
        return _stray(self.sample, self.mixture)

    @cached_property
    def tracking(self) -> Tracking:
        """The constants of N7 on the sample."""
        return track(self.sample, self.mixture.layout)

    @cached_property
    def log_risk(self) -> float:
        """log10 of the exact risk at the stopping time."""
        return float(log_exact_risk(self.flow.w[-1], self.mixture)) / LN10

    @cached_property
    def log_first_risk(self) -> float:
        """log10 of the exact expected risk after the first step (N3)."""
        return _mean_log10(log_one_step_risk(self.mixture, self.Q))

    @property
    def log_prefactor(self) -> float:
        """log10 of 2 K Q^2, the size of the union in B.4 and 4.3."""
        return float(np.log10(2 * self.mixture.K * self.Q**2))

    @property
    def exponent(self) -> float:
        """The exponent of B.4."""
        return refined_exponent(self.Q, l_b=self.mixture.l_b, **self.setting)


def slack(
    mixture: ValueMixture,
    Q: int,
    rng: np.random.Generator,
    *,
    sample: Sample | None = None,
    epsilon: float | None = None,
    steps: int = 20,
    draws: int = 20,
    failure: float = 0.05,
    only: Iterable[str] | None = None,
) -> Slacks:
    """The 16 steps from Lemma B.1 to the risk, each with its two sides on one data set, at the stopping time.

    Parameters
    ----------
    mixture, Q, epsilon, steps, failure : as in `Evidence`.
    rng : draws the data set, unless `sample` is given, and `draws` further ones for the frequencies.
    only : keys of the steps to take, in the proof's order; all of them by default.

    Returns
    -------
    The steps in order, which can be picked by key: ``slack(...)["envelope"].ratio``.

    Builds N x N matrices: for N up to a few thousand. Raises `ValueError` for v = 0, an argument out of range or an
    unknown key.
    """
    holds("mixture", mixture, "sample layout concepts delta", "a ValueMixture")
    at_least("draws", draws, 1)
    keys = list(STEPS) if only is None else [one_of("only", key, STEPS) for key in listed("only", only, "keys")]
    sample = mixture.sample(Q, rng) if sample is None else Sample(*checked_arrays(sample, mixture.layout, "sample",
                                                                                mixture.d))
    others = tuple(mixture.sample(Q, rng) for _ in range(draws))
    given = Evidence(mixture, Q, sample, others, epsilon, steps, failure)
    return Slacks(step(given) for key, step in STEPS.items() if key in keys)


def step_1_linear_part(given: Evidence) -> Slack:
    """The part of an inner product that is linear in the noise strays by at most epsilon v (B.1)."""
    return Slack("linear", 1, "linear part of B.1", {"largest deviation": (given.stray[0], given.allowed)})


def step_2_bilinear_part(given: Evidence) -> Slack:
    """So does the part that is a product of two noises (B.1)."""
    return Slack("bilinear", 2, "bilinear part of B.1", {"largest deviation": (given.stray[1], given.allowed)})


def step_3_interactions(given: Evidence) -> Slack:
    """Together they stray by at most 2 epsilon v (B.1)."""
    return Slack("B.1", 3, "B.1 in all", {"largest deviation": (given.stray[2], 2 * given.allowed)})


def step_4_union_bound(given: Evidence) -> Slack:
    """How often that fails, against the sum over all pairs of their chances to fail (B.1)."""
    fails = [_stray(other, given.mixture)[2] > 2 * given.allowed for other in given.others]
    bound = failure_probability(given.mixture.K, given.Q, form="appendix", **given.setting)
    return Slack("union", 4, "union bound of B.1", {"how often the event fails": (float(np.mean(fails)), bound)})


def step_5_rates(given: Evidence) -> Slack:
    """Every rate is near its bracket (B.2)."""
    mixture, layout = given.mixture, given.mixture.layout
    bracket = rate_bracket(given.sample, layout, given.pushes, l_b=mixture.l_b, noise_square=mixture.d * mixture.v**2)
    off = float(np.abs(pull(given.sample, layout, given.pushes) - bracket).max())
    tolerance = rate_tolerance(given.Q, layout.Z, given.pushes, allowed=given.allowed)
    return Slack("B.2", 5, "rate of B.2", {"largest deviation": (off, tolerance)})


def step_6_frozen_pushes(given: Evidence) -> Slack:
    """All pushes stay between 1/4 and 1/2 while all margins stay between 0 and log 3."""
    largest = float(expit(-given.flow.margins).max())
    return Slack("pushes", 6, "frozen pushes", {
        "smallest push": (1 / 4, float(given.pushes.min())), "largest push": (largest, 1 / 2)})


def step_7_sharing(given: Evidence) -> Slack:
    """What values that share a token add to a rate."""
    term = np.abs(sharing_term(given.sample, given.mixture.layout, given.pushes, l_b=given.mixture.l_b)).max()
    return Slack("sharing", 7, "sharing term", {"largest term": (float(term), given.Q / 8)})


def step_8_envelope(given: Evidence) -> Slack:
    """The lines that hold all margins (4.2, 4.2', N7), at the moment at which each is tightest."""
    mixture, S = given.mixture, given.flow.S
    least, most = given.flow.margins.min(axis=1), given.flow.margins.max(axis=1)
    bar, tube = noise_free_margin(S), given.tracking.margin(S)
    lines = {name: training_envelope(S, form=form, Q=given.Q, d=mixture.d, v=mixture.v)
             for name, form in (("4.2", "paper"), ("4.2'", "improved"))}
    sides = {}
    for name, (lower, upper) in (lines | {"N7": (bar * (1 - tube), bar * (1 + tube))}).items():
        with np.errstate(divide="ignore", invalid="ignore"):  # where nothing moves at all
            tight, loose = np.argmin(least / lower), np.argmin(upper / most)
        sides[f"{name}, lower"] = float(lower[tight]), float(least[tight])
        sides[f"{name}, upper"] = float(most[loose]), float(upper[loose])
    return Slack("envelope", 8, "envelope", sides)


def step_9_stopping_time(given: Evidence) -> Slack:
    """The stopping time comes before any margin is log 3, which the flow itself reaches later."""
    S = HORIZON * np.linspace(0.1, 12, 120)
    most = gradient_flow(given.sample, given.mixture.layout, S).margins.max(axis=1)
    reached = float(np.interp(LOG3, most, S)) if most[-1] >= LOG3 else np.inf
    return Slack("horizon", 9, "stopping time", {"S until some margin is log 3": (HORIZON, reached)})


def step_10_risk(given: Evidence) -> Slack:
    """The exact risk against the bounds that are a union over the training set (B.4, 4.3)."""
    K, Q = given.mixture.K, given.Q
    printed = float(np.log10(risk_bound(K, Q))) if Q < 3e4 else given.log_prefactor - Q / 45 / LN10
    return Slack("risk", 10, "union over the training set", {
        "B.4": (given.log_risk, given.log_prefactor - given.exponent / LN10), "4.3": (given.log_risk, printed)},
        "log10")


def step_11_events(given: Evidence) -> Slack:
    """The events of that union that matter, against the count of them in the bound."""
    needed = 4 * given.Q * (1 + 2 * given.mixture.layout.Z)
    return Slack("events", 11, "size of that union", {"events": (needed, 2 * given.mixture.K * given.Q**2)})


def step_12_exponent(given: Evidence) -> Slack:
    """What each bound has in its exponent: 4.3 less than B.4, and B.4 less than N4."""
    D = float(first_step(given.mixture, given.Q).D.max())
    return Slack("exponent", 12, "exponent", {
        "4.3 and B.4": (given.Q / 45, given.exponent), "B.4 and N4": (given.exponent, 1 / (2 * D**2))})


def step_13_failure(given: Evidence) -> Slack:
    """The failure probability of the appendix against the main text's."""
    K, Q = given.mixture.K, given.Q
    with np.errstate(divide="ignore"):  # below all numbers
        appendix = np.log10(failure_probability(K, Q, form="appendix", **given.setting))
        main_text = np.log10(failure_probability(K, Q))
    return Slack("failure", 13, "failure probability", {"appendix and main text": (appendix, main_text)}, "log10")


def step_14_tracking(given: Evidence) -> Slack:
    """How far margins leave the noise-free one, and the constants seen and known beforehand (N7, N8 b)."""
    seen, before = given.tracking, track_beforehand(given.mixture, given.Q, given.failure)
    off = np.abs(given.flow.margins / noise_free_margin(given.flow.S)[:, None] - 1).max(axis=1)
    return Slack("tracking", 14, "tracking (N7)", {
        "margins": (float(off[-1]), float(seen.margin(given.flow.S[-1]))),
        "eta, seen and a priori": (seen.eta, before.eta),
        "Gamma, seen and a priori": (seen.gamma, before.gamma),
    })


def step_15_discretization(given: Evidence) -> Slack:
    """How far gradient descent runs ahead of the flow (N9)."""
    h, r, pushes = HORIZON / given.steps, 0.0, push("dpo")
    for _ in range(given.steps):
        r += h * float(pushes(r))
    ahead = r - float(noise_free_margin(HORIZON))
    return Slack("discretization", 15, "steps for the flow (N9)", {"ahead of the flow": (ahead, h * HORIZON / 16)})


def step_16_law(given: Evidence) -> Slack:
    """The law N5 and a simulation of the first step against the exact expected risk."""
    mixture = given.mixture
    first_w = [gradient_flow(other, mixture.layout, [1e-9]).w[-1] for other in given.others]
    simulated = float(logsumexp([log_exact_risk(w, mixture) for w in first_w]) - np.log(len(first_w))) / LN10
    return Slack("law", 16, "law N5", {
        "exact and law": (given.log_first_risk, _mean_log10(log_law(mixture, given.Q))),
        "exact and simulated": (given.log_first_risk, simulated)}, "log10")


STEPS = {
    "linear": step_1_linear_part,
    "bilinear": step_2_bilinear_part,
    "B.1": step_3_interactions,
    "union": step_4_union_bound,
    "B.2": step_5_rates,
    "pushes": step_6_frozen_pushes,
    "sharing": step_7_sharing,
    "envelope": step_8_envelope,
    "horizon": step_9_stopping_time,
    "risk": step_10_risk,
    "events": step_11_events,
    "exponent": step_12_exponent,
    "failure": step_13_failure,
    "tracking": step_14_tracking,
    "discretization": step_15_discretization,
    "law": step_16_law,
}


def _stray(sample: Sample, mixture: ValueMixture) -> tuple[float, float, float]:
    """Largest linear part, bilinear part and sum of both, of all pairs of samples that share a token."""
    linear, bilinear = noise_parts(sample, mixture.means, mixture.d * mixture.v**2)
    related = mixture.layout.gram[np.ix_(sample.value, sample.value)] != 0
    return tuple(float((np.abs(part) * related).max()) for part in (linear, bilinear, linear + bilinear))


def _mean_log10(logs: np.ndarray) -> float:
    """log10 of the mean over all clusters of what has these natural logarithms."""
    return float(logsumexp(logs) - np.log(logs.size)) / LN10
