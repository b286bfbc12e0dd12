"""Curves and guides over a grid of settings, and how a page holds their numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .. import checks
from .widgets import text

STYLES = ("predicted", "measured", "bound", "points", "band", "floor", "guide", "caption")
SPREAD = ("predicted", "measured", "points")  # styles that may carry lower and upper ends
SHOWS = ("number", "percent")
SIDES = ("above", "below", "nowhere")


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve of a `grid_explorer`.

    Parameters
    ----------
    name : how the caption calls it; `words`, where given, is what the key says instead.
    values : shape (knobs in their order ..., x), size 1 along what it does not depend on; NaN where nothing is
        stated, infinity where a bound is void. A band has shape (2, ...): its lower and its upper edge.
    style : what the curve is: "predicted" (a blue line), "measured" (red dots in a row), "points" (red dots with
        whiskers), "bound" and "band" (proved: green, hatched where nothing can be), "floor" (blue dashes, a limit of
        what is predicted), "guide" (a thin grey line), or "caption" (not drawn, a number of the caption only).
        Up to three curves may share a style; they differ in dashes or shape.
    lower, upper : ends of the spread, say over draws, of "measured" or "predicted" (a pale field) or of "points"
        (whiskers), shape of `values`.
    show : "number" or "percent" in the caption; where not given, as on the vertical axis.
    closed : of a "bound", where nothing can be: "above" (hatched there), "below" or "nowhere".
    """

    name: str
    values: np.ndarray
    style: str
    words: str | None = None
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    show: str | None = None
    closed: str = "above"


@dataclass(frozen=True, eq=False)
class Guide:
    """A vertical line at x = `at`, shape (knobs ...), size 1 along knobs it does not depend on; NaN: none.

    The caption calls its position {name}; `words`, where given, is what stands beside the line instead.
    """

    name: str
    at: np.ndarray
    words: str | None = None


