"""The tracking theorem N7: how closely noisy margins follow the noise-free one, from data or beforehand (N8 b)."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from ..checks import at_least, between, holds, inside
from ..layouts import TokenLayout
from ..mixture import ValueMixture
from .flow import times_of
from .rates import first_rates
from .token_rows import Samples, checked_arrays


@dataclass(frozen=True)
class Tracking:
    """|r_j / r-bar - 1| <= eta e^(Gamma S / 4) for every training sample and every S > 0 (N7).

    eta : largest departure of a first rate rho_j from 1.   gamma : largest K/(2N) sum_k |C_jk|.
    """

    eta: float
    gamma: float

    def margin(self, S: float | Annotated[np.ndarray, "*S"]) -> Annotated[np.ndarray, "*S"]:
        """Bound on the relative departure of the margins at time S, shaped like S; `ValueError` for S below 0."""
        with np.errstate(over="ignore"):  # an infinite bound is true
            return self.eta * np.exp(self.gamma * times_of("S", S) / 4)

    def omega(self, S: float | Annotated[np.ndarray, "*S"]) -> Annotated[np.ndarray, "*S"]:
        """Bound on the relative departure of the accumulated pushes psi_k at time S, shaped like S; errors as `margin`.

        (e^(Gamma S / 4) - 1) / Gamma is S/4 where Gamma is 0.
        """
        S = times_of("S", S)
        if self.gamma == 0:
            return self.eta * S / 4
        with np.errstate(over="ignore"):
            return self.eta * np.expm1(self.gamma * S / 4) / self.gamma


def track(sample: Samples, layout: TokenLayout) -> Tracking:
    """eta_0 and Gamma of given training data; O(N^2 d) work, block by block.

    Raises `ValueError` for a sample that does not fit itself or the layout.
    """
    x, value, side = checked_arrays(sample, layout, "sample")
    x, N = x.astype(float, copy=False), len(x)
    largest = 0.0
    for start in range(0, N, 512):
        rows = slice(start, start + 512)
        products = np.abs(2 * layout.gram[np.ix_(value[rows], value)] * (x[rows] @ x.T))
        largest = max(largest, float(products.sum(axis=1).max()))
    eta = float(np.abs(first_rates(sample, layout) - 1).max())
    return Tracking(eta, layout.K / (2 * N) * largest)


def track_beforehand(
    mixture: ValueMixture, Q: int, failure: float, *, trace: float | None = None, norm: float | None = None
) -> Tracking:
    """eta and Gamma that hold with probability at least 1 - failure over balanced training data (N8 b and d).

    Parameters
    ----------
    mixture, Q : the distribution, concepts orthonormal, and the samples a cluster; no condition on Z, l_b, d or v.
    failure : the probability with which the data may depart further, strictly between 0 and 1.
    trace, norm : of the covariance of the noise, where it is not v^2 times the identity: bounds for tr Sigma and
        for the largest eigenvalue in every cluster (N8 d). The mixture's v is not used then.

    Raises
    ------
    ValueError : concepts that are not orthonormal, Q below 1, a failure out of range, only one of trace and norm, or a
        trace below the norm.
    """
    holds("mixture", mixture, "K d v l_b delta layout", "a ValueMixture")
    check_orthonormal(mixture)
    inside("failure", failure, 0, 1)
    N = 2 * mixture.K * at_least("Q", Q, 1)
    trace, norm = noise_sizes(mixture, trace, norm)
    q = np.sqrt(2 * (np.log(7 * N) - np.log(failure)))
    kappa, nu = float(mixture.layout.kappa.max()), float(mixture.layout.nu.max())
    length, noise = np.sqrt(1 + mixture.l_b**2), np.sqrt(trace) + q * np.sqrt(norm)
    X = length + noise
    eta = q * np.sqrt(norm) * (np.sqrt(kappa) + length / (2 * Q)) + noise**2 / (2 * Q)
    eta += np.sqrt(norm * kappa / (2 * Q)) * q * X
    return Tracking(float(eta), float(nu * X**2))


def check_orthonormal(mixture: ValueMixture) -> None:
    """Raise `ValueError` where the concepts are tilted: first rates then differ from 1 even without noise."""
    if mixture.delta:
        raise ValueError(f"mixture must have orthonormal concepts, delta = 0, got delta = {mixture.delta!r}")


def noise_sizes(mixture: ValueMixture, trace: float | None, norm: float | None) -> tuple[float, float]:
    """tr Sigma and the largest eigenvalue of the noise; those of v^2 times the identity where not given.

    Raises `ValueError` where only one is given, where one is below 0, and for a trace below the norm.
    """
    if trace is None and norm is None:
        return mixture.d * mixture.v**2, mixture.v**2
    if trace is None or norm is None:
        raise ValueError(f"trace and norm must be given together, got {trace!r} and {norm!r}")
    between("norm", norm, 0.0, 1e12)
    return between("trace", trace, norm, 1e12), norm
