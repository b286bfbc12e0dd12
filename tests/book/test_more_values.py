"""The record of chapter 10's runs on the paper's data: how it is made, and a part of it made again."""

import json
from dataclasses import replace

import numpy as np
import pytest

from book.tools import more_values
from helpers.layouts import disjoint, shared
from helpers.llm import embed, load_llm
from helpers.preferences import load_values
from helpers.preferences.persona import VARIABLE
from helpers.training import train_last_layer


def test_groups_are_a_partition_and_smaller_ones_lie_in_larger_ones():
    names = tuple("abcdefghijklmnop")
    for seed in range(5):
        dealt = {K: more_values.groups(K, names, seed) for K in more_values.VALUES}
        for K, each in dealt.items():
            assert sorted(sum(each, [])) == list(names) and {len(group) for group in each} == {K}
        for small, large in zip(more_values.VALUES, more_values.VALUES[1:], strict=False):
            assert all(any(set(a) <= set(b) for b in dealt[large]) for a in dealt[small])
    assert more_values.groups(4, names, 0) != more_values.groups(4, names, 1)


def test_answers_are_shared_by_all_or_by_none():
    pairs = load_values(3, answers="shared")
    own = more_values.with_answers(pairs, "own")
    np.testing.assert_array_equal(own.layout.gram, disjoint(3).gram)
    np.testing.assert_array_equal(more_values.with_answers(pairs, "shared").layout.gram, shared(3).gram)
    assert own.prompts == pairs.prompts and (own.side == pairs.side).all()


def test_what_is_measured_is_what_its_names_say():
    llm, pairs = load_llm("tiny"), load_values(2, answers="shared").per_cluster(12)
    size = replace(more_values.SLICE, splits=2, steps=5, values=(1, 2))
    found = more_values.splits(llm, pairs, lambda K, seed: more_values.groups(K, pairs.names, seed), size)
    assert {np.shape(line) for lines in found.values() for line in lines.values()} == {(2, 2)}
    train, test = pairs.split(test=size.test, seed=1)
    x, x_test = (embed(llm, part.prompts, progress=False) for part in (train, test))
    assert train.names == tuple(pairs.names)
    run = train_last_layer(x, train, beta=0.01, lr=1e-3, steps=5, optimizer="adam", test=(x_test, test))
    assert found["shared"]["adam"][1][1] == pytest.approx(np.mean(run.test_margins[-1] <= 0))
    assert found["shared"]["adam_margin"][1][1] == pytest.approx(run.margins[-1].mean(), rel=1e-4)
    centre = x.mean(axis=0)
    signed = (train.side[:, None] * (x - centre)).mean(axis=0)  # the direction of the first step, all answers shared
    wrong = np.mean(test.side * ((x_test - centre) @ signed) <= 0)
    assert found["shared"]["gd_first"][1][1] == pytest.approx(wrong)
    # Answers of their own: Adam does not see how many values there are, up to its epsilon of 1e-8.
    np.testing.assert_allclose(*np.transpose(found["own"]["adam_margin"]), rtol=1e-3)


@pytest.mark.model
def test_a_slice_of_the_record_is_measured_again(persona_folder, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(persona_folder))
    kept = json.loads(more_values.RECORD.read_text(encoding="utf-8"))["slice"]
    now = more_values.again(load_llm())
    for answers in more_values.ANSWERS:
        for name in ("law", "gd_margin", "adam_margin"):
            np.testing.assert_allclose(now[answers][name], kept[answers][name], rtol=1e-3)  # another order of sums
        for name in ("gd_first", "gd_last", "adam"):  # of 48 held-out pairs one may lie at zero
            np.testing.assert_allclose(now[answers][name], kept[answers][name], atol=1.01 / 48)
