"""Lemmas B.1 and B.2: how far noisy embeddings stray from their means, and with them the rates of the margins."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from ..checks import at_least, between, finite, positive, shown
from ..dynamics.token_rows import LARGEST, Samples, checked_arrays, checked_samples
from ..layouts import TokenLayout


@dataclass(frozen=True)
class Deviation:
    """One row of Lemma B.1: how far interactions of one kind of pair stray from what the means alone would give.

    case : kind of pair.   pairs : how many there are.   observed : largest |C_jk - mean|.
    allowed : 4 epsilon v for values of their own, 2 epsilon v where one token is shared.
    """

    case: str
    pairs: int
    observed: float
    allowed: float

    @property
    def holds(self) -> bool:
        """True where no pair of this kind strays further than allowed."""
        return self.observed <= self.allowed


def largest_epsilon(v: float, Z: int) -> float:
    """epsilon = 1 / (16 v (Z + 2)), the largest that Theorem B.3 allows.

    Raises `ValueError` for v not above 0 (1e-100 to 1e6) or Z below 1.
    """
    if positive("v", v, 1e6) < 1e-100:
        raise ValueError(f"v must be at least 1e-100, got {shown(v)}")
    return 1 / (16 * float(v) * (at_least("Z", Z, 1) + 2))


def noise_parts(
    sample: Samples, means: Annotated[np.ndarray, "K 2 d"], noise_square: float
) -> tuple[Annotated[np.ndarray, "N N"], Annotated[np.ndarray, "N N"]]:
    """The two ways in which x_j . x_k strays from mu_j . mu_k (proof of B.1).

    Parameters
    ----------
    sample : N embeddings with value and side.
    means : mean of each cluster, shape (K, 2, d), side +1 first.
    noise_square : expected squared length of the noise, d v^2 for isotropic noise.

    Returns
    -------
    linear : mu_j . alpha_k + mu_k . alpha_j, shape (N, N).
    bilinear : alpha_j . alpha_k, less `noise_square` on the diagonal, shape (N, N).

    Raises
    ------
    ValueError : samples and means that do not fit each other, or a noise_square below 0.
    """
    between("noise_square", noise_square, 0.0, 1e100)
    x, mean = _with_means(sample, means)
    alpha = x - mean
    cross = mean @ alpha.T
    return cross + cross.T, alpha @ alpha.T - noise_square * np.eye(len(x))


def deviations(
    sample: Samples, layout: TokenLayout, *, means: Annotated[np.ndarray, "K 2 d"], noise_square: float, allowed: float
) -> tuple[Deviation, ...]:
    """Lemma B.1 case by case on given data; cases without a pair are left out.

    Parameters
    ----------
    means, noise_square : as in `noise_parts`.
    allowed : epsilon v, how far each of the two parts may stray; the lemma's tolerance is 2 |G| epsilon v.

    Raises
    ------
    ValueError : as `noise_parts`; a sample that does not fit the layout, or `allowed` not above 0.
    """
    _, value, side = checked_arrays(sample, layout, "sample")
    positive("allowed", allowed, 1e100)
    linear, bilinear = noise_parts(sample, means, noise_square)
    G = np.abs(2 * layout.gram[np.ix_(value, value)])
    stray = G * np.abs(linear + bilinear)
    same_value, same_side = value[:, None] == value, side[:, None] == side
    itself = np.eye(len(value), dtype=bool)
    cases = {
        "same sample": itself,
        "same cluster": same_value & same_side & ~itself,
        "opposite clusters": same_value & ~same_side,
        "sharing a token, same side": ~same_value & same_side & (G == 1),
        "sharing a token, opposite sides": ~same_value & ~same_side & (G == 1),
        "sharing both tokens": ~same_value & (G == 2),
        "no token in common": G == 0,
    }
    limit = {name: 2 * allowed * (1 if "a token" in name else 2) for name in cases} | {"no token in common": 0.0}
    return tuple(
        Deviation(name, int(mask.sum()), float(stray[mask].max()), limit[name])
        for name, mask in cases.items()
        if mask.any()
    )


def rate_bracket(
    sample: Samples, layout: TokenLayout, pushes: Annotated[np.ndarray, "N"], *, l_b: float, noise_square: float
) -> Annotated[np.ndarray, "N"]:
    """The bracket of Lemma B.2: what `pull` would be if every interaction had its mean, shape (N,).

    `pushes` has shape (N,). Raises `ValueError` for arrays that do not fit, and l_b or noise_square below 0.
    """
    between("noise_square", noise_square, 0.0, 1e100), between("l_b", l_b, 0.0, 1e6)
    return _own_values(sample, layout, pushes, l_b, noise_square) + sharing_term(sample, layout, pushes, l_b=l_b)


def sharing_term(
    sample: Samples, layout: TokenLayout, pushes: Annotated[np.ndarray, "N"], *, l_b: float
) -> Annotated[np.ndarray, "N"]:
    """l_b^2 sum over other values of G times the difference of pushes of their two sides, shape (N,) (B.2).

    `pushes` has shape (N,). Raises `ValueError` for arrays that do not fit, and l_b below 0.
    """
    between("l_b", l_b, 0.0, 1e6)
    _, value, side = checked_arrays(sample, layout, "sample")
    per_cluster = _by_cluster(value, side, layout.K, pushes)
    G = 2 * layout.gram - 2 * np.eye(layout.K)
    return l_b**2 * side * (G @ (per_cluster[:, 0] - per_cluster[:, 1]))[value]


def rate_tolerance(Q: int, Z: int, pushes: np.ndarray, *, allowed: float) -> float:
    """8 Q (1 + Z) epsilon v max push: how far `pull` may stray from its bracket (B.2); `allowed` is epsilon v.

    Raises `ValueError` for Q or Z below 1, `allowed` not above 0, and pushes that are none.
    """
    pushes = finite("pushes", pushes)
    if not pushes.size or pushes.min() < 0:
        raise ValueError(f"pushes must be numbers of at least 0, one a sample, got {shown(pushes)}")
    size = 8.0 * at_least("Q", Q, 1) * (1 + at_least("Z", Z, 1))
    return size * positive("allowed", allowed, 1e100) * float(pushes.max())


def _own_values(sample, layout, pushes, l_b, noise_square) -> np.ndarray:
    _, value, side = checked_arrays(sample, layout, "sample")
    per_cluster = _by_cluster(value, side, layout.K, pushes)
    own = per_cluster[value, np.where(side > 0, 0, 1)]
    other = per_cluster[value, np.where(side > 0, 1, 0)]
    return 2 * (1 + l_b**2) * own + 2 * (1 - l_b**2) * other + 2 * noise_square * np.asarray(pushes, dtype=float)


def _by_cluster(value: np.ndarray, side: np.ndarray, K: int, pushes: np.ndarray) -> np.ndarray:
    """Sum of the pushes in each cluster, shape (K, 2)."""
    pushes = finite("pushes", pushes)
    if pushes.shape != value.shape:
        raise ValueError(f"pushes must be {len(value)} finite numbers, one a sample, got shape {pushes.shape}")
    sums = np.zeros((K, 2))
    np.add.at(sums, (value, np.where(side > 0, 0, 1)), pushes)
    return sums


def _with_means(sample: Samples, means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    means = finite("means", means, LARGEST)
    if means.ndim != 3 or means.shape[1] != 2:
        raise ValueError(f"means must have shape (K, 2, d), one for each cluster, got {means.shape}")
    x, value, side = checked_samples(sample, len(means), "sample")
    if means.shape[2] != x.shape[1]:
        raise ValueError(f"means must have shape (K, 2, {x.shape[1]}), one for each cluster, got {means.shape}")
    return x.astype(float, copy=False), means[value, np.where(side > 0, 0, 1)]
