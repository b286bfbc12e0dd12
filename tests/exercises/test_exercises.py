"""Checks of exercises: right, wrong, unanswered, and answers that raise."""

import json
import re
from fractions import Fraction

import numpy as np
import pytest
from given import GIVEN
from hypothesis import given
from hypothesis import strategies as st

from helpers.exercises import checking
from helpers.exercises.checking import answers, check, verdict
from helpers.exercises.marking import FACTORS, Choice, Function, Number, choice, function, number

TABLE = {
    "98.1": number("the sum", 4.0, rel=1e-3),
    "98.2": number("the margins", lambda scale: scale * np.arange(3.0)),
    "98.3": choice("which side", "B", {"a": "That one is misaligned.", "c": "There are two sides."}),
    "98.4": function("the square", lambda x, n: np.array([x**2] * n), [(2.0, 1), (3.0, 2), (0.5, 3)]),
    "98.5": number("the debt", -4),
}


@pytest.mark.parametrize(
    ("name", "answer", "given", "right", "text"),
    [
        ("98.1", 4, (), True, "Right."),
        ("98.1", 4.003, (), True, "Right."),
        ("98.1", Fraction(4), (), True, "Right."),
        ("98.1", 5, (), False, "the sum: too large."),
        ("98.1", 3, (), False, "the sum: too small."),
        ("98.1", 4.3, (), False, "the sum: a little too large."),
        ("98.1", 3.7, (), False, "the sum: a little too small."),
        ("98.1", -4, (), False, "the sum: the size is right, the sign is not."),
        ("98.1", -7, (), False, "the sum: the sign is wrong."),
        ("98.1", 8, (), False, "the sum: too large by a factor of 2."),
        ("98.1", 0.4, (), False, "the sum: too small by a factor of 10."),
        ("98.1", 0, (), False, "the sum: too small."),
        ("98.1", float("nan"), (), False, "the sum: a finite number is wanted."),
        ("98.1", float("inf"), (), False, "the sum: a finite number is wanted."),
        ("98.1", "four", (), False, "the sum: a number is wanted."),
        ("98.1", "4", (), False, "the sum: a number is wanted."),
        ("98.1", True, (), False, "the sum: a number is wanted."),
        ("98.1", 4 + 0j, (), False, "the sum: a number is wanted."),
        ("98.1", np.array("4", dtype=object), (), False, "the sum: a number is wanted."),
        ("98.1", 10**400, (), False, "the sum: a number is wanted."),
        ("98.1", [4, [4]], (), False, "the sum: a number is wanted."),
        ("98.1", abs, (), False, "the sum: a number is wanted."),
        ("98.1", [4, 4], (), False, "the sum: one number is wanted, got a list of 2."),
        ("98.1", ..., (), False, "Not answered yet."),
        ("98.1", None, (), False, "Not answered yet."),
        ("98.2", [0, 2, 4], (2,), True, "Right."),
        ("98.2", [0, 3, 4], (2,), False, "the margins: entry [1]: too large."),
        ("98.2", 2, (2,), False, "the margins: a list of 3 is wanted, got one number."),
        ("98.2", np.eye(3), (2,), False, "the margins: a list of 3 is wanted, got an array of shape (3, 3)."),
        ("98.3", " (b) ", (), True, "Right."),
        ("98.3", "a", (), False, "which side: not a. That one is misaligned."),
        ("98.3", "d", (), False, "which side: pick one of a, b, c, got 'd'."),
        ("98.3", 2, (), False, "which side: pick one of a, b, c, got 2."),
        ("98.4", lambda x, n: [x * x] * n, (), True, "Right. 3 of 3 cases right."),
        ("98.4", lambda x, n: ..., (), False, "Not answered yet."),
        ("98.4", 7, (), False, "the square: a function is wanted, got 7."),
        ("98.5", -6, (), False, "the debt: too far below zero."),
        ("98.5", -3, (), False, "the debt: too close to zero."),
        ("98.5", -2, (), False, "the debt: too small by a factor of 2."),
    ],
)
def test_verdicts(name, answer, given, right, text):
    found = verdict(name, answer, *given, table=TABLE)
    assert (found.right, found.text) == (right, text)


