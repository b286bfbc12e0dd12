"""The right answers of chapter 5's exercises, each computed by other code than the chapter asks for."""

from functools import cache

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import expit

from ..dynamics.flow import interaction_matrix, paper_horizon
from ..layouts import disjoint
from ..mixture import ValueMixture
from .marking import Exercise, choice, number


@cache
def _first_break() -> float:
    """The smallest two-digit v that breaks the lower line, from the N equations of Lemma 4.1 themselves."""
    end = 0.4 * np.log(3)
    for v in np.arange(10, 100) / 100:
        mixture = ValueMixture(disjoint(3), d=60, v=v, l_b=0.5)
        C = interaction_matrix(mixture.sample(30, np.random.default_rng(5)), mixture.layout) / 120
        flow = solve_ivp(lambda _, r, C=C: C @ expit(-r), (0, end), np.zeros(len(C)), rtol=1e-8, atol=1e-10)
        if flow.y[:, -1].min() < end / 16:
            return float(v)
    return float("nan")


def _room(Z: int) -> float:
    """The error of step 5 in units of Q, summed over kinds of samples with the worst number of sharing values."""
    within, across, largest_push = 4 * 2, 2 * 2 * (2 * Z), 1 / 2
    return (within + across) * largest_push / (16 * (Z + 2))


def _slope(end: float) -> float:
    """Slope in S of the lower line when margins are followed up to `end`."""
    least = float(expit(-end))
    return (4 * least - (1 / 2 - least) / 2 - 1 / 4) / 4


ANSWERS: dict[str, Exercise] = {
    "05.1": number("steps", paper_horizon(2, 0.1, 0.1), rel=0.0, abs=1.0),
    "05.2": number("fraction", _room(3), rel=1e-3),
    "05.3": choice(
        "hypothesis",
        "c",
        {
            "a": "The dimension enters the rate of a sample on itself, which only helps the lower line.",
            "b": "On the event the noise enters through epsilon v, which the choice of epsilon limits.",
            "d": "No inequality for the lower line uses a long shared component.",
        },
    ),
    "05.4": number("slope", _slope(np.log(2)), rel=1e-3),
    "05.5": number("noise", _first_break, rel=0.0, abs=1e-6),
}
