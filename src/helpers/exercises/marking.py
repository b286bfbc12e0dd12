"""How an answer to an exercise is judged: a number, an array, a choice, or a function on a few cases."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, Protocol

import numpy as np

NOT_ANSWERED = "Not answered yet."


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and one sentence on it for the reader."""

    right: bool
    text: str


class Exercise(Protocol):
    """Anything with `judge`; `given` are objects of the chapter that the right answer depends on."""

    def judge(self, answer: Any, *given: Any) -> Verdict: ...


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
        ours = self.value
        if callable(ours):
            try:
                signature(ours).bind(*given)
            except TypeError as error:
                wanted = " and ".join(signature(ours).parameters) or "nothing"
                raise ValueError(f"check must be given {wanted} after the answer, got {len(given)}") from error
            ours = ours(*given)
        wrong = _difference(answer, ours, self.rel, self.abs)
        return Verdict(not wrong, f"{self.what}: {wrong}" if wrong else "Right.")


@dataclass(frozen=True)
class Choice:
    """One option of several, with a word on each wrong one; see `choice`."""

    what: str
    right: str
    because: Mapping[str, str]

    def judge(self, answer: Any, *given: Any) -> Verdict:
        picked = str(answer).strip().lower()
        options = sorted({self.right, *self.because})
        if picked == self.right:
            return Verdict(True, f"Right. {self.because.get(self.right, '')}".strip())
        if picked not in options:
            return Verdict(False, f"{self.what}: pick one of {', '.join(options)}, got {answer!r}.")
        return Verdict(False, f"{self.what}: not {picked}. {self.because[picked]}")


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
            return Verdict(False, f"{self.what}: a function is wanted, got {answer!r}.")
        first, right = "", 0
        for case in self.cases:
            call = f"{getattr(answer, '__name__', 'f')}({', '.join(_short(value) for value in case)})"
            try:
                result = answer(*case)
            except Exception as error:  # whatever the reader's code raises belongs in the answer
                wrong = f"it raised {type(error).__name__}: {error}"
            else:
                if is_unanswered(result):
                    return Verdict(False, NOT_ANSWERED)
                wrong = _difference(result, self.reference(*case), self.rel, self.abs)
            right += not wrong
            first = first or (f"first wrong: {call}: {wrong}" if wrong else "")
        score = f"{right} of {len(self.cases)} cases right"
        return Verdict(not first, f"{score}; {first}" if first else f"Right. {score}.")


def number(what: str, value: Any, rel: float = 1e-3, abs: float = 1e-9) -> Number:
    """Asks for a number or an array. `value` may be a function of the objects given to `check`."""
    return Number(what, value, rel, abs)


def choice(what: str, right: str, because: Mapping[str, str]) -> Choice:
    """Asks for one of several options; `because` says for each wrong one why it is wrong."""
    return Choice(what, right.lower(), {option.lower(): why for option, why in because.items()})


def function(
    what: str, reference: Callable, cases: Sequence[tuple], rel: float = 1e-6, abs: float = 1e-9
) -> Function:
    """Asks for a function: it must agree with `reference` on each tuple of arguments."""
    return Function(what, reference, tuple(cases), rel, abs)


def _difference(answer: Any, ours: Any, rel: float, abs: float) -> str:
    """Empty where the two agree, else one sentence with both values."""
    try:
        yours, ours = np.asarray(answer, dtype=float), np.asarray(ours, dtype=float)
    except (TypeError, ValueError):
        return f"a number is wanted, got {_short(answer)}."
    if yours.shape != ours.shape:
        return f"yours has shape {yours.shape}, ours {ours.shape}."
    close = np.isclose(yours, ours, rtol=rel, atol=abs, equal_nan=True)
    if close.all():
        return ""
    if not ours.ndim:
        return f"yours is {yours:.6g}, ours {ours:.6g}."
    at = tuple(int(n) for n in np.argwhere(~close)[0])
    return f"entry {list(at)}: yours is {yours[at]:.6g}, ours {ours[at]:.6g}."


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"array of shape {value.shape}"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
