"""How an answer to an exercise is judged: a number, an array, a choice, or a function on a few cases.

What is said of a wrong answer tells in which way it is wrong, and never the right one: that stands in the folded
solution. `form` of an exercise is what the book's page needs to judge without a kernel; the script
`book/static/scripts/exercises.js` says the same sentences.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, Protocol

import numpy as np

NOT_ANSWERED = "Not answered yet."
FACTORS = (2, 3, 4, 10, 100, 1000)  # by which answers are off when a step was left out
NEAR = 0.1  # of the right size, within which an answer is a little off


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and one sentence on it for the reader."""

    right: bool
    text: str


class Exercise(Protocol):
    """Anything with `judge` and `form`; `given` are objects of the chapter that the right answer depends on."""

    def judge(self, answer: Any, *given: Any) -> Verdict: ...

    def form(self, *given: Any) -> dict[str, Any]: ...


def is_unanswered(answer: Any) -> bool:
    """True for the stub ``...`` and for what a stub function returns."""
    return answer is ... or answer is None


@dataclass(frozen=True)
class Number:
    """A number or array, right to a relative tolerance `rel` plus an absolute one `abs`; see `number`."""

    what: str
    value: Any
    rel: float
    abs: float

    def judge(self, answer: Any, *given: Any) -> Verdict:
        wrong = _difference(answer, self._right(given), self.rel, self.abs)
        return Verdict(not wrong, f"{self.what}: {wrong}" if wrong else "Right.")

    def form(self, *given: Any) -> dict[str, Any]:
        right = np.asarray(self._right(given), dtype=float).tolist()
        return {"kind": "number", "what": self.what, "right": right, "rel": self.rel, "abs": self.abs}

    def _right(self, given: tuple) -> Any:
        if not callable(self.value):
            return self.value
        try:
            signature(self.value).bind(*given)
        except TypeError as error:
            wanted = " and ".join(signature(self.value).parameters) or "nothing"
            raise ValueError(f"check must be given {wanted} after the answer, got {len(given)}") from error
        return self.value(*given)


@dataclass(frozen=True)
class Choice:
    """One option of several, with a word on each wrong one; see `choice`."""

    what: str
    right: str
    because: Mapping[str, str]

    @property
    def options(self) -> list[str]:
        """The letters to choose from."""
        return sorted({self.right, *self.because})

    def judge(self, answer: Any, *given: Any) -> Verdict:
        picked = answer.strip(" ()").lower() if isinstance(answer, str) else None
        if picked == self.right:
            return Verdict(True, f"Right. {self.because.get(self.right, '')}".strip())
        if picked not in self.options:
            return Verdict(False, f"{self.what}: pick one of {', '.join(self.options)}, got {_short(answer)}.")
        return Verdict(False, f"{self.what}: not {picked}. {self.because[picked]}")

    def form(self, *given: Any) -> dict[str, Any]:
        return {"kind": "choice", "what": self.what, "right": self.right, "options": self.options,
                "because": dict(self.because)}


@dataclass(frozen=True)
class Function:
    """A function that must agree with ours on every case; see `function`."""

    what: str
    reference: Callable
    cases: Sequence[tuple]
    rel: float
    abs: float

    def judge(self, answer: Any, *given: Any) -> Verdict:
        if not callable(answer):
            return Verdict(False, f"{self.what}: a function is wanted, got {_short(answer)}.")
        first, right = "", 0
        for case in self.cases:
            call = f"{getattr(answer, '__name__', 'f')}({', '.join(_short(value) for value in case)})"
            try:
                result = answer(*case)
            except Exception as error:  # whatever the reader's code raises belongs in the answer
                wrong = f"it raised {type(error).__name__}: {_line(str(error))}"
            else:
                if is_unanswered(result):
                    return Verdict(False, NOT_ANSWERED)
                wrong = _difference(result, self.reference(*case), self.rel, self.abs)
                wrong = wrong and f"yours is {_short(result)}; {wrong}"
            right += not wrong
            first = first or (f"first wrong: {call}: {wrong}" if wrong else "")
        score = f"{right} of {len(self.cases)} cases right"
        return Verdict(not first, f"{score}; {first}" if first else f"Right. {score}.")

    def form(self, *given: Any) -> dict[str, Any]:
        return {"kind": "function"}


def number(what: str, value: Any, rel: float = 1e-3, abs: float = 1e-9) -> Number:
    """Asks for a number or an array. `value` may be a function of the objects given to `check`."""
    return Number(what, value, rel, abs)


def choice(what: str, right: str, because: Mapping[str, str]) -> Choice:
    """Asks for one of several options; `because` says of each wrong one where to look, not which is right."""
    return Choice(what, right.lower(), {option.lower(): why for option, why in because.items()})


def function(
    what: str, reference: Callable, cases: Sequence[tuple], rel: float = 1e-6, abs: float = 1e-9
) -> Function:
    """Asks for a function: it must agree with `reference` on each tuple of arguments."""
    return Function(what, reference, tuple(cases), rel, abs)


def _difference(answer: Any, ours: Any, rel: float, abs: float) -> str:
    """Empty where the two agree, else in which way the answer is off, without the right value."""
    ours, yours = np.asarray(ours, dtype=float), _numbers(answer)
    if yours is None:
        return "a number is wanted."
    if yours.shape != ours.shape:
        wanted, got = _kind(ours.shape), _kind(yours.shape)
        return f"{wanted} is wanted, got {got}."
    close = np.isclose(yours, ours, rtol=rel, atol=abs, equal_nan=True)
    if close.all():
        return ""
    at = tuple(int(n) for n in np.argwhere(~close)[0])
    way = _way(float(yours[at]), float(ours[at]), rel, abs)
    return f"entry {list(at)}: {way}" if at else way


def _way(yours: float, ours: float, rel: float, abs: float) -> str:
    """In which way one finite or other number misses ours."""

    def near(target: float) -> bool:
        return bool(np.isclose(yours, target, rtol=rel, atol=abs))

    if not np.isfinite(yours):
        return "a finite number is wanted."
    if near(-ours):
        return "the size is right, the sign is not."
    for factor in FACTORS:
        if near(ours * factor):
            return f"too large by a factor of {factor}."
        if near(ours / factor):
            return f"too small by a factor of {factor}."
    if yours * ours < 0:
        return "the sign is wrong."
    little = "a little " if np.abs(yours - ours) <= NEAR * np.abs(ours) else ""
    if ours < 0:
        return f"{little}too far below zero." if yours < ours else f"{little}too close to zero."
    return f"{little}too large." if yours > ours else f"{little}too small."


def _numbers(answer: Any) -> np.ndarray | None:
    """The answer as an array of floats, None where it is no number and no regular array of numbers."""
    try:
        array = np.asarray(answer)
        if array.dtype.kind == "O":  # fractions, decimals, symbols: each has a float, or is no number
            if any(isinstance(entry, str | bytes | bool) for entry in array.ravel()):
                return None
            return array.astype(float)
        return array.astype(float) if array.dtype.kind in "iuf" else None
    except Exception:  # an answer may be any object, and whatever its conversion raises, it is no number
        return None


def _kind(shape: tuple[int, ...]) -> str:
    if not shape:
        return "one number"
    return f"a list of {shape[0]}" if len(shape) == 1 else f"an array of shape {shape}"


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"array of shape {value.shape}"
    try:
        return _line(repr(value), 40)
    except Exception:  # an object whose repr raises
        return f"an object of type {type(value).__name__}"


def _line(text: str, most: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."
