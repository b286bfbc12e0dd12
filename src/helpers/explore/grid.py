"""An interactive figure of curves over any grid of settings, and the numbers of its caption."""

import re
from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np

from ..checks import one_of
from .curves import Curve, Guide, Series, legend
from .sliders import KnobFigure, knob_sliders, places, sliders, small, starts
from .widgets import Explorer, increasing, script

SHOWS = ("number", "percent")
FIELD = re.compile(r"\{([^{}]*)\}")


class GridFigure(KnobFigure):
    """Curves against x; the first slider is the cursor along x."""

    _esm = script("shared.js", "grid.js")


def grid_explorer(
    *,
    x: Sequence[float],
    knobs: Mapping[str, Sequence],
    curves: Sequence[Curve],
    x_name: str,
    y_name: str,
    caption: str | Sequence[str | tuple[str, str]],
    title: str,
    at: Mapping[str, float | str] | None = None,
    guides: Sequence[Guide] = (),
    log_x: bool = False,
    log_y: bool = False,
    log10: bool = False,
    percent: bool = False,
    y_range: tuple[float | None, float | None] = (None, None),
    train: Callable | None = None,
) -> Explorer:
    """Curves against x, with a cursor slider along x and one slider a knob; use `display`.

    Parameters
    ----------
    x : increasing positions of the cursor; the slider is called `x_name`, and so is the axis.
    knobs : name -> options (numbers or words), two or more each; at most five.
    caption : sentences with {names} of sliders and of curves; a band gives {name.lower} and {name.upper}, points
        with intervals too. A sentence with a number that is NaN is left out, or replaced by the second of a pair
        ("The theorem allows at most {bound}.", "The theorem says nothing here."). Every slider must be named.
    at : where the sliders begin, name -> option; the middle where not given.
    guides : vertical lines.
    log_x, log_y : logarithmic axes. On a logarithmic y axis, values outside `y_range` and zeros are marked by a
        triangle at the edge.
    log10 : all drawn values are given as log10 (for numbers such as 1e-400); the ticks are powers of ten.
        `y_range` is then in log10 too.
    percent : the y axis counts shares in percent.
    y_range : ends of the vertical axis; None follows what is drawn.
    train : called as ``train(at, progress)`` by *Train for real*, `at` being name -> option; calls
        ``progress(done, total)`` now and then. Returns one number, the result at the cursor's x, or a pair
        (x, y) of arrays.

    Raises
    ------
    ValueError : an argument out of range or shape, a name that the caption does not know, more than 200 kB of
        numbers (float32).
    """
    whole = all(float(value).is_integer() for value in x)
    x = increasing("x", x, int if whole else float)
    if log_x and x[0] <= 0:
        raise ValueError(f"x must be above 0 on a logarithmic axis, got {x[0]!r}")
    options = {x_name: x, **knobs}
    if len(options) != len(knobs) + 1:
        raise ValueError(f"x_name must differ from the knobs' names, got {x_name!r}")
    listed = sliders(options)
    series = Series((*map(len, knobs.values()), len(x)))
    for curve in curves:
        series.add_curve(curve, axis="power" if log10 else SHOWS[percent])
    for guide in guides:
        series.add_guide(guide)
    known = [*options, *series.names]
    if len(set(known)) < len(known):
        raise ValueError(f"sliders, curves and guides must have names that differ, got {known}")
    for name, moves in zip(knobs, series.moves(), strict=True):
        if not moves:
            raise ValueError(f"{name} must change a curve that is drawn or a guide; all have size 1 along it")
    setting = {
        "kind": "grid", "sliders": listed, "x": x, "yName": y_name, "logX": log_x, "logY": log_y or log10,
        "log10": log10, "percent": percent, "yRange": list(y_range), "curves": legend(curves), "series": series.where,
        "guides": [{"name": guide.name, "words": guide.words or guide.name} for guide in guides],
        "caption": _sentences(caption, known, list(options)),
    }
    figure = GridFigure(setting=setting, data=small(series.data()), **starts(options, at))

    def settings() -> dict[str, float | str]:
        return {name: list(options[name])[i] for name, i in zip(options, figure.at(), strict=True)}

    def overlay(result: object, used: Mapping) -> None:
        pair = isinstance(result, tuple)
        points = [np.ravel(part).astype(float).tolist() for part in (result if pair else (used[x_name], result))]
        if len(points) != 2 or len(points[0]) != len(points[1]) or not np.isfinite(points).all():
            raise ValueError(f"train must return one number or a pair (x, y) of arrays of one length, got {result!r}")
        knobs_at = [list(options[name]).index(used[name]) for name in knobs]
        run = {"at": knobs_at, "line": pair, "x": points[0], "y": points[1]}
        figure.live = {"runs": [*figure.live.get("runs", []), run]}

    return Explorer(title, figure, knob_sliders(figure, options), settings, train, overlay)


def grid_numbers(setting: Mapping, data: bytes, at: Mapping[str, float | str]) -> dict[str, float]:
    """The numbers of the caption of a `grid_explorer`, by their names.

    `setting` and `data` are the figure's; `at` gives for each slider an option or its label. Numbers that are
    given as log10 stay so.
    """
    held = np.frombuffer(data, "<f4").astype(float)
    cursor, *knobs = places(setting, at)

    def number(name: str) -> float:
        series = setting["series"][name]
        grid = held[series["from"]:][:prod(series["shape"])].reshape(series["shape"])
        return float(grid[tuple(min(i, n - 1) for i, n in zip([*knobs, cursor], grid.shape, strict=True))])

    found = {}
    for sentence in setting["caption"]:
        for words in sentence:
            numbers = {name: number(name) for name in FIELD.findall(words) if name in setting["series"]}
            if not np.isnan(list(numbers.values())).any():
                found |= numbers
                break
    return found


def _sentences(caption: str | Sequence, known: Sequence[str], must: Sequence[str]) -> list[list[str]]:
    """Each sentence with what replaces it, checked: its names are known, and every slider is named."""
    caption = [caption] if isinstance(caption, str) else caption
    sentences = [[part] if isinstance(part, str) else list(part) for part in caption]
    named = {name for sentence in sentences for words in sentence for name in FIELD.findall(words)}
    for name in sorted(named):
        one_of("a name in the caption", name, known)
    missing = [name for name in must if name not in named]
    if missing:
        raise ValueError(f"the caption must name every slider, and does not name {', '.join(missing)}")
    return sentences
