"""A stream of data sets: each answered as by fit, in order, in bounded memory, and ended when nobody listens."""

import gc
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import weakref

import ksparse
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import random_problem, small_problems

THREADS = [1, 2, 3]


def data(seed, n=60, p=6):
    """Return a small data set that any seed makes well posed."""
    problem = random_problem(seed, n=n, p=p)
    return problem.X, problem.y


def same(got, expected):
    """Whether two results are equal to the last bit."""
    np.testing.assert_array_equal(got.coef, expected.coef)
    assert (got.intercept, got.objective, got.status, got.times_found) == (
        expected.intercept,
        expected.objective,
        expected.status,
        expected.times_found,
    )


@given(problems=st.lists(small_problems(max_features=6), max_size=6), window=st.none() | st.integers(1, 9))
def test_answers_are_those_of_fit_in_order(problems, window):
    """To the last bit, whatever the number of threads and the window; shapes differ within a stream."""
    settings = {"loss": "focal", "ridge": 1e-2, "alpha": 0.3}
    alone = [ksparse.fit(problem.X, problem.y, 2, **settings) for problem in problems]
    for n_jobs in THREADS:
        stream = ksparse.fit_each(((problem.X, problem.y) for problem in problems), 2, n_jobs=n_jobs, window=window, **settings)
        for got, expected in zip(stream, alone, strict=True):
            same(got, expected)


@pytest.mark.parametrize("n_jobs", THREADS)
def test_weights_and_offsets_belong_to_their_data_set(n_jobs):
    """A tuple of two to four, or a list; None stands for what is not there."""
    X, y = data(0)
    weights, offset = np.linspace(0, 2, 60), np.linspace(-1, 1, 60)
    sets = [(X, y), [X, y, weights], (X, y, None, offset), (X, y, weights, offset), (X, y, None)]
    keywords = [{}, {"sample_weight": weights}, {"offset": offset}, {"sample_weight": weights, "offset": offset}, {}]
    for got, extra in zip(ksparse.fit_each(sets, 3, ridge=1e-2, n_jobs=n_jobs), keywords, strict=True):
        same(got, ksparse.fit(X, y, 3, ridge=1e-2, **extra))


@pytest.mark.parametrize("n_jobs", THREADS)
def test_a_bad_data_set_fails_alone(n_jobs):
    """Its failure stands in its place, with the message of fit; the others are answered."""
    X, y = data(1)
    hole = X.copy()
    hole[4, 2] = np.nan
    bad = {
        1: ((hole, y), r"X[4, 2] is nan"),
        2: ((X, np.ones(60)), "y has one class only"),
        4: ((X[:, :0], y), "X has shape (60, 0)"),
        5: (X, "it must be a tuple (X, y), (X, y, sample_weight) or (X, y, sample_weight, offset), but is a ndarray"),
        6: ((X,), "but is a tuple of 1 entries"),
        7: ((X, y[:-1]), "X has 60 rows but y has shape (59,)"),
        8: ((X, y, -np.ones(60)), "sample_weight[0] is -1.0"),
        9: (None, "but is a NoneType"),
    }
    sets = [bad[i][0] if i in bad else (X, y) for i in range(11)]
    results = list(ksparse.fit_each(sets, 3, n_jobs=n_jobs, ridge=1e-2))
    good = ksparse.fit(X, y, 3, ridge=1e-2)
    assert len(results) == 11
    for i, result in enumerate(results):
        assert result.converged == (i not in bad)
        if i in bad:
            assert isinstance(result, ksparse.FitFailure)
            assert isinstance(result.error, (TypeError, ValueError))
            assert (result.position, result.status) == (i, "invalid_input")
            assert bad[i][1] in result.advice
            assert str(result) == f"data set {i}: {result.advice}"
        else:
            same(result, good)


@pytest.mark.parametrize("n_jobs", THREADS)
def test_a_bad_data_set_is_raised_if_asked_for(n_jobs):
    """In its place, after the results before it, with its position, from the error of fit."""
    X, y = data(2)
    stream = ksparse.fit_each([(X, y), (X, y), (X, 2 * y), (X, y)], 2, n_jobs=n_jobs, raise_errors=True)
    assert next(stream).converged
    assert next(stream).converged
    with pytest.raises(ValueError, match=r"data set 2: y has values .*; it must be binary") as caught:
        next(stream)
    assert isinstance(caught.value.__cause__, ValueError)
    assert list(stream) == []


