"""A path: every k in one call, never worse than single fits, and what it says of them."""

import math
import sys

import hypothesis.strategies as st
import ksparse
import numpy as np
import pytest
from hypothesis import given, settings
from reference import exclusive_levels, random_problem, small_problems


def designs():
    """Designs where the working set is a part of the features, and where it is all of them."""
    yield random_problem(1, n=200, p=300, rho=0.9, ridge=1e-3, signal=3.0)
    yield random_problem(2, n=150, p=30, rho=0.5, ridge=1e-3)
    yield random_problem(3, n=250, p=200, rho=0.7, loss="focal", ridge=1e-3)
    yield random_problem(4, n=1300, p=400, rho=0.8, ridge=0.0)  # rows enough for sampled Hessians


@pytest.mark.parametrize("search", ["fast", "auto"])
@pytest.mark.parametrize("problem", [*designs()], ids=["wide", "small", "focal", "tall"])
def test_entries_are_no_worse_than_single_fits(problem, search):
    """With the same settings, at every k; and F never rises."""
    path = ksparse.fit_path(problem.X, problem.y, range(9), search=search, **problem.settings)
    single = [ksparse.fit(problem.X, problem.y, k, search=search, **problem.settings).objective for k in range(9)]
    assert (path.objectives <= np.array(single) * (1 + 1e-9)).all()
    assert (np.diff(path.objectives) <= 0).all()
    assert all(len(support) <= k for k, support in enumerate(path.supports))


@pytest.mark.parametrize("problem", [*designs()], ids=["wide", "small", "focal", "tall"])
def test_warm_starts_alone_reach_the_first_and_fall(problem):
    """Without cold starts each entry still is a fit of its own support, and the path falls."""
    path = ksparse.fit_path(problem.X, problem.y, [1, 3, 5], cold_starts=False, **problem.settings)
    assert path.objectives[0] == pytest.approx(ksparse.fit(problem.X, problem.y, 1, **problem.settings).objective, rel=1e-9)
    assert (np.diff(path.objectives) < 0).all()


@settings(max_examples=25, deadline=None)
@given(small_problems(), st.data())
def test_every_entry_is_swap_optimal(problem, data):
    """No exchange of one feature lowers the objective of any entry."""
    p = problem.X.shape[1]
    path = ksparse.fit_path(problem.X, problem.y, range(p + 1), **problem.settings)
    result = path[data.draw(st.integers(0, p))]
    for i, leaving in enumerate(result.support):
        for entering in np.setdiff1d(np.arange(p), result.support):
            columns = np.sort(np.append(np.delete(result.support, i), entering))
            swapped = ksparse.fit(problem.X[:, columns], problem.y, len(columns), **problem.settings)
            assert swapped.objective >= result.objective * (1 - 1e-7), (leaving, entering)


def test_a_working_set_that_grows_with_k():
    """Budgets on both sides of the size at which the working set doubles."""
    problem = random_problem(5, n=300, p=400, ridge=1e-2)
    ks = [2, 23, 25, 40]
    path = ksparse.fit_path(problem.X, problem.y, ks, **problem.settings)
    for k, result in zip(ks, path, strict=True):
        assert result.objective <= ksparse.fit(problem.X, problem.y, k, **problem.settings).objective * (1 + 1e-9)


@pytest.mark.parametrize("seed", [2, 6, 15])
def test_by_default_no_k_is_worse_than_a_single_fit(seed):
    """Each k is searched as a single fit by default is, also where one descent rarely finds the best: on dummies of categories."""
    X, y = exclusive_levels(seed)
    path = ksparse.fit_path(X, y, range(1, 7), ridge=1e-4)
    for k, result in zip(range(1, 7), path, strict=True):
        assert result.objective <= ksparse.fit(X, y, k, ridge=1e-4).objective * (1 + 1e-9), k


def test_criteria_by_their_formulas():
    """From the log-likelihood of scikit-learn's probabilities, with the whole problem's n and p; weights count as rows."""
    problem = random_problem(6, n=120, p=12, ridge=1e-2)
    weights = np.random.default_rng(0).integers(1, 4, 120).astype(float)
    path = ksparse.fit_path(problem.X, problem.y, [0, 2, 5], sample_weight=weights, **problem.settings)
    n, p = weights.sum(), 12
    for i, s in enumerate([0, 2, 5]):
        margins = (2 * problem.y - 1) * path[i].decision_function(problem.X)
        deviance = 2 * np.sum(weights * np.log1p(np.exp(-margins)))
        expected = {
            "aic": deviance + 2 * (s + 1),
            "bic": deviance + math.log(n) * (s + 1),
            "ebic": deviance + math.log(n) * (s + 1) + 2 * math.log(math.comb(p, s)),
            "gic": deviance + s * math.log(p) * math.log(math.log(n)),
        }
        for name, value in expected.items():
            assert path.criterion(name)[i] == pytest.approx(value, rel=1e-10)
    repeated = np.repeat(np.arange(120), weights.astype(int))
    rows = ksparse.fit_path(problem.X[repeated], problem.y[repeated], [0, 2, 5], **problem.settings)
    for name, values in path.criteria.items():
        np.testing.assert_allclose(rows.criterion(name), values, rtol=1e-8)


