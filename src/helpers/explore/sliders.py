"""Figures with controls of the author's choice: their names, options and places."""

from collections.abc import Mapping, Sequence
from math import isfinite
from numbers import Real

import traitlets as T

from .. import checks
from .widgets import Figure, label, named, place

MOST_SLIDERS = 6
MOST_BYTES = 200_000  # of numbers in one figure; a page holds a third more, in base64
MOST_BUTTONS = 5  # numbers on buttons of their own; more of them are a slider


class KnobFigure(Figure):
    """A drawing with any controls: ``setting["sliders"]`` has their names and labels, `knob_i` where each stands."""

    knob_0 = T.Int(0).tag(sync=True)
    knob_1 = T.Int(0).tag(sync=True)
    knob_2 = T.Int(0).tag(sync=True)
    knob_3 = T.Int(0).tag(sync=True)
    knob_4 = T.Int(0).tag(sync=True)
    knob_5 = T.Int(0).tag(sync=True)
    data = T.Bytes(b"").tag(sync=True)  # little-endian numbers, laid out as `setting` says

    def at(self) -> list[int]:
        """Where the controls stand, as indices."""
        return [getattr(self, f"knob_{i}") for i in range(len(self.setting["sliders"]))]


def control(options: Sequence) -> str:
    """How a figure offers the options: "segments" (buttons side by side) for words and for few numbers, or "slider"."""
    words = any(isinstance(option, str) for option in options)
    return "segments" if words or len(options) <= MOST_BUTTONS else "slider"


def sliders(knobs: Mapping[str, Sequence]) -> list[list]:
    """Names and labels of the controls, as a figure's setting holds them.

    Raises
    ------
    ValueError : no mapping from names to lists of numbers or words, too many, a name with braces, fewer than two
        options, two options with one label.
    """
    if not isinstance(knobs, Mapping):
        raise ValueError(f"knobs must map names to lists of options, got {checks.shown(knobs)}")
    if len(knobs) > MOST_SLIDERS:
        names = ", ".join(map(str, knobs))
        raise ValueError(f"there must be at most {MOST_SLIDERS} sliders, got {len(knobs)}: {names}")
    for name in knobs:
        if not checks.is_text(name) or not name.strip() or set(name) & set("{}"):
            raise ValueError(f"a slider must have a name without braces, got {checks.shown(name)}")
    listed = []
    for name, options in knobs.items():
        options = checks.listed(name, options, "options")
        if not all(map(_option, options)):
            raise ValueError(f"{name} must have options that are finite numbers or texts, got {checks.shown(options)}")
        labels = [label(option) for option in options]
        if len(labels) < 2 or len(set(labels)) < len(labels):
            shown = checks.shown(labels)
            raise ValueError(f"{name} must have two or more options with labels that differ, got {shown}")
        listed.append([name, labels])
    return listed


def _option(option: object) -> bool:
    if isinstance(option, str):
        return checks.is_text(option) and bool(option.strip())
    try:
        return isinstance(option, Real) and not isinstance(option, bool) and isfinite(option)
    except OverflowError:  # a whole number that no float holds
        return False


def starts(knobs: Mapping[str, Sequence], at: Mapping | None) -> dict[str, int]:
    """The traits that put each control where `at` says, or in its middle; ValueError where it is no option."""
    at = named("at", at, list(knobs))
    return {
        f"knob_{i}": place(f"at {name}", at.get(name), list(options))
        for i, (name, options) in enumerate(knobs.items())
    }


def places(setting: Mapping, at: Mapping[str, float | str]) -> list[int]:
    """Where the controls stand, as indices; `at` gives for each an option or its label.

    Raises
    ------
    ValueError : a name that is missing or none of the controls, or a value that is no option.
    """
    names = [name for name, _ in setting["sliders"]]
    if set(named("at", at, names)) != set(names):
        raise ValueError(f"at must name {', '.join(names)}, got {checks.shown(at)}")
    found = []
    for name, labels in setting["sliders"]:
        wanted = at[name]
        if not _option(wanted) or label(wanted) not in labels:
            raise ValueError(f"at {name} must be one of {', '.join(labels)}, got {checks.shown(wanted)}")
        found.append(labels.index(label(wanted)))
    return found


def small(data: bytes) -> bytes:
    """The data, if a page can hold it; else ValueError."""
    if len(data) > MOST_BYTES:
        raise ValueError(
            f"a figure must hold at most {MOST_BYTES:,} bytes of numbers, got {len(data):,}: "
            "take fewer options or give curves an axis of size 1 where they do not depend on a knob"
        )
    return data
