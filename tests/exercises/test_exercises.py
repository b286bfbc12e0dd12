"""Checks of exercises: right, wrong, unanswered, and answers that raise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.exercises import checking
from helpers.exercises.checking import answers, check, verdict
from helpers.exercises.marking import Choice, Function, Number, choice, function, number

TABLE = {
    "98.1": number("the sum", 4.0, rel=1e-3),
    "98.2": number("the margins", lambda scale: scale * np.arange(3.0)),
    "98.3": choice("which side", "B", {"a": "That one is misaligned.", "c": "There are two sides."}),
    "98.4": function("the square", lambda x, n: np.array([x**2] * n), [(2.0, 1), (3.0, 2), (0.5, 3)]),
}


@pytest.mark.parametrize(
    ("name", "answer", "given", "right", "text"),
    [
        ("98.1", 4, (), True, "Right."),
        ("98.1", 4.003, (), True, "Right."),
        ("98.1", 5, (), False, "the sum: yours is 5, ours 4."),
        ("98.1", float("nan"), (), False, "the sum: yours is nan, ours 4."),
        ("98.1", "four", (), False, "the sum: a number is wanted, got 'four'."),
        ("98.1", [4, 4], (), False, "the sum: yours has shape (2,), ours ()."),
        ("98.1", ..., (), False, "Not answered yet."),
        ("98.1", None, (), False, "Not answered yet."),
        ("98.2", [0, 2, 4], (2,), True, "Right."),
        ("98.2", [0, 3, 4], (2,), False, "the margins: entry [1]: yours is 3, ours 2."),
        ("98.3", " b ", (), True, "Right."),
        ("98.3", "a", (), False, "which side: not a. That one is misaligned."),
        ("98.3", "d", (), False, "which side: pick one of a, b, c, got 'd'."),
        ("98.4", lambda x, n: [x * x] * n, (), True, "Right. 3 of 3 cases right."),
        ("98.4", lambda x, n: ..., (), False, "Not answered yet."),
        ("98.4", 7, (), False, "the square: a function is wanted, got 7."),
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
    assert found.text == "1 of 3 cases right; first wrong: double(3, 2): entry [0]: yours is 6, ours 9."


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
