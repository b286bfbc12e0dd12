"""The right answers of chapter 7's exercises, each computed by other code than the chapter asks for."""

from itertools import combinations

import numpy as np

from ..dynamics.flow import gradient_descent, gradient_flow
from ..layouts import disjoint, shared
from ..mixture import Sample
from .marking import Exercise, choice, function, number


def _outvoted() -> float:
    """The rate of the short concept, from the flow of the four clusters."""
    c = np.array([[1.0, 0.0, 0.0], [-1.5, 3 * np.sqrt(0.75), 0.0]])
    x = np.array([s * one + [0, 0, 1] for one in c for s in (1, -1)])
    start = gradient_flow(Sample(x, np.array([0, 0, 1, 1]), np.array([1, -1, 1, -1])), shared(2), [1e-8])
    return float(start.margins[0, 0] / 0.5e-8)


def _majority(a, psi_2):
    """r_2 where r_1 = 0, by solving the two integrated equations for psi_1 and r_2."""
    psi_1, r_2 = np.linalg.solve([[1.0, 0.0], [a, 1.0]], [2 * a * psi_2, 2 * psi_2])
    return r_2


def _least_bad_pair(x, pairs) -> float:
    """Largest over pairs of values turned round of the smallest first rate, from leave-one-out products."""
    value, side = np.asarray(pairs.value), np.asarray(pairs.side)
    K = int(value.max()) + 1
    clusters = [x[(value == i) & (side == s)].astype(float) for i in range(K) for s in (1, -1)]
    sums = np.array([cluster.sum(axis=0) for cluster in clusters])
    sizes = np.array([len(cluster) for cluster in clusters])
    products = sums @ sums.T
    squares = np.array([(cluster**2).sum() for cluster in clusters])
    # Products of different samples only: what the noise adds to a mean's length never enters.
    np.fill_diagonal(products, (np.diag(products) - squares) * sizes / (sizes - 1))
    products = products / np.outer(sizes, sizes)
    best = -np.inf
    for turned in combinations(range(K), 2):
        signs = np.array([s * (-1 if i in turned else 1) for i in range(K) for s in (1, -1)])
        rates = (np.outer(signs, signs) * products).sum(axis=1) / 2
        best = max(best, float(rates.min()))
    return best


def _spread_of_product(Q=1000, v=0.1, d=100) -> float:
    """Standard deviation of the product of two measured concepts, from the second moment of each term."""
    noise = v**2 / (2 * Q)
    moments = np.array([1.0, 1.0, d * noise]) * noise
    return float(np.sqrt(moments.sum()))


def _tighter_slope() -> float:
    """Slope in S with 35/16, by measuring what a rate of Q, 1 - 1/8 - error times, gives for one value."""
    one = Sample(np.array([[1.0], [-1.0]]), np.array([0, 0]), np.array([1, -1]))
    # Without noise N tau dr/dt = 2 Q beta^2 at the start: a rate of 2Q is the slope of this flow.
    slope = gradient_descent(one, disjoint(1), 1, beta=1.0, lr=1e-8).margins[1, 0] / 2e-8
    return float(slope / 2 * (7 / 8 - 2 * 35 / 16 / 16))


ANSWERS: dict[str, Exercise] = {
    "07.1": number("first rate", _outvoted, rel=1e-4),
    "07.2": choice(
        "the faster answers",
        "b",
        {
            "a": "Opposite roles give the token product a sign; put it into the first rate.",
            "b": "Shared in the same role, correlated concepts help: 1.9 against 0.1.",
            "c": "The first rate holds the token product itself, not its square.",
        },
    ),
    "07.3": number("slope", _tighter_slope, rel=1e-3),
    "07.4": number("standard deviation", _spread_of_product, rel=0.02),  # 0.0032, as the solution says, is right
    "07.5": function("r_2 when r_1 returns to zero", _majority, [(0.6, 1.0), (0.9, 2.5), (0.0, 3.0)]),
    "07.6": number("largest of the smallest rates", _least_bad_pair, rel=1e-3, abs=1e-6),
}
