"""What each step of the paper's proof gives away on drawn data: left side, right side, and their ratio."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logsumexp

from ..checks import at_least, between, positive
from ..dynamics.flow import Trajectory, gradient_flow, noise_free_margin, push
from ..dynamics.rates import pull
from ..dynamics.tracking import track, track_beforehand
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

    number, name : 1 to 16, and what the step says.
    sides : what is compared -> (left, right); the first entry is the step's own.
    unit : "ratio", where right / left is given away, or "log10", where both sides are powers of ten and the
        difference counts. Steps 15 and 16 compare approximations; there the left side may be the larger.
    """

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
) -> tuple[Slack, ...]:
    """The 16 steps from Lemma B.1 to the risk, each with its two sides on one data set, at the stopping time.

    Parameters
    ----------
    mixture, Q : the distribution, orthonormal concepts, and the number of samples a cluster.
    rng : draws the data set, unless `sample` is given, and `draws` further ones for the frequencies.
    epsilon : the free constant of the proof; by default the largest allowed, 1 / (16 v (Z + 2)).
    steps : gradient descent steps to the stopping time in step 15.
    failure : probability that the a-priori constants of step 14 may fail with.

    Builds N x N matrices: for N up to a few thousand. Raises `ValueError` for v = 0 or an argument out of range.
    """
    layout, Z, v = mixture.layout, mixture.layout.Z, positive("v", mixture.v)
    between("delta", mixture.delta, 0.0, 0.0)
    epsilon = largest_epsilon(v, Z) if epsilon is None else positive("epsilon", epsilon)
    allowed, noise_square = epsilon * v, mixture.d * v**2
    sample = mixture.sample(Q, rng) if sample is None else sample
    setting = {"Z": Z, "d": mixture.d, "v": v, "epsilon": epsilon}
    flow = gradient_flow(sample, layout, HORIZON * np.linspace(0, 1, 9)[1:])
    pushes = expit(-flow.margins[-1])
    linear, bilinear, total, stray = _b1(sample, mixture, noise_square)
    others = [mixture.sample(Q, rng) for _ in range(at_least("draws", draws, 1))]
    frequency = np.mean([_b1(other, mixture, noise_square)[2] > 2 * allowed for other in others])
    bracket = rate_bracket(sample, layout, pushes, l_b=mixture.l_b, noise_square=noise_square)
    off = np.abs(pull(sample, layout, pushes) - bracket).max()
    sharing = np.abs(sharing_term(sample, layout, pushes, l_b=mixture.l_b)).max()
    exponent = refined_exponent(Q, l_b=mixture.l_b, **setting)
    prefactor = np.log10(2 * mixture.K * Q**2)
    exact = float(log_exact_risk(flow.w[-1], mixture)) / LN10
    bound43 = float(np.log10(risk_bound(mixture.K, Q))) if Q < 3e4 else prefactor - Q / 45 / LN10
    D = float(first_step(mixture, Q).D.max())
    first_w = [gradient_flow(other, layout, [1e-9]).w[-1] for other in others]
    monte_carlo = float(logsumexp([log_exact_risk(w, mixture) for w in first_w]) - np.log(draws)) / LN10
    law = float(logsumexp(log_law(mixture, Q)) - np.log(2 * mixture.K)) / LN10
    integral = float(logsumexp(log_one_step_risk(mixture, Q)) - np.log(2 * mixture.K)) / LN10
    return (
        Slack(1, "linear part of B.1", {"largest deviation": (linear, allowed)}),
        Slack(2, "bilinear part of B.1", {"largest deviation": (bilinear, allowed)}),
        Slack(3, "B.1 in all", {"largest deviation": (total, 2 * allowed)}),
        Slack(4, "union bound of B.1", {"how often the event fails": (
            float(frequency), failure_probability(mixture.K, Q, form="appendix", **setting))}),
        Slack(5, "rate of B.2", {"largest deviation": (
            float(off), rate_tolerance(Q, Z, pushes, allowed=allowed))}),
        Slack(6, "frozen pushes", {
            "smallest push": (1 / 4, float(pushes.min())), "largest push": (float(expit(-flow.margins).max()), 1 / 2)}),
        Slack(7, "sharing term", {"largest term": (float(sharing), Q / 8)}),
        Slack(8, "envelope", _envelopes(flow, sample, mixture, Q)),
        Slack(9, "stopping time", {"S until some margin is log 3": (HORIZON, _reaches(sample, mixture))}),
        Slack(10, "union over the training set", {
            "B.4": (exact, prefactor - exponent / LN10), "4.3": (exact, bound43)}, "log10"),
        Slack(11, "size of that union", {"events": (4 * Q * (1 + 2 * Z), 2 * mixture.K * Q**2)}),
        Slack(12, "exponent", {
            "4.3 and B.4": (Q / 45, exponent), "B.4 and N4": (exponent, 1 / (2 * D**2))}),
        Slack(13, "failure probability", {"appendix and main text": (
            np.log10(failure_probability(mixture.K, Q, form="appendix", **setting)),
            np.log10(failure_probability(mixture.K, Q)))}, "log10"),
        Slack(14, "tracking (N7)", _tracking(flow, sample, mixture, Q, failure)),
        Slack(15, "steps for the flow (N9)", _discretization(steps)),
        Slack(16, "law N5", {
            "exact and law": (integral, law), "exact and simulated": (integral, monte_carlo)}, "log10"),
    )


