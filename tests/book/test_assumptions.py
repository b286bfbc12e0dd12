"""The record of chapter 9's checks on the paper's data: how it is made, and a part of it made again."""

import json

import numpy as np
import pytest

from book.tools import assumptions, reproduce
from helpers.audit import audit
from helpers.llm import embed, load_llm
from helpers.preferences import load_values
from helpers.preferences.persona import VARIABLE


def test_what_is_measured_is_what_the_chapter_measures():
    llm, pairs = load_llm("tiny"), load_values(3, answers="shared").per_cluster(8)
    found = assumptions.measured(llm, pairs)
    report = audit(embed(llm, pairs.prompts, progress=False).astype(float), pairs)
    assert found["audit"]["noise"][1] == pytest.approx(np.median(report.noise.value))
    assert len(found["hypotheses"]) == len(report.hypotheses) and found["audit"]["K"] == 3
    assert found["once"].keys() == found["twice"].keys() == {"before", "after", "concepts", "average", "each"}
    assert found["once"]["after"] != found["twice"]["after"]
    json.dumps(reproduce.rounded(found), allow_nan=False)


def test_statements_are_embedded_alone():
    llm, pairs = load_llm("tiny"), load_values(1).per_cluster(1)
    words = assumptions.statements(pairs)
    assert all(f'"{word}"' in prompt for word, prompt in zip(words, pairs.prompts, strict=True))
    plain = assumptions.bare(llm)
    assert len(plain.encode(words[0])) < len(llm.encode(words[0])) and llm.tokenizer.chat_template


@pytest.mark.model
def test_a_slice_of_the_record_is_measured_again(persona_folder, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(persona_folder))
    kept = json.loads(assumptions.RECORD.read_text(encoding="utf-8"))["slice"]
    now = assumptions.again(load_llm())
    for name in ("before", "after", "concepts"):
        np.testing.assert_allclose(now[name], kept[name], rtol=1e-3, atol=1e-4)  # another order of the same sums
    for reading in ("average", "each"):
        assert now[reading]["norm"] == pytest.approx(kept[reading]["norm"], rel=1e-3)