class Series:
    """The numbers of a figure, one after another as float32; `where` tells of each series where it lies.

    `shape` is that of the knobs and x.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.names, self.where = shape, [], {}
        self._parts, self._drawn = [], []

    def add_curve(self, curve: Curve, *, axis: str) -> None:
        """Add a curve's numbers; `axis` is how the caption says those on the vertical axis.

        ValueError for a name, style or show that is not known, and for values of another shape or beyond float32.
        """
        _named("a curve", curve)
        checks.one_of(f"style of {curve.name!r}", curve.style, STYLES)
        checks.one_of(f"closed of {curve.name!r}", curve.closed, SIDES)
        show = None if curve.show is None else checks.one_of(f"show of {curve.name!r}", curve.show, SHOWS)
        drawn = curve.style != "caption"
        for name, values in arrays(curve).items():
            self._add(name, values, self.shape, drawn, axis if drawn and axis == "power" else show or _plain(axis))

    def add_guide(self, guide: Guide) -> None:
        """Add where a guide stands. ValueError as for `add_curve`."""
        _named("a guide", guide)
        at = checks.numbers(f"values of {guide.name!r}", guide.at)
        self._add(guide.name, at[..., None], (*self.shape[:-1], 1), True, "number")

    def moves(self) -> list[bool]:
        """For each knob, whether anything that is drawn depends on it."""
        return [any(shape[i] > 1 for shape in self._drawn) for i in range(len(self.shape) - 1)]

    def data(self) -> bytes:
        """All numbers, little-endian."""
        return b"".join(self._parts)

    def _add(self, name: str, values: np.ndarray, shape: tuple[int, ...], drawn: bool, show: str) -> None:
        fits = values.ndim == len(shape) and all(n in (1, m) for n, m in zip(values.shape, shape, strict=True))
        if not fits:
            raise ValueError(f"values of {name!r} must have shape {shape}, or 1 in places, got {values.shape}")
        with np.errstate(over="ignore", under="ignore"):
            held = values.astype("<f4")
        if (np.isinf(held) & np.isfinite(values)).any() or ((held == 0) & (values != 0)).any():
            raise ValueError(f"values of {name!r} must lie between 1e-38 and 1e38 in size; give them as log10")
        self.names.append(name)
        self.where[name] = {"shape": list(values.shape), "from": len(self.data()) // 4, "show": show}
        self._parts.append(held.tobytes())
        if drawn:
            self._drawn.append(values.shape)


def read(held: np.ndarray, where: Mapping, name: str) -> np.ndarray:
    """The array of one series among all numbers of a figure."""
    shape = where[name]["shape"]
    return held[where[name]["from"] :][: int(np.prod(shape))].reshape(shape)


def arrays(curve: Curve) -> dict[str, np.ndarray]:
    """The arrays of a curve, by the names that the caption has for them; ValueError where a part is missing."""
    values = checks.numbers(f"values of {curve.name!r}", curve.values)
    if curve.style == "band":
        if values.shape[:1] != (2,):
            raise ValueError(f"values of the band {curve.name!r} must have shape (2, ...), got {values.shape}")
        return {f"{curve.name}.lower": values[0], f"{curve.name}.upper": values[1]}
    ends = {"lower": curve.lower, "upper": curve.upper}
    given = {f"{curve.name}.{end}": ends[end] for end in ends if ends[end] is not None}
    if given and (curve.style not in SPREAD or len(given) == 1):
        raise ValueError(f"lower and upper must be given together, for {', '.join(SPREAD)} only, got {list(given)}")
    return {curve.name: values} | {name: checks.numbers(f"values of {name!r}", given[name]) for name in given}


def legend(curves: Sequence[Curve]) -> list[dict]:
    """What the page knows of each drawn curve; its variant tells it from others of its style.

    ValueError for more than three curves of one style.
    """
    listed, used = [], dict.fromkeys(STYLES, 0)
    for curve in curves:
        used[curve.style] += 1
        if curve.style == "caption":
            continue
        if used[curve.style] > 3:
            raise ValueError(f"at most three curves may have one style, got more of {curve.style!r}")
        parts = {"style": curve.style, "variant": used[curve.style], "parts": list(arrays(curve))}
        parts |= {"closed": curve.closed} if curve.style == "bound" else {}
        listed.append({"name": curve.name, "words": curve.words or curve.name} | parts)
    return listed


def vertical(curves: Sequence[Curve], wanted: tuple[float | None, float | None], *, log: bool) -> list[float]:
    """Ends of the vertical axis over all settings, so that it stays where it is when a control moves.

    What is measured and predicted is what counts; bounds and guides show as far as that leaves it readable. `wanted`
    ends go before; `log`: the values are on a logarithmic axis already.
    """
    drawn = [(curve.style, part) for curve in curves if curve.style != "caption" for part in arrays(curve).values()]

    def found(*styles: str) -> np.ndarray:
        flat = [np.ravel(part) for style, part in drawn if style in styles]
        flat = np.concatenate([np.empty(0), *flat])
        return flat[np.isfinite(flat)]

    everything = found(*STYLES)
    choice = (found("measured", "points", "predicted"), everything)
    core = next((part for part in choice if part.size), np.zeros(1))
    everything = everything if everything.size else core
    if log:
        low, high = everything.min(), everything.max()
        air = max(0.06 * (high - low), 0.1)
        low, high = low - air, high + air
    else:
        least, most = min(0.0, core.min()), max(0.0, core.max())
        room = 0.6 * (most - least) or np.inf
        low = min(least, max(least - room, everything.min()))
        high = max(core.max(), min(most + room, everything.max()))
        high += 0.08 * (high - low) or 1.0
        low = low - 0.06 * (high - low) if low < -0.02 * (high - low) else 0.0
    low, high = (end if end is not None else mine for end, mine in zip(wanted, (low, high), strict=True))
    return [float(low), float(high if high > low else low + 1)]


def on_axis(curve: Curve) -> Curve:
    """The curve with the logarithms (base 10) of its numbers; NaN where there is none."""
    def power(values: np.ndarray | None) -> np.ndarray | None:
        if values is None:
            return None
        values = np.asarray(values, dtype=float)
        return np.log10(values, where=values > 0, out=np.full(values.shape, np.nan))

    return Curve(curve.name, power(curve.values), curve.style, lower=power(curve.lower), upper=power(curve.upper))


def _named(what: str, part: Curve | Guide) -> None:
    text(f"the name of {what}", part.name)
    if not part.name or set(part.name) & set("{}"):
        raise ValueError(f"{what} must have a name without braces, got {part.name!r}")
    if part.words is not None:
        text(f"words of {part.name!r}", part.words)


def _plain(axis: str) -> str:
    return "number" if axis == "power" else axis
