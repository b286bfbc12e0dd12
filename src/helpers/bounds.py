"""The paper's theorems as functions, in dimensionless time S = 2 beta^2 t / (K tau)."""

import numpy as np

from .checks import at_least, between, one_of


def training_envelope(
    S: float | np.ndarray,
    *,
    form: str = "paper",
    Q: int | None = None,
    d: int | None = None,
    v: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound of every training margin at time S.

    Parameters
    ----------
    S : dimensionless time, at least 0, any shape.
    form : "paper" is Theorem 4.2 (B.3): S/16 and 5S/2 up to S = (2/5) log 3. "improved" is T4.2': 5S/32 and
        (19/32 + d v^2 / (4Q)) S, up to the time at which the upper one reaches log 3.
    Q, d, v : samples a cluster, dimension, noise; needed by the improved form, not used by the paper's.

    Returns
    -------
    lower, upper : shaped like S, NaN past the horizon, where the theorem says nothing. Both hold
        under the hypotheses of the theorem (on Z, l_b, d, v), which are not checked here, on the event of
        Lemma B.1.

    Raises
    ------
    ValueError : S negative or not finite, an unknown form, or Q, d, v missing or out of range.
    """
    S = np.asarray(S, dtype=float)
    if not (np.isfinite(S).all() and (S >= 0).all()):
        raise ValueError(f"S must be finite and at least 0, got {S}")
    one_of("form", form, ("paper", "improved"))
    if form == "paper":
        low, high, horizon = 1 / 16, 5 / 2, 0.4 * np.log(3)
    else:
        memory = at_least("d", d, 1) * between("v", v, 0.0, 1e6) ** 2 / at_least("Q", Q, 1)
        low, high, horizon = 5 / 32, 19 / 32 + memory / 4, 32 * np.log(3) / (19 + 8 * memory)
    S = np.where(S <= horizon, S, np.nan)
    return low * S, high * S
