"""Guess first: the reader draws what will come out, then prediction and measurement appear over it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from html import escape

import numpy as np
import traitlets as T

from .. import checks
from ..figures.marks import LIGHT
from .stage import Stage
from .widgets import increasing, script

KINDS = ("curve", "point", "bars")
MOST_PLACES = {"curve": 12, "point": 1, "bars": 8}
FINE = 60  # positions at which a prediction that is a function is drawn


class GuessFigure(Stage):
    """A guess and what it is compared with; `mine` has one number for each place, None where nothing is drawn yet."""

    _esm = script("shared.js", "guess_model.js", "guess.js")
    _css = script("stage.css", "guess.css")
    mine = T.List().tag(sync=True)
    seen = T.Bool(False).tag(sync=True)

    def still(self) -> str:
        """Prediction and measurement, as SVG."""
        return _drawn(self.setting)


@dataclass(frozen=True)
class Verdict:
    """How far a guess and a prediction were off.

    gaps, prediction_gaps : guess less measurement where something was measured, of logarithms on a logarithmic axis;
        None for a guess that is not complete.
    you, predicted : a sentence on each; None for a guess that is not complete.
    """

    gaps: list[float] | None
    prediction_gaps: list[float]
    you: str | None
    predicted: str


def guess(
    question: str,
    *,
    key: str,
    prediction: Sequence[float] | float | Callable[[float], float],
    measured: Sequence[float] | float,
    y_name: str,
    y_range: tuple[float, float],
    kind: str = "curve",
    x: Sequence[float] | Sequence[str] | None = None,
    x_name: str = "",
    lower: Sequence[float] | float | None = None,
    upper: Sequence[float] | float | None = None,
    interval: str = "95 % interval",
    guides: Mapping[str, float] | None = None,
    told: str = "",
    log_x: bool = False,
    log_y: bool = False,
    percent: bool = False,
) -> GuessFigure:
    """The reader's guess, then prediction and measurement over it; works without a kernel.

    Parameters
    ----------
    question : what is to be guessed, one sentence; it is the title.
    key : name of the guess in the reader's browser, small letters, digits and hyphens; one for each figure of a book.
    prediction : one number for each place; for a curve also a function of x, which is drawn in full.
    measured : one number for each place, NaN where nothing was measured.
    y_name : what is guessed, with its unit.
    y_range : ends of its axis; it is widened where something to be drawn lies outside.
    kind : "curve" over `x`, one "point" on an axis, or "bars" for a few categories.
    x : places of a curve, 2 to 12 numbers that increase; names of bars, 2 to 8 that differ; none for a point.
    x_name : what `x` is, with its unit; of a curve.
    lower, upper : ends of the interval of each measurement.
    interval : what the interval is, a few words.
    guides : at most three known values, such as {"a coin": 0.5}.
    told : a sentence or two that appear with the measurement.
    log_x, log_y : logarithmic axes; gaps are then factors.
    percent : shares in percent; gaps are then points.

    Raises
    ------
    ValueError : an argument out of range or shape.
    """
    _check_words({"question": question, "y_name": y_name, "interval": interval}, {"x_name": x_name, "told": told}, key)
    checks.one_of("kind", kind, KINDS)
    for name, flag in (("log_x", log_x), ("log_y", log_y), ("percent", percent)):
        if not isinstance(flag, bool):
            raise ValueError(f"{name} must be True or False, got {checks.shown(flag)}")
    if log_y and percent:
        raise ValueError("log_y and percent must not both be True: a gap would be a factor and points at once")
    places = _places(kind, x, log_x, x_name)
    count = len(places) if places else 1
    fine = None
    if callable(prediction):
        if kind != "curve":
            raise ValueError(f"prediction may be a function for a curve alone, got {checks.shown(prediction)}")
        fine = _between(places, log_x)
        prediction, drawn = ([prediction(at) for at in where] for where in (places, fine))
        fine = [fine, _row("prediction", drawn, len(fine), log_y)]
    prediction = _row("prediction", prediction, count, log_y)
    measured = _measured(measured, count, log_y, least=2 if kind == "curve" else 1)
    lower, upper = _interval(lower, upper, measured, log_y)
    drawn = [*prediction, *(fine[1] if fine else []), *measured, *(lower or []), *(upper or [])]
    setting = {
        "kind": "guess",
        "shape": kind,
        "key": key,
        "x": places or [""],
        "xName": x_name,
        "yName": y_name,
        "range": _range(y_range, [value for value in drawn if value is not None], log_y),
        "logX": log_x,
        "log": log_y,
        "percent": percent,
        "prediction": prediction,
        "fine": fine,
        "measured": measured,
        "lower": lower,
        "upper": upper,
        "interval": interval,
        "guides": _guides(guides, log_y),
        "told": told,
    }
    return GuessFigure(setting=setting, title=question, mine=[None] * count)


def judge(setting: Mapping, mine: Sequence[float | None]) -> Verdict:
    """How far the guess `mine` and the prediction of a figure's setting were off, in numbers and in sentences."""
    whole = len(mine) == len(setting["prediction"]) and None not in mine
    return Verdict(
        gaps=_gaps(setting, mine) if whole else None,
        prediction_gaps=_gaps(setting, setting["prediction"]),
        you=_you(setting, mine) if whole else None,
        predicted=_predicted(setting),
    )


