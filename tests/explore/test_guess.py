"""Guess first: what is said of a guess, in JavaScript as in Python, and every argument checked."""

import re
from base64 import b64decode
from html import escape
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripts import value

from helpers.explore import guess
from helpers.explore.guessing import GuessFigure, judge

CURVE = {
    "question": "How fast does the error fall?",
    "key": "error",
    "x": [4, 16, 48],
    "prediction": [0.30, 0.24, 0.20],
    "measured": [0.27, 0.22, 0.18],
    "lower": [0.25, 0.20, 0.16],
    "upper": [0.29, 0.24, 0.21],
    "x_name": "statements",
    "y_name": "error",
    "y_range": (0, 0.5),
    "percent": True,
}
POINT = {
    "question": "When?",
    "key": "exit",
    "kind": "point",
    "prediction": 7.0,
    "measured": 6.9,
    "lower": 6.4,
    "upper": 7.3,
    "y_name": "time in units of τ₁",
    "y_range": (0, 12),
}
BARS = {
    "question": "Which is learned fastest?",
    "key": "fastest",
    "kind": "bars",
    "x": ["honesty", "patience"],
    "prediction": [0.3, 0.1],
    "measured": [0.2, 0.4],
    "y_name": "margin",
    "y_range": (-0.2, 0.6),
}


def verdict(figure, mine):
    return judge(figure.setting, mine)


def in_the_page(cases):
    """What the page says of guesses, for pairs of a setting and a guess."""
    script = str(GuessFigure._esm)
    return value("cases.map(([setting, mine]) => guessModel.judge(setting, mine))", script, cases=cases)


