"""How many threads, and that threads and processes do not get into each other's way."""

import multiprocessing
import os
import subprocess
import sys
import threading
import types

import joblib
import ksparse
import numpy as np
import pytest
import threadpoolctl
from ksparse._input.threads import thread_count
from reference import random_problem

PROCESSORS = joblib.cpu_count()
several = pytest.mark.skipif(PROCESSORS < 2, reason="needs two processors")


@pytest.fixture(autouse=True)
def no_limits(monkeypatch):
    """Limits of the environment that runs the tests are no part of them."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)


def run(code, **environment):
    """Run code in a fresh interpreter, with an end, and return what it printed."""
    environment = {**os.environ, **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_numbers_of_jobs_are_scikit_learns():
    """None is one, a number itself, -1 all processors, -2 all but one, and never less than one."""
    assert [thread_count(n) for n in (None, 1, 3, np.int64(2))] == [1, 1, 3, 2]
    assert thread_count(-1) == PROCESSORS
    assert thread_count(-2) == max(1, PROCESSORS - 1)
    assert thread_count(-1000) == 1


@pytest.mark.parametrize("wrong", ["two", 1.0, True, np.True_, [2]])
def test_jobs_are_integers(wrong):
    """What was given and what it must be."""
    with pytest.raises(TypeError, match=r"n_jobs is .*; it must be an integer or None"):
        thread_count(wrong)


def test_no_jobs_are_refused():
    """Neither one nor all."""
    with pytest.raises(ValueError, match="n_jobs is 0; it must be a number of threads, a negative number"):
        thread_count(0)


def test_none_asks_the_configuration_of_joblib():
    """A number given to the call comes first."""
    with joblib.parallel_config(n_jobs=3):
        assert [thread_count(n) for n in (None, 2, 1)] == [3, 2, 1]
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert thread_count(None) == 2
    with joblib.parallel_config(backend="sequential"):
        assert [thread_count(n) for n in (None, 4, -1)] == [1, 1, 1]


def test_all_processors_are_those_joblib_may_use(monkeypatch):
    """LOKY_MAX_CPU_COUNT, as quotas of control groups, lowers what -1 counts from."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert [thread_count(n) for n in (-1, -2, 2)] == [1, 1, 2]


@several
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_all_processors_are_those_this_process_is_bound_to():
    """A process bound to one processor has one."""
    code = "import os; from ksparse._input.threads import thread_count as t; a = t(-1); os.sched_setaffinity(0, {next(iter(os.sched_getaffinity(0)))}); print(a > 1, t(-1))"
    assert run(code).split() == ["True", "1"]


@several
@pytest.mark.parametrize(
    ("value", "expected"), [("1", 1), ("1,4", 1), ("1000", PROCESSORS), ("", PROCESSORS), ("a", PROCESSORS)]
)
def test_omp_num_threads_bounds_all_but_not_a_number(monkeypatch, value, expected):
    """-1 goes no further than OpenMP may; a number of threads is the user's word."""
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert [thread_count(n) for n in (-1, 3)] == [expected, 3]


@several
def test_threadpoolctl_bounds_all_but_not_a_number():
    """As OMP_NUM_THREADS, where the context is, in its thread; limits of the BLAS alone say nothing of us."""
    inside = []
    with threadpoolctl.threadpool_limits(1):
        assert [thread_count(n) for n in (-1, 3)] == [1, 3]
        with threadpoolctl.threadpool_limits(PROCESSORS):
            assert thread_count(-1) == PROCESSORS
        assert thread_count(-1) == 1
        thread = threading.Thread(target=lambda: inside.append(thread_count(-1)))
        thread.start()
        thread.join()
    assert inside == [PROCESSORS]
    assert thread_count(-1) == PROCESSORS
    with threadpoolctl.threadpool_limits(1, "blas"):
        assert thread_count(-1) == PROCESSORS
    with threadpoolctl.threadpool_limits({"ksparse": 1}):
        assert thread_count(-1) == 1
    shown = [module for module in threadpoolctl.threadpool_info() if module["user_api"] == "ksparse"]
    assert [(module["num_threads"], module["version"]) for module in shown] == [(PROCESSORS, ksparse.__version__)]


