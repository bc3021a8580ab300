"""Stability selection: counts are counts of fits on the resampled rows."""

import ksparse
import numpy as np
import pytest
from ksparse import _core
from ksparse._input.request import Inputs, Request, Settings
from ksparse._results import resampling
from ksparse._results.resampling import _resamplings
from reference import random_problem


def test_rounds_are_fits_on_the_resampled_rows():
    """Each support is that of a fit with the round's counts as weights; frequencies and pairs are their averages."""
    problem = random_problem(1, n=160, p=12, rho=0.8, ridge=1e-2)
    for sampling in ("subsample", "bootstrap"):
        result = ksparse.stability_selection(problem.X, problem.y, 3, rounds=30, sampling=sampling, **problem.settings)
        assert len(result.supports) == 30
        matrix = np.zeros((30, 12))
        for row, support in zip(matrix, result.supports, strict=True):
            row[support] = 1
        np.testing.assert_allclose(result.frequency, matrix.mean(0))
        order = result.features
        np.testing.assert_allclose(result.together, (matrix.T @ matrix / 30)[np.ix_(order, order)])
        assert (np.diff(result.frequency[order]) <= 0).all()
    request = Request.of(Inputs(problem.X, None, None, Settings()), problem.y)
    counts = _resamplings(request, 30, "bootstrap", 0.5)
    assert counts.dtype == np.uint8
    for count, support in zip(counts.T, result.supports, strict=True):
        assert count.sum() == 160
        assert count[problem.y == 1].sum() == problem.y.sum()
        again = ksparse.fit(problem.X, problem.y, 3, sample_weight=count, search="fast", **problem.settings)
        assert again.support.tolist() == support.tolist()


@pytest.mark.parametrize("sampling", ["subsample", "bootstrap"])
@pytest.mark.parametrize("weighted", [False, True])
def test_rounds_together_are_rounds_apart(sampling, weighted, monkeypatch):
    """Rounds share passes over X, and with weights they go in parts; a path of one k for each round gives the same."""
    problem = random_problem(6, n=150, p=40, rho=0.8, ridge=1e-2)
    rng = np.random.default_rng(0)
    weights, offset = rng.uniform(0.5, 2.0, 150) if weighted else None, 0.3 * rng.standard_normal(150)
    monkeypatch.setattr(resampling, "_ROUNDS_AT_ONCE", 7)
    monkeypatch.setattr(resampling, "_LARGEST_PRODUCT", 1)
    keywords = {"sample_weight": weights, "offset": offset, "always_in": [5], **problem.settings}
    result = ksparse.stability_selection(problem.X, problem.y, 3, rounds=16, sampling=sampling, n_jobs=2, **keywords)
    settings = Settings(search="fast", always_in=[5], **problem.settings)
    request = Request.of(Inputs(problem.X, weights, offset, settings), problem.y)
    counts = np.ascontiguousarray(_resamplings(request, 16, sampling, 0.5).T, dtype=np.int64)
    tasks = [(i, request.kernel, request.options, False) for i in range(16)]
    paths = _core.fit_paths(request.problem, counts, tasks, [3], 1)
    assert [support.tolist() for support in result.supports] == [path[0].support.tolist() for path in paths]
    assert list(result.status) == [path[0].status for path in paths]


def test_seeds_and_threads():
    """The same seed gives the same answer on any number of threads; another seed another one."""
    problem = random_problem(2, n=120, p=30, rho=0.9, ridge=1e-2)
    first = ksparse.stability_selection(problem.X, problem.y, 3, rounds=20, **problem.settings)
    again = ksparse.stability_selection(problem.X, problem.y, 3, rounds=20, n_jobs=3, **problem.settings)
    other = ksparse.stability_selection(problem.X, problem.y, 3, rounds=20, random_state=1, **problem.settings)
    np.testing.assert_array_equal(first.frequency, again.frequency)
    assert (first.frequency != other.frequency).any()