def _you(setting: Mapping, mine: Sequence[float]) -> str:
    gaps, within, off = _gaps(setting, mine), _inside(setting, mine), _off(setting, mine)
    if setting["shape"] == "point":
        said = f"You said {_say(setting, mine[0])}"
        if within:
            return f"{said}, inside the interval."
        if off <= _notable(setting):
            return f"{said}, off by {_amount(setting, off)}."
        return f"{said}, {_way(gaps[0])} by {_amount(setting, off)}."
    how = " and ".join(
        filter(None, [_lean(setting, gaps), _slope(setting, mine) if setting["shape"] == "curve" else ""])
    )
    every = ", inside every interval" if within == len(gaps) else ""
    text = f"You were off by {_amount(setting, off)} on average{f', {how}' if how else every}."
    if setting["shape"] == "bars":
        at = _measured_at(setting)
        said, real = (setting["x"][max(at, key=lambda i: values[i])] for values in (mine, setting["measured"]))
        text += (
            f" You put {said} highest, and it is." if said == real else f" You put {said} highest; measured, {real} is."
        )
    return text


def _predicted(setting: Mapping) -> str:
    values = setting["prediction"]
    gaps, within, off = _gaps(setting, values), _inside(setting, values), _off(setting, values)
    if setting["shape"] == "point":
        said = f"The prediction was {_say(setting, values[0])}"
        return f"{said}, inside the interval." if within else f"{said}, {_way(gaps[0])} by {_amount(setting, off)}."
    one_way = all(gap > 0 for gap in gaps) or all(gap < 0 for gap in gaps)
    where = f", everywhere {_way(gaps[0])}" if one_way else ""
    share = f"all {len(gaps)}" if within == len(gaps) else f"{within} of {len(gaps)}"
    held = "" if within is None else f"; it lies inside {share} intervals"
    return f"The prediction was off by {_amount(setting, off)} on average{where}{held}."


def _way(gap: float) -> str:
    return "too high" if gap > 0 else "too low"


def _axis(setting: Mapping, value: float) -> float:
    return float(np.log(value)) if setting["log"] else value


def _measured_at(setting: Mapping) -> list[int]:
    return [i for i, value in enumerate(setting["measured"]) if value is not None]


def _gaps(setting: Mapping, values: Sequence[float]) -> list[float]:
    return [_axis(setting, values[i]) - _axis(setting, setting["measured"][i]) for i in _measured_at(setting)]


