"""An interactive figure of curves over any grid of settings, and the numbers of its caption."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from .checks import one_of
from .knobs import KnobFigure, knob_sliders, places, sliders, small, starts
from .panels import Explorer, increasing, script

STYLES = ("predicted", "measured", "bound", "points", "band", "floor", "guide", "caption")
SHOWS = ("number", "percent")
FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve of a `grid_explorer`.

    Parameters
    ----------
    name : how the caption calls it; `words`, where given, is what the key says instead.
    values : shape (knobs in their order ..., x), size 1 along what it does not depend on; NaN where nothing is
        stated, infinity where a bound is void. A band has shape (2, ...): its lower and its upper edge.
    style : "predicted" (solid), "measured" (dashed), "bound" (dashes and dots), "points" (dots), "band" (shaded),
        "floor" (short dashes), "guide" (thin), or "caption" (not drawn, a number of the caption only). Up to three
        curves may share a style; they differ in colour and dashes.
    lower, upper : ends of the intervals of "points", drawn as whiskers, shape of `values`.
    show : "number" or "percent" in the caption; where not given, as on the vertical axis.
    """

    name: str
    values: np.ndarray
    style: str
    words: str | None = None
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    show: str | None = None


@dataclass(frozen=True, eq=False)
class Guide:
    """A vertical line at x = `at`, shape (knobs ...), size 1 along knobs it does not depend on; NaN: none.

    The caption calls its position {name}; `words`, where given, is what stands beside the line instead.
    """

    name: str
    at: np.ndarray
    words: str | None = None


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
    series, parts, drawn = {}, [], []
    shape = (*(len(choices) for choices in knobs.values()), len(x))
    used = dict.fromkeys(STYLES, 0)
    for curve in curves:
        used[one_of(f"style of {curve.name!r}", curve.style, STYLES)] += 1
        if used[curve.style] > 3 and curve.style != "caption":
            raise ValueError(f"at most three curves may have one style, got more of {curve.style!r}")
        show = one_of(f"show of {curve.name!r}", curve.show or SHOWS[percent], SHOWS)
        on_axis = curve.style != "caption"
        for name, values in _numbers(curve).items():
            series[name] = _held(name, values, shape, parts, "power" if log10 and on_axis else show)
        if on_axis:
            drawn.append({"name": curve.name, "words": curve.words or curve.name, "style": curve.style,
                          "variant": used[curve.style], "parts": list(_numbers(curve))})
    for guide in guides:
        where = np.asarray(guide.at, dtype=float)[..., None]
        series[guide.name] = _held(guide.name, where, (*shape[:-1], 1), parts, "number")
    known = [*options, *series]
    expected = len(options) + sum(len(_numbers(curve)) for curve in curves) + len(guides)
    if len(set(known)) < expected:
        raise ValueError(f"sliders, curves and guides must have names that differ, got {known}")
    setting = {
        "kind": "grid", "sliders": listed, "x": x, "yName": y_name, "logX": log_x, "logY": log_y or log10,
        "log10": log10, "percent": percent, "yRange": list(y_range), "curves": drawn, "series": series,
        "guides": [{"name": guide.name, "words": guide.words or guide.name} for guide in guides],
        "caption": _sentences(caption, known, list(options)),
    }
    figure = GridFigure(setting=setting, data=small(b"".join(parts)), **starts(options, at))

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


def _numbers(curve: Curve) -> dict[str, np.ndarray]:
    """The arrays of a curve, by the names that the caption has for them."""
    if curve.style == "band":
        if np.shape(curve.values)[:1] != (2,):
            got = np.shape(curve.values)
            raise ValueError(f"values of the band {curve.name!r} must have shape (2, ...), got {got}")
        return {f"{curve.name}.lower": curve.values[0], f"{curve.name}.upper": curve.values[1]}
    ends = {"lower": curve.lower, "upper": curve.upper}
    given = {f"{curve.name}.{end}": values for end, values in ends.items() if values is not None}
    if given and (curve.style != "points" or len(given) == 1):
        raise ValueError(f"lower and upper must be given together, and for points only, got {list(given)}")
    return {curve.name: curve.values} | given


def _held(name: str, values: np.ndarray, shape: tuple[int, ...], parts: list[bytes], show: str) -> dict:
    """Append the values to `parts`, and tell where they lie."""
    values = np.asarray(values, dtype=float)
    fits = values.ndim == len(shape) and all(n in (1, m) for n, m in zip(values.shape, shape, strict=True))
    if not fits:
        raise ValueError(f"values of {name!r} must have shape {shape}, or 1 in places, got {values.shape}")
    with np.errstate(over="ignore", under="ignore"):
        held = values.astype("<f4")
    if (np.isinf(held) & np.isfinite(values)).any() or ((held == 0) & (values != 0)).any():
        raise ValueError(f"values of {name!r} must lie between 1e-38 and 1e38 in size; give them as log10")
    parts.append(held.tobytes())
    return {"shape": list(values.shape), "from": sum(map(len, parts[:-1])) // 4, "show": show}


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