class Unreadable:
    """Data behind a broken disk, which is slow to say so."""

    def __array__(self, dtype=None, copy=None):
        time.sleep(0.1)
        raise OSError("disk is gone")


def test_any_error_of_a_data_set_is_its_own():
    """Arrays that are read when they are asked for may fail in any way."""
    X, y = data(3)
    first, second = ksparse.fit_each([(Unreadable(), y), (X, y)], 2, n_jobs=2)
    assert isinstance(first.error, OSError)
    assert second.converged
    with pytest.raises(RuntimeError, match="data set 0: disk is gone"):
        next(ksparse.fit_each([(Unreadable(), y)], 2, raise_errors=True))


def keep(stream, found):
    """Append what a stream yields, until it ends or raises."""
    for result in stream:
        found.append(result)


@pytest.mark.parametrize("n_jobs", THREADS)
def test_a_source_that_raises_ends_the_stream_after_its_results(n_jobs):
    """What was drawn is answered; then an error names the position, from the original."""
    X, y = data(4)

    def source():
        for _ in range(7):
            yield X, y
        raise KeyError("row 7")

    found = []
    with pytest.raises(RuntimeError, match=r"datasets raised KeyError\('row 7'\) in place of data set 7") as caught:
        keep(ksparse.fit_each(source(), 2, n_jobs=n_jobs), found)
    assert [result.converged for result in found] == [True] * 7
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("n_jobs", THREADS)
@pytest.mark.parametrize("window", [1, 2, 5])
def test_no_more_data_sets_are_held_than_the_window(n_jobs, window):
    """Counted when one more is drawn from an endless source; results and failures that are kept do not keep their data."""
    drawn = []
    most = 0

    def alive():
        return sum(array() is not None for array in drawn)

    def source():
        nonlocal most
        for seed in itertools.count():
            X, y = data(seed % 5)
            if seed % 3 == 0:
                y = y[:-1]
            drawn.append(weakref.ref(X))
            yield X, y
            del X
            most = max(most, alive())

    kept = list(itertools.islice(ksparse.fit_each(source(), 2, n_jobs=n_jobs, window=window), 30))
    assert most <= window
    assert sum(not result.converged for result in kept) == 10
    gc.collect()
    assert alive() == 0


def test_results_go_out_before_more_is_drawn():
    """A slow source holds no finished result back: with two threads and a wide window, all but the last few are out."""
    X, y = data(5)
    drawn = 0

    def source():
        nonlocal drawn
        for _ in range(20):
            drawn += 1
            yield X, y
            time.sleep(0.05)  # a fit takes a hundredth of it

    for i, _ in enumerate(ksparse.fit_each(source(), 2, n_jobs=2, window=20)):
        assert drawn <= i + 10


def test_nothing_is_drawn_before_a_result_is_asked_for():
    """The call checks its settings and no more."""

    def source():
        raise AssertionError("drawn")
        yield

    stream = ksparse.fit_each(source(), 2, n_jobs=2)
    stream.close()


def pool_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("ksparse.fit_each")]