def same(found, expected):
    assert found["you"] == expected.you and found["predicted"] == expected.predicted
    assert found["predictionGaps"] == pytest.approx(expected.prediction_gaps, rel=1e-14, abs=1e-15)  # one subtraction
    if expected.gaps is None:
        assert found["gaps"] is None
    else:
        assert found["gaps"] == pytest.approx(expected.gaps, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize(
    ("arguments", "mine", "you", "predicted"),
    [
        (
            CURVE,
            [0.4, 0.3, 0.2],
            "You were off by 7.67 points on average, too high and too steep.",
            "The prediction was off by 2.33 points on average, everywhere too high; it lies inside 2 of 3 intervals.",
        ),
        (CURVE, [0.26, 0.21, 0.17], "You were off by 1 point on average, inside every interval.", None),
        (CURVE, [0.1, 0.12, 0.16], "You were off by 9.67 points on average, too low and in the wrong direction.", None),
        (CURVE, [0.24, 0.22, 0.22], "You were off by 2.33 points on average, too flat.", None),
        (
            CURVE | {"log_y": True, "percent": False, "y_range": (0.01, 1)},
            [0.54, 0.44, 0.36],
            "You were off by a factor of 2 on average, too high.",
            "The prediction was off by a factor of 1.1 on average, everywhere too high; "
            "it lies inside 2 of 3 intervals.",
        ),
        (POINT, [3.0], "You said 3, too low by 3.9.", "The prediction was 7, inside the interval."),
        (POINT, [7.2], "You said 7.2, inside the interval.", None),
        (
            POINT | {"lower": None, "upper": None},
            [7.0],
            "You said 7, off by 0.1.",
            "The prediction was 7, too high by 0.1.",
        ),
        (
            BARS,
            [0.5, 0.1],
            "You were off by 0.3 on average. You put honesty highest; measured, patience is.",
            "The prediction was off by 0.2 on average.",
        ),
        (BARS, [0.1, 0.3], "You were off by 0.1 on average, too low. You put patience highest, and it is.", None),
        (BARS, [None, 0.3], None, "The prediction was off by 0.2 on average."),
    ],
)
def test_what_is_said_of_a_guess(arguments, mine, you, predicted):
    figure = guess(**arguments)
    found = verdict(figure, mine)
    assert found.you == you and predicted in (None, found.predicted)
    same(in_the_page([(figure.setting, mine)])[0], found)


def drawn_case(rng):
    """A figure and a guess for it, with numbers of all sizes, ties and gaps."""
    kind, log, percent = rng.choice(["curve", "point", "bars"]), rng.random() < 0.3, rng.random() < 0.3
    count, power = 1 if kind == "point" else rng.integers(2, 9), rng.integers(-5, 7)

    def row():
        numbers = np.round(10.0**power * rng.normal(size=count), 5 - power)
        return np.exp(numbers / 10.0**power * 3) if log else numbers

    measured, other, more = row(), row(), row()
    lower, upper = np.minimum(measured, other), np.maximum(measured, more)
    lost = np.sort(rng.permutation(count)[: rng.integers(0, max(1, count - 1))])
    measured[lost[: max(0, count - 2)]] = np.nan
    intervals, low = rng.random() < 0.5, 0.01 if log else float(-(10.0**power))
    x = {"curve": np.cumsum(rng.integers(1, 9, count)), "bars": [f"bar {i}" for i in range(count)], "point": None}
    figure = guess(
        "What?",
        key="a",
        kind=str(kind),
        x=x[kind],
        x_name="x",
        prediction=row(),
        measured=measured,
        lower=lower if intervals else None,
        upper=upper if intervals else None,
        y_name="y",
        y_range=(low, low + 10.0**power),
        log_y=bool(log),
        percent=bool(percent and not log),
    )
    mine = [None if rng.random() < 0.02 else float(at) for at in row()]
    return figure.setting, mine


def test_the_page_says_what_python_says():
    rng = np.random.default_rng(5)
    cases = [drawn_case(rng) for _ in range(1500)]
    for found, (setting, mine) in zip(in_the_page(cases), cases, strict=True):
        same(found, judge(setting, mine))


def test_a_prediction_may_be_a_function_of_the_place():
    arguments = CURVE | {"prediction": lambda Q: 0.2 + 0.4 / Q, "log_x": True}
    setting = guess(**arguments).setting
    assert setting["prediction"] == [0.2 + 0.4 / Q for Q in (4, 16, 48)]
    xs, ys = setting["fine"]
    assert xs == sorted(xs) and xs[0] == 4 and xs[-1] == 48 and 16 in xs
    assert ys == [0.2 + 0.4 / Q for Q in xs] and len(xs) == 61


def test_the_axis_holds_all_that_is_drawn():
    assert guess(**CURVE).setting["range"] == [0, 0.5]
    assert guess(**POINT | {"y_range": (0, 7)}).setting["range"] == [0, 7.3]
    assert guess(**BARS | {"y_range": (0.15, 0.2)}).setting["range"] == [0.1, 0.4]


def test_without_a_kernel_a_notebook_shows_prediction_and_measurement():
    for arguments in (CURVE, POINT, BARS, CURVE | {"log_y": True, "percent": False, "y_range": (0.01, 1)}):
        figure = guess(**arguments)
        bundle = figure._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in bundle and bundle["text/plain"].startswith(
            "Interactive figure"
        )
        html = bundle["text/html"]
        assert html.startswith(f'<figure><img alt="{escape(figure.title)}" src="data:image/svg+xml;base64,')
        assert f"Interactive figure: {escape(figure.title)} Run this cell" in html
        picture = b64decode(html.partition("base64,")[2].partition('"')[0]).decode()
        assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
        assert picture.count("<circle") == len(figure.setting["prediction"])
        assert judge(figure.setting, []).predicted in picture
        assert not re.search("nan|inf|None", picture)
    assert "&lt;b&gt;" in guess(**BARS | {"x": ["<b>", "c"]}).still()


WRONG = [
    ({"question": " "}, "question must be a text that says something, got ' '"),
    ({"y_name": None}, "y_name must be a text that says something, got None"),
    ({"key": "An error"}, "key must be small letters, digits and hyphens, got 'An error'"),
    ({"key": 3}, "key must be small letters, digits and hyphens, got 3"),
    ({"kind": "line"}, "kind must be a known name, got 'line'"),
    ({"x": None}, "x must be given for a curve"),
    ({"x": [4, 16, 16]}, "x must be numbers that increase, got [4, 16, 16]"),
    ({"x": [4], "prediction": [1], "measured": [1]}, "x must hold 2 to 12 places, got 1"),
    ({"x": [0, 1, 2], "log_x": True}, "x must be above 0 on a logarithmic axis, got 0.0"),
    ({"x_name": ""}, "x_name must say what x is, with its unit"),
    ({"prediction": [0.1, 0.2]}, "prediction must hold 3 numbers, one a place, got shape (2,)"),
    ({"prediction": [0.1, 0.2, np.nan]}, "prediction must be finite, got [0.1, 0.2, nan]"),
    ({"prediction": "abc"}, "prediction must hold numbers, got 'abc'"),
    ({"measured": [0.1, np.nan, np.nan]}, "measured must hold at least 2 numbers that are not NaN"),
    ({"lower": None}, "lower and upper must be given together"),
    ({"lower": [0.28, 0.2, 0.16]}, "lower and upper must enclose measured, got 0.28, 0.27, 0.29"),
    ({"y_range": (1, 0)}, "y_range must be two finite numbers that increase, got (1, 0)"),
    ({"y_range": 3}, "y_range must be two finite numbers that increase, got 3"),
    ({"log_y": True}, "log_y and percent must not both be True"),
    ({"log_y": True, "percent": False, "y_range": (0, 1)}, "y_range must be two finite numbers above 0 that increase"),
    ({"log_x": 1}, "log_x must be True or False, got 1"),
    ({"guides": {"a": 1, "b": 2, "c": 3, "d": 4}}, "guides must be at most 3, got 4"),
    ({"guides": [1]}, "guides must map words to numbers, got [1]"),
    ({"guides": {"a coin": np.inf}}, "guides['a coin'] must be finite, got inf"),
    ({"told": 3}, "told must be a text, got 3"),
]


@pytest.mark.parametrize(("wrong", "sentence"), WRONG)
def test_bad_arguments(wrong, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        guess(**CURVE | wrong)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (POINT | {"x": [1]}, "x must not be given for a point, got [1]"),
        (POINT | {"prediction": abs}, "prediction may be a function for a curve alone"),
        (POINT | {"measured": np.nan}, "measured must hold at least 1 number that is not NaN"),
        (BARS | {"x": ["a", "a"]}, "x must hold names that differ, got ['a', 'a']"),
        (BARS | {"x": "ab"}, "x must be a list of texts, got 'ab'"),
        (BARS | {"x": None}, "x must be given for bars"),
    ],
)
def test_bad_arguments_of_points_and_bars(arguments, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        guess(**arguments)


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**20),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.floats(), max_size=5),
    st.lists(st.text(max_size=3), max_size=4),
    st.dictionaries(st.text(max_size=3), st.floats(), max_size=2),
    st.just(object()),
    st.just(np.zeros((2, 2))),
    st.just(lambda at: at),
)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from((CURVE, POINT, BARS)),
    st.sampled_from(sorted({*CURVE, *POINT, "guides", "told", "log_x", "log_y", "interval"})),
    ANYTHING,
)
def test_any_argument_is_taken_or_refused_in_one_sentence(arguments, name, wrong):
    try:
        figure = guess(**arguments | {name: wrong})
    except ValueError as error:
        assert "\n" not in str(error) and 10 < len(str(error)) < 400
    else:
        judge(figure.setting, figure.setting["prediction"])
        assert "<svg" in figure.still()
