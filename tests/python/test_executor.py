"""Batches on executors: the results of threads, in order, with X sent once."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import ksparse
import numpy as np
import pytest
from ksparse import _executor


class Recorded(Executor):
    """Runs tasks at once, as they would arrive in another process."""

    def __init__(self):
        self.sent = []

    def submit(self, function, /, *arguments):
        """Run a task after a journey through pickle."""
        sent = pickle.dumps((function, arguments))
        self.sent.append(sent)
        future = Future()
        function, arguments = pickle.loads(sent)
        try:
            future.set_result(pickle.loads(pickle.dumps(function(*arguments))))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


def problem(seed=0, n=200, p=12):
    draw = np.random.default_rng(seed)
    X = draw.standard_normal((n, p))
    return X, X[:, 2] - X[:, 5] + draw.standard_normal(n) > 0


def assert_equal(found, expected):
    assert found.support.tolist() == expected.support.tolist()
    assert found.objective == expected.objective


def test_fit_each_is_that_of_threads(processes):
    """Results come in order, failures in their place, from whichever process."""
    datasets = [problem(seed) for seed in range(12)]
    datasets[4] = datasets[4][0], np.zeros(200)
    expected = list(ksparse.fit_each(datasets, 2))
    for executor in (processes, Recorded(), ThreadPoolExecutor(2)):
        found = list(ksparse.fit_each(datasets, 2, executor=executor))
        assert len(found) == len(expected)
        for i, (here, there) in enumerate(zip(found, expected, strict=True)):
            if i == 4:
                assert isinstance(here, ksparse.FitFailure)
                assert (here.position, str(here)) == (there.position, str(there))
            else:
                assert_equal(here, there)
    with pytest.raises(ValueError, match="data set 4: y has one class only"):
        list(ksparse.fit_each(datasets, 2, executor=Recorded(), raise_errors=True))


def test_tasks_are_of_half_a_second_and_bounded():
    """Data sets that fit fast share a task; no more are drawn than the window allows."""
    executor, drawn = Recorded(), []

    def datasets():
        for seed in range(300):
            drawn.append(seed)
            yield problem(seed % 3, 60, 7)

    for taken, _ in enumerate(ksparse.fit_each(datasets(), 1, executor=executor, window=40), start=1):
        assert len(drawn) - taken < 2 * 40
    assert taken == 300
    assert len(executor.sent) < 150

    def broken():
        yield problem()
        raise OSError("disk")

    stream = ksparse.fit_each(broken(), 1, executor=Recorded())
    assert next(stream).converged
    with pytest.raises(RuntimeError, match=r"datasets raised OSError.* in place of data set 1"):
        next(stream)


def test_closing_cancels():
    """Tasks that have not begun are cancelled where the stream is closed."""

    class Idle(Executor):
        def __init__(self):
            self.futures = []

        def submit(self, function, /, *arguments):
            future = Future()
            self.futures.append(future)
            if len(self.futures) == 1:
                future.set_result(function(*arguments))
            return future

    executor = Idle()
    stream = ksparse.fit_each((problem(seed) for seed in range(500)), 1, executor=executor, window=4)
    next(stream)
    stream.close()
    assert all(future.done() or future.cancelled() for future in executor.futures)


@pytest.mark.parametrize("loss", ["logistic", "focal", "squared"])
def test_fit_many(processes, loss):
    """A batch is the same wherever its problems are fitted."""
    X, _ = problem(1, 300, 20)
    draw = np.random.default_rng(2)
    Y = X[:, :9] + draw.standard_normal((300, 9))
    Y = Y if loss == "squared" else Y > 0
    if loss != "squared":
        Y[:, 3] = True  # one class only
    settings = {"k": np.arange(1, 10) % 3 + 1, "loss": loss, "ridge": np.linspace(0.01, 0.1, 9)}
    if loss == "focal":
        settings |= {"gamma": np.linspace(0, 2, 9), "sample_weight": draw.random((300, 9))}
    with np.errstate(all="ignore"), pytest.warns(ksparse.ConvergenceWarning) if loss != "squared" else _nothing():
        expected = ksparse.fit_many(X, Y, **settings)
        for executor in (processes, Recorded()):
            found = ksparse.fit_many(X, Y, **settings, executor=executor)
            assert found.objectives.tolist() == pytest.approx(expected.objectives.tolist(), rel=1e-12, nan_ok=True)
            assert [s.tolist() for s in found.supports] == [s.tolist() for s in expected.supports]
            assert found.status.tolist() == expected.status.tolist()


class _nothing:  # noqa: N801
    def __enter__(self):
        return None

    def __exit__(self, *_):
        return False


def test_x_is_sent_once(monkeypatch):
    """Tasks hold the problems, not X; a process that does not see the file of X is sent X."""
    X, _ = problem(3, 2000, 50)
    Y = X[:, :6] + np.random.default_rng(0).standard_normal((2000, 6)) > 0
    executor = Recorded()
    expected = ksparse.fit_many(X, Y, 2)
    assert ksparse.fit_many(X, Y, 2, executor=executor).objectives.tolist() == expected.objectives.tolist()
    assert max(map(len, executor.sent)) < X.nbytes / 10

    def missing(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(_executor, "_loaded", missing)
    executor = Recorded()
    assert ksparse.fit_many(X, Y, 2, executor=executor).objectives.tolist() == expected.objectives.tolist()
    assert max(map(len, executor.sent)) > X.nbytes


def test_stability_selection(processes):
    """So are the rounds of stability selection."""
    X, y = problem(4)
    settings = {"k": 2, "rounds": 20, "sample_weight": np.random.default_rng(1).random(200)}
    expected = ksparse.stability_selection(X, y, **settings)
    for executor in (processes, Recorded()):
        found = ksparse.stability_selection(X, y, **settings, executor=executor)
        assert found.frequency.tolist() == expected.frequency.tolist()


@pytest.mark.parametrize("rows", ["plain", "weights and offset"])
def test_cross_validation(processes, rows):
    """So are the folds, with several losses, ridges and classes; the points of a grid start from each other's fits as in threads."""
    X, y = problem(5)
    draw = np.random.default_rng(3)
    more = {"sample_weight": draw.random(200), "offset": draw.standard_normal(200)} if rows != "plain" else {}
    three = np.digitize(X[:, 0] + draw.standard_normal(200), [-0.5, 0.5])
    for make, response in {
        lambda: ksparse.KSparseClassifierCV(ks=range(4), ridge=[1e-3, 1e-1], cv=3): y,
        lambda: ksparse.KSparseClassifierCV(
            ks=[1, 2], loss="focal", gamma=[0.0, 2.0], ridge=[1e-2, 1e-1], cv=3, scoring="average_precision"
        ): y,
        lambda: ksparse.KSparseClassifierCV(ks=[1, 3], cv=3): three,
        lambda: ksparse.KSparseRegressorCV(ks=range(4), cv=3, groups=np.arange(12) // 2): X[:, 0] + y,
    }.items():
        if len(np.unique(response)) == 3 and more:
            del more["offset"]
        expected = make().fit(X, response, **more)
        for executor in (processes, Recorded()):
            found = make().fit(X, response, **more, executor=executor)
            assert found.best_params_ == expected.best_params_
            for name, values in expected.cv_results_.items():
                if "time" not in name:
                    np.testing.assert_array_equal(found.cv_results_[name], values)
            np.testing.assert_array_equal(found.coef_, expected.coef_)


def test_cross_validation_checks_and_reports():
    """Numbers that are not finite are named as without an executor, an executor excludes n_jobs, and is no metadata."""
    X, y = problem(6)
    X[7, 3] = np.nan
    with pytest.raises(ValueError, match=r"X\[7, 3\] is nan"):
        ksparse.KSparseClassifierCV(ks=[1, 2], cv=3).fit(X, y, executor=Recorded())
    with pytest.raises(ValueError, match="n_jobs is 2 and executor is given"):
        ksparse.KSparseClassifierCV(n_jobs=2).fit(X, y, executor=Recorded())
    assert not hasattr(ksparse.KSparseClassifierCV, "set_fit_request") or "executor" not in str(
        ksparse.KSparseClassifierCV().get_metadata_routing()
    )


def test_arguments():
    """An executor runs the fits, so there is no number of threads beside it."""
    X, y = problem()
    with pytest.raises(TypeError, match="executor is a int; it must be an executor"):
        ksparse.fit_each([(X, y)], 1, executor=3)
    with pytest.raises(ValueError, match="n_jobs is 2 and executor is given; n_jobs must be None"):
        ksparse.fit_many(X, y[:, None], 1, executor=Recorded(), n_jobs=2)


NIGHTLY = textwrap.dedent(
    """
    import json, os, sys
    from itertools import islice
    import numpy as np
    import ksparse

    def dataset(i):
        draw = np.random.default_rng(i)
        X = draw.standard_normal((60, 5))
        print(i, file=made, flush=True)
        return X, X[:, i % 5] + draw.standard_normal(60) > 0

    path, last = sys.argv[1], int(sys.argv[2])
    made = open(path + ".made", "a")
    with open(path, "a+b") as file:
        file.seek(0)
        whole = file.read().rpartition(b"\\n")[0]
        file.truncate(len(whole) + (len(whole) > 0))     # a line that was being written
        done = whole.count(b"\\n") + (len(whole) > 0)
        todo = (dataset(i) for i in range(done, 400))
        for i, result in enumerate(ksparse.fit_each(todo, k=1, window=16), start=done):
            line = {"data set": i, "support": result.support.tolist(), "objective": result.objective}
            file.write(json.dumps(line).encode() + b"\\n")
            file.flush()
            if i == last:
                file.write(b'{"data set": 1')
                file.flush()
                os._exit(9)
    """
)


def test_a_nightly_run_that_is_killed_is_resumed(tmp_path):
    """Each result is a line of a file, so a run begins after the last whole line; what was finished is not repeated."""
    import json

    program = [sys.executable, "-c", NIGHTLY, str(tmp_path / "results.jsonl")]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    assert subprocess.run([*program, "150"], env=environment, timeout=120).returncode == 9
    subprocess.run([*program, "-1"], env=environment, timeout=120, check=True)
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [line["data set"] for line in lines] == list(range(400))
    made = [int(line) for line in (tmp_path / "results.jsonl.made").read_text().split()]
    assert len(made) - len(set(made)) <= 16  # those that were in the window
    assert all(len(line["support"]) == 1 for line in lines)