def test_a_function_that_is_partly_right_shows_the_first_wrong_case():
    def double(x, n):
        return [2 * x] * n

    found = verdict("98.4", double, table=TABLE)
    assert not found.right
    assert found.text == "1 of 3 cases right; first wrong: double(3, 2): yours is [6.0, 6.0]; entry [0]: too small."


def test_a_function_that_raises_is_told_why_and_the_rest_still_runs():
    def half_done(x, n):
        if n == 2:
            raise KeyError("beta")
        return [x * x] * n

    found = verdict("98.4", half_done, table=TABLE)
    assert found.text == "2 of 3 cases right; first wrong: half_done(3, 2): it raised KeyError: 'beta'"


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e-1), st.floats(-3, 3))
def test_the_tolerance_is_relative_to_ours(ours, rel, times):
    answer = ours * (1 + times * rel)
    # Away from the edge by 1 %, so that the answer's own rounding cannot decide.
    if abs(times) < 0.99:
        assert number("x", ours, rel=rel, abs=1e-300).judge(answer).right or ours == 0
    if abs(times) > 1.01 and abs(ours) > 1e-6:
        assert not number("x", ours, rel=rel, abs=1e-300).judge(answer).right


def test_check_prints_the_verdict_and_returns_nothing(capsys, monkeypatch):
    monkeypatch.setattr(checking, "answers", lambda name: TABLE)
    assert check("98.1", 4) is None
    assert capsys.readouterr().out == "Right.\n"


def test_an_unknown_exercise_gets_the_nearest_names():
    with pytest.raises(ValueError, match="exercise must be a known name, got '98.9'; did you mean '98."):
        verdict("98.9", 1, table=TABLE)


def test_the_books_answers_have_numbers_and_known_kinds():
    for name, entry in answers("all").items():
        chapter, exercise = name.split(".")
        assert len(chapter) == 2 and chapter.isdecimal() and exercise.isdecimal(), name
        assert isinstance(entry, Number | Choice | Function), name
        if isinstance(entry, Function):
            # The reference itself must pass on its cases, and there must be more than one.
            assert entry.judge(entry.reference).right and len(entry.cases) >= 2, name


def test_an_exercise_that_needs_objects_of_the_chapter_says_which():
    with pytest.raises(ValueError, match="^check must be given x and pairs after the answer, got 0"):
        verdict("07.6", 1)
    with pytest.raises(ValueError, match="^check must be given nothing after the answer, got 1"):
        verdict("07.1", 1, "x")
    table = {"1.1": number("x", lambda Q=2: Q**2)}  # what has a default need not be given
    assert verdict("1.1", 4, table=table).right and verdict("1.1", 9, 3, table=table).right


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.floats(0, 1e-2))
def test_what_is_said_of_a_wrong_number_is_true(ours, yours, rel):
    found = number("x", ours, rel=rel, abs=0.0).judge(yours)
    if found.right:
        return
    said = found.text.removeprefix("x: ")
    if said == "the size is right, the sign is not.":
        assert yours == pytest.approx(-ours, rel=2 * rel, abs=0)
    elif factor := re.fullmatch(r"too (large|small) by a factor of (\d+)\.", said):
        times = int(factor[2]) ** (1 if factor[1] == "large" else -1)
        assert yours == pytest.approx(ours * times, rel=2 * rel, abs=0) and int(factor[2]) in FACTORS
    elif said == "the sign is wrong.":
        assert min(yours, ours) < 0 < max(yours, ours)
    else:
        way = re.fullmatch(r"(a little )?(too large|too small|too far below zero|too close to zero)\.", said)
        assert (way[2] in ("too large", "too close to zero")) == (yours > ours)
        assert ("zero" in way[2]) == (ours < 0) and bool(way[1]) == (abs(yours - ours) <= 0.1 * abs(ours))


