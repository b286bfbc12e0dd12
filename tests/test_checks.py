"""Every check returns a good value unchanged and names argument, value and range for a bad one."""

import math

import numpy as np
import pytest

from helpers.checks import at_least, between, one_of, positive

NOT_NUMBERS = ["1", None, True, [1.0], math.nan]


@pytest.mark.parametrize("value", [0.0, 0.5, 1, np.float64(0.25), np.int64(1)])
def test_between_returns_what_lies_within(value):
    assert between("p", value, 0, 1) is value


@pytest.mark.parametrize("value", [-1e-9, 1.0000001, math.inf, -math.inf, *NOT_NUMBERS])
def test_between_refuses_the_rest(value):
    with pytest.raises(ValueError) as error:
        between("p", value, 0, 1)
    assert str(error.value) == f"p must lie between 0 and 1, got {value!r}"


@pytest.mark.parametrize("value", [5e-324, 0.1, 3, np.float32(2)])
def test_positive_returns_what_is_above_zero(value):
    assert positive("beta", value) is value


@pytest.mark.parametrize("value", [0, 0.0, -0.1, math.inf, *NOT_NUMBERS])
def test_positive_refuses_the_rest(value):
    with pytest.raises(ValueError) as error:
        positive("beta", value)
    assert str(error.value) == f"beta must be a finite number above 0, got {value!r}"


@pytest.mark.parametrize("value", [3, 10**12, np.int64(4)])
def test_at_least_returns_whole_numbers(value):
    assert at_least("steps", value, 3) is value


@pytest.mark.parametrize("value", [2, 3.0, np.float64(4), *NOT_NUMBERS])
def test_at_least_refuses_the_rest(value):
    with pytest.raises(ValueError) as error:
        at_least("steps", value, 3)
    assert str(error.value) == f"steps must be a whole number of at least 3, got {value!r}"


def test_one_of_returns_a_known_name_and_takes_any_iterable():
    assert one_of("loss", "ipo", ["dpo", "ipo"]) == "ipo"
    assert one_of("loss", "ipo", (name for name in ("dpo", "ipo"))) == "ipo"


def test_one_of_suggests_the_nearest_names():
    with pytest.raises(ValueError, match="^value must .* got 'honest'; did you mean 'honesty'") as error:
        one_of("value", "honest", ["honesty", "frugality", "art"])
    assert "frugality" not in str(error.value)


def test_one_of_lists_all_names_when_none_is_near():
    with pytest.raises(ValueError, match="^loss must .* got 'xyz'; allowed are 'dpo', 'ipo'$"):
        one_of("loss", "xyz", ["dpo", "ipo"])
