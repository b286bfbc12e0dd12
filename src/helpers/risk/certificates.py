"""Guarantees on the risk: from training data (N8 a), beforehand (N8 b to d), and for a language model (N11)."""

import math
from typing import Annotated

import numpy as np
from scipy.special import ndtr, rel_entr

from ..checks import finite, holds, inside, numbers, shown
from ..dynamics.flow import times_of
from ..dynamics.token_rows import LARGEST, Samples, checked_arrays
from ..dynamics.tracking import check_orthonormal, noise_sizes, track, track_beforehand
from ..layouts import TokenLayout
from ..mixture import MOST_NUMBERS, Sample, ValueMixture

# The grid of N11: any finite one is allowed, and its size enters the bound by its logarithm.
SCALES = tuple(2.0 ** (k / 2) for k in range(17))  # mu: 1 to 256
SHIFTS = tuple(k / 4 for k in range(13))  # z: 0 to 3


def certificate(
    sample: Samples, mixture: ValueMixture, S: float | Annotated[np.ndarray, "*S"]
) -> Annotated[np.ndarray, "*S K 2"]:
    """Bound on the risk of every cluster at time S of the flow on these training data (N8 a); deterministic.

    Parameters
    ----------
    sample : the training samples, any data. mixture : the distribution of new samples.
    S : dimensionless time, at least 0, shape (...).

    Returns
    -------
    Shape (..., K, 2), side +1 first; 1 where the certificate says nothing. At S = 0 it is that of the first step.

    Raises
    ------
    ValueError : arrays that do not fit the mixture, or times below 0.
    """
    holds("mixture", mixture, "layout d v concepts shared", "a ValueMixture")
    layout = mixture.layout
    x, value, side = checked_arrays(sample, layout, "sample", mixture.d)
    omega = np.minimum(track(sample, layout).omega(S), 1e200)[..., None, None]  # far above all that says something
    signed = side[:, None] * x.astype(float, copy=False)
    weight = layout.K / len(x) * layout.gram[:, value]  # K/(2N) G, shape (K, N)
    m = weight @ signed
    targets = mixture.concepts[:, None] + np.array([1.0, -1.0])[:, None] * mixture.shared  # (K, 2, d)
    along = np.einsum("kd,ksd->ks", m, targets)
    reach = np.einsum("kn,ksn->ks", np.abs(weight), np.abs(np.einsum("ksd,nd->ksn", targets, signed)))
    length = np.linalg.norm(m, axis=1)
    spread = np.abs(weight) @ np.linalg.norm(x, axis=1)
    numerator = along - omega * reach
    denominator = mixture.v * (length + omega[..., 0] * spread)[..., None]
    return _tail(numerator, denominator)


def guarantee_beforehand(
    mixture: ValueMixture,
    Q: int,
    S: float | Annotated[np.ndarray, "*S"],
    *,
    failure: float = 0.05,
    covariance: Annotated[np.ndarray, "d d"] | None = None,
) -> Annotated[np.ndarray, "*S"]:
    """Bound on the risk at all times at once that holds with probability 1 - failure over the data (N8 b, d).

    Parameters
    ----------
    mixture : the distribution, concepts orthonormal. Q : samples a cluster, balanced.
    S : dimensionless times, at least 0, any shape. failure : strictly between 0 and 1.
    covariance : of the noise in every cluster (d, d), where it is not v^2 times the identity (N8 d).

    Returns
    -------
    Shaped like S; 1 where the guarantee says nothing.

    Raises
    ------
    ValueError : an argument out of range, concepts that are not orthonormal, a covariance of another shape.
    """
    holds("mixture", mixture, "layout d v l_b delta concepts", "a ValueMixture")
    inside("failure", failure, 0, 1)
    check_orthonormal(mixture)
    times_of("S", S)
    learned = mixture.layout.gram @ mixture.concepts
    if covariance is None:
        trace, norm = noise_sizes(mixture, None, None)
        along = np.sqrt(norm * mixture.layout.kappa.max())
    else:
        covariance = _covariance(covariance, mixture.d)
        trace, norm = float(np.trace(covariance)), float(np.linalg.eigvalsh(covariance)[-1])
        along = np.sqrt(np.einsum("kd,de,ke->k", learned, covariance, learned).max())
    tracking = track_beforehand(mixture, Q, failure, trace=trace, norm=norm)
    q = math.sqrt(2 * (math.log(14 * mixture.K * Q) - math.log(failure)))
    kappa, length = float(mixture.layout.kappa.max()), math.sqrt(1 + mixture.l_b**2)
    # omega nu X, as Gamma = nu X^2
    share = np.minimum(tracking.omega(S), 1e200) * math.sqrt(mixture.layout.nu.max() * tracking.gamma)
    noise = math.sqrt(norm * kappa / (2 * Q))
    numerator = 1 - noise * q * length - share * length
    inner = math.sqrt(kappa / (2 * Q)) * (math.sqrt(trace) + q * math.sqrt(norm)) + share
    return _tail(numerator, along + math.sqrt(norm) * inner)


