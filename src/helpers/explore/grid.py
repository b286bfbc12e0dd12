"""An interactive figure of curves over any grid of settings, and the numbers of its caption."""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .. import checks
from .curves import Curve, Guide, Series, legend, on_axis, read, vertical
from .sliders import KnobFigure, control, places, sliders, small, starts
from .still import drawn
from .widgets import Explorer, increasing, script, text

SHOWS = ("number", "percent")
FIELD = re.compile(r"\{([^{}]*)\}")


class GridFigure(KnobFigure):
    """Curves against x; the first control is the cursor along x, and the drawing itself."""

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
    stops: Sequence[float] | None = None,
    x_label: str | None = None,
    margin: str | None = None,
    log_x: bool = False,
    log_y: bool = False,
    log10: bool = False,
    percent: bool = False,
    y_range: tuple[float | None, float | None] = (None, None),
    train: Callable | None = None,
) -> Explorer:
    """Curves against x, with a cursor that is dragged along x and buttons or a slider for each knob; use `display`.

    Words, and up to five numbers, are buttons side by side; more numbers are a slider. When a knob moves, the axes
    stay where they are, and the former curves stay as grey ghosts until the next move.

    Parameters
    ----------
    x : increasing positions of the curves' points; the cursor is called `x_name`.
    knobs : name -> options (numbers or words), two or more each; at most five.
    y_name, x_label : what stands at the axes, with units; `x_label` is `x_name` where not given.
    caption : sentences with {names} of controls and of curves; a band gives {name.lower} and {name.upper}, curves
        with a spread too. A sentence with a number that is NaN is left out, or replaced by the second of a pair
        ("The theorem allows at most {bound}.", "The theorem says nothing here."). Every control must be named.
    at : where the controls begin, name -> option; the middle where not given.
    guides : vertical lines.
    stops : positions of x at which the cursor can stand, all where not given.
    margin : name of a curve that is a margin: a golden measure from zero to it stands at the cursor.
    log_x, log_y : logarithmic axes. On a logarithmic y axis, values outside `y_range` and zeros are marked by a
        triangle at the edge.
    log10 : all drawn values are given as log10 (for numbers such as 1e-400); the ticks are powers of ten.
        `y_range` is then in log10 too.
    percent : the y axis counts shares in percent.
    y_range : ends of the vertical axis; None follows what is drawn, over all settings. Where both are None and the
        curves of a setting would lie in a sixteenth of the axis, it is enlarged and says so.
    train : called as ``train(at, progress)`` by *Train for real*, `at` being name -> option; calls
        ``progress(done, total)`` now and then. Returns one number, the result at the cursor's x, or a pair
        (x, y) of arrays.

    Raises
    ------
    ValueError : an argument out of range or shape, a name that the caption does not know, more than 200 kB of
        numbers (float32).
    """
    x = _positions("x", x)
    for name, flag in (("log_x", log_x), ("log_y", log_y), ("log10", log10), ("percent", percent)):
        if not isinstance(flag, bool | np.bool_):
            raise ValueError(f"{name} must be True or False, got {checks.shown(flag)}")
    for name, words in (("x_name", x_name), ("y_name", y_name), ("x_label", x_label or x_name)):
        text(name, words)
    if log_x and x[0] <= 0:
        raise ValueError(f"x must be above 0 on a logarithmic axis, got {x[0]!r}")
    stops = x if stops is None else _positions("stops", stops)
    if not set(stops) <= set(x):
        raise ValueError(f"stops must be positions of x, got {[stop for stop in stops if stop not in x]}")
    if not isinstance(knobs, Mapping):
        raise ValueError(f"knobs must map names to lists of options, got {checks.shown(knobs)}")
    options = {x_name: stops, **knobs}
    if len(options) != len(knobs) + 1:
        raise ValueError(f"x_name must differ from the knobs' names, got {x_name!r}")
    labelled = sliders(options)
    curves, guides = _all("curves", curves, Curve), _all("guides", guides, Guide)
    series = Series((*map(len, knobs.values()), len(x)))
    for curve in curves:
        series.add_curve(curve, axis="power" if log10 else SHOWS[percent])
    for guide in guides:
        series.add_guide(guide)
    known = [*options, *series.names]
    if len(set(known)) < len(known):
        raise ValueError(f"sliders, curves and guides must have names that differ, got {known}")
    for name, moves in zip(knobs, series.moves(), strict=True):
        if not moves and train is None:
            raise ValueError(f"{name} must change a curve that is drawn or a guide; all have size 1 along it")
    if margin is not None:
        checks.one_of("margin", margin, [curve.name for curve in curves if curve.style not in ("band", "caption")])
    wanted = _ends(y_range, positive=log_y and not log10)
    plotted = [on_axis(curve) for curve in curves] if log_y and not log10 else curves
    setting = {
        "kind": "grid", "sliders": labelled, "x": x, "stops": [x.index(stop) for stop in stops],
        "controls": ["none", *map(control, knobs.values())], "cursor": True, "xLabel": x_label or x_name,
        "yName": y_name, "logX": log_x, "logY": log_y or log10, "log10": log10, "percent": percent,
        "yRange": vertical(plotted, wanted, log=log_y or log10), "margin": margin,
        "zoom": not (log_y or log10) and wanted == [None, None],
        "curves": legend(curves), "series": series.where,
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
        runs = [other for other in figure.live.get("runs", []) if other != run]  # the same run once more is one run
        figure.live = {"runs": [*runs, run]}

    return Explorer(
        title, figure, settings=settings, train=train, overlay=overlay,
        still=lambda: drawn(figure.setting, figure.data, figure.at()),
    )


def grid_numbers(setting: Mapping, data: bytes, at: Mapping[str, float | str]) -> dict[str, float]:
    """The numbers of the caption of a `grid_explorer`, by their names.

    `setting` and `data` are the figure's; `at` gives for each control an option or its label. Numbers that are
    given as log10 stay so. ValueError where `at` does not name an option of every control.
    """
    held = np.frombuffer(data, "<f4").astype(float)
    cursor, *knobs = places(setting, at)
    where = [*knobs, setting["stops"][cursor]]

    def number(name: str) -> float:
        grid = read(held, setting["series"], name)
        return float(grid[tuple(min(i, n - 1) for i, n in zip(where, grid.shape, strict=True))])

    found = {}
    for sentence in setting["caption"]:
        for words in sentence:
            numbers = {name: number(name) for name in FIELD.findall(words) if name in setting["series"]}
            if not np.isnan(list(numbers.values())).any():
                found |= numbers
                break
    return found


def _positions(name: str, given: Sequence[float]) -> list:
    """Two or more numbers that increase: whole ones stay whole."""
    found = increasing(name, given, float)
    if len(found) < 2:
        raise ValueError(f"{name} must hold at least two numbers, got {checks.shown(given)}")
    whole = all(value.is_integer() and abs(value) < 2**53 for value in found)
    return [int(value) for value in found] if whole else found


def _all(name: str, given: Sequence, kind: type) -> list:
    """A list of curves or of guides."""
    found = checks.listed(name, given, f"{kind.__name__} objects")
    for part in found:
        if not isinstance(part, kind):
            raise ValueError(f"{name} must be a list of {kind.__name__} objects, got {checks.shown(part)} in it")
    return found


def _ends(y_range: Sequence[float | None], *, positive: bool) -> list[float | None]:
    """The wanted ends of the vertical axis, as they lie on it (`positive`: it is logarithmic)."""
    told = f"y_range must be a pair (low, high) of numbers or None{' above 0' if positive else ''}, low below high"
    pair = y_range if isinstance(y_range, tuple | list | np.ndarray) and np.ndim(y_range) == 1 else ()
    try:
        ends = [None if end is None else checks.between("y_range", end, -1e300, 1e300) for end in pair]
    except ValueError:
        ends = []
    known = [end for end in ends if end is not None]
    if len(ends) != 2 or (positive and any(end <= 0 for end in known)) or (len(known) == 2 and known[0] >= known[1]):
        raise ValueError(f"{told}, got {checks.shown(y_range)}")
    return [None if end is None else float(np.log10(end) if positive else end) for end in ends]


def _sentences(caption: str | Sequence, known: Sequence[str], must: Sequence[str]) -> list[list[str]]:
    """Each sentence with what replaces it, checked: its names are known, and every control is named."""
    caption = [caption] if isinstance(caption, str) else checks.listed("caption", caption, "sentences")
    sentences = [[part] if isinstance(part, str) else list(checks.texts("caption", part)) for part in caption]
    for sentence in sentences:
        checks.texts("caption", sentence)
    named = {name for sentence in sentences for words in sentence for name in FIELD.findall(words)}
    for name in sorted(named):
        checks.one_of("a name in the caption", name, known)
    missing = [name for name in must if name not in named]
    if missing:
        raise ValueError(f"the caption must name every slider, and does not name {', '.join(missing)}")
    return sentences
