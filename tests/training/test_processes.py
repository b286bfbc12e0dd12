"""Two processes that train as one: a real launch with gloo, against one process on the same pairs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tuning import CASES, tuned, weights_of

from helpers.llm.loading import load_llm
from helpers.training.__main__ import main
from helpers.training.processes import Processes, processes
from helpers.training.runs import Run

# What each of two processes runs: every case, then one that is stopped half way and goes on from its checkpoint.
WORKER = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np, torch
from tuning import CASES, tuned, weights_of
from helpers.llm.loading import load_llm
from helpers.training.processes import processes
number = processes(torch.device("cpu")).number
for name in CASES:
    run, llm = tuned(name)
    run.save(f"{out}/{{name}}-{{number}}.npz")
    np.save(f"{out}/{{name}}-{{number}}.npy", weights_of(llm))
tuned("block", checkpoint="{out}/run.ck", checkpoint_every=2)
again, _ = tuned("block", checkpoint="{out}/run.ck", checkpoint_every=2)
again.save(f"{out}/again-{{number}}.npz")
try:
    tuned("whole", batch=1)
except ValueError as error:
    open(f"{out}/said-{{number}}", "w").write(str(error))
"""


def launch(*command, **variables):
    """Two processes of `torchrun` with one thread each; what they print."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *map(str, command)]
    done = subprocess.run(start, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The folder in which two processes left what they found."""
    out = tmp_path_factory.mktemp("two")
    (out / "worker.py").write_text(WORKER.format(folder=str(Path(__file__).parents[1] / "support"), out=out))
    launch(out / "worker.py", REWARD_MARGINS_CACHE=str(out))
    return out


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_two_processes_train_as_one(together, name):
    alone, llm = tuned(name)
    first, second = (Run.load(together / f"{name}-{number}.npz") for number in (0, 1))
    for key, array in first.arrays().items():  # every process returns the whole record
        assert key == "seconds" or np.array_equal(array, second.arrays()[key])
    weights = [np.load(together / f"{name}-{number}.npy") for number in (0, 1)]
    assert np.array_equal(*weights)
    # float32 sums in another order, through Adam, which divides by the size of a gradient: as against a plain loop,
    # where margins move by order 1.
    assert np.abs(first.batch_losses - alone.batch_losses).max() < 1e-3
    assert np.abs(first.test_margins - alone.test_margins).max() < 2e-3 < np.abs(alone.test_margins).max()
    assert np.abs(first.margins - alone.margins).max() < 1e-3
    assert first.settings == alone.settings and first.steps.tolist() == alone.steps.tolist()
    # Nearly all weights agree to rounding; lr is 3e-3 and there are 6 steps.
    assert np.quantile(np.abs(weights[0] - weights_of(llm)), 0.99) < 1e-4


@pytest.mark.slow
def test_a_checkpoint_of_two_processes_is_written_once_and_serves_any_number(together):
    whole = Run.load(together / "block-0.npz")
    for number in (0, 1):
        again = Run.load(together / f"again-{number}.npz")
        assert np.array_equal(again.test_gaps, whole.test_gaps) and again.settings == whole.settings
    path = together / "run.ck"
    alone, _ = tuned("block", checkpoint=path)  # it is done, so nothing is left but to read it
    assert np.array_equal(alone.test_gaps, whole.test_gaps)
    assert not [p for p in together.iterdir() if "partial" in p.name]


@pytest.mark.slow
def test_every_process_says_what_is_wrong(together):
    for number in (0, 1):
        said = (together / f"said-{number}").read_text()
        assert said == "batch must be at least 2, the number of processes, got 1"


@pytest.mark.slow
def test_the_command_runs_in_one_process_and_in_two(tmp_path, capsys):
    given = "--values 2 --model tiny --device cpu --steps 4 --batch 8 --lr 1e-3 --every 2".split()
    alone = main([*given, "--out", str(tmp_path / "one.npz"), "--save", str(tmp_path / "model")])
    said = capsys.readouterr().out
    assert "4 steps on 192 pairs in one process: mean margin of 64 unseen pairs" in said
    printed = launch("-m", "helpers.training", *given, "--out", tmp_path / "two.npz")
    assert printed.count("in 2 processes") == 1  # the main one speaks
    one, two = Run.load(tmp_path / "one.npz"), Run.load(tmp_path / "two.npz")
    assert np.array_equal(one.test_margins, alone.test_margins)
    assert np.abs(one.test_margins - two.test_margins).max() < 1e-4  # rounding, with margins of order 0.01 and more
    llm = load_llm(str(tmp_path / "model"), device="cpu")
    assert not np.array_equal(weights_of(llm), weights_of(load_llm("tiny", device="cpu")))


def test_the_command_says_what_is_wrong_in_one_sentence(capsys):
    for given, said in (
        (["--values", "art", "--model", "tiny", "--beta", "0"], "beta must be a finite number above 0, got 0.0"),
        (["--values", "art", "--model", "tiny", "--steps", "1", "--batch", "999"], "batch must be at most 96"),
        (["--pairs", "nowhere.jsonl", "--model", "tiny"], "nowhere.jsonl"),
        ([], "one of the arguments --values --pairs is required"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main([*given, "--device", "cpu"])
        assert said in capsys.readouterr().err


def test_one_process_alone(monkeypatch):
    for name, value in (("WORLD_SIZE", "1"), ("RANK", "0")):
        monkeypatch.setenv(name, value)
        assert processes(torch.device("cpu")) == Processes()
    alone = Processes()
    assert alone.main and alone.share(np.arange(5)).tolist() == [0, 1, 2, 3, 4]
    assert alone.work(3, 1, lambda some: some[None].astype(np.float32) + 1).tolist() == [[1, 2, 3]]


def test_shares_are_even_ordered_and_complete():
    for count in (1, 2, 3, 7):
        for size in (0, 1, 5, 12):
            parts = [Processes(number, count).share(np.arange(size)) for number in range(count)]
            assert np.array_equal(np.concatenate(parts), np.arange(size))
            assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_process_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    from helpers.llm.loading import _device

    assert _device(None) == torch.device("cuda")
    for own, wanted in (("0", "cuda:0"), ("1", "cuda:1"), ("2", "cuda"), ("", "cuda")):
        monkeypatch.setenv("LOCAL_RANK", own)
        assert _device(None) == torch.device(wanted)
