"""Every check returns a good value unchanged and names argument, value and range for a bad one."""

import math
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.checks import (
    at_least,
    between,
    finite,
    flag,
    holds,
    inside,
    integers,
    listed,
    numbers,
    one_of,
    path_of,
    positive,
    shown,
    texts,
)

NOT_NUMBERS = ["1", None, True, [1.0], math.nan, 1j, np.True_, np.array(1, dtype=object), np.array("1"), b"1",
               np.float32("nan"), Decimal(1)]


@pytest.mark.parametrize("value", [0.0, 0.5, 1, np.float64(0.25), np.int64(1), Fraction(1, 2)])
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


@pytest.mark.parametrize(("given", "meant"), [("DPO", "dpo"), ("Honesty", "honesty"), ("yes/no", "Yes/No")])
def test_one_of_sees_past_capital_letters(given, meant):
    with pytest.raises(ValueError, match=f"got '{given}'; did you mean '{meant}'"):
        one_of("name", given, ["dpo", "honesty", "Yes/No", "a", "b"])


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


@pytest.mark.parametrize("value", [None, True, 1, "", ["a"], "a\0b", "\ud800", b"a"])
def test_path_of_refuses_what_is_no_path(value):
    with pytest.raises(ValueError, match="^path must be a path, got "):
        path_of("path", value)


def test_holds_looks_for_every_field():
    holds("sample", SimpleNamespace(x=1, side=2), "x side", "a sample")
    with pytest.raises(ValueError, match="^sample must be a sample, got 3$"):
        holds("sample", 3, "x side", "a sample")


HUGE = [10**309, -(10**309), 10**5000]  # beyond floats, and beyond what Python writes as digits


@pytest.mark.parametrize("value", HUGE, ids=["large", "small", "larger"])
def test_whole_numbers_beyond_floats_are_refused_on_one_line(value):
    for check in (lambda: between("p", value, 0, 1), lambda: positive("p", value), lambda: at_least("p", value, 0),
                  lambda: numbers("p", value), lambda: integers("p", [value], 0, 9), lambda: listed("p", value, "x")):
        with pytest.raises(ValueError, match="^p must ") as caught:
            check()
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_upper_ends_are_named():
    assert positive("lr", 2, 3) == 2 and at_least("K", 7, 1, 7) == 7 and inside("failure", 0.5, 0, 1) == 0.5
    for call, said in (
        (lambda: positive("lr", 4, 3), "lr must be above 0 and at most 3, got 4"),
        (lambda: positive("lr", 10**400), "lr must be a finite number above 0, got 1000"),
        (lambda: at_least("K", 8, 1, 7), "K must be a whole number from 1 to 7, got 8"),
        (lambda: at_least("K", 0, 1, 7), "K must be a whole number of at least 1, got 0"),
        (lambda: inside("failure", 1, 0, 1), "failure must lie strictly between 0 and 1, got 1"),
        (lambda: inside("failure", float("nan"), 0, 1), "failure must lie strictly between 0 and 1, got nan"),
    ):
        with pytest.raises(ValueError, match=f"^{said}"):
            call()


def test_finite_numbers_within_a_range():
    assert finite("means", [[1, 2]]).dtype == float and finite("means", []).size == 0
    assert between("p", np.float32(3), 0, 1e300) == 3 and positive("p", np.float32(3), 1e300) == 3  # no cast overflows
    for value, said in (
        ([1.0, np.nan], "means must be finite, got"),
        ([1.0, -np.inf], "means must be finite, got"),
        ([1.0, -8.0], "means must lie between -7 and 7, got"),
        (["a"], "means must hold numbers, got"),
    ):
        with pytest.raises(ValueError, match=f"^{said}"):
            finite("means", value, 7)


def test_at_least_takes_what_64_bits_hold():
    assert at_least("steps", 2**63 - 1, 0) == 2**63 - 1
    with pytest.raises(ValueError, match="^steps must be a whole number below 2\\^63, got 9223372036854775808$"):
        at_least("steps", 2**63, 0)


def test_flag_takes_true_and_false_alone():
    assert flag("in_place", True) is True and flag("in_place", np.False_) is False
    for value in (0, 1, None, "yes", np.array([True]), []):
        with pytest.raises(ValueError, match="^in_place must be True or False, got "):
            flag("in_place", value)


class Rude:
    """An object that raises wherever one looks."""

    def __repr__(self):
        raise RuntimeError("no\nway")

    __str__ = __float__ = __len__ = __array__ = __iter__ = __repr__


LOOKS = [Rude(), "a\nb" * 1000, np.array(["word\n" * 30] * 8), np.array(1.5), np.eye(9), [np.ones((2, 2))], 10**5000,
         SimpleNamespace(shape=3), SimpleNamespace(shape=(2, "x")), SimpleNamespace(ndim=1), {"a": "x\n" * 999},
         "\r\x85\u2028", type, lambda: 1, b"\n", float("nan"), np.ma.masked_all(3), "\ud800", np.arange(8) / 7e300]


@pytest.mark.parametrize("value", LOOKS, ids=range(len(LOOKS)))
def test_shown_never_takes_more_than_a_line(value):
    text = shown(value)
    assert len(text) <= 203 and len(text.splitlines()) == 1 and text == " ".join(text.split())


@pytest.mark.parametrize("value", LOOKS, ids=range(len(LOOKS)))
@pytest.mark.parametrize("check", [
    lambda x: between("p", x, 2, 3), lambda x: at_least("p", x, 2**62), lambda x: one_of("p", x, ["a", "b"]),
    lambda x: texts("p", [x, 3]), lambda x: texts("p", x) and texts("p", 3), lambda x: path_of("p", [x]),
    lambda x: integers("p", x, 5, 6),
    lambda x: holds("p", x, "no such", "a thing"),
])
def test_nothing_else_is_raised_whatever_is_given(value, check):
    with pytest.raises(ValueError, match="^p must ") as caught:
        check(value)
    assert len(str(caught.value).splitlines()) == 1 and len(str(caught.value)) < 400