def _off(setting: Mapping, values: Sequence[float]) -> float:
    gaps = _gaps(setting, values)
    return sum(map(abs, gaps)) / len(gaps)


def _inside(setting: Mapping, values: Sequence[float]) -> int | None:
    if setting["lower"] is None:
        return None
    return sum(setting["lower"][i] <= values[i] <= setting["upper"][i] for i in _measured_at(setting))


def _notable(setting: Mapping) -> float:
    """What counts as a lean: a fiftieth of the axis."""
    low, high = setting["range"]
    return 0.02 * (_axis(setting, high) - _axis(setting, low))


def _lean(setting: Mapping, gaps: Sequence[float]) -> str:
    mean, size = sum(gaps) / len(gaps), sum(map(abs, gaps)) / len(gaps)
    return "" if abs(mean) <= _notable(setting) or abs(mean) < 0.6 * size else _way(mean)


def _slope(setting: Mapping, values: Sequence[float]) -> str:
    at = _measured_at(setting)
    said, real = (_axis(setting, row[at[-1]]) - _axis(setting, row[at[0]]) for row in (values, setting["measured"]))
    least = 2 * _notable(setting)
    if said * real < 0 and abs(said) > least and abs(real) > least:
        return "in the wrong direction"
    if abs(said) - abs(real) > least:
        return "too steep"
    return "too flat" if abs(real) - abs(said) > least else ""


def _say(setting: Mapping, value: float) -> str:
    """A value as the page says it."""
    shares = setting["percent"] and (value == 0 or 0.001 <= abs(value) < 10)
    said = f"{_plain(Decimal(100 * value).quantize(Decimal('0.1'), ROUND_HALF_UP))} %" if shares else _short(value)
    return said.replace("-", "−", 1)


def _amount(setting: Mapping, gap: float) -> str:
    """A distance on the axis: a factor where it is logarithmic, points where it counts per cent."""
    if setting["log"]:
        return f"a factor of {_short(float(np.exp(abs(gap))))}"
    points = _short(100 * abs(gap))
    return f"{points} point{'s' * (points != '1')}" if setting["percent"] else _short(abs(gap))


