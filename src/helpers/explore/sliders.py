"""Figures with sliders of the author's choice: their names, options and places."""

from collections.abc import Mapping, Sequence

import ipywidgets as W
import traitlets as T

from .widgets import Figure, choice_slider, label, place

MOST_SLIDERS = 6
MOST_BYTES = 200_000  # of numbers in one figure; a page holds a third more, in base64


class KnobFigure(Figure):
    """A drawing with any sliders: ``setting["sliders"]`` has their names and labels, `knob_i` where each stands."""

    knob_0 = T.Int(0).tag(sync=True)
    knob_1 = T.Int(0).tag(sync=True)
    knob_2 = T.Int(0).tag(sync=True)
    knob_3 = T.Int(0).tag(sync=True)
    knob_4 = T.Int(0).tag(sync=True)
    knob_5 = T.Int(0).tag(sync=True)
    data = T.Bytes(b"").tag(sync=True)  # little-endian numbers, laid out as `setting` says

    def at(self) -> list[int]:
        """Where the sliders stand, as indices."""
        return [getattr(self, f"knob_{i}") for i in range(len(self.setting["sliders"]))]


def knob_sliders(figure: KnobFigure, knobs: Mapping[str, Sequence]) -> list[W.SelectionSlider]:
    """A slider for each knob, in their order, linked to `knob_0`, `knob_1`, ... of the figure."""
    return [choice_slider(name, options, figure, f"knob_{i}") for i, (name, options) in enumerate(knobs.items())]


def sliders(knobs: Mapping[str, Sequence]) -> list[list]:
    """Names and labels of the sliders, as a figure's setting holds them.

    Raises
    ------
    ValueError : too many sliders, a name with braces, fewer than two options, two options with one label.
    """
    if len(knobs) > MOST_SLIDERS:
        raise ValueError(f"there must be at most {MOST_SLIDERS} sliders, got {len(knobs)}: {', '.join(knobs)}")
    listed = [[name, [label(option) for option in options]] for name, options in knobs.items()]
    for name, labels in listed:
        if not name.strip() or set(name) & set("{}"):
            raise ValueError(f"a slider must have a name without braces, got {name!r}")
        if len(labels) < 2 or len(set(labels)) < len(labels):
            raise ValueError(f"{name} must have two or more options with labels that differ, got {labels}")
    return listed


def starts(knobs: Mapping[str, Sequence], at: Mapping | None) -> dict[str, int]:
    """The traits that put each slider where `at` says, or in its middle; ValueError where it is no option."""
    at = dict(at or {})
    unknown = set(at) - set(knobs)
    if unknown:
        raise ValueError(f"at must name only {', '.join(knobs)}, got {sorted(unknown)}")
    return {
        f"knob_{i}": place(f"at {name}", at.get(name), list(options))
        for i, (name, options) in enumerate(knobs.items())
    }


def places(setting: Mapping, at: Mapping[str, float | str]) -> list[int]:
    """Where the sliders stand, as indices; `at` gives for each an option or its label."""
    return [labels.index(label(at[name])) for name, labels in setting["sliders"]]


def small(data: bytes) -> bytes:
    """The data, if a page can hold it; else ValueError."""
    if len(data) > MOST_BYTES:
        raise ValueError(
            f"a figure must hold at most {MOST_BYTES:,} bytes of numbers, got {len(data):,}: "
            "take fewer options or give curves an axis of size 1 where they do not depend on a knob"
        )
    return data
