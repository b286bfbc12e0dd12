"""Value conflict: whether one matrix can serve all samples, and by when training has found it."""

from typing import Annotated

import numpy as np
from scipy.optimize import nnls

from ..checks import at_least, finite


def separation(C: Annotated[np.ndarray, "N N"]) -> float:
    """gamma: the largest margin per unit of length that one change of W can give to all samples at once.

    gamma = max over ||U||_F <= 1 of min_j Delta y_j^T U x_j, and gamma^2 is the minimum of p^T C p over weights
    p >= 0 of sum 1. It is 0 where no change of W gives all samples a positive margin.

    C : interaction matrix, shape (N, N). Raises `ValueError` where it is not symmetric.
    """
    C = finite("C", C)
    if C.size == 0 or C.ndim != 2 or C.shape[0] != C.shape[1] or not np.allclose(C, C.T):
        raise ValueError(f"C must be a symmetric matrix of interactions, got shape {C.shape}")
    size, axes = np.linalg.eigh(C)
    scale = max(size[-1], np.finfo(float).tiny)
    root = (axes * np.sqrt(np.maximum(size, 0.0) / scale)).T
    # Least squares with one more row that asks for sum 1: its direction is that of the best p, whatever its length.
    p, _ = nnls(np.vstack([root, np.ones(len(C))]), np.append(np.zeros(len(C)), 1.0))
    gamma = np.linalg.norm(root @ p) / p.sum()
    return float(np.sqrt(scale) * gamma) if gamma > 1e-7 else 0.0  # below, it is the rounding of the square root


def recovery_time(C: Annotated[np.ndarray, "N N"], K: int) -> float:
    """A time S by which the flow on these samples has made every margin positive; infinite without separation.

    2 N log^2(2N / log 2) / (K gamma^2 log 2), for the N samples of the interaction matrix C and K values.
    Raises `ValueError` where C is not symmetric and for K below 1.
    """
    gamma, K = separation(C), at_least("K", K, 1)
    N = len(C)
    if gamma == 0:
        return float("inf")
    with np.errstate(over="ignore", divide="ignore"):  # later than any number
        return float(2 * N * np.log(2 * N / np.log(2)) ** 2 / np.log(2) / K / np.float64(gamma) ** 2)
