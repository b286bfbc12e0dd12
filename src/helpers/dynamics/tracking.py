"""The tracking theorem N7: how closely noisy margins follow the noise-free one, from data or beforehand (N8 b)."""

from dataclasses import dataclass

import numpy as np

from ..checks import at_least
from ..layouts import TokenLayout
from ..mixture import ValueMixture
from .rates import first_rates
from .token_rows import Samples, checked_arrays


@dataclass(frozen=True)
class Tracking:
    """|r_j / r-bar - 1| <= eta e^(Gamma S / 4) for every training sample and every S > 0 (N7).

    eta : largest departure of a first rate rho_j from 1.   gamma : largest K/(2N) sum_k |C_jk|.
    """

    eta: float
    gamma: float

    def margin(self, S: float | np.ndarray) -> np.ndarray:
        """Bound on the relative departure of the margins at time S, shaped like S."""
        return self.eta * np.exp(self.gamma * np.asarray(S, dtype=float) / 4)

    def omega(self, S: float | np.ndarray) -> np.ndarray:
        """Bound on the relative departure of the accumulated pushes psi_k at time S, shaped like S."""
        return self.eta * np.expm1(self.gamma * np.asarray(S, dtype=float) / 4) / self.gamma


def track(sample: Samples, layout: TokenLayout) -> Tracking:
    """eta_0 and Gamma of given training data; O(N^2 d) work, block by block."""
    x, value, side = checked_arrays(sample, layout, "sample")
    x, N = x.astype(float, copy=False), len(x)
    largest = 0.0
    for start in range(0, N, 512):
        rows = slice(start, start + 512)
        products = np.abs(2 * layout.gram[np.ix_(value[rows], value)] * (x[rows] @ x.T))
        largest = max(largest, float(products.sum(axis=1).max()))
    eta = float(np.abs(first_rates(sample, layout) - 1).max())
    return Tracking(eta, layout.K / (2 * N) * largest)


def track_beforehand(mixture: ValueMixture, Q: int, failure: float) -> Tracking:
    """eta and Gamma that hold with probability at least 1 - failure over balanced training data (N8 b).

    No condition on Z, l_b, d or v. Raises `ValueError` for Q < 1 or a failure outside (0, 1).
    """
    if not 0 < failure < 1:
        raise ValueError(f"failure must lie strictly between 0 and 1, got {failure!r}")
    N, v = 2 * mixture.K * at_least("Q", Q, 1), mixture.v
    q = np.sqrt(2 * np.log(7 * N / failure))
    kappa, nu = float(mixture.layout.kappa.max()), float(mixture.layout.nu.max())
    length, reach = np.sqrt(1 + mixture.l_b**2), np.sqrt(mixture.d) + q
    X = length + v * reach
    eta = q * v * (np.sqrt(kappa) + length / (2 * Q)) + (v * reach) ** 2 / (2 * Q)
    eta += v / np.sqrt(2 * Q) * np.sqrt(kappa) * q * X
    return Tracking(float(eta), float(nu * X**2))
