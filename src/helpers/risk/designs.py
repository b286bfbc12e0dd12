"""The first step for every layout of the answer tokens at once: what it needs to know of the embeddings (N5, N12)."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.linalg import eigvalsh
from scipy.special import ndtr

from ..checks import holds, numbers, shown
from ..dynamics.token_rows import Samples, checked_arrays
from ..layouts import TokenLayout, disjoint
from .exact import log_at_most_zero


@dataclass(frozen=True, eq=False)
class FirstStepTable:
    """Products from which the errors and the law of the first step follow for any layout of K values.

    After one full-batch step on balanced samples the direction of value i is w_i ~ sum_k g_ik m_k, where m_k is the
    mean of the signed samples of value k: a layout enters through its Gram matrix g alone.

    products : m_k . s_j (x_j - centre), a column for each test statement.   value : of the test statements.
    mean, covariance : of the products of a new statement of cluster (i, s) with the mean of value k, s = +1 first.
    error : what the variance of those products owes to the draw of the known samples.
    drawn : what one sample a cluster would add to it; Q samples add 1/Q of that.
    """

    products: Annotated[np.ndarray, "K M"]
    value: Annotated[np.ndarray, "M"]
    mean: Annotated[np.ndarray, "K 2 K"]
    covariance: Annotated[np.ndarray, "K 2 K K"]
    error: Annotated[np.ndarray, "K 2 K"]
    drawn: Annotated[np.ndarray, "K 2 K"]

    def errors(self, layout: TokenLayout) -> Annotated[np.ndarray, "K"]:
        """Share of each value's test statements with a margin of at most 0 after the first step, shape (K,).

        Raises ValueError for a layout of another number of values.
        """
        gram = self._gram(layout)
        wrong = (gram[self.value] * self.products.T).sum(axis=1) <= 0
        return np.array([wrong[self.value == i].mean() for i in range(len(gram))])

    def law(self, layout: TokenLayout, Q: float | Annotated[np.ndarray, "*Q"]) -> Annotated[np.ndarray, "*Q K"]:
        """The law N5 with measured products, as `law_from_interactions`, shape (*Q.shape, K); Q may be infinite.

        Raises ValueError for a layout of another number of values, or a Q that is not above 0.
        """
        gram, samples = self._gram(layout), numbers("Q", Q)
        if not (samples >= 1e-100).all():
            raise ValueError(f"Q must be above 0, got {shown(Q)}")
        middle = np.einsum("ik,isk->is", gram, self.mean)
        given = np.einsum("ik,iskl,il->is", gram, self.covariance, gram) - np.einsum("ik,isk->is", gram**2, self.error)
        drawn = np.einsum("ik,isk->is", gram**2, self.drawn)
        variance = np.maximum(given, 0.0) + drawn / samples[..., None, None]
        return np.exp(log_at_most_zero(middle, np.sqrt(variance))).mean(axis=-1)

    def _gram(self, layout: TokenLayout) -> np.ndarray:
        if not isinstance(layout, TokenLayout) or layout.K != len(self.products):
            wanted = f"a TokenLayout of {len(self.products)} values"
            raise ValueError(f"layout must be {wanted}, got {getattr(layout, 'K', shown(layout))}")
        return layout.gram


def first_step_table(train: Samples, test: Samples, known: Samples | FirstStepTable | None = None) -> FirstStepTable:
    """The table of one training set: its errors on `test`, and the law's moments from `known`.

    Parameters
    ----------
    train : what the step is made on, the same number of samples of each cluster.
    test : statements to be told right or wrong, of the same K values.
    known : what the law is measured on, at least 3 samples of each cluster; `train` where not given. Never `test`. A
        table made before lends its moments.

    Embeddings should have a common centre subtracted before; nothing is subtracted here.

    Raises
    ------
    ValueError : arrays that do not fit, clusters of different sizes in `train`, or one with fewer than 3 in `known`.
    """
    holds("train", train, "x value side", "a sample, as `ValueMixture.sample` draws it")
    try:
        value = np.asarray(train.value)
    except ValueError:  # rows of different lengths
        value = np.array(None)
    if value.ndim != 1 or value.dtype.kind not in "iuf" or not value.size or not 0 <= value.max() < len(value):
        raise ValueError(f"train.value must number the values from 0, each with some samples, got {shown(value)}")
    K = int(value.max()) + 1
    layout = disjoint(K)
    x, value, side = checked_arrays(train, layout, "train")
    sizes = {int(np.sum((value == i) & (side == s))) for i in range(K) for s in (1, -1)}
    if len(sizes) != 1 or sizes == {0}:
        raise ValueError(f"train must hold equally many samples of each cluster, got {sorted(sizes)}")
    signed = side[:, None] * x.astype(float, copy=False)
    means = np.array([signed[value == i].mean(axis=0) for i in range(K)])
    x, asked, side = checked_arrays(test, layout, "test")
    if set(asked.tolist()) != set(range(K)):
        raise ValueError(f"test must hold each of the {K} values, got {sorted(set(asked.tolist()))}")
    products = means @ (side[:, None] * x.astype(float, copy=False)).T
    if isinstance(known, FirstStepTable):
        known._gram(layout)
        return FirstStepTable(products, asked, known.mean, known.covariance, known.error, known.drawn)
    return FirstStepTable(products, asked, *_moments(train if known is None else known, layout))


def _moments(known: Samples, layout: TokenLayout) -> tuple[np.ndarray, ...]:
    """Mean, covariance, error and drawn of a `FirstStepTable`."""
    x, value, side = checked_arrays(known, layout, "known")
    K, signed = layout.K, side[:, None] * x.astype(float, copy=False)
    rows = [[np.flatnonzero((value == i) & (side == s)) for s in (1, -1)] for i in range(K)]
    fewest = min(len(part) for both in rows for part in both)
    if fewest < 3:
        raise ValueError(f"known must hold at least 3 samples of each cluster, got one with {fewest}")
    mean, error, drawn = (np.zeros((K, 2, K)) for _ in range(3))
    covariance = np.zeros((K, 2, K, K))
    for i in range(K):
        for at in range(2):
            own = signed[rows[i][at]]
            each = np.zeros((len(own), K))  # of a statement: its mean product with the samples of value k
            for k in range(K):
                for other in range(2):
                    products = own @ signed[rows[k][other]].T
                    if (k, other) == (i, at):  # a statement's product with itself is no product with another
                        products = products[~np.eye(len(own), dtype=bool)].reshape(len(own), -1)
                    each[:, k] += products.mean(axis=1) / 2
                    spread = products.var(axis=1, ddof=1).mean() / 4
                    drawn[i, at, k] += spread
                    error[i, at, k] += spread / products.shape[1]
            mean[i, at] = each.mean(axis=0)
            covariance[i, at] = np.cov(each.T, ddof=1).reshape(K, K)
    return mean, covariance, error, drawn


def shared_limit(products: Annotated[np.ndarray, "K K"]) -> float:
    """The least average risk of any Delta W when K values share both answers, whatever their concepts (N12).

    Parameters
    ----------
    products : H with H_ik = c_i . Sigma^-1 c_k, where 2 c_i is the difference of the means of the two sides of value
        i and Sigma the covariance of the noise of every cluster; symmetric, positive semidefinite.

    Returns
    -------
    Phi(-sqrt(largest eigenvalue of H / K)): Phi(-1 / (v sqrt K)) for orthonormal concepts and Sigma = v^2 I. Where the
    middles of the values lie does not matter.

    Raises
    ------
    ValueError : no symmetric matrix of finite numbers.
    """
    H = numbers("products", products)
    if H.ndim != 2 or not H.size or H.shape[0] != H.shape[1] or not np.isfinite(H).all() or not np.allclose(H, H.T):
        raise ValueError(f"products must be a symmetric matrix of finite numbers, got shape {np.shape(H)}")
    return float(ndtr(-np.sqrt(max(eigvalsh(H)[-1], 0.0) / len(H))))


def whitened_products(sample: Samples, layout: TokenLayout) -> tuple[np.ndarray, int]:
    """Estimate of H for `shared_limit` from samples of K values, its bias removed, and the degrees of freedom.

    The covariance is that within clusters, pooled over all of them. For Gaussian noise its inverse is too large by
    n / (n - d - 1) on average, n the degrees of freedom, and a squared length by d (1/n_+ + 1/n_-) / 4; both are
    taken out, so that the estimate is unbiased and may have negative eigenvalues.

    Raises
    ------
    ValueError : arrays that do not fit, a cluster with fewer than 2 samples, n not above d + 1, or noise that is
        missing in some direction.
    """
    x, value, side = checked_arrays(sample, layout, "sample")
    K, d, x = layout.K, x.shape[1], x.astype(float, copy=False)
    rows = [[np.flatnonzero((value == i) & (side == s)) for s in (1, -1)] for i in range(K)]
    counts = np.array([[len(part) for part in both] for both in rows])
    if counts.min() < 2:
        raise ValueError(f"sample must hold at least 2 samples of each cluster, got one with {counts.min()}")
    n = len(value) - 2 * K
    if n <= d + 1:
        raise ValueError(f"sample must hold more than {d + 1 + 2 * K} statements for d = {d}, got {len(value)}")
    means = np.array([[x[part].mean(axis=0) for part in both] for both in rows])
    inner = np.concatenate([x[part] - middle for both, two in zip(rows, means, strict=True)
                            for part, middle in zip(both, two, strict=True)])
    concepts = (means[:, 0] - means[:, 1]) / 2
    try:
        H = (n - d - 1) * concepts @ np.linalg.solve(inner.T @ inner, concepts.T)
    except np.linalg.LinAlgError:
        H = np.full((K, K), np.nan)
    if not np.isfinite(H).all():
        raise ValueError(f"sample must have noise in all {d} directions, of a size whose square is a number")
    return (H + H.T) / 2 - np.diag(d * (1 / counts).sum(axis=1) / 4), n
