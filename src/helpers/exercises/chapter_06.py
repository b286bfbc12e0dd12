"""The right answers of chapter 6's exercises, each computed by other code than the chapter asks for."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import erfc

from ..bounds.guarantees import risk_bound
from ..layouts import disjoint
from ..mixture import ValueMixture
from ..risk.laws import risk_law
from .marking import Exercise, choice, function, number


def _asked(K, risk):
    """Where the bound falls below a risk, by bisection on its logarithm."""
    return brentq(lambda Q: np.log(2 * K) + 2 * np.log(Q) - Q / 45 - np.log(risk), 90, 1e6, xtol=1e-10)


def _risk(w, c, b, cov):
    # In coordinates in which the noise has unit variance: x = root u, so that w becomes root^T w.
    scale, axes = np.linalg.eigh(np.asarray(cov))
    length = np.linalg.norm(np.sqrt(np.maximum(scale, 0)) * (axes.T @ w))
    return sum(erfc((np.dot(w, c) + s * np.dot(w, b)) / length / np.sqrt(2)) / 4 for s in (1, -1))


def _enough(risk):
    """First Q at which the law falls to the risk, counted up."""
    mixture = ValueMixture(disjoint(1), d=1000, v=0.4, l_b=0.5)
    return next(Q for Q in range(1, 10_000) if risk_law(mixture, Q)[0] <= risk)


def _hypotheses_ask_more():
    low, high = 1, 10**6  # (K + 1) / 5 starts below the curve and ends above it, and crosses once
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if (middle + 1) / 5 > _asked(middle, 0.05) else (middle, high)
    return high


ANSWERS: dict[str, Exercise] = {
    "06.1": number("first Q", next(Q for Q in range(90, 10_000) if risk_bound(16, Q) < 1), rel=0.0),
    "06.2": number("samples more", _asked(10, 0.0005) - _asked(10, 0.05)),
    "06.3": function(
        "risk",
        _risk,
        [
            (np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.array([0.0, 0.5]), 0.25 * np.eye(2)),
            (np.array([1.0, 1.0]), np.array([1.0, 0.0]), np.array([0.0, 0.5]), np.array([[0.5, 0.2], [0.2, 0.3]])),
            (np.array([-2.0, 1.0, 0.5]), np.array([0.2, 1.0, 0.0]), np.array([0.0, 0.1, 0.4]), np.diag([1, 2, 0.1])),
        ],
    ),
    "06.4": choice(
        "what refutes it",
        "a",
        {
            "a": "One case in which fewer samples are enough refutes that they never are.",
            "b": "That run is outside of the hypotheses, and it would show that 900 samples can be too few.",
            "c": "A bound above 1 says nothing about the risk, neither that it is large nor that it is small.",
        },
    ),
    "06.5": number("smallest Q", _enough(0.01), rel=0.0),
    "06.6": number("smallest K", _hypotheses_ask_more(), rel=0.0),
}
