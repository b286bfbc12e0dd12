"""Risk, exact and predicted: of a trained last layer (N2), after one step (N3, N4), and by the law (N5)."""

import numpy as np

from .first_step import first_step, log_chernoff, log_law, log_one_step_risk
from .gaussian import cluster_risks, exact_risk
from .mixture import ValueMixture

__all__ = ["cluster_risks", "exact_risk", "one_step_risk", "risk_law", "risk_theorem"]


def one_step_risk(mixture: ValueMixture, Q: int | np.ndarray) -> np.ndarray:
    """Exact expected risk of each value after the first step, shape (K,), the average of both sides (N3).

    Q is the number of samples a cluster, or counts of shape (K, 2). Raises `ValueError` for Q below 1, counts
    that do not fit, or v = 0.
    """
    return np.exp(log_one_step_risk(mixture, Q)).mean(axis=1)


def risk_theorem(mixture: ValueMixture, Q: int | np.ndarray, *, form: str = "closed") -> np.ndarray:
    """Bound of N4 on the expected risk of each value after the first step, shape (K,); no hypothesis.

    form : "closed" is exp(-(mu_A . mu_B)^2 / (2 D^2)), for balanced orthonormal data exp(-1/(2 D_i^2));
        "chernoff" is the sharper infimum of M. Where mu_A . mu_B <= 0 both are 1. Errors as for `one_step_risk`.
    """
    if form == "chernoff":
        return np.exp(log_chernoff(mixture, Q)).mean(axis=1)
    if form != "closed":
        raise ValueError(f"form must be 'closed' or 'chernoff', got {form!r}")
    step = first_step(mixture, Q)
    ratio = np.divide(step.product, step.D, out=np.full(step.D.shape, np.inf), where=step.D > 0)
    return np.where(step.product > 0, np.exp(-(ratio**2) / 2), 1.0).mean(axis=1)


def risk_law(mixture: ValueMixture, Q: int | np.ndarray) -> np.ndarray:
    """Predicted risk of each value after one step, and up to about S = 3 (N5; a heuristic, z within 3 %).

    Parameters
    ----------
    mixture : the distribution of training and test samples.
    Q : samples a cluster, or counts of shape (K, 2) for unbalanced data (N5, item 5).

    Returns
    -------
    Shape (K,), the average of both sides. For one Q and orthogonal concepts this is Phi(-1/D_i) with
    D_i^2 = kappa_i v^2 (1 + (1 + l_b^2 + d v^2) / (2Q)); otherwise the same Gaussian step with N3's moments.

    Raises
    ------
    ValueError : Q below 1 or counts that do not fit.
    """
    return np.exp(log_law(mixture, Q)).mean(axis=1)
