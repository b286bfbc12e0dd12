"""Design a layout: each value gets its two answers, and the errors of the first step follow at once (N5, N12)."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import traitlets as T
from scipy.stats import t as student

from .. import checks
from ..figures.marks import LIGHT
from ..layouts import TokenLayout, chain, disjoint, grid, shared, star
from ..risk.designs import FirstStepTable
from ..statistics import LEVEL, mean_interval
from .sliders import small
from .widgets import Explorer, Figure, increasing, place, script, text

MOST_VALUES = 6
LETTERS = "ABCDEFGHIJKL"  # two for each of the most values
PRESETS = {"own": disjoint, "chain": chain, "star": star, "grid": grid, "Yes / No": shared}
PLACES = {  # the letters of a preset's tokens, so that its graph is seen at a glance on a circle of twelve
    "own": range(12), "chain": (0, 2, 3, 5, 7, 9, 10), "star": (0, 3, 4, 5, 7, 8, 9), "grid": (10, 2, 3, 4, 8),
    "Yes / No": (0, 6),
}


class AnswersFigure(Figure):
    """The graph of a layout and the errors of its values; `pairs` holds each value's letters, for and against."""

    _esm = script("formulas.js", "shared.js", "answers.js")
    _css = script("explorer.css", "answers.css")
    pairs = T.List(T.List(T.Int())).tag(sync=True)
    count = T.Int(MOST_VALUES).tag(sync=True)  # the first so many values are trained on
    chosen = T.Int(0).tag(sync=True)
    samples = T.Int(0).tag(sync=True)
    data = T.Bytes(b"").tag(sync=True)


def answers_explorer(
    tables: Sequence[Sequence[FirstStepTable]],
    names: Sequence[str],
    *,
    Qs: Sequence[int],
    late: Mapping[str, np.ndarray] | None = None,
    late_words: str = "",
    layout: str = "own",
    title: str = "Who answers with whose words?",
) -> Explorer:
    """Up to six values whose answers the reader chooses: the graph of the layout, its law, its floor, its errors.

    Everything of the first step is computed in the page, for every layout: the direction of value i is
    sum_k g_ik m_k, so products of the means m_k with the test statements are all that it takes (`FirstStepTable`).

    Parameters
    ----------
    tables : for each split a table for each of `Qs`, all of the same K values, 2 to 6, with the same number of test
        statements; the law's moments are taken from the first of each split.
    names : of the K values.
    Qs : samples a cluster that the tables were trained on, increasing.
    late : preset -> mean error after long training on all K values, shape (splits, Qs); `late_words` says which
        training, as "160 steps with β = 1". Presets are "own", "chain", "star", "grid" and "Yes / No".
    layout : the preset at which the figure opens.

    Raises
    ------
    ValueError : an argument out of range or shape.
    """
    names = checks.listed("names", names, "names")
    K = len(names)
    if not 2 <= K <= MOST_VALUES:
        raise ValueError(f"names must be 2 to {MOST_VALUES}, got {K}")
    for name in names:
        text("names", name)
    Qs = increasing("Qs", Qs, int)
    tables = [checks.listed("tables", row, "tables") for row in checks.listed("tables", tables, "rows of tables")]
    sizes = {isinstance(one, FirstStepTable) and one.products.shape for row in tables for one in row}
    if len(tables) < 2 or {len(row) for row in tables} != {len(Qs)} or len(sizes) != 1 or sizes == {False}:
        shapes = sorted(map(str, sizes))
        raise ValueError(f"tables must hold two splits or more, each {len(Qs)} tables of one shape, got {shapes}")
    value = tables[0][0].value
    if len(tables[0][0].products) != K or any(not np.array_equal(one.value, value) for row in tables for one in row):
        raise ValueError(f"tables must be of the {K} values of names, with their test statements in the same order")
    held, units = [], []
    for row in tables:
        one = row[0]
        held.append(np.concatenate([part.ravel() for part in (one.mean, one.covariance, one.error, one.drawn)]))
        units.append([float(f"{max(np.abs(table.products).max(), 1e-30) / 32767:.8g}") for table in row])
    products = [np.round(one.products / unit) for row, scales in zip(tables, units, strict=True)
                for one, unit in zip(row, scales, strict=True)]
    place("layout", layout, list(PRESETS))
    setting = {
        "kind": "answers", "names": names, "letters": LETTERS, "Qs": Qs, "runs": len(tables),
        "value": value.tolist(), "units": units, "t": float(student.ppf((1 + LEVEL) / 2, len(tables) - 1)),
        "presets": [[name, preset(name, K)] for name in PRESETS],  # a list: a page sorts the keys of a mapping
        "late": _late(late, len(tables), len(Qs)), "lateWords": text("late_words", late_words),
    }
    whole = np.concatenate([part.ravel() for part in products])
    data = small(np.concatenate(held).astype("<f4").tobytes() + whole.astype("<i2").tobytes())
    figure = AnswersFigure(setting=setting, data=data, pairs=preset(layout, K), count=K,
                           samples=len(Qs) - 1)
    return Explorer(title, figure, still=lambda: _still(figure))


