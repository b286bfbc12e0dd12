"""Every check returns a good value unchanged and names argument, value and range for a bad one."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.checks import (
    at_least,
    between,
    holds,
    integers,
    listed,
    numbers,
    one_of,
    path_of,
    positive,
    shown,
    texts,
)

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


@pytest.mark.parametrize(("check", "given"), [(between, (0, 1)), (positive, ()), (at_least, (1,))])
def test_an_array_is_shown_on_one_line(check, given):
    with pytest.raises(ValueError, match=r"^p must .*, got an array of shape \(2, 2\)$"):
        check("p", np.ones((2, 2)), *given)


def test_one_of_takes_no_array_apart():
    with pytest.raises(ValueError, match="^loss must be a known name, got an array of shape"):
        one_of("loss", np.ones((2, 2)), ["dpo"])


def test_shown_is_one_short_line():
    assert shown("a\nb") == r"'a\nb'" and shown(np.array([1, 2])) == "[1 2]"
    assert shown(np.zeros(9)) == "an array of shape (9,)" and len(shown("x" * 1000)) == 203
    assert "\n" not in shown([np.ones((2, 2))])


@pytest.mark.parametrize("value", [None, 3, "ab", b"ab", {"a": 1}, {"a"}, np.array(1.0), np.ones((2, 2))])
def test_listed_and_texts_refuse_what_is_no_list(value):
    for check in (lambda: listed("names", value, "texts"), lambda: texts("names", value)):
        with pytest.raises(ValueError, match="^names must be a list of texts, got "):
            check()


def test_listed_and_texts_return_the_entries():
    assert listed("p", (n for n in range(2)), "numbers") == listed("p", np.arange(2), "numbers") == [0, 1]
    assert texts("p", ["a", "\U0001f600"]) == ("a", "\U0001f600")
    with pytest.raises(ValueError, match="^p must be a list of texts, got .*ud83d. in it"):
        texts("p", ["a", "\ud83d"])


@pytest.mark.parametrize("value", ["5", None, True, {}, [1, "2"], [[1], [1, 2]], np.array([True]), 1j])
def test_numbers_refuses_what_is_no_array_of_numbers(value):
    with pytest.raises(ValueError, match="^S must hold numbers, got "):
        numbers("S", value)


def test_numbers_and_integers_return_arrays():
    assert numbers("S", [1, 2.5]).tolist() == [1.0, 2.5] and numbers("S", []).shape == (0,)
    assert integers("rows", [0, 2.0], 0, 2).tolist() == [0, 2]
    for value, said in ((0, "got 0"), ([[1]], "got"), ([3], "got 3 in it"), ([0.5], "got 0.5 in it")):
        with pytest.raises(ValueError, match=f"^rows must be a list of whole numbers from 0 to 2, .*{said}"):
            integers("rows", value, 0, 2)


@pytest.mark.parametrize("value", [None, True, 1, "", ["a"]])
def test_path_of_refuses_what_is_no_path(value):
    with pytest.raises(ValueError, match="^path must be a path, got "):
        path_of("path", value)


def test_holds_looks_for_every_field():
    holds("sample", SimpleNamespace(x=1, side=2), "x side", "a sample")
    with pytest.raises(ValueError, match="^sample must be a sample, got 3$"):
        holds("sample", 3, "x side", "a sample")
