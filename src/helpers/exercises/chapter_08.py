"""The right answers of chapter 8's exercises, each computed by other code than the chapter asks for."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import logit, softmax

from ..sequences.pairs import SequencePairs
from ..sequences.rewards import token_reward_rates, token_terms
from .marking import Exercise, choice, function, number


def _undecided() -> np.ndarray:
    """p and d_p where W = 0 makes all tokens equally likely."""
    state, token = np.ones((1, 1)), np.array([0])
    pairs = SequencePairs.from_answers([(state, token)], [(state, token)])
    terms = token_terms(np.zeros((49152, 1)), pairs, state, token)
    return np.array([terms.p[0, 0], terms.d_p[0, 0]])


def _sharing(pi, pi_star, y, y_star):
    unit = np.eye(len(pi))
    return float((unit[y_star] - np.asarray(pi_star)) @ (unit[y] - np.asarray(pi)))


def _printed_total() -> float:
    """The weighted sum for distributions that hold 0.3 where it is asked."""
    pi, pi_star = np.array([0.5, 0.1, 0.4]), np.array([0.3, 0.6, 0.1])
    p = pi - pi_star[0]
    return float(pi_star @ (np.eye(3)[0] - p + pi @ pi_star))


def _threshold() -> float:
    """Root of the rate of the shared token in the chosen answer, in the rejected answer's probability."""
    g_w, g_l = np.array([[np.sqrt(3), 0.0]]), np.array([[2 / np.sqrt(3), 1.0]])
    token = np.array([0])
    pairs = SequencePairs.from_answers([(g_w, token)], [(g_l, token)])

    def rate(q: float) -> float:
        row = np.linalg.solve(np.vstack([g_w, g_l]), [logit(0.8), logit(q)])
        W = np.vstack([row, np.zeros(2)])
        return token_reward_rates(W, W, pairs, g_w, token, beta=1.0)[0]

    return brentq(rate, 0.01, 0.99)


def _case(seed: int, V: int) -> tuple:
    rng = np.random.default_rng(seed)
    return softmax(rng.normal(size=V)), softmax(rng.normal(size=V)), int(rng.integers(V)), int(rng.integers(V))


ANSWERS: dict[str, Exercise] = {
    "08.1": number("[p, d_p]", _undecided(), abs=0.0),
    "08.2": choice(
        "the common beginning",
        "a",
        {
            "a": "Same states, same tokens, opposite signs: the rewards cancel one by one.",
            "b": "Compare the two rewards at these positions after the weights have moved.",
            "c": "Both answers read these tokens from the same states; compare their softmax there.",
        },
    ),
    "08.3": function(
        "sharing",
        _sharing,
        [_case(1, 4), _case(2, 6), (*_case(3, 5)[:2], 2, 2), (*_case(4, 3)[:2], 0, 1)],
    ),
    "08.4": number("the sum", _printed_total(), rel=1e-6),
    "08.5": number("probability", _threshold(), rel=1e-3),
}