def model_guarantee(
    direction: Annotated[np.ndarray, "D"],
    features: Annotated[np.ndarray, "n D"],
    *,
    prior: Annotated[np.ndarray, "D"] | None = None,
    failure: float = 0.05,
) -> float:
    """Bound on the risk of a trained last layer, whatever the embeddings, the layout and the training (N11).

    With probability 1 - failure over n independent pairs it holds for **every** direction at once: each step of
    training, each loss. The pairs may have been trained on.

    Parameters
    ----------
    direction : Theta = vec(Delta W) in the features' coordinates, shape (D,); only its direction counts.
    features : phi of the n pairs, shape (n, D), rows not 0; a pair is told right where Theta . phi > 0.
    prior : Theta_0, shape (D,), made without these pairs, only its direction counts; None for none.
    failure : strictly between 0 and 1.

    Returns
    -------
    The smallest bound over the grid of `SCALES` and `SHIFTS`, at most 1.

    Raises
    ------
    ValueError : arrays that do not fit or are not finite, a direction or a feature of length 0, a failure out of range.
    """
    features = numbers("features", features)
    if features.ndim != 2 or 0 in features.shape or not np.isfinite(features).all():
        raise ValueError(f"features must be finite of shape (n, D) with n at least 1, got {shown(features)}")
    finite("features", features, LARGEST)
    inside("failure", failure, 0, 1)
    theta = _unit("direction", direction, features.shape[1])
    start = np.zeros_like(theta) if prior is None else _unit("prior", prior, features.shape[1])
    features = np.ldexp(features, -np.frexp(np.abs(features).max(axis=1, keepdims=True))[1])  # only directions count
    lengths = np.linalg.norm(features, axis=1)
    if not lengths.all():
        raise ValueError("features must have rows of a length above 0, got one of length 0")
    distance = min(2.0, float(np.linalg.norm(theta - start)))
    return float(guarantee_from_cosines(np.clip(features @ theta / lengths, -1, 1), distance, failure=failure))


