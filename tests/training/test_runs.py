"""Run: what it holds, and that a saved one comes back whole or not at all."""

import json
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.training.runs import Run


def some_run(**changes):
    given = dict(
        steps=np.array([0, 5, 10]),
        losses=np.array([0.7, 0.6, 0.5]),
        margins=np.arange(6.0).reshape(3, 2),
        accuracies=np.array([0.0, 0.5, 1.0]),
        settings={"beta": 0.1, "name": "a value", "blocks": None},
    )
    return Run(**{**given, **changes})


def same(a, b):
    return a.settings == b.settings and a.arrays().keys() == b.arrays().keys() and all(
        np.array_equal(x, b.arrays()[name]) and x.dtype == b.arrays()[name].dtype for name, x in a.arrays().items()
    )


def test_a_saved_run_comes_back_bit_for_bit(tmp_path):
    given = dict(test_margins=np.ones((3, 4), np.float32), test_accuracies=np.ones(3), test_gaps=np.zeros((3, 4)),
                 ranking_accuracies=np.zeros(3), batch_losses=np.ones(10), seconds=np.ones(10), w=np.ones((1, 3)),
                 w_by_step=np.ones((3, 1, 3)))
    run = some_run(**given)
    path = run.save(tmp_path / "deep" / "run.npz")
    assert same(Run.load(path), run) and given.keys() < run.arrays().keys() and len(run) == 3
    assert [p.name for p in path.parent.iterdir()] == ["run.npz"]


@settings(deadline=None, max_examples=20)
@given(st.lists(arrays(np.float64, 3), min_size=2, max_size=2), st.dictionaries(st.text(), st.integers()))
def test_any_numbers_and_settings_survive(tmp_path_factory, columns, chosen):
    # NaN and infinity included: array_equal would call NaN unequal, so the bytes are compared.
    run = some_run(losses=columns[0], accuracies=columns[1], settings=chosen)
    back = Run.load(run.save(tmp_path_factory.mktemp("runs") / "run"))
    assert back.settings == chosen
    assert back.losses.tobytes() == run.losses.tobytes() and back.accuracies.tobytes() == run.accuracies.tobytes()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = some_run().save(tmp_path / "run.npz")
    before = path.read_bytes()

    def full_disk(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        some_run(losses=np.zeros(3)).save(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("cut", [0, 1, 40, 200, -30])
def test_a_damaged_file_is_refused_in_one_sentence(tmp_path, cut):
    path = some_run().save(tmp_path / "run.npz")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match="path must be a run written by Run.save"):
        Run.load(path)


def test_a_damaged_array_is_refused_in_one_sentence(tmp_path):
    path = some_run().save(tmp_path / "run.npz")
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("losses.npy")
    header = whole[entry.header_offset :]  # 30 bytes, the name, and extra bytes as many as its last two say
    start = entry.header_offset + 30 + len(entry.filename) + int.from_bytes(header[28:30], "little")
    path.write_bytes(whole[:start] + b"\xff" + whole[start + 1 :])  # no block of deflate begins so
    with pytest.raises(ValueError, match="path must be a run written by Run.save, .* decompressing"):
        Run.load(path)


def test_files_that_hold_something_else_are_refused(tmp_path):
    np.savez(tmp_path / "arrays.npz", a=np.ones(3))
    np.savez(tmp_path / "objects.npz", settings=np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "text.npz").write_text(json.dumps({}))
    for path in tmp_path.iterdir():
        with pytest.raises(ValueError, match=path.name):
            Run.load(path)
    with pytest.raises(FileNotFoundError):
        Run.load(tmp_path / "none.npz")


@pytest.mark.parametrize("name", ["losses", "margins", "accuracies", "test_margins", "test_accuracies", "test_gaps",
                                  "ranking_accuracies"])
def test_rows_must_fit_the_steps(name):
    with pytest.raises(ValueError, match=rf"^{name} must have one row for each of the 3 steps, got shape \(2,\)"):
        some_run(**{name: np.zeros(2)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (dict(steps=3), "steps must be a list of whole numbers"),
        (dict(steps=None), "steps must hold numbers, got None"),
        (dict(steps=[0, 10, 5]), "steps must increase, got .*10.*5"),
        (dict(steps=[0, 5, 5]), "steps must increase"),
        (dict(steps=[0, 5, np.nan]), "steps must be a list of whole numbers from 0 to .*, got nan in it"),
        (dict(steps=[-1, 5, 6]), "steps must be a list of whole numbers from 0 to .*, got -1 in it"),
        (dict(steps=[0, 0.5, 6]), "steps must be a list of whole numbers from 0 to .*, got 0.5 in it"),
        (dict(losses=np.ones((3, 1))), r"losses must be an array of dimension 1, got shape \(3, 1\)"),
        (dict(margins=np.ones((3, 1, 2))), r"margins must be an array of dimension 1 or 2, got shape \(3, 1, 2\)"),
        (dict(test_margins=np.ones(3)), r"test_margins must be an array of dimension 2, got shape \(3,\)"),
        (dict(w=np.ones(3)), r"w must be an array of dimension 2, got shape \(3,\)"),
        (dict(losses=None), "losses must hold numbers, got None"),
        (dict(losses=[[1], [2, 3], [4]]), "losses must hold numbers"),
        (dict(losses=["a", "b", "c"]), r"losses must hold numbers, got \['a', 'b', 'c'\]"),
        (dict(w=object()), "w must hold numbers, got <object"),
        (dict(settings="beta"), "settings must be a dictionary, got 'beta'"),
    ],
)
def test_what_makes_no_run_is_named(change, said):
    with pytest.raises(ValueError, match=said):
        some_run(**change)


def test_settings_may_be_numbers_of_numpy_and_nothing_that_json_lacks(tmp_path):
    run = some_run(settings={"steps": np.int64(3), "lr": np.float64(0.1), "betas": np.array([1, 2])})
    assert Run.load(run.save(tmp_path / "run.npz")).settings == {"steps": 3, "lr": 0.1, "betas": [1, 2]}
    for name, bad in (("objects.npz", object()), ("keys.npz", {(1, 2): 3})):
        with pytest.raises(ValueError, match="^settings must be what JSON can hold, but "):
            some_run(settings={"bad": bad}).save(tmp_path / name)
    assert os.listdir(tmp_path) == ["run.npz"]


# `open` takes 1 for the standard output, and closes it.
@pytest.mark.parametrize("path", [1, True, None, ""])
def test_what_is_no_path_is_named(path):
    for call in (some_run().save, Run.load):
        with pytest.raises(ValueError, match="^path must be a path, got "):
            call(path)


def test_a_folder_in_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for path, reason in ((tmp_path, "Is a directory"), (tmp_path / "file" / "run.npz", "exists|Not a directory")):
        with pytest.raises(OSError, match=f"could not be written .*({reason})"):
            some_run().save(path)
    assert os.listdir(tmp_path) == ["file"]
