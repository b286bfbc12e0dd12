"""The long records: what is run, what is kept, and that an interrupted run ends as an unbroken one."""

import json
from dataclasses import replace
from itertools import groupby

import pytest

from book.tools import reproduce
from helpers.llm import load_llm
from helpers.training import updates

SMALL = reproduce.Setting("values", "own", 2, 0, steps=6, batch=4, lr=1e-3, evaluate_every=2, most=4, tested=8)


def test_the_runs_are_those_of_the_paper_three_times():
    runs = reproduce.settings()
    assert len({run.name for run in runs}) == len(runs) == 3 * (5 + 5 + 2)
    assert {(run.steps, run.batch, run.beta, run.lr) for run in runs} == {(60, 32, 0.01, 1e-5)}
    kinds = groupby(sorted((run.data, run.answers, run.K) for run in runs))
    assert all(len(list(same)) == 3 for _, same in kinds)


def test_pairs_are_balanced_and_held_out():
    train, test = reproduce.pairs(reproduce.Setting("values", "shared", 4, 1))
    assert len(set(train.counts.ravel())) == len(set(test.counts.ravel())) == 1
    assert train.names == test.names and not set(train.prompts) & set(test.prompts)
    other, _ = reproduce.pairs(reproduce.Setting("values", "shared", 4, 2))
    assert set(other.names) != set(train.names)


def test_an_interrupted_record_goes_on_and_ends_as_an_unbroken_one(tmp_path, monkeypatch):
    monkeypatch.setattr(reproduce, "CHECKPOINTS", tmp_path)
    unbroken = reproduce.record(SMALL, load_llm("tiny"))
    assert not list(tmp_path.glob("*.safetensors"))
    step, done = updates.Updater.step, []

    def stopped(updater, batch, *others):
        if len(done) == 5:  # after the checkpoint at 4
            raise KeyboardInterrupt
        done.append(batch)
        return step(updater, batch, *others)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(updates.Updater, "step", stopped)
        reproduce.record(SMALL, load_llm("tiny"))
    resumed = reproduce.record(SMALL, load_llm("tiny"))
    for found in (unbroken, resumed):
        found["made"].pop("seconds")
    assert resumed == unbroken and len(unbroken["batch_losses"]) == 6


def test_only_what_is_missing_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(reproduce, "RECORDS", tmp_path)
    monkeypatch.setattr(reproduce, "settings", lambda: [SMALL, replace(SMALL, seed=1)])
    (tmp_path / f"{SMALL.name}.json").write_text("{half", encoding="utf-8")
    assert [setting.seed for setting, _ in reproduce.missing()] == [0, 1]
    (tmp_path / f"{SMALL.name}.json").write_text(json.dumps({"setting": reproduce.asdict(SMALL)}), encoding="utf-8")
    assert [setting.seed for setting, _ in reproduce.missing()] == [1]
    (tmp_path / f"{SMALL.name}.json").write_text(
        json.dumps({"setting": reproduce.asdict(replace(SMALL, steps=9))}), encoding="utf-8"
    )
    assert [setting.seed for setting, _ in reproduce.missing("seed0")] == [0]
