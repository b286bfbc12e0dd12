"""Losses of the reward margin: value f(r) and slope f'(r). DPO's siblings replace sigma(-r) by -f'(r)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from .checks import one_of


@dataclass(frozen=True)
class Loss:
    """One loss of the family L = mean of f(r_i) (paper, section 7), on arrays of margins."""

    name: ClassVar[str]

    def value(self, r: np.ndarray) -> np.ndarray:
        """f(r), same shape as the margins r."""
        raise NotImplementedError

    def slope(self, r: np.ndarray) -> np.ndarray:
        """f'(r), same shape as r."""
        raise NotImplementedError


class DPO(Loss):
    """f(r) = -log sigma(r) = log(1 + e^-r); log 2 at the start of training."""

    name = "dpo"

    def value(self, r: np.ndarray) -> np.ndarray:
        return np.logaddexp(0.0, -np.asarray(r, dtype=float))

    def slope(self, r: np.ndarray) -> np.ndarray:
        return -expit(-np.asarray(r, dtype=float))


class IPO(Loss):
    """f(r) = (r - 1)^2: a margin beyond 1 is pushed back."""

    name = "ipo"

    def value(self, r: np.ndarray) -> np.ndarray:
        return (np.asarray(r, dtype=float) - 1.0) ** 2

    def slope(self, r: np.ndarray) -> np.ndarray:
        return -2.0 * (1.0 - np.asarray(r, dtype=float))


class SLiC(Loss):
    """f(r) = max(0, 1 - r): a sample stops pushing once its margin reaches 1. At the kink the slope is 0."""

    name = "slic"

    def value(self, r: np.ndarray) -> np.ndarray:
        return np.maximum(0.0, 1.0 - np.asarray(r, dtype=float))

    def slope(self, r: np.ndarray) -> np.ndarray:
        return -(np.asarray(r) < 1.0).astype(float)


LOSSES = {loss.name: loss for loss in (DPO, IPO, SLiC)}


def get_loss(name: str) -> Loss:
    """The loss called `name`: "dpo", "ipo" or "slic". Raises `ValueError` for another name."""
    return LOSSES[one_of("loss", name, LOSSES)]()