def preset(name: str, K: int) -> list[list[int]]:
    """The letters of each value, for and against, in one of the named layouts; ValueError for another name."""
    place("layout", name, list(PRESETS))
    return [[PLACES[name][k] for k in pair] for pair in PRESETS[name](K).indices]


def answers_numbers(
    setting: Mapping, data: bytes, pairs: Sequence[Sequence[int]], *, count: int, samples: int
) -> dict[str, object]:
    """The numbers of an `answers_explorer`, from what its page holds: for the first `count` values and their `pairs`.

    Returns
    -------
    "errors", "laws", "floors", "kappas" of each value, means over splits, "lows" and "highs" of the errors;
    "measured" with "measured.lower" and "measured.upper" (Student's interval over splits), "law", "floor" and
    "kappa", means over values.
    """
    K, runs, Qs, value = len(setting["names"]), setting["runs"], setting["Qs"], np.array(setting["value"])
    numbers = 2 * K * (K + K * K + 2 * K)
    moments = np.frombuffer(data, "<f4", runs * numbers).astype(float).reshape(runs, numbers)
    products = np.frombuffer(data, "<i2", offset=4 * runs * numbers).reshape(runs, len(Qs), K, len(value))
    left_out = [(("left out", k, 0), ("left out", k, 1)) for k in range(count, K)]  # they share no answer
    layout = TokenLayout((*map(tuple, pairs[:count]), *left_out))
    found: dict[str, list] = {"errors": [], "laws": [], "floors": []}
    for run in range(runs):
        cuts = np.split(moments[run], np.cumsum([2 * K * K, 2 * K**3, 2 * K * K]))
        shapes = (K, 2, K), (K, 2, K, K), (K, 2, K), (K, 2, K)
        parts = [cut.reshape(shape) for cut, shape in zip(cuts, shapes, strict=True)]
        table = FirstStepTable(products[run, samples].astype(float), value, *parts)
        law = table.law(layout, [Qs[samples], np.inf])
        for name, numbers_of in (("errors", table.errors(layout)), ("laws", law[0]), ("floors", law[1])):
            found[name].append(numbers_of[:count])
    mean, low, high = mean_interval(np.mean(found["errors"], axis=1))
    told = {name: np.mean(rows, axis=0) for name, rows in found.items()} | {"kappas": layout.kappa[:count]}
    told["lows"], told["highs"] = mean_interval(found["errors"])[1:]
    return told | {
        "measured": float(mean), "measured.lower": float(low), "measured.upper": float(high),
        "law": float(told["laws"].mean()), "floor": float(told["floors"].mean()), "kappa": float(told["kappas"].mean()),
    }


def _late(late: Mapping | None, runs: int, Qs: int) -> dict[str, list]:
    """Mean and interval of the late errors of each preset, for each Q."""
    found = {}
    for name, errors in (late or {}).items():
        place("late", name, list(PRESETS))
        errors = checks.numbers("late", errors)
        if errors.shape != (runs, Qs):
            raise ValueError(f"late must hold errors of shape ({runs}, {Qs}) for {name}, got {errors.shape}")
        found[name] = np.transpose(mean_interval(errors)).tolist()
    return found


def _still(figure: AnswersFigure) -> str:
    """Law, floor and error of each value for the layout as it stands, as SVG."""
    setting, count = figure.setting, figure.count
    told = answers_numbers(setting, figure.data, figure.pairs, count=count, samples=figure.samples)
    marks = ""
    for i in range(count):
        y, x = 40 + 30 * i, [190 + 500 * told[name][i] for name in ("errors", "laws", "floors")]
        pair = "/".join(setting["letters"][k] for k in figure.pairs[i])
        marks += (f'<text x="10" y="{y + 5}">{escape(setting["names"][i])} {pair}</text>'
                  f'<path d="M190 {y}h300" stroke="{LIGHT["hair"]}"/>'
                  f'<path d="M{x[1]:.1f} {y - 8}v16" stroke="{LIGHT["predicted"]}" stroke-width="2.5"/>'
                  f'<path d="M{x[2]:.1f} {y - 8}v16" stroke="{LIGHT["predicted"]}" stroke-dasharray="3 2"/>'
                  f'<circle cx="{x[0]:.1f}" cy="{y}" r="4" fill="{LIGHT["measured"]}"/>')
    height = 60 + 30 * count
    words = f'error after the first step, 0 to 0.6; Q = {setting["Qs"][figure.samples]}'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="560" height="{height}" viewBox="0 0 560 {height}" '
            f'role="img" font-family="sans-serif" font-size="13" fill="{LIGHT["ink"]}" '
            f'style="background:{LIGHT["page"]}"><text x="10" y="18">{escape(words)}</text>{marks}</svg>')
