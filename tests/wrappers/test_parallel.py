"""Searches over several processes: joblib's own workers, and a cluster of Dask's."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys

import joblib
import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV

import kerasish as keras
from kerasish import model_selection
from kerasish.wrappers import KerasRegressor, estimator


def build(hidden=8):
    return keras.Sequential([keras.layers.Dense(hidden, "relu"), keras.layers.Dense(1)])


@pytest.fixture
def reg():
    return KerasRegressor(build, loss="mse", optimizer="adam", epochs=2, verbose=0, random_state=0)


@pytest.mark.slow
def test_workers_give_the_same_scores_and_bound_their_threads(reg, diabetes, monkeypatch):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)

    def scores(fitted, X, y):
        return {"r2": fitted.score(X, y), "threads": torch.get_num_threads(), "process": os.getpid()}

    grid = {"model__hidden": [4, 8]}
    options = {"scoring": scores, "refit": "r2", "cv": 2}
    alone = GridSearchCV(reg, grid, **options).fit(*diabetes)
    parallel = GridSearchCV(reg, grid, n_jobs=2, **options).fit(*diabetes)
    results = parallel.cv_results_
    np.testing.assert_allclose(results["mean_test_r2"], alone.cv_results_["mean_test_r2"], atol=1e-5)
    assert (results["mean_test_threads"] <= max(1, joblib.cpu_count() // 2)).all()
    assert not np.isin(os.getpid(), [results["split0_test_process"], results["split1_test_process"]])


def test_threads_give_the_same_scores(reg, diabetes):
    grid = {"model__hidden": [4, 8], "optimizer__learning_rate": [0.01, 0.1]}
    alone = GridSearchCV(reg, grid, cv=3).fit(*diabetes)
    with joblib.parallel_config("threading", n_jobs=2):
        search = GridSearchCV(reg, grid, cv=3).fit(*diabetes)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"], atol=1e-6
    )


def test_stacked_search_needs_no_workers(reg, diabetes):
    grid = {"optimizer__learning_rate": [0.001, 0.01]}
    search = model_selection.GridSearchCV(reg, grid, cv=2, n_jobs=2).fit(*diabetes)
    assert search.stacked_ == 4


@pytest.mark.parametrize(
    ("process", "gpus", "expected"),
    [
        ("LokyProcess-3", 2, "cuda:1"),
        ("LokyProcess-4", 2, "cuda:0"),
        ("LokyProcess-3", 1, "cuda"),
        ("MainProcess", 2, "cuda"),
    ],
)
def test_workers_take_turns_on_the_gpus(process, gpus, expected, monkeypatch):
    monkeypatch.setattr(multiprocessing.current_process(), "_name", process)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(estimator, "get_device", lambda: torch.device("cuda"))
    assert estimator.device_of_process() == torch.device(expected)


def test_workers_leave_a_chosen_device_alone(monkeypatch):
    monkeypatch.setattr(multiprocessing.current_process(), "_name", "LokyProcess-1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with keras.device("cpu"):
        assert estimator.device_of_process() == torch.device("cpu")


@pytest.fixture
def cluster():
    """Two worker processes of Dask's."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as workers,
        distributed.Client(workers) as client,
    ):
        yield client


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the cluster's own shutdown
def test_dask_loses_nothing_when_a_worker_is_killed(cluster, diabetes, tmp_path):
    mark = tmp_path / "killed"

    def build_or_die(hidden=8):
        if hidden == 8 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        import kerasish as keras

        return keras.Sequential([keras.layers.Dense(hidden, "relu"), keras.layers.Dense(1)])

    before = set(cluster.run(os.getpid).values())
    options = {"loss": "mse", "optimizer": "adam", "epochs": 2, "verbose": 0, "random_state": 0}
    grid, cv = {"model__hidden": [4, 8, 16]}, 3
    search = model_selection.GridSearchCV(
        KerasRegressor(build_or_die, **options), grid, cv=cv, error_score="raise"
    )
    with joblib.parallel_config("dask"):
        search.fit(*diabetes)
    assert search.stacked_ == 0
    assert mark.exists()
    assert before != set(cluster.run(os.getpid).values())
    expected = GridSearchCV(KerasRegressor(build, **options), grid, cv=cv).fit(*diabetes)
    for fold in range(cv):
        name = f"split{fold}_test_score"
        np.testing.assert_allclose(search.cv_results_[name], expected.cv_results_[name], atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of Ray's own
def test_ray_runs_the_fits_of_a_search(reg, diabetes):
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
    joblib_of_ray = pytest.importorskip("ray.util.joblib")

    def scores(fitted, X, y):
        return {"r2": fitted.score(X, y), "process": os.getpid()}

    options = {"scoring": scores, "refit": "r2", "cv": 2}
    grid = {"model__hidden": [4, 8]}
    alone = GridSearchCV(reg, grid, **options).fit(*diabetes)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        joblib_of_ray.register_ray()
        with joblib.parallel_config("ray", n_jobs=2):
            search = model_selection.GridSearchCV(reg, grid, **options).fit(*diabetes)
    finally:
        ray.shutdown()
    assert search.stacked_ == 0
    assert os.getpid() not in search.cv_results_["split0_test_process"]
    np.testing.assert_allclose(
        search.cv_results_["mean_test_r2"], alone.cv_results_["mean_test_r2"], atol=1e-5
    )


MEMORY = """
import gc, resource, sys
import numpy as np, torch
import kerasish as keras
from kerasish.wrappers import KerasRegressor
from kerasish.model_selection import GridSearchCV

def build(hidden=8):
    return keras.Sequential([keras.layers.Dense(hidden, "relu"), keras.layers.Dense(1)])

def live():
    gc.collect()
    return sum(isinstance(x, torch.Tensor) for x in gc.get_objects())

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20

X = np.random.default_rng(0).normal(size=(80, 5))
reg = KerasRegressor(build, loss="mse", optimizer="adam", epochs=2, verbose=0, random_state=0)
def fits(count):
    for i in range(count):
        reg.set_params(model__hidden=4 + i % 3).fit(X, X[:, 0])
    GridSearchCV(reg, {"optimizer__learning_rate": [0.01, 0.1]}, cv=5, refit=False).fit(X, X[:, 0])
fits(40)
tensors, memory = live(), resident()
for _ in range(5):
    fits(90)
print(live() - tensors, resident() - memory)
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads the memory in use from /proc")
def test_memory_stays_flat_over_500_fits():
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    tensors, megabytes = map(float, done.stdout.split())
    assert tensors <= 20
    assert megabytes < 40
