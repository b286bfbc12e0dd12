"""Curves and guides over a grid of settings, and how a page holds their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..checks import one_of

STYLES = ("predicted", "measured", "bound", "points", "band", "floor", "guide", "caption")
SHOWS = ("number", "percent")


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


class Series:
    """The numbers of a figure, one after another as float32; `where` tells of each series where it lies.

    `shape` is that of the knobs and x.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.names, self.where = shape, [], {}
        self._parts, self._drawn = [], []

    def add_curve(self, curve: Curve, *, axis: str) -> None:
        """Add a curve's numbers; `axis` is how the caption says those on the vertical axis."""
        one_of(f"style of {curve.name!r}", curve.style, STYLES)
        show = curve.show and one_of(f"show of {curve.name!r}", curve.show, SHOWS)
        drawn = curve.style != "caption"
        for name, values in numbers(curve).items():
            self._add(name, values, self.shape, drawn, axis if drawn and axis == "power" else show or _plain(axis))

    def add_guide(self, guide: Guide) -> None:
        """Add where a guide stands."""
        self._add(guide.name, np.asarray(guide.at, dtype=float)[..., None], (*self.shape[:-1], 1), True, "number")

    def moves(self) -> list[bool]:
        """For each knob, whether anything that is drawn depends on it."""
        return [any(shape[i] > 1 for shape in self._drawn) for i in range(len(self.shape) - 1)]

    def data(self) -> bytes:
        """All numbers, little-endian."""
        return b"".join(self._parts)

    def _add(self, name: str, values: np.ndarray, shape: tuple[int, ...], drawn: bool, show: str) -> None:
        values = np.asarray(values, dtype=float)
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


def numbers(curve: Curve) -> dict[str, np.ndarray]:
    """The arrays of a curve, by the names that the caption has for them; ValueError where a part is missing."""
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


def legend(curves: Sequence[Curve]) -> list[dict]:
    """What the page knows of each drawn curve; its variant tells it from others of its style."""
    listed, used = [], dict.fromkeys(STYLES, 0)
    for curve in curves:
        used[curve.style] += 1
        if curve.style == "caption":
            continue
        if used[curve.style] > 3:
            raise ValueError(f"at most three curves may have one style, got more of {curve.style!r}")
        parts = {"style": curve.style, "variant": used[curve.style], "parts": list(numbers(curve))}
        listed.append({"name": curve.name, "words": curve.words or curve.name} | parts)
    return listed


def _plain(axis: str) -> str:
    return "number" if axis == "power" else axis