def test_best_finds_the_truth():
    """On data that three features made, also where one separates the classes and its fit cannot converge."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((800, 60))
    y = (X[:, 5] - X[:, 20] + X[:, 41] + rng.logistic(size=800) > 0).astype(int)
    path = ksparse.fit_path(X, y, range(1, 9))
    for name in ("ebic", "gic"):
        assert path.best(name).support.tolist() == [5, 20, 41]
    separable = (X[:, 5] > 0).astype(int)
    with pytest.warns(ksparse.ConvergenceWarning, match="k=1 separable.*ridge"):
        path = ksparse.fit_path(X, separable, [0, 1])
    assert path.best("aic").support.tolist() == [5]


def test_best_takes_fits_that_separate_the_classes():
    """Their F is known, next to its infimum, and so is their criterion; the status says what they are."""
    problem = random_problem(3, n=60, p=6, ridge=0.0)
    separated = np.column_stack([problem.X, problem.X[:, 0] + problem.X[:, 1]])
    y = separated[:, 6] > 0.3
    with pytest.warns(ksparse.ConvergenceWarning, match="separable"):
        path = ksparse.fit_path(separated[:, :6], y, [0, 1, 2, 3])
    assert [result.status for result in path] == ["converged", "converged", "separable", "separable"]
    assert path.best("bic").k == 2 == path.ks[np.argmin(path.criterion("bic"))]
    assert path.best("bic").status == "separable"
    with pytest.warns(ksparse.ConvergenceWarning, match="separable"):
        path = ksparse.fit_path(separated, y, [1, 2])
    assert path.best("bic").support.tolist() == [6]


def test_criteria_need_a_likelihood():
    """The focal loss is none unless gamma is 0; then it is half of the logistic one."""
    problem = random_problem(7, loss="logistic", ridge=0.0, n=200)
    focal = ksparse.fit_path(problem.X, problem.y, [1, 2], loss="focal")
    assert focal.criteria == {}
    with pytest.raises(ValueError, match=r"'bic' needs a likelihood, which the focal loss with gamma=2 is not"):
        focal.best("bic")
    with pytest.raises(ValueError, match="criterion is 'bicc'; it must be one of 'aic', 'bic', 'ebic', 'gic'"):
        focal.criterion("bicc")
    plain = ksparse.fit_path(problem.X, problem.y, [1, 2], loss="focal", gamma=0.0)
    logistic = ksparse.fit_path(problem.X, problem.y, [1, 2])
    np.testing.assert_allclose(plain.criterion("bic"), logistic.criterion("bic"), rtol=1e-10)


def test_the_sequence_of_fits():
    """Length, items, lookup by k; unsorted and repeated ks are put in order."""
    problem = random_problem(8)
    path = ksparse.fit_path(problem.X, problem.y, np.array([3, 1, 3]), **problem.settings)
    assert path.ks.tolist() == [1, 3]
    assert len(path) == 2
    assert len(list(path)) == 2
    assert path.at(3) is path[1]
    assert path.coefs.shape == (2, 8)
    assert path.intercepts.shape == (2,)
    with pytest.raises(KeyError, match=r"k is 2; the path has k in \[1, 3\]"):
        path.at(2)
    assert "PathResult of 2 fits" in repr(path)
    assert "converged" in repr(path)


@pytest.mark.parametrize(
    ("ks", "error", "message"),
    [
        ([], ValueError, "ks is empty"),
        ([-1], ValueError, r"ks\[0\] is -1; it must be >= 0"),
        ([1.5], TypeError, r"ks\[0\] is 1.5; it must be an integer"),
        (3, TypeError, "ks is 3; it must be a list of integers"),
        ("12", ValueError, "ks is '12'; it must be one of 'aic', 'bic', 'ebic', 'gic', or a list of integers"),
    ],
)
def test_bad_ks(ks, error, message):
    """What was given and what it must be."""
    problem = random_problem(9)
    with pytest.raises(error, match=message):
        ksparse.fit_path(problem.X, problem.y, ks)


def test_bad_data_are_named():
    """As by a single fit."""
    problem = random_problem(9)
    problem.X[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"X\[3, 2\] is nan"):
        ksparse.fit_path(problem.X, problem.y, [1, 2])
    with pytest.raises(TypeError, match="cold_starts is 1; it must be True or False"):
        ksparse.fit_path(problem.X, problem.y, [1], cold_starts=1)


def test_the_table():
    """A row per k, names from a data frame."""
    pandas = pytest.importorskip("pandas")
    problem = random_problem(10, n=150)
    names = [f"gene{j}" for j in range(8)]
    path = ksparse.fit_path(pandas.DataFrame(problem.X, columns=names), problem.y, [1, 2], **problem.settings)
    frame = path.to_frame()
    assert frame.index.tolist() == [1, 2]
    assert frame.index.name == "k"
    assert frame.loc[2, "support"] == [names[j] for j in path[1].support]
    np.testing.assert_array_equal(frame["ebic"], path.criterion("ebic"))


def test_what_is_missing_is_named(monkeypatch):
    """Optional packages: what needs them, and how to install them."""
    path = ksparse.fit_path(*(lambda problem: (problem.X, problem.y))(random_problem(12)), [1], ridge=1e-2)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModuleNotFoundError, match=r"to_frame\(\) needs pandas, which is not installed: pip install pandas"):
        path.to_frame()
