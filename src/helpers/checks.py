"""One sentence for an argument out of range: its name, its value, what is allowed."""

from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral, Real


def between(name: str, value: Real, low: float, high: float) -> Real:
    """Return `value` if ``low <= value <= high``, else raise `ValueError`."""
    if not _number(value) or not low <= value <= high:
        raise ValueError(f"{name} must lie between {low:g} and {high:g}, got {value!r}")
    return value


def positive(name: str, value: Real) -> Real:
    """Return `value` if it is a finite number above 0, else raise `ValueError`."""
    if not _number(value) or not 0 < value < float("inf"):
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
    return value


def at_least(name: str, value: int, low: int) -> int:
    """Return `value` if it is a whole number of at least `low`, else raise `ValueError`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
        raise ValueError(f"{name} must be a whole number of at least {low}, got {value!r}")
    return value


def one_of(name: str, value: str, allowed: Iterable[str]) -> str:
    """Return `value` if it is among `allowed`, else raise `ValueError` with the nearest names."""
    allowed = list(allowed)
    if value in allowed:
        return value
    near = get_close_matches(str(value), map(str, allowed), n=3, cutoff=0.5)
    known = f"did you mean {' or '.join(map(repr, near))}?" if near else f"allowed are {', '.join(map(repr, allowed))}"
    raise ValueError(f"{name} must be a known name, got {value!r}; {known}")


def _number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and value == value