def hard(n=3000, p=3000):
    """Return a data set whose fit takes minutes."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, p)), (rng.random(n) < 0.5).astype(float)


def test_breaking_off_ends_the_threads():
    """Also in the middle of long fits, of which the rest would take minutes."""
    slow = hard()

    def source():
        yield Unreadable(), slow[1]
        while True:
            yield slow

    for result in ksparse.fit_each(source(), 20, n_jobs=2, search="thorough", max_rounds=10**6):
        assert not result.converged
        assert len(pool_threads()) == 2
        break
    gc.collect()
    assert pool_threads() == []


CODE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
import numpy as np, threading, ksparse
rng = np.random.default_rng(0)
X = rng.standard_normal((3000, 3000))
y = (rng.random(3000) < 0.5).astype(float)
print("ready", flush=True)
try:
    for _ in ksparse.fit_each(iter(lambda: (X, y), None), 100, n_jobs=2, ridge=1e-3, search="thorough"):
        pass
except KeyboardInterrupt:
    print("interrupted", threading.active_count(), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a single child")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_interrupt_ends_the_stream_and_its_threads(n_jobs):
    """Ctrl-C while all threads are in the middle of fits that take minutes; benchmarks/each.py measures how soon."""
    code = CODE.replace("n_jobs=2", f"n_jobs={n_jobs}")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline().strip() == "ready"
        time.sleep(1.0)
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline().split() == ["interrupted", "1"]
        child.wait(timeout=30)
    assert child.returncode == 0


FIT_IN_A_THREAD = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
import numpy as np, threading, ksparse
rng = np.random.default_rng(0)
X = rng.standard_normal((1500, 1000))
y = (X[:, 0] + rng.logistic(size=1500) > 0).astype(float)
results = []
done = threading.Event()  # Python 3.11 takes a thread for ended when its join() is interrupted
def work():
    results.append(ksparse.fit(X, y, 30, search="thorough", max_rounds=10**6, max_seconds=2.0))
    done.set()
threading.Thread(target=work).start()
print("ready", flush=True)
try:
    done.wait()
    print("not interrupted", flush=True)
except KeyboardInterrupt:
    print("interrupted", len(results), flush=True)
done.wait()
print(len(results), results[0].status, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a single child")
def test_a_fit_in_another_thread_leaves_the_interrupt_to_the_main_thread():
    """It is raised there, while the fit runs on to its end: only the main thread may ask for signals."""
    with subprocess.Popen([sys.executable, "-c", FIT_IN_A_THREAD], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline().strip() == "ready"
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        output = child.stdout.read().splitlines()
        child.wait(timeout=30)
    assert output == ["interrupted 0", "1 converged"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_stream_goes_on_only_where_it_began():
    """A forked child has none of its threads: an error there instead of waiting without an end, and no harm here."""
    code = """
import os, sys
sys.path.insert(0, {folder!r})
import ksparse
from test_each import data
stream = ksparse.fit_each([data(0)] * 20, 2, n_jobs=2)
next(stream)
child = os.fork()
if child == 0:
    try:
        next(stream)
    except RuntimeError as error:
        os._exit("started in another process" not in str(error))
    os._exit(3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert len(list(stream)) == 19
"""
    command = [sys.executable, "-c", code.format(folder=os.path.dirname(__file__))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_separable_data_are_told_by_their_status_without_a_warning():
    """A warning per data set of a long stream helps nobody; here any warning is an error."""
    X, _ = data(7)
    (result,) = ksparse.fit_each([(X, X[:, 0] > 0)], 2, n_jobs=2)
    assert (result.converged, result.status) == (False, "separable")
    assert "ridge" in result.advice


def test_results_and_failures_can_be_pickled():
    """To be sent on; stand-ins would need the data, and say so."""
    X, y = data(8)
    result, failure = ksparse.fit_each([(X, y), (X, y[:-1])], 2)
    same(pickle.loads(pickle.dumps(result)), result)
    again = pickle.loads(pickle.dumps(failure))
    assert (again.position, again.advice) == (failure.position, failure.advice)
    with pytest.raises(ValueError, match="does not refer to its data"):
        result.alternatives()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"datasets": 3}, TypeError, "datasets is a int; it must be an iterable of tuples"),
        ({"k": -1}, ValueError, "k is -1; it must be >= 0"),
        ({"k": [1, 2]}, TypeError, "k is .1, 2.; it must be an integer"),
        ({"n_jobs": 0}, ValueError, "n_jobs is 0"),
        ({"window": 0}, ValueError, "window is 0; it must be >= 1"),
        ({"window": 2.5}, TypeError, "window is 2.5; it must be an integer"),
        ({"raise_errors": 1}, TypeError, "raise_errors is 1; it must be True or False"),
        ({"ridge": -1}, ValueError, "ridge is -1.0; it must be finite and >= 0"),
        ({"loss": "hinge"}, ValueError, "loss is 'hinge'"),
        ({"gamma": -1}, ValueError, "gamma is -1.0"),
        ({"search": "deep"}, ValueError, "search is 'deep'"),
    ],
)
def test_settings_are_refused_at_once(arguments, error, message):
    """Before anything is drawn: what is wrong for every data set is no failure of one."""
    with pytest.raises(error, match=message):
        ksparse.fit_each(**{"datasets": [], "k": 2, **arguments})


def test_an_empty_stream_has_no_results():
    """Neither an error nor a thread."""
    assert list(ksparse.fit_each([], 2, n_jobs=2)) == []