def test_stable_features_and_rivals():
    """A clear feature is stable; two copies of another are rivals."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 20))
    X[:, 11] = X[:, 10] + 0.1 * rng.standard_normal(400)
    y = 2 * X[:, 3] + X[:, 10] + X[:, 11] + rng.logistic(size=400) > 0
    result = ksparse.stability_selection(X, y, 2)
    assert result.stable(1.0).tolist() == [3]
    a, b, missing = result.rivals()[0]
    assert {a, b} == {10, 11}
    assert missing > 0.05
    head, _, *lines = repr(result).splitlines()
    assert head == f"stability selection with k=2, 100 rounds: {len(result.features)} features were chosen in some round"
    assert [line.split() for line in lines[:2]] == [[f"x{j}", f"{result.frequency[j]:.2f}"] for j in result.features[:2]]
    many = repr(ksparse.stability_selection(rng.standard_normal((60, 40)), y[:60], 3, rounds=20, ridge=1e-2)).splitlines()
    assert (len(many), many[-1]) == (13, "  ...")


def test_rows_of_weight_zero_are_never_drawn():
    """They are not part of the data; weights that are no counts of rows multiply those that were drawn."""
    problem = random_problem(3, n=200, p=10, ridge=1e-2)
    weights = np.where(np.arange(200) < 100, 1.5, 0.0)
    part = ksparse.stability_selection(problem.X[:100], problem.y[:100], 2, rounds=10, **problem.settings)
    whole = ksparse.stability_selection(problem.X, problem.y, 2, rounds=10, sample_weight=weights, **problem.settings)
    np.testing.assert_array_equal(part.frequency, whole.frequency)


def test_the_table():
    """Names of a data frame, the most frequent first."""
    pandas = pytest.importorskip("pandas")
    problem = random_problem(4, n=150)
    frame = pandas.DataFrame(problem.X, columns=[f"gene{j}" for j in range(8)])
    result = ksparse.stability_selection(frame, problem.y, 2, rounds=10, **problem.settings)
    table = result.to_frame()
    assert table["feature"].tolist() == [f"gene{j}" for j in result.features]
    np.testing.assert_array_equal(table["frequency"], result.frequency[result.features])


def test_rounds_that_do_not_converge_are_counted():
    """Separable subsamples: a warning with their number."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 5))
    y = X[:, 1] > 0
    with pytest.warns(ksparse.ConvergenceWarning, match="10 of 10 rounds did not converge .separable.*ridge"):
        result = ksparse.stability_selection(X, y, 1, rounds=10)
    assert result.frequency[1] == 1.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"rounds": 0}, ValueError, "rounds is 0; it must be >= 1"),
        ({"sampling": "jackknife"}, ValueError, "sampling is 'jackknife'; it must be one of 'subsample', 'bootstrap'"),
        ({"fraction": 1.0}, ValueError, r"fraction is 1.0; it must be in \(0, 1\)"),
        ({"n_jobs": "two"}, TypeError, "n_jobs is 'two'; it must be an integer or None"),
        ({"n_jobs": 0}, ValueError, "n_jobs is 0; it must be a number of threads"),
        ({"always_in": [1, 2, 3]}, ValueError, "always_in names 3 features but k is 2"),
        ({"sample_weight": np.full(80, -1.0)}, ValueError, r"sample_weight\[0\] is -1.0; weights must be finite and >= 0"),
    ],
)
def test_bad_arguments(arguments, error, message):
    """What was given and what it must be."""
    problem = random_problem(5)
    with pytest.raises(error, match=message):
        ksparse.stability_selection(problem.X, problem.y, 2, **arguments)


def test_nan_is_named_by_row_and_column():
    """In the words of a single fit, with the name of the column."""
    pandas = pytest.importorskip("pandas")
    problem = random_problem(5)
    problem.X[7, 2] = np.nan
    frame = pandas.DataFrame(problem.X, columns=[f"gene{j}" for j in range(8)])
    with pytest.raises(ValueError, match=r"X\[7, 2\] \(column 'gene2'\) is nan; X must be finite"):
        ksparse.stability_selection(frame, problem.y, 2)
