"""Least squares, whose objective is a quadratic function, so that its search may know more than others."""

import itertools

import ksparse
import numpy as np
import pytest
import scipy.sparse
from scipy.linalg import hadamard


def orthogonal_problem(seed, n_features=127):
    """Columns that are orthogonal to each other and to the intercept, so that the best features are those of largest slope."""
    rng = np.random.default_rng(seed)
    X = hadamard(128)[:, 1 : 1 + n_features].astype(float)
    coef = np.zeros(n_features)
    coef[rng.choice(n_features, 8, replace=False)] = rng.permutation(np.arange(1.0, 9.0))
    return X, X @ coef + rng.standard_normal(128), coef


def test_no_refit_of_an_exchange_that_cannot_help():
    """The model of a scan is exact, so a support that it calls the best is not compared with its neighbours by refits."""
    X, y, coef = orthogonal_problem(0)
    result = ksparse.fit(X, y, 5, loss="squared", search="fast")
    assert set(result.support) == set(np.argsort(-np.abs(coef))[:5])
    assert result.n_refits == 7  # the empty support, one for each of five features, and the answer to the user's tolerance


def random_problem(seed, n=200, p=60, rho=0.6, noise=1.0, coefs=6):
    """Correlated columns far from 0 in units of their own, some of which make y."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    y = 5 + X[:, rng.choice(p, coefs, replace=False)] @ rng.standard_normal(coefs) + noise * rng.standard_normal(n)
    return X * 10.0 ** rng.uniform(-3, 3, p) + rng.uniform(-3, 3, p), y


def exact_objective(X, y, support, weights=None, offset=0.0, ridge=0.0, fit_intercept=True):
    """F on a support, by NumPy's orthogonal decomposition of the rows, weighted, with rows for the penalty."""
    weights = np.ones(len(y)) if weights is None else weights
    A = np.column_stack([X[:, support], np.ones(len(y))]) if fit_intercept else X[:, support]
    scale = np.maximum(np.abs(A).max(axis=0, initial=0.0), 1e-300)
    root = np.sqrt(weights / weights.sum())
    penalty = np.diag(np.sqrt(ridge) / scale)[: len(support)]
    rows = np.vstack([root[:, None] * A / scale, penalty])
    right = np.concatenate([root * (y - offset), np.zeros(len(support))])
    solution = np.linalg.lstsq(rows, right, rcond=1e-15)[0]
    return 0.5 * float(np.sum((rows @ solution - right) ** 2))


def variations():
    """Names and settings of problems that the Gram matrix has to answer as the rows do."""
    rng = np.random.default_rng(9)
    weights = rng.integers(0, 4, 200).astype(float)
    yield "plain", {}, {}
    yield "weights", {}, {"sample_weight": weights}
    yield "offset", {}, {"offset": 1e3 * rng.standard_normal(200)}
    yield "ridge", {}, {"ridge": 0.1}
    yield "no intercept", {}, {"fit_intercept": False}
    yield "required", {}, {"always_in": [3, 50], "never_in": [5, 6]}
    yield "wide", {"p": 700}, {}
    yield "little noise", {"noise": 1e-9}, {}
    yield "no noise", {"noise": 0.0}, {}
    yield "all alike", {"rho": 1 - 1e-7}, {}


@pytest.mark.parametrize(("name", "data", "settings"), [*variations()], ids=[name for name, _, _ in variations()])
def test_path_has_the_objectives_of_its_supports(name, data, settings):
    """Each entry is the minimum on its support as a decomposition of the rows finds it, and no worse than a single fit."""
    X, y = random_problem(4, **data)
    path = ksparse.fit_path(X, y, range(2, 9), loss="squared", **settings)
    at_nothing = exact_objective(X, y, [], settings.get("sample_weight"), settings.get("offset", 0.0))
    for result in path:
        right = exact_objective(
            X,
            y,
            result.support,
            settings.get("sample_weight"),
            settings.get("offset", 0.0),
            settings.get("ridge", 0.0),
            settings.get("fit_intercept", True),
        )
        assert result.converged
        assert result.objective == pytest.approx(right, rel=1e-9, abs=1e-13 * at_nothing)
        single = ksparse.fit(X, y, result.k, loss="squared", search="fast", **settings)
        assert result.objective <= single.objective * (1 + 1e-9) + 1e-27 * at_nothing


def test_path_finds_the_best_supports():
    """By enumeration of all supports of eight features."""
    X, y = random_problem(2, n=60, p=8)
    path = ksparse.fit_path(X, y, range(9), loss="squared")
    for k, result in enumerate(path):
        best = min(exact_objective(X, y, list(support)) for support in itertools.combinations(range(8), k))
        assert result.objective == pytest.approx(best, rel=1e-9)


def test_path_over_copies_and_constants():
    """Copies of a column, sums of columns and constants, whose normal equations are singular, do no harm."""
    X, y = random_problem(3, p=12)
    X = np.column_stack([X, X, X[:, :3] @ [1.0, 2.0, 3.0], np.full(200, 7.0), np.zeros(200)])
    path = ksparse.fit_path(X, y, range(13), loss="squared")
    alone = ksparse.fit_path(X[:, :12], y, range(13), loss="squared")
    assert (path.objectives <= alone.objectives * (1 + 1e-9)).all()
    assert path[12].objective == pytest.approx(alone[12].objective, rel=1e-9)
    for result in path:
        assert result.objective == pytest.approx(exact_objective(X, y, result.support), rel=1e-9)
    required = ksparse.fit_path(X, y, range(4, 8), loss="squared", always_in=[0, 12, 25, 26])
    for result in required:
        assert result.objective == pytest.approx(exact_objective(X, y, result.support), rel=1e-9)


@pytest.mark.parametrize("kind", ["rows", "float32", "sparse", "weights as rows", "many rows"])
def test_path_does_not_depend_on_how_rows_are_given(kind):
    """Layout and storage of X, and weights instead of repeated rows, change nothing."""
    X, y = random_problem(6, n=1100 if kind == "many rows" else 200)
    X = X.astype(np.float32)
    plain = ksparse.fit_path(np.asfortranarray(X, dtype=np.float64), y, range(9), loss="squared")
    if kind == "weights as rows":
        weights = np.random.default_rng(0).integers(0, 4, 200)
        plain = ksparse.fit_path(X, y, range(9), loss="squared", sample_weight=weights.astype(float))
        X, y = np.repeat(X, weights, axis=0), np.repeat(y, weights)
    form = {"float32": np.asfortranarray, "sparse": scipy.sparse.csc_array}.get(kind, np.ascontiguousarray)
    other = ksparse.fit_path(form(X) if kind == "float32" else form(X.astype(np.float64)), y, range(9), loss="squared")
    assert [s.tolist() for s in other.supports] == [s.tolist() for s in plain.supports]
    np.testing.assert_allclose(other.objectives, plain.objectives, rtol=1e-12)


def test_an_entry_that_is_not_finite_is_named():
    """The rows are read first by who names what is wrong."""
    X, y = random_problem(1)
    X[17, 5] = np.nan
    with pytest.raises(ValueError, match=r"X\[17, 5\]|column 5|NaN"):
        ksparse.fit_path(X, y, range(9), loss="squared")
