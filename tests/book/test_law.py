"""The record of chapter 12's test on the paper's data: how it is made, and a part of it made again."""

import json

import numpy as np
import pytest

from book.tools import law, reproduce, summaries
from helpers.layouts import disjoint
from helpers.llm import embed, load_llm
from helpers.mixture import Sample
from helpers.preferences import load_persona, load_values
from helpers.preferences.persona import VARIABLE, persona_source
from helpers.risk import one_step_risk_from_interactions

SHAPE = (1, 2, 2, 2)  # splits, directions, Ks, Qs


def test_what_is_predicted_comes_from_one_half_and_what_is_measured_from_the_other():
    llm, pairs = load_llm("tiny"), load_values(2, answers="shared").per_cluster(12)
    x = embed(llm, pairs.prompts, progress=False).astype(float)
    before = law.measured(x, pairs, (1, 2), (2, 4), splits=1)
    known, held = ([pairs.prompts.index(prompt) for prompt in part.prompts] for part in pairs.split(test=0.5, seed=0))
    moved = x.copy()
    moved[held] = x[held][::-1]  # other embeddings of the same half
    after = law.measured(moved, pairs, (1, 2), (2, 4), splits=1)
    for name in law.ANSWERS:
        assert {np.shape(before[what][name]) for what in law.WHAT} == {SHAPE}
        for what in ("predictions", "laws"):
            np.testing.assert_array_equal(np.array(before[what][name])[:, 0], np.array(after[what][name])[:, 0])
        assert before["errors"][name] != after["errors"][name]
    by_hand = []
    for i in range(2):
        rows = [j for j in known if pairs.value[j] == i]
        sample = Sample(x[rows] - x[rows].mean(axis=0), np.zeros(len(rows), int), pairs.side[rows])
        by_hand.append(one_step_risk_from_interactions(sample, disjoint(1), [2, 4])[:, 0])
    np.testing.assert_allclose(np.array(before["predictions"]["own answers"])[0, 0, 0], np.mean(by_hand, axis=0))
    json.dumps(reproduce.rounded(before, 4), allow_nan=False)


def test_the_two_sets_of_behaviours_are_apart_and_every_K_has_all_of_them():
    assert not set(law.LOOKED_AT) & set(law.UNSEEN)
    assert set(law.LOOKED_AT) | set(law.UNSEEN) == set(persona_source()["sha256"])
    for names, Ks in law.PARTS.values():
        assert all(len(names) % K == 0 for K in Ks)
    kept = json.loads(law.RECORD.read_text(encoding="utf-8"))
    for part, (names, Ks) in law.PARTS.items():
        assert kept[part]["names"] == list(names) and kept[part]["Ks"] == list(Ks)
        for what in law.WHAT:
            for found in kept[part][what].values():
                assert np.shape(found) == (law.SPLITS, 2, len(Ks), len(law.QS))


def test_runs_of_full_fine_tuning_stand_beside_what_was_said_of_them():
    kept = json.loads(law.RECORD.read_text(encoding="utf-8"))
    said = {row["name"]: row for row in kept["before_full"]}
    assert set(said) == {setting.name for setting in reproduce.settings() if setting.seed == 0}
    table = {row["name"]: row for row in summaries.SUMMARIES["law"]()["before_full"]}
    assert set(table) == set(said)
    for row in (row for row in table.values() if "errors" in row):
        run = json.loads((reproduce.RECORDS / f"{row['name']}.json").read_text(encoding="utf-8"))
        assert row["errors"][-1] == pytest.approx(np.mean(np.array(run["test_margins"][-1]) <= 0))
        assert row["law"] == said[row["name"]]["law"] and row["floor"] <= row["law"]


@pytest.mark.model
def test_a_slice_of_the_record_is_measured_again(persona_folder, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(persona_folder))
    kept = json.loads(law.RECORD.read_text(encoding="utf-8"))["slice"]
    now = law.again(load_llm())
    for what in ("predictions", "laws"):
        for name in law.ANSWERS:
            np.testing.assert_allclose(now[what][name], kept[what][name], rtol=2e-3)  # embeddings up to rounding
    for name in law.ANSWERS:  # an error is a count: one statement may lie on the other side of zero
        np.testing.assert_allclose(now["errors"][name], kept["errors"][name], atol=0.02)
    assert load_persona(list(law.SLICE[0])).K == 2
