"""The page of numerical promises: every promise, limit and status is run."""

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import ksparse
import numpy as np
import pytest
from claims import claims, uncovered, unfounded
from ksparse import _core
from reference import random_problem
from scipy.sparse import csc_array, csr_array
from sklearn.exceptions import ConvergenceWarning

PAGE = "user_guide/numerical_promises.rst"


@pytest.fixture(scope="module")
def data():
    """Labels from two of six features."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 6))
    return X, (X[:, 0] - X[:, 1] + rng.logistic(size=300) > 0).astype(float)


@claims(PAGE, "No NaN and no abort", "invalid_input |")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_with_its_place(data, bad):
    """In every array, and in every form of X; a batch answers the other problems."""
    X, y = data
    spoilt = X.copy()
    spoilt[7, 4] = bad
    for form in (np.asarray, np.asfortranarray, np.float32, csc_array, csr_array):
        with pytest.raises(ValueError, match=r"X\[7, 4\] is -?(nan|inf)"):
            ksparse.fit(form(spoilt), y, 2)
    vector = np.ones(300)
    vector[7] = bad
    for name in ("sample_weight", "offset"):
        with pytest.raises(ValueError, match=rf"{name}\[7\] is -?(nan|inf)"):
            ksparse.fit(X, y, 2, **{name: vector})
    for values in (vector, np.where(np.arange(300) == 7, bad, y)):
        with pytest.raises(ValueError, match=r"y\[7\] is -?(nan|inf)"):
            ksparse.fit(X, values, 2, loss="squared" if values is vector else "logistic")
    with pytest.warns(ksparse.ConvergenceWarning):
        batch = ksparse.fit_many(X, np.column_stack([y, np.where(np.arange(300) == 7, bad, y)]), 2)
    assert batch.status.tolist() == ["converged", "invalid_input"]
    with pytest.raises(TypeError):
        ksparse.fit(X, y, 2.5)
    assert [answer.status for answer in ksparse.fit_each([(X, y), (spoilt, y)], 2)] == ["converged", "invalid_input"]


@claims(PAGE, "F never increases")
@pytest.mark.parametrize("seed", range(3))
def test_f_never_rises(seed):
    """From a start, with a longer search, and with k."""
    problem = random_problem(seed, n=80, p=12, rho=0.9, ridge=1e-3)
    for start in ([0, 1, 2], [9, 10, 11]):
        at_start = ksparse.fit(problem.X[:, start], problem.y, 3, **problem.settings).objective
        assert ksparse.fit(problem.X, problem.y, 3, start=start, **problem.settings).objective <= at_start + 1e-12
    searches = [
        ksparse.fit(problem.X, problem.y, 3, search=search, **problem.settings).objective
        for search in ("fast", "auto", "thorough")
    ]
    assert (np.diff(searches) <= 1e-12).all()
    assert (np.diff(ksparse.fit_path(problem.X, problem.y, range(8), **problem.settings).objectives) <= 0).all()


@claims(PAGE, "The same input gives the same result")
def test_same_input_same_answer():
    """By threads, in batches, and by weights."""
    problem = random_problem(1, n=150, p=12, rho=0.7, ridge=1e-3)
    X, y, given = problem.X, problem.y, problem.settings
    alone = ksparse.fit(X, y, 4, **given)
    for jobs in (1, 3):
        batch = ksparse.fit_many(X, np.column_stack([y, y[::-1], y]), 4, n_jobs=jobs, **given)
        assert batch[0].support.tolist() == batch[2].support.tolist() == alone.support.tolist()
        np.testing.assert_allclose(batch.objectives[[0, 2]], alone.objective, rtol=1e-12)
    w = np.random.default_rng(0).integers(0, 3, 150)
    weighted = ksparse.fit(X, y, 4, sample_weight=w, **given)
    repeated = ksparse.fit(np.repeat(X, w, axis=0), np.repeat(y, w), 4, **given)
    assert weighted.support.tolist() == repeated.support.tolist()
    assert weighted.objective == pytest.approx(repeated.objective, rel=1e-11)


@claims(PAGE, "X is read in place")
def test_x_is_read_in_place(data, monkeypatch, tmp_path):
    """The core sees the memory that was given, and leaves it as it is."""
    X, y = data
    seen, original = [], _core.Problem
    monkeypatch.setattr(_core, "Problem", lambda X, *rest: (seen.append(X), original(X, *rest))[1])
    np.save(tmp_path / "X.npy", X)
    forms = [
        X,
        np.asfortranarray(X),
        X.astype(np.float32),
        X > 0,
        np.asfortranarray(np.round(20 * X), np.int8),
        np.round(20 * X + 120).astype(np.uint8),
        np.load(tmp_path / "X.npy", mmap_mode="r"),
        csc_array(X),
        csr_array(X),
    ]
    for form in forms:
        before = form.copy()
        support = ksparse.fit(form, y, 2).support
        assert support.tolist() == [0, 1]
        data_of = (lambda A: A.data) if hasattr(form, "indptr") else np.asarray
        assert np.shares_memory(data_of(seen[-1]), data_of(form))
        np.testing.assert_array_equal(data_of(before), data_of(form))


@claims(PAGE, "Units do not matter")
@pytest.mark.parametrize(("factor", "shift"), [(1e150, 0.0), (1e-150, 0.0), (1.0, 2000.0), (0.1, 2000.0)])
def test_units_do_not_matter(data, factor, shift):
    """The same features, F and linear predictors."""
    X, y = data
    plain, other = ksparse.fit(X, y, 3), ksparse.fit(X * factor + shift, y, 3)
    assert other.support.tolist() == plain.support.tolist()
    assert other.objective == pytest.approx(plain.objective, rel=1e-9)
    np.testing.assert_allclose(other.coef * factor, plain.coef, rtol=1e-6, atol=1e-12)


@claims(PAGE, "The result is stationary: the Newton", "converged |")
@pytest.mark.parametrize("unit", [1.0, 1e6])
@pytest.mark.parametrize("tolerance", [1e-4, 1e-8])
def test_an_answer_is_stationary(data, unit, tolerance):
    """The decrement of the plain formulas in NumPy, with a ridge and without."""
    X, y = data
    X = X * unit
    for ridge in (0.0, 0.1 * unit**2):
        result = ksparse.fit(X, y, 3, tolerance=tolerance, ridge=ridge)
        Z = np.column_stack([X[:, result.support], np.ones(300)])
        p = result.predict_proba(X)
        penalty = np.append(np.full(3, ridge), 0.0)
        g = Z.T @ (p - y) / 300 + penalty * np.append(result.coef[result.support], 0)
        H = (Z.T * (p * (1 - p) / 300)) @ Z + np.diag(penalty)
        assert np.sqrt(g @ np.linalg.solve(H, g)) <= tolerance * 1.01 + 1e-12
        assert result.status == "converged"


@claims(PAGE, "Separable data are detected", "separable |", "If F of a classification loss falls below")
@pytest.mark.parametrize("loss", ["logistic", "focal", "probit", "cloglog", "exponential"])
def test_separable_data_are_noticed(data, loss):
    """All rows, or the rows of a flag; a ridge is the cure. A hinge has a minimum there."""
    X, _ = data
    y = X[:, 2] > 0.1
    flag = X.copy()
    flag[:, 0] = (np.arange(300) % 20 == 0) & y
    for Z, labels in ((X, y), (flag, np.where(flag[:, 0] > 0, 1.0, X[:, 3] + np.random.default_rng(0).logistic(size=300) > 0))):
        with pytest.warns(ksparse.ConvergenceWarning, match="add a ridge penalty"):
            result = ksparse.fit(Z, labels, 6, loss=loss)
        assert result.status == "separable"
        assert np.isfinite(result.coef).all()
        assert ksparse.fit(Z, labels, 6, loss=loss, ridge=1e-3).status == "converged"
    assert ksparse.fit(X, y, 1, loss="squared_hinge").status == "converged"


@claims(PAGE, "Ctrl-C works", "interrupted |")
def test_interrupts_threads_and_forks_have_tests():
    """In processes of their own, in these files."""
    folder = Path(__file__).parent
    for file, name in (
        ("test_interrupt.py", "test_interrupt_is_answered_at_once"),
        ("test_interrupt.py", "test_the_gil_is_released"),
        ("test_faults.py", "test_interrupts_at_any_moment_leave_everything_usable"),
        ("test_faults.py", "test_a_child_forked_during_a_call_works"),
        ("test_threads.py", "test_python_threads_over_one_x_get_the_answers_of_one"),
        ("test_threads.py", "test_a_child_forked_after_use_works"),
    ):
        assert f"def {name}(" in (folder / file).read_text(encoding="utf-8")


@claims(PAGE, "Two columns that differ by less than", "stalled |")
def test_columns_that_all_but_agree(data):
    """One of them enters; both that must be in end as the page says."""
    X, y = data
    noise = np.random.default_rng(1).standard_normal(300)
    one = ksparse.fit(X, y, 6).objective

    def pair(difference):
        return np.column_stack([X, X[:, 0] + difference * noise])

    assert {0, 6} <= set(ksparse.fit(pair(1e-4), y, 7).support)
    for difference in (3e-7, 1e-8, 1e-10, 1e-13, 0.0):
        result = ksparse.fit(pair(difference), y, 7)
        assert not {0, 6} <= set(result.support)
        assert result.objective == pytest.approx(one, rel=1e-7)
    for difference in (1e-8, 1e-12):
        with pytest.warns(ksparse.ConvergenceWarning):
            result = ksparse.fit(pair(difference), y, 7, always_in=[0, 6])
        assert result.status in ("stalled", "max_iterations")
        assert result.objective == pytest.approx(one, rel=1e-6)
    assert ksparse.fit(pair(0.0), y, 7, always_in=[0, 6]).status == "converged"


@claims(PAGE, "A column whose spread is below")
def test_columns_of_next_to_no_spread(data):
    """1e-285 is a column, 1e-295 is a constant; a ridge leaves no room for 1e-200."""
    X, y = data
    scales = np.ones(6)
    for scale, enters in ((1e-285, True), (1e-295, False)):
        scales[0] = scale
        assert (0 in ksparse.fit(X * scales, y, 2).support) == enters
    scales[0] = 1e-200
    assert 0 not in ksparse.fit(X * scales, y, 2, ridge=1e-3).support


@claims(PAGE, "An entry of less than about")
def test_entries_that_are_small_beside_the_largest(data):
    """With them or without, the same answer."""
    X, y = data
    small, none = X.copy(), X.copy()
    small[:, 0], none[:, 0] = np.where(np.arange(300) == 5, 1.0, 1e-13 * X[:, 0]), np.where(np.arange(300) == 5, 1.0, 0.0)
    a, b = (ksparse.fit(Z, y, 3, always_in=[0], ridge=1e-3) for Z in (small, none))
    assert a.support.tolist() == b.support.tolist()
    np.testing.assert_allclose(a.coef, b.coef, atol=1e-10)


SHORTER = """
import os, sys, numpy as np, ksparse
X = np.lib.format.open_memmap(sys.argv[1], mode="w+", dtype=float, shape=(20000, 100))
X[:] = 1.0
X.flush()
mapped = np.load(sys.argv[1], mmap_mode="r")
os.truncate(sys.argv[1], 4096)
print("cut", flush=True)
ksparse.fit(mapped, np.arange(20000) % 2, 2)
"""


@claims(PAGE, "If the file of a memory map is truncated")
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other signals")
def test_a_file_that_is_made_shorter_ends_the_process(tmp_path):
    """By SIGBUS, as the sum of such an array in NumPy does."""
    for last in ("ksparse.fit(mapped, np.arange(20000) % 2, 2)", "mapped.sum()"):
        code = SHORTER.replace("ksparse.fit(mapped, np.arange(20000) % 2, 2)", last)
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "X.npy")], capture_output=True, text=True, check=False
        )
        assert done.stdout == "cut\n"
        assert done.returncode == -7


class Command:
    """What a pickle may run."""

    def __reduce__(self):
        return os.getenv, ("KSPARSE_NO_SUCH_VARIABLE", "it ran")


@claims(PAGE, "Unpickle only files that you trust")
def test_pickles(data):
    """They run what they name; of a result a change is noticed, or is a number like another (test_stored.py)."""
    assert pickle.loads(pickle.dumps(Command())) == "it ran"
    result = ksparse.fit(*data, 2)
    for name, value, taken in (("intercept", 7.0, True), ("support", np.array([0, 99]), False)):
        changed = ksparse.fit(*data, 2)
        object.__setattr__(changed, name, value)
        stored = pickle.dumps(changed)
        if taken:
            assert pickle.loads(stored).intercept != result.intercept
        else:
            with pytest.raises(ValueError, match="support of a stored FitResult"):
                pickle.loads(stored)


@claims(
    PAGE,
    "C++ (ksparse::Status) and Python use the same names",
    "A fit that does not converge gives a warning",
    "Scorecards, formulas, summaries",
    "max_iterations |",
    "numerical_failure |",
)
def test_statuses(data):
    """Words of the core, warnings of both classes, and the advice wherever such a fit is shown (test_cautions.py)."""
    X, y = data
    words = re.findall(
        r'return "(\w+)";', (Path(__file__).parents[2] / "cpp/include/ksparse/result.hpp").read_text(encoding="utf-8")
    )
    assert set(_core.status_names()) <= set(words)
    with pytest.warns(ksparse.ConvergenceWarning, match="raise max_newton, or add a ridge"):
        result = ksparse.fit(X, y, 2, max_newton=1)
    assert result.status == "max_iterations"
    for shown in (result.scorecard(), result.formula(), result.summary(), result.to_python(), result.to_sql(), result):
        assert "raise max_newton" in " ".join(str(shown).split())
    with pytest.warns(ConvergenceWarning, match="raise max_newton"):
        ksparse.KSparseClassifier(2, max_newton=1).fit(X, y)
    with pytest.warns(ksparse.ConvergenceWarning, match="a number in the result, overflows"):
        result = ksparse.fit(X, y, 2, loss="squared_hinge", offset=np.full(300, -1e200), fit_intercept=False)
    assert result.status == "numerical_failure"


def test_every_statement_of_the_page_is_run():
    """What no test names is not on the page, and what is gone is in no test."""
    assert uncovered(PAGE) == []
    assert unfounded(PAGE) == []
