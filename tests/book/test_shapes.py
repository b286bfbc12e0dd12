"""What checks the shapes in all other tests: it sees the rooms' arrays, and a wrong one does not pass."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pytest
from shapes import checked

from helpers import dynamics, layouts, risk
from helpers.mixture import ValueMixture


@dataclass(frozen=True)
class Two:
    """Two arrays of one length."""

    first: Annotated[np.ndarray, "T"]
    second: Annotated[np.ndarray, "T N"] | None = None


def twice(x: Annotated[np.ndarray, "N d"], rows: int, layout=None) -> tuple[Annotated[np.ndarray, "N"], ...]:
    return np.ones(rows), np.ones(rows)


def two(sample, T: int, N: int) -> Two:
    return Two(np.ones(3), np.ones((T, N)))


def by_value(mixture, K: int) -> Annotated[np.ndarray, "K 2"]:
    return np.ones((K, 2))


def test_a_letter_has_one_size_within_a_call():
    x = np.ones((4, 2))
    assert len(checked(twice)(x, 4)) == 2
    with pytest.raises(AssertionError, match=r"result of twice\[0\]: 'N', but \(5,\)"):
        checked(twice)(x, 5)
    with pytest.raises(AssertionError, match="x of twice: 'N d', but"):
        checked(twice)(x[0], 2)


def test_samples_mixtures_and_fields_are_looked_into():
    mixture = ValueMixture(layouts.chain(3), 5, 0.1, 0.2)
    sample = mixture.sample(1, np.random.default_rng(0))
    assert checked(two)(sample, 3, 6).second.shape == (3, 6) and checked(by_value)(mixture, 3).shape == (3, 2)
    for T, N in ((2, 6), (3, 5)):
        with pytest.raises(AssertionError, match="second"):
            checked(two)(sample, T, N)
    with pytest.raises(AssertionError, match="result of by_value: 'K 2', but"):
        checked(by_value)(mixture, 2)


def test_the_rooms_are_checked():
    """A checked function keeps the plain one; an error of the function itself comes first."""
    for function in (dynamics.gradient_flow, dynamics.pull, risk.exact_risk, risk.log_law, dynamics.TokenRows.margins):
        assert function.__wrapped__.__name__ == function.__name__
    with pytest.raises(ValueError, match="^w must be finite and end in shape"):
        risk.exact_risk(np.ones(3), ValueMixture(layouts.chain(3), 5, 0.1, 0.2))
