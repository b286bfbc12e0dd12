"""The paper's own checks of its assumptions, as its published notebook computes them: they use aligned statements."""

from typing import Annotated

import numpy as np

from ..checks import flag, one_of
from .clusters import cluster_means

READINGS = ("each", "average")


def published_cosines(
    x: Annotated[np.ndarray, "N d"], value: Annotated[np.ndarray, "N"], side: Annotated[np.ndarray, "N"], *,
    again: bool = True,
) -> tuple[Annotated[np.ndarray, "K K"], Annotated[np.ndarray, "K K"]]:
    """Average cosine of the statements of two values, before and after the mean is subtracted (Figures 3 and 6).

    Aligned statements only; each is brought to length one, the mean of all of them is subtracted, and each is brought
    to length one again.

    Parameters
    ----------
    x : embeddings, shape (N, d), none of them 0.   value : numbers 0..K-1, shape (N,).   side : +1 or -1, shape (N,).
    again : leave False to skip the second step to length one: then `after` holds products.

    Raises
    ------
    ValueError : arrays that do not fit each other, a cluster with fewer than 2 statements, or a statement of length 0.
    """
    flag("again", again)
    groups = [_unit(rows) for rows in _aligned(x, value, side)]
    centre = np.concatenate(groups).mean(axis=0)
    after = [_unit(rows - centre) if again else rows - centre for rows in groups]
    return _products(groups), _products(after)


def published_norms(
    x: Annotated[np.ndarray, "N d"], value: Annotated[np.ndarray, "N"], side: Annotated[np.ndarray, "N"], *,
    norm: str = "average",
) -> tuple[Annotated[np.ndarray, "K"], Annotated[np.ndarray, "K"]]:
    """Frobenius norm and trace of the sample covariance of each value's aligned statements (appendix E).

    Parameters
    ----------
    x, value, side : as for `published_cosines`.
    norm : "unit norm on average" read as one factor for all statements of a value, so that their mean square length is
        one ("average"), or as each of length one ("each").

    Returns
    -------
    norm, trace : shape (K,) each.

    Raises
    ------
    ValueError : as for `published_cosines`, or another `norm`.
    """
    one_of("norm", norm, READINGS)
    groups = _aligned(x, value, side)
    if norm == "each":
        groups = [_unit(rows) for rows in groups]
    else:
        groups = [rows / np.sqrt((_lengths(rows) ** 2).mean()) for rows in groups]
    rest = [(rows - rows.mean(axis=0)) / np.sqrt(len(rows) - 1) for rows in groups]
    small = [one @ one.T if len(one) <= one.shape[1] else one.T @ one for one in rest]
    return np.array([np.linalg.norm(one) for one in small]), np.array([np.trace(one) for one in small])


def _aligned(x: np.ndarray, value: np.ndarray, side: np.ndarray) -> list[np.ndarray]:
    K = len(cluster_means(x, value, side).means)  # says what does not fit
    x, value, side = np.asarray(x, dtype=float), np.asarray(value), np.asarray(side)
    return [x[(value == i) & (side == 1)] for i in range(K)]


def _lengths(rows: np.ndarray) -> np.ndarray:
    found = np.linalg.norm(rows, axis=1)
    if not (found > 1e-100).all():
        raise ValueError("x must hold no statement of length 0, also not after the mean is subtracted, got one")
    return found


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / _lengths(rows)[:, None]


def _products(groups: list[np.ndarray]) -> np.ndarray:
    """Average product of the statements of two groups: the product of the groups' means."""
    means = np.array([rows.mean(axis=0) for rows in groups])
    return means @ means.T
