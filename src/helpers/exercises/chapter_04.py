"""The right answers of chapter 4's exercises, each computed by other code than the chapter asks for."""

import numpy as np
from scipy.optimize import minimize_scalar

from ..dynamics.flow import interaction_matrix
from ..layouts import star
from ..mixture import ValueMixture
from .marking import Exercise, choice, function, number


def _interacting() -> int:
    """Entries of the interaction matrix that are not zero, each unordered pair once."""
    layout = star(4)
    sample = ValueMixture(layout, d=5, v=0.1, l_b=0.5).sample(10, np.random.default_rng(0))
    return int((np.triu(interaction_matrix(sample, layout)) != 0).sum())


def _best_constant() -> float:
    ratio = minimize_scalar(
        lambda u: (np.expm1(u) - u) / 2 / min(np.expm1(u) ** 2, np.expm1(u)), bounds=(0.1, 3), method="bounded",
        options={"xatol": 1e-12},
    )
    return float(ratio.fun)


def _constants(Sigma: np.ndarray) -> np.ndarray:
    return np.array([np.linalg.norm(Sigma, "fro") ** 2, np.linalg.norm(Sigma, 2)])


_FACTOR = np.random.default_rng(4).normal(size=(5, 3))
_SIGMAS = [(np.diag([4.0, 1.0, 0.25]),), (0.3 * np.eye(6),), (_FACTOR @ _FACTOR.T,)]

ANSWERS: dict[str, Exercise] = {
    "04.1": number("centre", 0.4 * 0.4, rel=1e-6),
    "04.2": number("pairs", _interacting(), rel=0.0),
    "04.3": function("spread", lambda Sigma: np.linalg.norm(Sigma, "fro"), _SIGMAS),
    "04.4": choice(
        "standard deviation",
        "b",
        {
            "a": "The noises of the other samples average out; whose noise is left?",
            "c": "Part of it comes from the other samples, and their noise is averaged over more of them.",
        },
    ),
    "04.5": number("constant", _best_constant(), rel=1e-3),
    "04.6": function("constants", _constants, _SIGMAS),
}