@several
def test_a_limit_ends_with_its_context(monkeypatch):
    """What OMP_NUM_THREADS was at its beginning is no limit afterwards."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with threadpoolctl.threadpool_limits(1):
        assert thread_count(-1) == 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert thread_count(-1) == PROCESSORS
    with threadpoolctl.threadpool_limits(1):
        with threadpoolctl.threadpool_limits(1):
            assert thread_count(-1) == 1
        assert thread_count(-1) == 1
    assert thread_count(-1) == PROCESSORS


def counts():
    """Return what a worker gets for none, a number, and all."""
    return [thread_count(n) for n in (None, 64, -1)]


def test_processes_of_joblib_share_the_processors():
    """As many workers as processors: one thread each, whatever is asked for; one worker by itself has them all."""
    jobs = [joblib.delayed(counts)()] * 4
    for backend in ("loky", "multiprocessing"):
        assert joblib.Parallel(n_jobs=max(2, PROCESSORS), backend=backend)(jobs) == [[1, 1, 1]] * 4
    with joblib.parallel_config(backend="loky", inner_max_num_threads=2):
        given = joblib.Parallel(n_jobs=2)(jobs)
    assert given == [[1, 2, min(2, PROCESSORS)]] * 4 or PROCESSORS == 1


def test_threads_of_joblib_get_one_thread_each():
    """Their number is not known to the inner call, and together they are what was asked for."""
    assert joblib.Parallel(n_jobs=2, backend="threading")([joblib.delayed(counts)()] * 4) == [[1, 1, 1]] * 4


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_processes_of_a_pool_get_one_thread_each():
    """Quietly: joblib would warn that it cannot start processes there, which nobody asked for."""
    code = """
import multiprocessing, warnings
warnings.simplefilter("error")
from ksparse._input.threads import thread_count
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(*pool.map(thread_count, [None, 64, -1]))
"""
    assert run(code).split() == ["1", "1", "1"]


def test_tasks_of_dask_share_the_processors():
    """Bare tasks, and those of joblib's dask backend, where None would be all processors of the cluster."""
    pytest.importorskip("distributed")
    code = """
import joblib, sys
from distributed import Client
from ksparse._input.threads import thread_count
def counts():
    return [thread_count(n) for n in (None, 64, -1)]
with Client(processes=False, n_workers=1, threads_per_worker=joblib.cpu_count(), dashboard_address=None) as client:
    print(client.submit(counts).result())
    with joblib.parallel_config(backend="dask"):
        print(joblib.Parallel()([joblib.delayed(counts)()])[0])
        print(thread_count(-1) == joblib.cpu_count())
"""
    assert run(code).splitlines() == ["[1, 1, 1]", "[1, 1, 1]", "True"]


def test_a_task_of_dask_is_known_by_its_worker(monkeypatch):
    """The module that dask imports into its tasks tells the worker; without one, and before it is loaded, nothing changes."""
    dask = types.ModuleType("distributed")
    monkeypatch.setitem(sys.modules, "distributed", dask)
    assert thread_count(64) == 64  # still being imported

    def none():
        raise ValueError("No worker found")

    dask.get_worker = none
    assert thread_count(64) == 64
    for threads, share in ((1, PROCESSORS), (PROCESSORS, 1), (10 * PROCESSORS, 1), (0, PROCESSORS)):
        worker = types.SimpleNamespace(state=types.SimpleNamespace(nthreads=threads))
        dask.get_worker = lambda worker=worker: worker
        assert [thread_count(n) for n in (1, 64, -1)] == [1, share, share]


def paths_and_rounds(problem):
    """Answers of two entries that use threads of the core."""
    rounds = ksparse.stability_selection(problem.X, problem.y, 3, rounds=8, n_jobs=2, ridge=1e-2)
    model = ksparse.KSparseClassifierCV(ks=range(4), n_jobs=2, ridge=1e-2).fit(problem.X, problem.y)
    return rounds.frequency.tolist(), model.cv_results_["mean_test_score"].tolist()


def test_python_threads_over_one_x_get_the_answers_of_one():
    """Fits, paths and calls that use threads themselves, all at once: nothing is shared but X, which is only read."""
    problem = random_problem(0, n=200, p=40, rho=0.8)
    tasks = [
        lambda: ksparse.fit(problem.X, problem.y, 5, search="thorough", max_rounds=5).coef.tolist(),
        lambda: ksparse.fit(problem.X, problem.y, 5, loss="focal", ridge=1e-3).coef.tolist(),
        lambda: [fit.objective for fit in ksparse.fit_path(problem.X, problem.y, range(5), ridge=1e-3)],
        lambda: paths_and_rounds(problem),
    ]
    alone = [task() for task in tasks]
    found = {}

    def work(i):
        found[i] = tasks[i % len(tasks)]()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[i] for i in range(12)] == alone * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_forked_after_use_works():
    """A runtime with a pool of threads would wait in the child for threads that the fork left behind."""
    code = """
import os, sys
sys.path.insert(0, {folder!r})
from reference import random_problem
from test_threads import paths_and_rounds
import ksparse
problem = random_problem(0, n=200, p=40, rho=0.8)
def answers():
    each = [result.objective for result in ksparse.fit_each([(problem.X, problem.y)] * 5, 3, n_jobs=2, ridge=1e-2)]
    return paths_and_rounds(problem), each
before = answers()
child = os.fork()
if child == 0:
    os._exit(0 if answers() == before else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert answers() == before
"""
    run(code.format(folder=os.path.dirname(__file__)))