def _b1(sample: Sample, mixture: ValueMixture, noise_square: float) -> tuple[float, float, float, np.ndarray]:
    """Largest linear and bilinear part, largest of their sum where tokens are shared, and that sum."""
    parts = noise_parts(sample, mixture.means, noise_square)
    related = mixture.layout.gram[np.ix_(sample.value, sample.value)] != 0
    stray = np.abs(parts[0] + parts[1]) * related
    return *(float((np.abs(part) * related).max()) for part in parts), float(stray.max()), stray


def _envelopes(flow: Trajectory, sample: Sample, mixture: ValueMixture, Q: int) -> dict[str, tuple[float, float]]:
    """The tightest moment of every envelope up to the stopping time."""
    least, most = flow.margins.min(axis=1), flow.margins.max(axis=1)
    sides = {}
    for name, form in (("4.2", "paper"), ("4.2'", "improved")):
        lower, upper = training_envelope(flow.S, form=form, Q=Q, d=mixture.d, v=mixture.v)
        tight, loose = np.argmin(least / lower), np.argmin(upper / most)
        sides[f"{name}, lower"] = float(lower[tight]), float(least[tight])
        sides[f"{name}, upper"] = float(most[loose]), float(upper[loose])
    bar, tracking = noise_free_margin(flow.S), track(sample, mixture.layout).margin(flow.S)
    upper, lower = bar * (1 + tracking), bar * (1 - tracking)
    at = np.argmin(upper / most)
    sides["N7, upper"] = float(most[at]), float(upper[at])
    at = np.argmin(least / lower)
    sides["N7, lower"] = float(lower[at]), float(least[at])
    return sides


def _reaches(sample: Sample, mixture: ValueMixture) -> float:
    """The S at which the first margin reaches log 3, by bisection on the flow."""
    S = HORIZON * np.linspace(0.1, 12, 120)
    most = gradient_flow(sample, mixture.layout, S).margins.max(axis=1)
    return float(np.interp(LOG3, most, S)) if most[-1] >= LOG3 else np.inf


def _tracking(flow, sample, mixture, Q, failure) -> dict[str, tuple[float, float]]:
    seen, before = track(sample, mixture.layout), track_beforehand(mixture, Q, failure)
    bar = noise_free_margin(flow.S)[:, None]
    off = np.abs(flow.margins / bar - 1).max(axis=1)
    return {
        "margins": (float(off[-1]), float(seen.margin(flow.S[-1]))),
        "eta, seen and a priori": (seen.eta, before.eta),
        "Gamma, seen and a priori": (seen.gamma, before.gamma),
    }


def _discretization(steps: int) -> dict[str, tuple[float, float]]:
    h, r, pushes = HORIZON / at_least("steps", steps, 1), 0.0, push("dpo")
    for _ in range(steps):
        r += h * float(pushes(r))
    return {"ahead of the flow": (r - float(noise_free_margin(HORIZON)), h * HORIZON / 16)}
