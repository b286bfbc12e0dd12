"""The right answers of chapter 1's exercises, each computed by other code than the chapter asks for."""

import numpy as np
from scipy.special import softmax

from .marking import Exercise, function, number


def _best_policy(log_reference, reward, beta):
    return softmax(np.asarray(log_reference) + np.asarray(reward) / beta)


def _ranking_accuracy(margins, gamma, beta):
    # The policy's gap itself, where the chapter compares the margin with a threshold.
    return np.mean(np.asarray(margins) / beta - np.asarray(gamma) > 0)


ANSWERS: dict[str, Exercise] = {
    "01.1": number("loss at r = 2", -np.log(1 / (1 + np.exp(-2.0))), rel=5e-3),
    "01.2": number("margin where the ranking flips", 0.1 * np.log(4), rel=5e-3),
    "01.3": function(
        "best policy",
        _best_policy,
        [
            (np.log([0.5, 0.3, 0.2]), np.array([0.0, 1.0, 2.0]), 1.0),
            (np.log([0.9, 0.1]), np.array([-1.0, 1.0]), 0.1),
            (np.log(np.full(4, 0.25)), np.zeros(4), 0.5),
        ],
    ),
    "01.4": function(
        "ranking accuracy",
        _ranking_accuracy,
        [
            (np.array([0.3, -0.1, 0.2, 0.05]), np.array([1.0, -2.0, 3.0, 0.2]), 0.1),
            (np.array([0.02, 0.02, -0.5]), np.array([1.0, -1.0, -8.0]), 0.05),
        ],
    ),
    "01.5": number("pairs to test on", int(np.ceil(1.959964**2 * 0.9 * 0.1 / 0.03**2)), rel=0.0, abs=1.0),
}
