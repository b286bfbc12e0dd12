"""One sentence for an argument out of range: its name, its value, what is allowed."""

import math
import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from numbers import Integral, Real
from pathlib import Path

import numpy as np


def between(name: str, value: Real, low: float, high: float) -> Real:
    """Return `value` if ``low <= value <= high``, else raise `ValueError`."""
    if not _number(value) or not low <= float(value) <= high:
        raise ValueError(f"{name} must lie between {low:g} and {high:g}, got {shown(value)}")
    return value


def inside(name: str, value: Real, low: float, high: float) -> Real:
    """Return `value` if ``low < value < high``, else raise `ValueError`."""
    if not _number(value) or not low < float(value) < high:
        raise ValueError(f"{name} must lie strictly between {low:g} and {high:g}, got {shown(value)}")
    return value


def positive(name: str, value: Real, most: float | None = None) -> Real:
    """Return `value` if it is a finite number above 0, and at most `most` where given, else raise `ValueError`."""
    if not _number(value) or not 0 < float(value) < math.inf:
        raise ValueError(f"{name} must be a finite number above 0, got {shown(value)}")
    if most is not None and float(value) > most:
        raise ValueError(f"{name} must be above 0 and at most {most:g}, got {shown(value)}")
    return value


def at_least(name: str, value: int, low: int, most: int = 2**63 - 1) -> int:
    """Return `value` if it is a whole number of at least `low` and at most `most`, else raise `ValueError`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
        raise ValueError(f"{name} must be a whole number of at least {low}, got {shown(value)}")
    if value > most:
        limit = "below 2^63" if most == 2**63 - 1 else f"from {low} to {most}"
        raise ValueError(f"{name} must be a whole number {limit}, got {shown(value)}")
    return value


def one_of(name: str, value: str, allowed: Iterable[str]) -> str:
    """Return `value` if it is among `allowed`, else raise `ValueError` with the nearest names."""
    allowed = list(allowed)
    if isinstance(value, str) and value in allowed:
        return value
    folded = {str(name).casefold(): name for name in allowed}
    found = get_close_matches(value.casefold(), folded, n=3, cutoff=0.5) if isinstance(value, str) else []
    near = [folded[name] for name in found]
    known = f"did you mean {' or '.join(map(repr, near))}?" if near else f"allowed are {', '.join(map(repr, allowed))}"
    raise ValueError(f"{name} must be a known name, got {shown(value)}; {known}")


def holds(name: str, value: object, fields: str, what: str) -> None:
    """Raise `ValueError` unless `value` has all the attributes `fields`, names with blanks between, as `what` has."""
    if not all(hasattr(value, field) for field in fields.split()):
        raise ValueError(f"{name} must be {what}, got {shown(value)}")


def listed(name: str, value: Iterable, what: str) -> list:
    """Return the entries of a list, a tuple or an array; `ValueError` for one text, a dictionary, a set or no list."""
    try:
        entries = iter(value)
    except Exception:  # a type, a number, an object that cannot be read
        entries = None
    unordered = isinstance(value, str | bytes | Mapping | set | frozenset)
    if unordered or entries is None or getattr(value, "ndim", 1) != 1:
        raise ValueError(f"{name} must be a list of {what}, got {shown(value)}")
    return list(entries)


def texts(name: str, value: Iterable[str]) -> tuple[str, ...]:
    """Return a list of texts as a tuple; `ValueError` where it is none, or an entry is no text."""
    entries = listed(name, value, "texts")
    for entry in entries:
        if not is_text(entry):
            raise ValueError(f"{name} must be a list of texts, got {shown(entry)} in it")
    return tuple(entries)


def is_text(value: object) -> bool:
    """Whether `value` is a string that UTF-8 can hold: half a surrogate pair, as JSON may spell one, is no text."""
    return isinstance(value, str) and value == value.encode("utf-8", "ignore").decode("utf-8")


def numbers(name: str, value: object) -> np.ndarray:
    """Return `value` as an array of float64; `ValueError` where it is no number and no regular array of numbers."""
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError, OverflowError):  # rows of different lengths, a tensor with a gradient
        array = np.array(None)
    if array.size and array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must hold numbers, got {shown(value)}")
    return array.astype(float, copy=False)


def finite(name: str, value: object, most: float = 1e100) -> np.ndarray:
    """Return `value` as an array of float64 from -`most` to `most`; `ValueError` where it holds anything else."""
    array = numbers(name, value)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {shown(value)}")
    if array.size and np.abs(array).max() > most:
        raise ValueError(f"{name} must lie between {-most:g} and {most:g}, got {shown(value)}")
    return array


def integers(name: str, value: object, low: int, high: int) -> np.ndarray:
    """Return a list of whole numbers from `low` to `high` as an array (N,) of int64, else raise `ValueError`."""
    array, wanted = numbers(name, value), f"{name} must be a list of whole numbers from {low} to {high}"
    if array.ndim != 1:
        raise ValueError(f"{wanted}, got {shown(value)}")
    wrong = array[~((array >= low) & (array <= high) & (array == np.round(array)))]
    if wrong.size:
        raise ValueError(f"{wanted}, got {wrong[0]:g} in it")
    return array.astype(np.int64)


def path_of(name: str, value: str | os.PathLike) -> Path:
    """Return `value` as a path; `ValueError` where it is none, such as a number, which `open` would take."""
    if not isinstance(value, str | os.PathLike) or not is_text(str(value)) or "\0" in str(value) or not str(value):
        raise ValueError(f"{name} must be a path, got {shown(value)}")
    return Path(value)


def flag(name: str, value: bool) -> bool:
    """Return `value` if it is True or False, else raise `ValueError`."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {shown(value)}")
    return bool(value)


def shown(value: object) -> str:
    """`value` as a sentence can hold it: on one line, a large array as its shape, anything long cut."""
    shape = getattr(value, "shape", ())
    try:
        if isinstance(shape, tuple) and shape:
            text = str(value) if len(shape) == 1 and shape[0] <= 8 else f"an array of shape {tuple(shape)}"
        else:
            text = repr(value)
    except Exception:  # a whole number of more than 4,300 digits, or an object that cannot be shown
        text = f"an object of type {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:200]}..."


def one_line(error: BaseException) -> str:
    """The first line of what an error of another library says, or its kind where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _number(value: object) -> bool:
    """Whether `value` is a real number that is no NaN and that a float can hold."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool | np.bool_) and float(value) == float(value)
    except OverflowError:  # a whole number beyond 1e308
        return False
