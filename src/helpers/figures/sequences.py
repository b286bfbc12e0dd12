"""Figures of answers of many tokens: rates of token rewards, and of both answers."""

from collections.abc import Sequence

import numpy as np

from .agreement import Group, agreement
from .drawing import Sheet


def token_rates(
    predicted: Sequence[float],
    measured: Sequence[float] | None = None,
    *,
    position: Sequence[int],
    printed: Sequence[float] | None = None,
    tolerance: Sequence[float] | None = None,
) -> Sheet:
    """Rates of token rewards, sorted within each place of the answer; measured ones on them, and how far off below.

    Parameters
    ----------
    predicted, measured : shape (M,), in nats per unit of learning rate. Leave `measured` out to draw the prediction.
    position : place of the token in its answer, from 0, shape (M,).
    printed : what another formula predicts for the same measurements, shape (M,); drawn as crosses.
    tolerance : how far a measurement may lie off, shape (M,): unit of the residuals.
    """
    position, parts = np.asarray(position), {"predicted": predicted, "measured": measured, "rival": printed,
                                       "tolerance": tolerance}
    groups = {
        f"token {place + 1}": Group(**{name: None if some is None else np.asarray(some, dtype=float)[position == place]
                                       for name, some in parts.items()})
        for place in np.unique(position)
    }
    return agreement(groups, up="Rate of reward (nats / learning rate)", each="held-out token",
                     rival="with the printed p")


def answer_rates(
    names: Sequence[str], predicted: np.ndarray, measured: np.ndarray | None = None, *, error: np.ndarray
) -> Sheet:
    """Rates of both answers of each value in many splits: the forecast, the measurements on it, how far off below.

    In each group the chosen answers stand left (full dots), the rejected ones right (hollow), sorted by forecast.

    Parameters
    ----------
    names : the K values.
    predicted, measured : mean rate of the rewards of the chosen and of the rejected answers, in nats per unit of
        learning rate, shape (K, splits, 2). Leave `measured` out to draw the forecast.
    error : standard errors of the differences, shape (K, splits, 2): unit of the residuals.
    """
    predicted = np.asarray(predicted, dtype=float)
    order = np.argsort(predicted, axis=1, kind="stable")

    def row(some, k: int) -> np.ndarray | None:
        """Of value k: chosen first, each sorted by the forecast."""
        return None if some is None else np.take_along_axis(np.asarray(some, dtype=float)[k], order[k], 0).T.ravel()

    splits = predicted.shape[1]
    groups = {name: Group(row(predicted, k), row(measured, k), row(error, k), ordered=True,
                          hollow=np.repeat([False, True], splits)) for k, name in enumerate(names)}
    return agreement(groups, up="Rate of an answer (nats / learning rate)", each="split, chosen left, rejected right",
                     off="standard errors")