@pytest.mark.parametrize("method", [m for m in ("fork", "spawn") if m in multiprocessing.get_all_start_methods()])
def test_processes_of_multiprocessing_give_the_answers_of_one(method, tmp_path):
    """Started after threads were used, by copying this process or anew."""
    script = tmp_path / "script.py"
    script.write_text(f"""
import multiprocessing, sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
from reference import random_problem
from test_threads import paths_and_rounds
if __name__ == "__main__":
    problem = random_problem(0, n=200, p=40, rho=0.8)
    before = paths_and_rounds(problem)
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        print(pool.map(paths_and_rounds, [problem] * 3) == [before] * 3)
""")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.split() == ["True"], done.stderr


def test_workers_of_joblib_give_the_answers_of_one():
    """X reaches them pickled, or as a read-only memory map."""
    problem = random_problem(0, n=200, p=40, rho=0.8)
    before = paths_and_rounds(problem)
    jobs = [joblib.delayed(paths_and_rounds)(problem)] * 3
    for backend, limit in (("loky", "1M"), ("loky", 1000), ("threading", None)):
        assert joblib.Parallel(n_jobs=2, backend=backend, max_nbytes=limit)(jobs) == [before] * 3


@pytest.mark.skipif(sys.platform == "win32", reason="the size of a thread's stack is a matter of its creator there")
@pytest.mark.parametrize("settings", ["{}", "{'groups': np.arange(240) // 4}", "{'bounds': (-1, 1)}", "{'loss': 'squared'}"])
def test_a_small_stack_is_enough_for_a_large_support(settings):
    """Threads have 128 KiB with musl, and matrix products took 256 of it: a segmentation fault at k = 150."""
    script = f"""
import threading
import ksparse, numpy as np
rng = np.random.default_rng(0)
X = rng.standard_normal((400, 240))
y = (X[:, 0] + rng.standard_normal(400) > 0) * 1
def work():
    for k in (37, 110, 150):
        print(ksparse.fit(X, y, k, ridge=1, search="fast", **{settings}).status)
work()
threading.stack_size(208 * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.split()) == (0, ["converged"] * 6), done.stderr


@pytest.mark.parametrize(("n", "p"), [(140000, 14), (300, 2000)])
@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("loss", ["logistic", "focal", "squared"])
def test_one_fit_has_the_same_answer_on_any_number_of_threads(n, p, order, loss):
    """Ranges of rows, and columns where rows are few, are summed in an order that does not depend on who sums them."""
    rng = np.random.default_rng(1)
    X = np.asarray(rng.standard_normal((n, p)), order=order)
    eta = X[:, 3] - X[:, 7] + X[:, 12]
    y = eta + rng.standard_normal(n) if loss == "squared" else rng.random(n) < 1 / (1 + np.exp(-eta))
    alone = ksparse.fit(X, y, 4, loss=loss)
    path = ksparse.fit_path(X, y, [2, 4], loss=loss)
    for n_jobs in (2, 3):
        together = ksparse.fit(X, y, 4, loss=loss, n_jobs=n_jobs)
        np.testing.assert_array_equal(together.coef, alone.coef)
        assert together.objective == alone.objective
        for a, b in zip(ksparse.fit_path(X, y, [2, 4], loss=loss, n_jobs=n_jobs), path, strict=True):
            np.testing.assert_array_equal(a.coef, b.coef)


def test_a_fit_on_several_threads_leaves_none_behind():
    """Threads end with the call, so that a process may be forked afterwards."""
    code = """
import os, numpy as np, ksparse
rng = np.random.default_rng(0); X = rng.standard_normal((140000, 5)); y = X[:, 0] + rng.standard_normal(140000) > 0
before = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
ksparse.fit(X, y, 3, n_jobs=3)
after = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
assert after == before, (before, after)
"""
    run(code)


def test_a_batch_of_many_rows_is_summed_as_single_fits_are():
    """Rows are divided into the same ranges, so that not even the last digit differs."""
    rng = np.random.default_rng(5)
    X = np.asfortranarray(rng.standard_normal((140_000, 30)) + 2)
    y = rng.random(len(X)) < 1 / (1 + np.exp(X[:, 1] - X[:, 0]))
    fits = ksparse.fit_many(X, np.column_stack([y, y]), 3)
    alone = ksparse.fit(X, y, 3, n_jobs=2)
    for fit in fits:
        assert np.array_equal(fit.coef, alone.coef)
        assert fit.intercept == alone.intercept
