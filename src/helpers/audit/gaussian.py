"""Whether the noise within clusters is normal: along concepts, along random and along its leading directions."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.linalg import eigh
from scipy.stats import kurtosis, shapiro, skew

from ..checks import at_least
from .clusters import cluster_means

MOST = 5000  # statements that Shapiro's and Wilk's test takes
KINDS = ("concept", "random", "leading")


@dataclass(frozen=True, eq=False)
class Normality:
    """Shape of the noise of K values along m directions each, on statements that did not choose the directions.

    kinds : of each direction, "concept", "random" or "leading", m of them.
    skewness, kurtosis, p : shape (K, m); the kurtosis is 0 for a normal distribution, p is Shapiro's and Wilk's.
    tested : statements of each value's test, shape (K,).
    """

    kinds: tuple[str, ...]
    skewness: Annotated[np.ndarray, "K m"]
    kurtosis: Annotated[np.ndarray, "K m"]
    p: Annotated[np.ndarray, "K m"]
    tested: Annotated[np.ndarray, "K"]

    def of(self, kind: str) -> np.ndarray:
        """Which directions are of a kind, shape (m,)."""
        return np.array([one == kind for one in self.kinds])

    def smallest(self, kind: str | None = None) -> float:
        """The smallest p, of all directions or of a kind, times the number of all tests (Bonferroni), at most 1."""
        p = self.p if kind is None else self.p[:, self.of(kind)]
        return float(min(1.0, self.p.size * np.min(p, initial=1.0)))

    def share(self, kind: str) -> float:
        """Share of a kind's tests whose p is below 0.05: about 0.05 of normal noise."""
        p = self.p[:, self.of(kind)]
        return float(np.mean(p < 0.05)) if p.size else 0.0


def normality(
    x: Annotated[np.ndarray, "N d"], value: Annotated[np.ndarray, "N"], side: Annotated[np.ndarray, "N"], *,
    random: int = 5, leading: int = 3, seed: int = 0,
) -> Normality:
    """Test the noise within clusters for normality along single directions; O(N d^2).

    Parameters
    ----------
    x : embeddings, shape (N, d).   value : numbers 0..K-1, shape (N,).   side : +1 or -1, shape (N,), at least 6
        statements of each side of a value.
    random, leading : number of random directions, drawn with `seed`, and of principal directions of the noise.

    Every other statement of a cluster chooses the directions (concept, principal ones of all clusters' noise), the
    rest is tested, both sides of a value together, each about its own mean. One direction cannot show that noise is
    normal in all of them; and along a random one almost any noise of many dimensions is nearly normal.

    Raises
    ------
    ValueError : arrays that do not fit each other, or a cluster with fewer than 6 statements.
    """
    at_least("random", random, 0, 10**4), at_least("leading", leading, 0, 10**4), at_least("seed", seed, 0)
    cluster_means(x, value, side)  # says what does not fit
    x, value, side = np.asarray(x, dtype=float), np.asarray(value).astype(int), np.asarray(side)
    K, d = int(value.max()) + 1, x.shape[1]
    clusters = [[x[(value == i) & (side == s)] for s in (1, -1)] for i in range(K)]
    least = min(len(cluster) for pair in clusters for cluster in pair)
    if least < 6:
        raise ValueError(f"value and side must give every cluster at least 6 statements, got one of {least}")
    about = [[cluster[0::2] - cluster[0::2].mean(axis=0) for cluster in pair] for pair in clusters]
    scatter = sum(part.T @ part for pair in about for part in pair)
    leading = min(leading, d)
    principal = eigh(scatter, subset_by_index=(d - leading, d - 1))[1].T if leading else np.zeros((0, d))
    drawn = np.random.default_rng([seed, 9]).normal(size=(random, d))  # no stream that the data may come from
    shape = np.empty((3, K, 1 + random + leading))
    for i, (plus, minus) in enumerate(clusters):
        concept = plus[0::2].mean(axis=0) - minus[0::2].mean(axis=0)
        directions = np.vstack([concept, drawn, principal])
        directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-300)
        seen = [cluster[1::2] @ directions.T for cluster in (plus, minus)]
        noise = np.concatenate([part - part.mean(axis=0) for part in seen])
        shape[:, i] = np.transpose([_shape(one, np.abs(x).max()) for one in noise.T])
    kinds = ("concept",) + ("random",) * random + ("leading",) * leading
    tested = np.array([sum(len(cluster[1::2]) for cluster in pair) for pair in clusters])
    return Normality(kinds, *shape, tested)


def _shape(noise: np.ndarray, scale: float) -> tuple[float, float, float]:
    """Skewness, excess kurtosis and p; of no noise at all, up to rounding, that of a normal distribution."""
    if np.ptp(noise) <= 1e-12 * scale:
        return 0.0, 0.0, 1.0
    return float(skew(noise)), float(kurtosis(noise)), float(shapiro(noise[:MOST]).pvalue)
