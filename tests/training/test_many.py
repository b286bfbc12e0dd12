"""Runs on many workers: the same numbers, in the same order, whatever makes them."""

import os
import warnings

import joblib
import numpy as np
import pytest

from helpers.layouts import disjoint
from helpers.losses import BetaDPO
from helpers.mixture import ValueMixture
from helpers.preferences.pairs import Preferences
from helpers.training.last_layer import train_last_layer
from helpers.training.many import run_all
from helpers.training.sweep import LastLayerLab

SETTINGS = [dict(beta=beta, Q=Q, seed=seed) for beta in (0.2, 0.5) for Q in (3, 6) for seed in range(3)]


def final_margins(beta, Q, seed):
    """A run whose data and draws come from the seed alone."""
    mixture = ValueMixture(disjoint(2), d=12, v=0.3, l_b=1.0)
    sample = mixture.sample(Q, np.random.default_rng(seed))
    data = type("Pairs", (), dict(value=sample.value, side=sample.side, layout=mixture.layout))
    run = train_last_layer(sample.x, data, beta=beta, lr=0.3, steps=20, loss=BetaDPO(keep=0.5), batch=4, seed=seed)
    return run.margins[-1]


def a_lab():
    mixture, rng = ValueMixture(disjoint(1), d=12, v=0.3, l_b=2.0), np.random.default_rng(0)
    pool, test = mixture.sample(8, rng), mixture.sample(6, rng)
    sets = []
    for name, sample in (("pool", pool), ("test", test)):
        answers = [(" Yes", " No")[:: int(side)] for side in sample.side]
        prompts = [f"{name} {j}" for j in range(len(sample))]
        sets.append(Preferences(prompts, *zip(*answers, strict=True), sample.value, sample.side, ("a",)))
    return LastLayerLab(*sets, pool.x, test.x, lr=1.0)


def equal(found, wanted):
    return len(found) == len(wanted) and all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_one_after_the_other_in_order():
    found = run_all(final_margins, SETTINGS)
    assert equal(found, [final_margins(**setting) for setting in SETTINGS])
    assert len({len(margins) for margins in found}) == 2 and run_all(final_margins, []) == []
    assert run_all(divmod_of, [dict(a=7, b=2)], jobs=10**30) == [(3, 1)]


def test_threads_give_the_same_grid():
    alone = a_lab().margins((0, 4), (0.2, 0.5), (3, 8))
    lab = a_lab()
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert equal(run_all(final_margins, SETTINGS), run_all(final_margins, SETTINGS, jobs=1))
        assert np.array_equal(lab.margins((0, 4), (0.2, 0.5), (3, 8)), alone)
    assert len(lab._runs) == 20 and "_runs" not in lab.__getstate__()


@pytest.mark.slow
def test_processes_give_the_same():
    wanted = run_all(final_margins, SETTINGS)
    assert equal(run_all(final_margins, SETTINGS, jobs=2), wanted)
    lab = a_lab()
    grid = lab.errors((0, 4), (0.2, 0.5), (3, 8))
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert np.array_equal(a_lab().errors((0, 4), (0.2, 0.5), (3, 8)), grid)


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_with_one_worker_and_with_two():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own
        from distributed import Client, LocalCluster

        wanted, grid, found = run_all(final_margins, SETTINGS), a_lab().margins((0, 4), (0.2,), (3, 8)), []
        for workers in (1, 2):
            options = dict(n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=50)
            with LocalCluster(**options) as cluster, Client(cluster) as client, \
                    joblib.parallel_config(backend="dask"):
                assert len(client.scheduler_info()["workers"]) == workers
                found.append(run_all(final_margins, SETTINGS))
                assert np.array_equal(a_lab().margins((0, 4), (0.2,), (3, 8)), grid)
                elsewhere = os.getpid() not in run_all(process, [dict(seed=seed) for seed in range(4)])
                assert elsewhere == (workers > 1)  # joblib asks a single worker for nothing
    assert equal(found[0], found[1]) and equal(found[0], wanted)


def divmod_of(a, b):
    return divmod(a, b)


def process(seed):
    """The process that makes this call."""
    return os.getpid()


def broken(seed):
    raise ValueError(f"seed must be liked, got {seed}")


def test_what_is_wrong_is_named():
    for call, said in (
        (lambda: run_all(3, []), "task must be a function, got 3"),
        (lambda: run_all(len, 3), "settings must be a list of dictionaries, got 3"),
        (lambda: run_all(len, {"a": 1}), "settings must be a list of dictionaries, got"),
        (lambda: run_all(len, [3]), "settings must be a list of dictionaries of arguments by name, got 3 in it"),
        (lambda: run_all(len, [{1: 2}]), "settings must be a list of dictionaries of arguments by name"),
        (lambda: run_all(len, [], jobs=0), "jobs must be None or a whole number other than 0, got 0"),
        (lambda: run_all(len, [], jobs="all"), "jobs must be None or a whole number other than 0, got 'all'"),
        (lambda: run_all(broken, [dict(seed=2)]), "seed must be liked, got 2"),
    ):
        with pytest.raises(ValueError, match=f"^{said}"):
            call()
