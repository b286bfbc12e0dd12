"""The start of a notebook: the same numbers, the right scale, one line, clear errors."""

import json
import random
import re
import sys
import types
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from helpers import session
from helpers.session import Session, said, say, start


@pytest.fixture(autouse=True)
def restore(monkeypatch):
    threads = torch.get_num_threads()
    monkeypatch.delenv("SCALE", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    yield
    torch.set_num_threads(threads)


@dataclass(frozen=True)
class Settings:
    steps: int = 100
    beta: float = 0.1


def test_everything_random_starts_from_the_seed():
    def draw(seed):
        start(seed)
        return random.random(), np.random.random(), torch.rand(()).item()

    assert draw(3) == draw(3)
    assert all(a != b for a, b in zip(draw(3), draw(4), strict=True))


@pytest.mark.parametrize("scale", ["tiny", "book", "full"])
def test_the_scale_comes_from_the_environment_and_one_line_says_so(scale, monkeypatch, capsys):
    monkeypatch.setenv("SCALE", scale)
    found = start(5)
    printed = capsys.readouterr().out
    assert found.scale == scale and found.seed == 5
    assert printed.count("\n") == 1 and f"scale {scale}" in printed and torch.__version__ in printed
    assert found.device in printed and found.device == ("cuda" if torch.cuda.is_available() else "cpu")


def test_the_default_scale_is_that_of_the_page():
    assert start().scale == "book"


def test_a_scale_that_is_given_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("SCALE", "full")
    assert start(scale="tiny").scale == "tiny" and start().scale == "full"
    with pytest.raises(ValueError, match="^scale must be a known name, got 'tinny'; did you mean 'tiny'"):
        start(scale="tinny")


def test_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert start().threads == torch.get_num_threads() == 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert start().threads == 2
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert start().threads == 1


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("SCALE", "tinny", "SCALE must be a known name, got 'tinny'; did you mean 'tiny'"),
        ("OMP_NUM_THREADS", "many", "OMP_NUM_THREADS must be a whole number of at least 1, got 'many'"),
        ("OMP_NUM_THREADS", "0", "OMP_NUM_THREADS must be a whole number of at least 1, got '0'"),
    ],
)
def test_bad_variables_get_one_sentence(variable, value, sentence, monkeypatch):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=sentence):
        start()


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be a whole number of at least 0, got -1"):
        start(-1)


@pytest.mark.parametrize(("scale", "steps"), [("tiny", 5), ("book", 100), ("full", 1000)])
def test_one_settings_object_for_all_scales(scale, steps):
    found = Session(scale, "cpu", 0, 1).settings(Settings(), tiny={"steps": 5}, full={"steps": 1000})
    assert found == Settings(steps=steps, beta=0.1)
    assert Session(scale, "cpu", 0, 1).settings(Settings()) == Settings()


def test_an_unknown_setting_is_named_at_every_scale():
    with pytest.raises(ValueError, match="setting must be a known name, got 'step'; did you mean 'steps'"):
        Session("book", "cpu", 0, 1).settings(Settings(), tiny={"step": 5})
    with pytest.raises(ValueError, match="book must be a dataclass object"):
        Session("book", "cpu", 0, 1).settings(Settings)


@pytest.mark.parametrize(("scale", "name"), [("tiny", "tiny"), ("book", None), ("full", None)])
def test_the_model_of_the_scale_is_loaded_once(scale, name, monkeypatch):
    calls = []
    monkeypatch.setattr("helpers.llm.loading.load_llm", lambda name, device: calls.append((name, device)) or object())
    session._llm.cache_clear()
    one = Session(scale, "cpu", 0, 1)
    try:
        assert one.llm() is one.llm()
    finally:
        session._llm.cache_clear()
    assert calls == [(name, "cpu")]


def test_colab_gets_its_widget_manager(monkeypatch):
    calls = []
    package, output = types.ModuleType("google.colab"), types.ModuleType("google.colab.output")
    output.enable_custom_widget_manager = lambda: calls.append("on")
    package.output = output
    google = types.ModuleType("google")
    google.colab = package
    monkeypatch.setitem(sys.modules, "google", google)
    start()
    assert calls == []
    monkeypatch.setitem(sys.modules, "google.colab", package)
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    start()
    assert calls == ["on"]


@pytest.mark.parametrize("seed", [2**32, 1.0, "0", None, True])
def test_a_seed_that_numpy_does_not_take_is_refused(seed):
    with pytest.raises(ValueError, match="^seed must "):
        start(seed)


def test_a_seed_of_numpy_is_a_seed():
    assert start(np.int64(3)).seed == 3


@pytest.mark.parametrize("changes", [3, "steps", ["steps"]])
def test_changes_that_are_no_dictionary_are_named(changes):
    session = Session("book", "cpu", 0, 1)
    for at in ("tiny", "full"):
        with pytest.raises(ValueError, match=f"^{at} must be a dictionary of settings, got "):
            session.settings(session, **{at: changes})


# Numbers that the prose leans on


def test_a_sentence_prints_and_records_its_numbers(capsys):
    start()
    capsys.readouterr()
    say("margins stray by {stray:.3f}, N7 allows {allowed:.3f}", stray=np.float64(1 / 3), allowed=0.5, draws=10)
    assert capsys.readouterr().out == "margins stray by 0.333, N7 allows 0.500\n"
    assert said() == {"stray": [1 / 3], "allowed": [0.5], "draws": [10]}


def test_a_name_that_is_said_again_collects_its_values():
    start()
    for Q in (4, 8):
        say("Q = {Q}", Q=Q)
    assert said() == {"Q": [4, 8]}
    start()
    assert said() == {}


@pytest.mark.parametrize("value", [np.arange(3.0), torch.arange(3.0), (0.0, 1.0, 2.0), [np.float32(0), 1.0, 2]])
def test_arrays_become_lists(value):
    start()
    say("{rates[1]:.1f} is the middle one", rates=value)
    say("a verdict", holds=np.bool_(True), by_name={"own": np.int64(3)}, none=None)
    assert json.loads(json.dumps(said())) == {
        "rates": [[0.0, 1.0, 2.0]], "holds": [True], "by_name": [{"own": 3}], "none": [None]}


@pytest.mark.parametrize(
    ("sentence", "numbers", "words"),
    [
        ("{stray:.3f}", {"stay": 1.0}, "the field {stray} is not given; given are stay"),
        ("{stray:.3f}", {}, "the field {stray} is not given; given are none"),
        ("{}", {"stray": 1.0}, "the field {} is not given"),
        ("{stray:.3f}", {"stray": np.zeros(2)}, "unsupported format string"),
        ("{stray:.{digits}f}", {"stray": 1.0}, "digits"),
        ("{stray[3]}", {"stray": [1.0]}, "index out of range"),
        ("{stray", {"stray": 1.0}, "expected '}'"),
        (3, {}, "sentence must be a text with fields"),
        ("{stray}", {"stray": object}, "stray must be a number, a text or an array of them"),
    ],
)
def test_a_sentence_that_does_not_fit_says_so_and_records_nothing(sentence, numbers, words, capsys):
    start()
    capsys.readouterr()
    with pytest.raises(ValueError, match=re.escape(words)):
        say(sentence, **numbers)
    assert said() == {} and capsys.readouterr().out == ""
