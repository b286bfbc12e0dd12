"""The law N5: the risk after the first step, by a Gaussian approximation, from a mixture or from measured products."""

from collections.abc import Iterator
from dataclasses import replace
from numbers import Real
from typing import Annotated

import numpy as np

from ..checks import flag, numbers, shown
from ..dynamics.token_rows import Samples, checked_arrays
from ..layouts import TokenLayout
from ..mixture import ValueMixture
from .exact import log_at_most_zero
from .one_step import first_step


def risk_law(mixture: ValueMixture, Q: int | np.ndarray) -> Annotated[np.ndarray, "K"]:
    """Predicted risk of each value after one step, and up to about S = 3 (N5; a heuristic, z within 3 %).

    Parameters
    ----------
    mixture : the distribution of training and test samples.
    Q : samples a cluster, or counts of shape (K, 2) for unbalanced data (N5, item 5); infinity for the limit of
        endless balanced samples, Phi(-1 / (v sqrt kappa_i)) for orthogonal concepts.

    Returns
    -------
    Shape (K,), the average of both sides. For one Q and orthogonal concepts this is Phi(-1/D_i) with
    D_i^2 = kappa_i v^2 (1 + (1 + l_b^2 + d v^2) / (2Q)); otherwise the same Gaussian step with N3's moments.

    Raises
    ------
    ValueError : Q below 1 or counts that do not fit.
    """
    return np.exp(log_law(mixture, Q)).mean(axis=1)


def log_law(mixture: ValueMixture, Q: int | np.ndarray) -> Annotated[np.ndarray, "K 2"]:
    """Logarithm of the law Phi(-mu_A . mu_B / D) for each cluster, shape (K, 2) (N5; a heuristic).

    Arguments and errors as for `risk_law`.
    """
    if isinstance(Q, Real) and Q == np.inf:  # balanced: the same direction at every Q, and in the end nothing else
        step = replace(first_step(mixture, 1), variance=np.zeros(mixture.K))
    else:
        step = first_step(mixture, Q)
    return log_at_most_zero(step.product, step.D)