def _short(x: float) -> str:
    """Three digits, as the figures show numbers; powers of ten below 0.001 and from a million on."""
    if x == 0:
        return "0"
    exact, size = Decimal(x), abs(x)
    if 1000 <= size < 1e6:
        return f"{int(Decimal(x + 0.5).to_integral_value('ROUND_FLOOR')):,}"
    digits = 3 if 0.001 <= size < 1e6 else 2
    rounded = exact.quantize(Decimal((0, (1,), exact.adjusted() - digits + 1)), ROUND_HALF_UP)
    if digits == 3:
        return _plain(rounded)
    mantissa, power = rounded.scaleb(-rounded.adjusted()), rounded.adjusted()
    raised = "".join("⁻" if c == "-" else "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(c)] for c in str(power))
    return f"{mantissa:.1f} × 10{raised}"


def _plain(x: Decimal) -> str:
    text = f"{x:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _places(kind: str, x: Sequence | None, log_x: bool, x_name: str) -> list | None:
    if kind == "point":
        if x is not None:
            raise ValueError(f"x must not be given for a point, got {checks.shown(x)}")
        return None
    most = MOST_PLACES[kind]
    if x is None:
        raise ValueError(f"x must be given for {'a curve' if kind == 'curve' else 'bars'}")
    if kind == "curve":
        places = increasing("x", x, float)
        if log_x and places[0] <= 0:
            raise ValueError(f"x must be above 0 on a logarithmic axis, got {places[0]!r}")
        if not x_name.strip():
            raise ValueError("x_name must say what x is, with its unit")
    else:
        places = list(checks.texts("x", x))
        if len(set(places)) < len(places) or not all(name.strip() for name in places):
            raise ValueError(f"x must hold names that differ, got {checks.shown(places)}")
    if not 2 <= len(places) <= most:
        raise ValueError(f"x must hold 2 to {most} places, got {len(places)}")
    return places


def _check_words(said: Mapping[str, object], free: Mapping[str, object], key: object) -> None:
    """ValueError unless the texts `said` say something, those `free` are texts, and `key` can name a guess."""
    for name, words in said.items():
        if not checks.is_text(words) or not words.strip():
            raise ValueError(f"{name} must be a text that says something, got {checks.shown(words)}")
    for name, words in free.items():
        if not checks.is_text(words):
            raise ValueError(f"{name} must be a text, got {checks.shown(words)}")
    if not isinstance(key, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key):
        raise ValueError(f"key must be small letters, digits and hyphens, got {checks.shown(key)}")


def _measured(measured: object, count: int, log: bool, *, least: int) -> list[float | None]:
    """What was measured at each place, `least` of them numbers."""
    found = _row("measured", measured, count, log, missing=True)
    if sum(value is not None for value in found) < least:
        are = "numbers that are" if least > 1 else "number that is"
        raise ValueError(f"measured must hold at least {least} {are} not NaN, got {found}")
    return found


def _interval(lower: object, upper: object, measured: Sequence[float | None], log: bool) -> tuple:
    """Both ends of the intervals around what was measured, or None and None."""
    if (lower is None) != (upper is None):
        raise ValueError("lower and upper must be given together")
    if lower is None:
        return None, None
    ends = [_row(name, end, len(measured), log, missing=True) for name, end in (("lower", lower), ("upper", upper))]
    for low, at, high in zip(ends[0], measured, ends[1], strict=True):
        if at is not None and (low is None or high is None or not low <= at <= high):
            raise ValueError(f"lower and upper must enclose measured, got {low}, {at}, {high}")
    return tuple(ends)


def _between(places: Sequence[float], log_x: bool) -> list[float]:
    space = np.geomspace if log_x else np.linspace
    return sorted({*space(places[0], places[-1], FINE).tolist()[1:-1], *places})


def _row(name: str, values: object, count: int, log: bool, missing: bool = False) -> list[float | None]:
    """One number for each place, NaN as None where it may be missing."""
    found = np.atleast_1d(checks.numbers(name, values))
    if found.shape != (count,):
        raise ValueError(
            f"{name} must hold {count} number{'s' * (count > 1)}, one a place, got shape {np.shape(values)}"
        )
    if np.isinf(found).any() or (not missing and np.isnan(found).any()):
        raise ValueError(f"{name} must be finite, got {checks.shown(values)}")
    if log and (found <= 0).any():
        raise ValueError(f"{name} must be above 0 on a logarithmic axis, got {checks.shown(values)}")
    return [None if np.isnan(value) else float(value) for value in found]


def _range(given: tuple[float, float], drawn: Sequence[float], log: bool) -> list[float]:
    ends = checks.numbers("y_range", given)
    if ends.shape != (2,) or not np.isfinite(ends).all() or not ends[0] < ends[1] or (log and ends[0] <= 0):
        above = "above 0 " if log else ""
        raise ValueError(f"y_range must be two finite numbers {above}that increase, got {checks.shown(given)}")
    return [float(min(ends[0], *drawn)), float(max(ends[1], *drawn))]


def _guides(given: Mapping[str, float] | None, log: bool) -> list[list]:
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(f"guides must map words to numbers, got {checks.shown(given)}")
    guides = dict(given or {})
    if len(guides) > 3:
        raise ValueError(f"guides must be at most 3, got {len(guides)}")
    for words in guides:
        if not checks.is_text(words) or not words.strip():
            raise ValueError(f"guides must map words to numbers, got {checks.shown(words)}")
    return [[words, _row(f"guides[{words!r}]", value, 1, log)[0]] for words, value in guides.items()]


def _drawn(setting: Mapping) -> str:
    """The picture of a guess that nobody made: prediction in blue, measurement in red with its intervals."""
    rows, width = setting["shape"] != "curve", 600
    height = 50 * len(setting["x"]) + 46 if rows else 320
    low, high = (_axis(setting, end) for end in setting["range"])
    places = [_place(setting, at) for at in setting["x"]] if not rows else []

    def along(value: float) -> float:
        share = (_axis(setting, value) - low) / (high - low or 1)
        return 20 + share * (width - 40) if rows else height - 50 - share * (height - 90)

    def at(i: int) -> float:
        return 40 + 50 * i if rows else 70 + (places[i] - places[0]) / (places[-1] - places[0]) * (width - 110)

    def point(value: float, i: int) -> str:
        x, y = (along(value), at(i)) if rows else (at(i), along(value))
        return f"{x:.1f} {y:.1f}"

    blue, red, ink = (LIGHT[role] for role in ("predicted", "measured", "ink"))
    base = height - 44 if rows else along(setting["range"][0])
    left = 20 if rows else 64
    parts = [f'<path d="M{left} {base:.1f}H{width - 20}" stroke="{ink}" stroke-opacity=".5"/>']
    if rows and low < 0 < high and not setting["log"]:
        parts.append(f'<path d="M{along(0):.1f} 24V{base}" stroke="{ink}" stroke-opacity=".5"/>')
    if rows:
        for i, value in enumerate(setting["prediction"]):
            x, y = along(value), at(i)
            parts.append(f'<text x="20" y="{y - 16}" fill="{ink}">{escape(setting["x"][i])}</text>')
            parts.append(f'<path d="M{x:.1f} {y - 10}v20" stroke="{blue}" stroke-width="4"/>')
    else:
        line = "L".join(point(value, i) for i, value in enumerate(setting["prediction"]))
        parts.append(f'<path d="M{line}" fill="none" stroke="{blue}" stroke-width="3"/>')
        for i, place in enumerate(setting["x"]):
            parts.append(
                f'<text x="{at(i):.1f}" y="{height - 28}" text-anchor="middle" fill="{ink}">{_short(place)}</text>'
            )
        parts.append(
            f'<text x="{width - 20}" y="{height - 8}" text-anchor="end" fill="{ink}">{escape(setting["xName"])}</text>'
        )
    for i in _measured_at(setting):
        if setting["lower"]:
            ends = (point(setting[end][i], i) for end in ("lower", "upper"))
            parts.append(f'<path d="M{"L".join(ends)}" stroke="{red}" stroke-width="2"/>')
        x, y = point(setting["measured"][i], i).split()
        parts.append(f'<circle cx="{x}" cy="{y}" r="5" fill="{red}"/>')
    for end, value in zip((low, high), setting["range"], strict=True):
        where = along(value)
        anchor = "start" if value == setting["range"][0] else "end"
        place = (
            f'x="{where:.1f}" y="{height - 26}" text-anchor="{anchor}"'
            if rows
            else f'x="58" y="{where + 4:.1f}" text-anchor="end"'
        )
        parts.append(f'<text {place} fill="{ink}">{_say(setting, value)}</text>' if np.isfinite(end) else "")
    name = f'x="{width - 20}" y="{height - 6}" text-anchor="end"' if rows else 'x="10" y="16"'
    parts.append(f'<text {name} fill="{ink}">{escape(setting["yName"])}</text>')
    parts.append(
        f'<text x="{width / 2}" y="16" text-anchor="middle"><tspan fill="{blue}">predicted</tspan> '
        f'<tspan fill="{red}" dx="12">measured</tspan></text>'
    )
    told = " ".join([_predicted(setting), setting["told"]]).strip()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(told)}" font-family="sans-serif" font-size="14" '
        f'style="background:{LIGHT["page"]}">{"".join(parts)}</svg>'
    )


def _place(setting: Mapping, value: float) -> float:
    return float(np.log(value)) if setting["logX"] else value
