"""Envelopes of the training margins: Theorem 4.2, its improved form, and the forms of Appendix C."""

from typing import Annotated

import numpy as np

from ..checks import at_least, between, one_of
from ..dynamics.flow import times_of

LOG3 = float(np.log(3))
# Slopes in S and, for the improved forms, the part of d v^2 / Q in the upper one; see `training_envelope`.
_LOWER = {"paper": 1 / 16, "improved": 5 / 32, "paper C": 1 / 32, "improved C": 9 / 64}
_UPPER = {"paper": 5 / 2, "improved": 19 / 32, "paper C": 5 / 2, "improved C": 39 / 64}


def training_envelope(
    S: float | Annotated[np.ndarray, "*S"],
    *,
    form: str = "paper",
    Q: int | None = None,
    d: int | None = None,
    v: float | None = None,
) -> tuple[Annotated[np.ndarray, "*S"], Annotated[np.ndarray, "*S"]]:
    """Lower and upper bound of every training margin at time S.

    Parameters
    ----------
    S : dimensionless time, at least 0, any shape.
    form : "paper" is Theorem 4.2 (B.3): S/16 and 5S/2 up to S = (2/5) log 3. "improved" is T4.2': 5S/32 and
        (19/32 + d v^2 / (4Q)) S, up to the time at which the upper one reaches log 3. "paper C" is Theorem C.5
        for approximately orthogonal concepts, with the lower slope halved; "improved C" is 9S/64 and
        (39/64 + d v^2 / (4Q)) S there.
    Q, d, v : samples a cluster, dimension, noise; needed by the improved forms, not used by the paper's.

    Returns
    -------
    lower, upper : shaped like S, NaN past the horizon, where the theorem says nothing. Both hold
        under the hypotheses of the theorem (on Z, l_b, d, v), which are not checked here, on the event of
        Lemma B.1.

    Raises
    ------
    ValueError : S negative or not finite, an unknown form, or Q, d, v missing or out of range.
    """
    S = times_of("S", S)
    low, high = _LOWER[one_of("form", form, _LOWER)], _UPPER[form]
    if form.startswith("improved"):
        high += at_least("d", d, 1) * between("v", v, 0.0, 1e6) ** 2 / at_least("Q", Q, 1) / 4
    S = np.where(S <= LOG3 / high * (1 + 1e-15), S, np.nan)  # the horizon itself belongs to it, whatever its last bit
    return low * S, high * S