def law_from_interactions(
    sample: Samples, layout: TokenLayout, Q: float | Annotated[np.ndarray, "*Q"], *, sides: bool = False
) -> Annotated[np.ndarray, "*rest"]:
    """Predicted risk of each value after the first step on Q samples a cluster (N5, items 5 to 7; a heuristic).

    Parameters
    ----------
    sample : embeddings with value and side, at least 3 of each cluster; N x N products are made.
    layout : the answer tokens.
    Q : samples a cluster in training, above 0, one number or an array; infinity for endless samples.
    sides : give the risk of each side and not their average.

    A new sample j of cluster (i, s) has, after one balanced step, a margin proportional to
    T = sum_k g_ik (mean of (s_j x_j) . (s_k x_k) over the training samples of value k). The law is
    Phi(-mean of T / deviation of T); the variance of T is that of its mean given j, plus 1/Q times what the draw of
    the training samples adds. Both are estimated from the products of different samples, so that the self-products,
    and with them the bias of small samples, stay out. Nothing is assumed of the means or the noise of the
    clusters, except that T is nearly Gaussian. For the mixture of the theorems this is `risk_law`.

    Returns
    -------
    Shape (*Q.shape, K), the average of both sides of each value; with `sides` shape (*Q.shape, K, 2), side +1 first.

    Raises
    ------
    ValueError : arrays that do not fit, a cluster with fewer than 3 samples, Q not above 0.
    """
    signed, rows, samples = _products_of(sample, layout, Q, sides)
    risks = np.empty((*samples.shape, layout.K, 2))
    for i, s in rows:
        mean, given, drawn = _moments(signed, rows, layout.gram[i], (i, s))
        risks[..., i, (1 - s) // 2] = np.exp(log_at_most_zero(mean, np.sqrt(given + drawn / samples)))
    return risks if sides else risks.mean(axis=-1)


def one_step_risk_from_interactions(
    sample: Samples, layout: TokenLayout, Q: float | Annotated[np.ndarray, "*Q"], *, sides: bool = False
) -> Annotated[np.ndarray, "*rest"]:
    """Predicted risk of each value after the first step on Q samples a cluster, statement by statement (N3).

    Parameters
    ----------
    sample : embeddings with value and side, at least 3 of each cluster; N x N products are made.
    layout : the answer tokens.
    Q : samples a cluster in training, above 0 and below the number of samples of the smallest cluster.
    sides : give the risk of each side and not their average.

    Given a new sample j, its T (see `law_from_interactions`) is a mean over the training samples, with mean M_j and
    variance V_j / Q: exactly normal in the mixture, and nearly so by the central limit theorem whatever the noise. So
    the risk is the mean over j of Phi(-M_j / sqrt(V_j / Q)), and nothing is assumed of how T scatters over j. M_j is
    estimated from the n others of its cluster, with a variance of V_j / n, which is taken off V_j / Q: a normal error
    in the argument of Phi does what that much more variance would.

    Returns
    -------
    Shape (*Q.shape, K), the average of both sides of each value; with `sides` shape (*Q.shape, K, 2), side +1 first.

    Raises
    ------
    ValueError : as `law_from_interactions`, and a Q that is no smaller than a cluster.
    """
    signed, rows, samples = _products_of(sample, layout, Q, sides)
    fewest = min(map(len, rows.values()))
    if not (samples <= fewest - 1).all():
        raise ValueError(f"Q must be below {fewest}, the samples of the smallest cluster, got {shown(Q)}")
    risks = np.empty((*samples.shape, layout.K, 2))
    for (i, s), own in rows.items():
        mean, rest = np.zeros(len(own)), np.zeros((*samples.shape, len(own)))
        for middle, variance, n in _rows_of_products(signed, rows, layout.gram[i], (i, s)):
            mean += middle
            rest += variance * (1 / samples - 1 / n)[..., None]
        risks[..., i, (1 - s) // 2] = np.exp(log_at_most_zero(mean, np.sqrt(rest))).mean(axis=-1)
    return risks if sides else risks.mean(axis=-1)


def _products_of(sample: Samples, layout: TokenLayout, Q, sides: bool) -> tuple[np.ndarray, dict, np.ndarray]:
    """The signed embeddings, the rows of each cluster, and Q as an array; checks as `law_from_interactions` says."""
    flag("sides", sides)
    x, value, side = checked_arrays(sample, layout, "sample")
    samples = numbers("Q", Q)
    if not (samples >= 1e-100).all():
        raise ValueError(f"Q must be above 0, got {shown(Q)}")
    rows = {(i, s): np.flatnonzero((value == i) & (side == s)) for i in range(layout.K) for s in (1, -1)}
    fewest = min(map(len, rows.values()))
    if fewest < 3:
        raise ValueError(f"sample must hold at least 3 samples of each cluster, got one with {fewest}")
    return side[:, None] * x.astype(float, copy=False), rows, samples


def _rows_of_products(
    signed: np.ndarray, rows: dict, gram: np.ndarray, cluster: tuple[int, int]
) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """For each cluster that pushes on this one: of each sample of this one, mean and variance of its n products."""
    own = signed[rows[cluster]]
    for (k, s), others in rows.items():
        if gram[k] == 0:
            continue
        products = own @ signed[others].T * (gram[k] / 2)  # half: a value's mean is that of its two sides
        same = (k, s) == cluster
        n = len(others) - same  # a sample's product with itself stays out
        if same:
            np.fill_diagonal(products, 0.0)
        middle = products.sum(axis=1) / n
        products -= middle[:, None]
        if same:
            np.fill_diagonal(products, 0.0)
        yield middle, np.einsum("jk,jk->j", products, products) / (n - 1), n


def _moments(signed: np.ndarray, rows: dict, gram: np.ndarray, cluster: tuple[int, int]) -> tuple[float, float, float]:
    """Mean of T, variance of its mean given j, and variance that the draw of one sample a cluster adds."""
    size = len(rows[cluster])
    mean, spread, error = np.zeros(size), np.zeros(size), 0.0
    for middle, variance, n in _rows_of_products(signed, rows, gram, cluster):
        mean += middle
        spread += variance
        error += variance.mean() / n
    return float(mean.mean()), max(float(mean.var(ddof=1) - error), 0.0), float(spread.mean())
