"""Wrong values for every argument of the rooms llm and training: each call works or ends in one sentence."""

import numpy as np
import pytest
import torch

from helpers.llm.answers import answer_states
from helpers.llm.embedding import embed
from helpers.llm.loading import load_llm
from helpers.preferences.pairs import Preferences
from helpers.training.fine_tuning import fine_tune
from helpers.training.runs import Run

PAIRS = Preferences(
    [f"I believe {word} things" for word in ("good", "new", "old", "better")], [" Yes", " No"] * 2, [" No", " Yes"] * 2,
    [0] * 4, [1, -1] * 2, ("a value",),
)


class Odd:
    """An object that is nothing in particular."""

    def __repr__(self):
        return "an\nodd\nobject"


WRONG = {
    "None": None, "True": True, "0": 0, "-1": -1, "2.5": 2.5, "1e308": 1e308, "1e30 as int": 10**30, "nan": np.nan,
    "inf": np.inf, "complex": 1j, "empty text": "", "text": "x", "half a pair": "\ud83d", "null": "a\0b", "bytes": b"x",
    "empty list": [], "numbers": [1, 2, 3], "texts": ["a", ""], "ragged": [[1], [2, 3]], "dictionary": {"a": 1},
    "set": {1, 2}, "array": np.ones((2, 2)), "objects": np.array([None, "a"]), "scalar array": np.array(3.0),
    "tensor": torch.ones(3), "function": len, "class": Run, "object": Odd(), "generator": (i for i in ()),
}
GOOD = {
    "load_llm": dict(name="tiny", device="cpu", dtype="float32"),
    "embed": dict(llm=None, prompts=list(PAIRS.prompts), progress=False),
    "answer_states": dict(llm=None, prompts=PAIRS.prompts, chosen=PAIRS.chosen, rejected=PAIRS.rejected),
    "fine_tune": dict(
        llm=None, preferences=PAIRS, beta=0.1, lr=1e-4, steps=1, batch=2, blocks=None, test=None, evaluate_every=1,
        seed=0, loss="dpo", dtype=None, checkpoint=None, checkpoint_every=1, progress=False, in_place=False,
    ),
    "Run": dict(
        steps=[0, 1], losses=[1.0, 0.5], margins=[0.0, 1.0], accuracies=[0.0, 1.0], test_margins=None,
        test_accuracies=None, test_gaps=None, ranking_accuracies=None, batch_losses=None, seconds=None, w=None,
        settings={},
    ),
    "tokens": dict(answer=" Yes"), "encode": dict(prompt="a"), "load": dict(path="x"), "save": dict(path="x"),
}  # fmt: skip
# The default model and device; a file that is not there, which Python's own error names.
RIGHT = {("load_llm", "name", "None"), ("load_llm", "device", "None"), ("load", "path", "text")}


@pytest.fixture(scope="module")
def calls():
    llm, run = load_llm("tiny", device="cpu"), Run(**GOOD["Run"])
    for arguments in GOOD.values():
        arguments.update({"llm": llm} if "llm" in arguments else {})
    return dict(load_llm=load_llm, embed=embed, answer_states=answer_states, fine_tune=fine_tune, Run=Run,
                tokens=llm.tokens, encode=llm.encode, load=Run.load, save=run.save)


@pytest.mark.parametrize(("call", "argument"), [(call, argument) for call in GOOD for argument in GOOD[call]])
def test_wrong_values_work_or_get_one_sentence(calls, call, argument, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a text may be the name of a file to write
    monkeypatch.setenv("REWARD_MARGINS_CACHE", str(tmp_path / "cache"))
    foreign = []
    for name, value in WRONG.items():
        if (call, argument, name) in RIGHT:
            continue
        try:
            calls[call](**{**GOOD[call], argument: value})
        except (ValueError, OSError) as error:  # TimeoutError and ConnectionError among them
            said, words = str(error), str(error).replace(",", " ").replace("'", " ").split()
            if "\n" in said or not {argument, f"{argument}s", call} & set(words):
                foreign.append(f"{name}: {type(error).__name__} {said}")
        except Exception as error:
            foreign.append(f"{name}: {type(error).__name__} {error}")
    assert not foreign, "\n".join(foreign)