@pytest.mark.parametrize("name", [name for name, entry in answers("all").items() if not isinstance(entry, Function)])
def test_a_wrong_answer_never_shows_the_right_one(name):
    entry = answers(name)[name]
    if isinstance(entry, Choice):
        for option in set(entry.options) - {entry.right}:
            said = entry.judge(option).text
            assert "Right" not in said and entry.because.get(entry.right, "Right") not in said
        return
    ours = np.asarray(entry.form(*GIVEN.get(name, ()))["right"])
    for wrong in (ours + 1.5, -2.345 * ours, 17 * ours, ours * 1.02 + 2, np.zeros(7)):
        found = entry.judge(wrong, *GIVEN.get(name, ()))
        text = re.sub(r"by a factor of \d+|entry \[\d+\]|of 2|\(7,\)|of 7", "", found.text.removeprefix(entry.what))
        assert not found.right and not re.search(r"\d", text), text


@pytest.mark.parametrize(("name", "wrong"), [
    ("01.5", 383), ("02.5", 9), ("03.2", 1239), ("04.2", 3241), ("06.1", 754), ("06.5", 520), ("06.6", 5974),
    ("05.5", 0.33), ("06.2", 45 * np.log(100)), ("08.1", [1 / 49152, 2 / 49152]), ("07.3", 9 / 64),
])
def test_answers_that_miss_by_one_or_by_the_usual_mistake_are_wrong(name, wrong):
    assert not verdict(name, wrong).right


def test_answers_with_the_digits_that_a_page_shows_are_right():
    for name, answer in {"01.1": 0.127, "01.2": 0.139, "02.6": 0.333, "06.2": 228, "08.1": [4.07e-5, 2.035e-5],
                         "04.5": 0.1534, "07.3": 0.1504, "07.4": 0.0032, "03.5": 5.33, "02.2": 20}.items():
        assert verdict(name, answer).right, name


def test_every_exercise_has_a_form_that_json_can_hold():
    for name, entry in answers("all").items():
        form = entry.form(*GIVEN.get(name, ()))
        assert json.loads(json.dumps(form)) == form and form["kind"] in ("number", "choice", "function")
        if form["kind"] == "number":
            # What the page judges by is right here, too, and the form holds all that judging needs.
            assert entry.judge(form["right"], *GIVEN.get(name, ())).right


ODD = [object(), b"x", {1: 2}, {1}, range(3), "\ud800", [None], np.array(None), np.array([1j]), float("-inf"), -0.0,
       np.ma.masked, slice(1), type, lambda: 1, np.zeros((2, 0)), [[1], [1, 2]], np.datetime64("2020"), 1e308]


class Rude:
    """An object that raises wherever one looks."""

    def __repr__(self):
        raise RuntimeError("no")

    __array__ = __float__ = __len__ = __iter__ = __eq__ = __str__ = __repr__


@pytest.mark.parametrize("name", answers("all"))
def test_no_answer_raises(name):
    for odd in [*ODD, Rude()]:
        found = verdict(name, odd, *GIVEN.get(name, ()))
        assert not found.right and "\n" not in found.text and len(found.text) < 500
        found = verdict(name, lambda *arguments, odd=odd: odd, *GIVEN.get(name, ()))
        assert not found.right and "\n" not in found.text and len(found.text) < 500


class Shell:
    """What `check` needs of a notebook's kernel."""

    def __init__(self):
        self.display_pub, self.published = self, []

    def publish(self, data, metadata):
        self.published.append((data, metadata))


def test_in_a_notebook_a_stub_carries_its_form(capsys, monkeypatch):
    shell = Shell()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    check("03.4", ...)
    check("07.6", ..., *GIVEN["07.6"])
    check("03.3", lambda C, r, beta: ...)
    check("03.1", 0.3)
    assert [data for data, _ in shell.published] == [{"text/plain": "Not answered yet."}] * 3
    assert shell.published.pop()[1] == {"exercise": {"name": "03.3", "kind": "function"}}
    first, second = (metadata["exercise"] for _, metadata in shell.published)
    assert first["name"] == "03.4" and first["kind"] == "choice" and first["right"] == "b"
    assert "run" not in first and second["run"] is True  # its answer takes objects of the chapter
    assert second["right"] == answers("07.6")["07.6"].form(*GIVEN["07.6"])["right"]
    assert capsys.readouterr().out == "interaction: the size is right, the sign is not.\n"
