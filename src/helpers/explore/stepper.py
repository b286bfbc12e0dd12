"""A proof, step by step: the two sides of every inequality on drawn data, and where most is given away."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from .. import checks
from .sliders import KnobFigure, control, places, sliders, small, starts
from .widgets import Explorer, label, named, script

STEP_NAME = "proof step"
UNITS = ("ratio", "log10")
ROUNDING = 1e-9  # relative; a left side that is larger by no more than this counts as equal


@dataclass(frozen=True)
class ProofStep:
    """One inequality "left side <= right side" of a proof.

    Parameters
    ----------
    number, name : what the row and the slider say; numbers must differ.
    statement : the inequality in words or short plain mathematics, one sentence with its full stop.
    left, right : what the two sides are, a few words or symbols.
    unit : "ratio", sides at or above 0 and the slack is right / left; or "log10", sides given as log10 (for
        numbers such as 1e-400) and the slack counts powers of ten.
    """

    number: int | str
    name: str
    statement: str
    left: str = "left side"
    right: str = "right side"
    unit: str = "ratio"


class StepperFigure(KnobFigure):
    """One row a step, with a bar as long as the logarithm of its slack; the first slider is the step."""

    _esm = script("shared.js", "stepper.js")


def proof_stepper(
    *,
    steps: Sequence[ProofStep],
    knobs: Mapping[str, Sequence],
    values: np.ndarray,
    title: str,
    at: Mapping[str, float | str] | None = None,
) -> Explorer:
    """The steps of a proof, with a slider through them and one slider a knob; use `display`.

    Parameters
    ----------
    knobs : name -> options (numbers or words), two or more each; at most five.
    values : shape (knobs in their order ..., steps, 2), the left and the right side of each step; NaN where a
        step does not apply.
    at : where the sliders begin, name -> option; the slider of the steps is "proof step" and takes a number of
        a step. The middle where not given, the first step for the steps.

    Raises
    ------
    ValueError : an argument out of range or shape, a negative side of a ratio, more than 200 kB of numbers
        (float64, so that equality survives).
    """
    for step in (steps := checks.listed("steps", steps, "ProofStep objects")):
        checks.holds("an entry of steps", step, "number name statement left right unit", "a ProofStep")
        checks.one_of(f"unit of step {step.number}", step.unit, UNITS)
    if not isinstance(knobs, Mapping):
        raise ValueError(f"knobs must map names to lists of options, got {checks.shown(knobs)}")
    options = {STEP_NAME: [label(step.number) for step in steps], **knobs}
    if len(options) != len(knobs) + 1:
        raise ValueError(f"a knob must not be called {STEP_NAME!r}")
    listed = sliders(options)
    values = checks.numbers("values", values)
    shape = (*(len(choices) for choices in knobs.values()), len(steps), 2)
    if values.shape != shape:
        raise ValueError(f"values must have shape (knobs ..., steps, sides) = {shape}, got {values.shape}")
    ratios = values[..., [step.unit == "ratio" for step in steps], :]
    if (ratios < 0).any():
        raise ValueError(f"the sides of a ratio must be at least 0, got {np.nanmin(ratios):g}")
    setting = {
        "kind": "proof", "sliders": listed, "controls": ["none", *map(control, knobs.values())], "cursor": True,
        "shape": list(shape), "rounding": ROUNDING,
        "steps": [asdict(step) | {"number": label(step.number)} for step in steps],
    }
    at = {STEP_NAME: options[STEP_NAME][0]} | named("at", at, list(options))
    at[STEP_NAME] = label(at[STEP_NAME]) if isinstance(at[STEP_NAME], int | float) else at[STEP_NAME]
    figure = StepperFigure(setting=setting, data=small(values.astype("<f8").tobytes()), **starts(options, at))
    return Explorer(title, figure)


def proof_numbers(setting: Mapping, data: bytes, at: Mapping[str, float | str]) -> dict[str, float]:
    """The numbers of the caption of a `proof_stepper`, by their names.

    `setting` and `data` are the figure's; `at` gives for each slider an option or its label.

    Returns
    -------
    "left", "right", "slack" of the current step (a factor, or powers of ten; missing where it does not apply),
    "largest" and "largest.powers" the largest finite slack among the steps of each unit (missing where fewer
    than two apply), "violated" how many steps fail (missing where none does).
    """
    step, *knobs = places(setting, at)
    sides = np.frombuffer(data, "<f8").reshape(setting["shape"])[tuple(knobs)]
    powers = np.array([one["unit"] == "log10" for one in setting["steps"]])
    found = {}
    slacks = np.array([slack(*pair, log10=unit) for pair, unit in zip(sides, powers, strict=True)])
    if not np.isnan(slacks[step]):
        found = {"left": sides[step, 0], "right": sides[step, 1], "slack": slacks[step]}
    for name, unit in (("largest", ~powers), ("largest.powers", powers)):
        known = slacks[unit & np.isfinite(slacks)]
        if len(known) > 1:
            found[name] = known.max()
    failed = sum(fails(*pair, log10=unit) for pair, unit in zip(sides, powers, strict=True))
    return {name: float(value) for name, value in found.items()} | ({"violated": float(failed)} if failed else {})


def slack(left: float, right: float, *, log10: bool = False) -> float:
    """What a step gives away: right / left, or right - left of sides given as log10; equal sides 1, or 0.

    Infinite where the left side is 0 and the right is not; NaN where a side is.
    """
    if left == right:
        return 0.0 if log10 else 1.0
    with np.errstate(divide="ignore"):
        return float(right - left) if log10 else float(np.divide(right, left))


def fails(left: float, right: float, *, log10: bool = False) -> bool:
    """Whether the left side exceeds the right by more than rounding."""
    allowed = ROUNDING * (1 + min(abs(left), abs(right))) if log10 else ROUNDING * right
    return bool(left > right and not left - right <= allowed)