def guarantee_from_cosines(
    cosines: Annotated[np.ndarray, "*T n"], distance: float | Annotated[np.ndarray, "*T"], *, failure: float = 0.05
) -> Annotated[np.ndarray, "*T"]:
    """The bound of N11 from all that it asks of a direction; for features too long to be written out.

    Parameters
    ----------
    cosines : of Theta with the features of the n pairs, shape (..., n), between -1 and 1: Theta . phi / |phi|.
    distance : from Theta to Theta_0, both of length 1 or Theta_0 = 0, shape (...), between 0 and 2.
    failure : as for `model_guarantee`.

    Returns
    -------
    Shape (...), at most 1.

    Raises
    ------
    ValueError : cosines or distances out of range or of shapes that do not fit, a failure out of range.
    """
    inside("failure", failure, 0, 1)
    cosines, distance = numbers("cosines", cosines), numbers("distance", distance)
    if cosines.ndim < 1 or not cosines.size or not (np.abs(cosines) <= 1 + 1e-6).all():  # float32 rounds beyond 1
        raise ValueError(f"cosines must lie between -1 and 1, shape (..., n) with n at least 1, got {shown(cosines)}")
    if distance.shape != cosines.shape[:-1] or not ((distance >= 0) & (distance <= 2 + 1e-6)).all():
        raise ValueError(f"distance must lie between 0 and 2, shape {cosines.shape[:-1]}, got {shown(distance)}")
    n, mu, z = cosines.shape[-1], np.array(SCALES), np.array(SHIFTS)
    found = np.empty(distance.shape)
    for at in np.ndindex(distance.shape):
        seen = ndtr(z - mu[:, None, None] * cosines[at][:, None]).mean(axis=1)  # (scales, shifts)
        room = (mu**2 / 2 * distance[at] ** 2 + math.log(2 * math.sqrt(n) * mu.size * z.size / failure)) / n
        found[at] = min(1.0, (kl_inverse(seen, room[:, None]) / ndtr(z)).min())
    return found[()]


def kl_inverse(q: float | np.ndarray, c: float | np.ndarray) -> np.ndarray:
    """The largest p with kl(q || p) <= c, for two coins of sides q and p, in nats; shaped like q and c together.

    Raises `ValueError` for q outside of 0 to 1 or c below 0.
    """
    q, c = np.broadcast_arrays(numbers("q", q), numbers("c", c))
    if not ((q >= 0) & (q <= 1)).all() or not (c >= 0).all():
        raise ValueError(f"q must lie between 0 and 1 and c be at least 0, got {shown(q)} and {shown(c)}")
    low, high = q, np.ones_like(q)
    for _ in range(60):  # halves the interval until no number lies between its ends
        middle = (low + high) / 2
        inside = rel_entr(q, middle) + rel_entr(1 - q, 1 - middle) <= c
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return high[()]


def _tail(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Phi(-mean / deviation) where the mean is above 0, else 1: nothing is said there."""
    mean, deviation = np.broadcast_arrays(np.asarray(mean, dtype=float), np.asarray(deviation, dtype=float))
    z = np.divide(mean, deviation, out=np.full(mean.shape, np.inf), where=deviation > 0)
    return np.where(mean > 0, ndtr(-z), 1.0)[()]


def _unit(name: str, vector: np.ndarray, D: int) -> np.ndarray:
    vector = numbers(name, vector)
    if vector.shape == (D,) and np.isfinite(vector).all():
        vector = np.ldexp(vector, -np.frexp(np.abs(vector).max())[1])
    length = np.linalg.norm(vector) if vector.shape == (D,) else math.nan
    if not (math.isfinite(length) and length > 0):
        raise ValueError(f"{name} must be finite of shape ({D},) and of a length above 0, got {shown(vector)}")
    return vector / length


def _covariance(covariance: np.ndarray, d: int) -> np.ndarray:
    covariance = finite("covariance", covariance, LARGEST)
    if covariance.shape != (d, d) or not np.allclose(covariance, covariance.T):
        raise ValueError(f"covariance must be symmetric of shape ({d}, {d}), got {shown(covariance)}")
    return covariance


def pair_features(x: np.ndarray, value: np.ndarray, side: np.ndarray, layout: TokenLayout) -> np.ndarray:
    """phi = s (u_i (x) x) of N11 for pairs with embeddings `x` (N, d), already centred; shape (N, tokens d).

    For layouts of many tokens rows are long; for one pair of answers (d columns suffice) use ``side[:, None] * x``.
    Raises `ValueError` for arrays that do not fit each other.
    """
    x, value, side = checked_arrays(Sample(x, value, side), layout, "pairs")
    size = layout.incidence.shape[1] * x.size
    if size > MOST_NUMBERS:
        raise ValueError(f"pairs must make at most {MOST_NUMBERS:.0e} numbers of N tokens d, got {size:.1e}")
    return (side[:, None, None] * layout.incidence[value][:, :, None] * x[:, None, :]).reshape(len(x), -1)
