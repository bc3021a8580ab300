"""Supports of many features: the same answers as elsewhere, for work that does not grow with every feature."""

import itertools

import ksparse
import numpy as np
import pytest


def regression(seed, n, p, rho=0.5):
    """Return X of neighbours that correlate, numbers and labels that a third of the columns made."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    eta = X @ (rng.standard_normal(p) * (rng.random(p) < 0.3))
    eta /= eta.std()
    return X, eta + rng.standard_normal(n), (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)


@pytest.mark.parametrize("loss", ["squared", "huber", "logistic", "squared_hinge"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_all_features_are_one_support(loss, order):
    """Where k is the number of columns there is nothing to choose: one refit of all of them, whose F is the same."""
    X, numbers, labels = regression(0, 400, 90)
    X, y = np.asarray(X, order=order), numbers if loss in ("squared", "huber") else labels
    got = ksparse.fit(X, y, 90, loss=loss, ridge=1e-3)
    forced = ksparse.fit(X, y, 90, loss=loss, ridge=1e-3, always_in=range(90))
    assert got.support.tolist() == list(range(90))
    assert got.objective == pytest.approx(forced.objective, rel=1e-12)
    assert got.n_refits <= 5
    assert got.n_scans <= forced.n_scans


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_combinations_of_columns_stay_out_where_all_may_be_in(loss):
    """Copies, sums, a constant and a full set of dummies: as many features as the columns have rank, at the F of all."""
    X, numbers, labels = regression(1, 300, 40)
    y = numbers if loss == "squared" else labels
    dummies = np.eye(3)[np.random.default_rng(0).integers(0, 3, 300)]
    wide = np.column_stack([X, X[:, :5], X[:, 0] + X[:, 7], np.full(300, 3.0), dummies, -2 * X[:, 20]])
    p = wide.shape[1]
    rank = np.linalg.matrix_rank(wide - wide.mean(0))
    for k in (p, p - 1, rank):
        got = ksparse.fit(wide, y, k, loss=loss, ridge=0.0)
        assert got.converged
        assert len(got.support) == rank
        plain = ksparse.fit(np.column_stack([X, dummies[:, :2]]), y, rank, loss=loss, always_in=range(rank))
        assert got.objective == pytest.approx(plain.objective, rel=1e-9)


def test_one_less_than_all_leaves_out_the_least():
    """Enumerated: every support of p - 1 columns by NumPy."""
    X, y, _ = regression(2, 200, 50)
    centred, target = X - X.mean(0), y - y.mean()
    gram, moment = centred.T @ centred, centred.T @ target
    kept = [np.delete(np.arange(50), j) for j in range(50)]
    explained = [moment[some] @ np.linalg.solve(gram[np.ix_(some, some)], moment[some]) for some in kept]
    losses = (target @ target - np.array(explained)) / 400
    got = ksparse.fit(X, y, 49, loss="squared")
    assert got.objective == pytest.approx(losses.min(), rel=1e-10)
    assert np.setdiff1d(np.arange(50), got.support).tolist() == [int(np.argmin(losses))]


@pytest.mark.parametrize("k", [40, 75, 110])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_large_supports_are_swap_optimal(k, loss):
    """By the exact change of every swap for least squares; for labels by refits of the most promising."""
    X, numbers, labels = regression(3, 500, 120)
    if loss == "squared":
        got = ksparse.fit(X, numbers, k, loss=loss)
        centred, target = X - X.mean(0), numbers - numbers.mean()
        gram, moment = centred.T @ centred / 500, centred.T @ target / 500
        rest = np.setdiff1d(np.arange(120), got.support)

        def explained(columns):
            return moment[columns] @ np.linalg.solve(gram[np.ix_(columns, columns)], moment[columns]) / 2

        here = explained(got.support)
        best = max(explained(np.append(np.delete(got.support, i), j)) for i in range(0, k, 10) for j in rest[::7])
        assert best <= here * (1 + 1e-9)
    else:
        got = ksparse.fit(X, labels, k, loss=loss, ridge=1e-3)
        assert got.alternatives(1).increase.min() >= -1e-8 * got.objective
    assert len(got.support) == k


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_work_does_not_grow_with_every_feature(loss):
    """A support of 100 takes fewer refits than it has features."""
    X, numbers, labels = regression(4, 600, 250, rho=0.0)
    got = ksparse.fit(X, numbers if loss == "squared" else labels, 100, loss=loss, ridge=1e-3, search="fast")
    assert got.n_refits < 100
    assert got.n_scans < 20


@pytest.mark.filterwarnings("ignore::ksparse.ConvergenceWarning")
@pytest.mark.parametrize(("n", "loss"), [(30, "squared"), (30, "logistic"), (60, "logistic")])
def test_more_features_than_rows_can_tell_apart(n, loss):
    """All of them fit perfectly: the search starts from none and ends with no more than it needs."""
    X, numbers, labels = regression(5, n, 80)
    got = ksparse.fit(X, numbers if loss == "squared" else labels, 60, loss=loss, search="fast")
    assert got.objective < 1e-8
    assert len(got.support) <= min(n, 60)


def test_constraints_hold_for_large_supports():
    """Features that must be in or out, and bounds, with starts that hold too many features."""
    X, y, _ = regression(6, 400, 100)
    got = ksparse.fit(X, y, 60, loss="squared", always_in=[3, 99], never_in=range(10, 20), bounds=(0, None))
    assert {3, 99} <= set(got.support) | set(np.flatnonzero(got.coef == 0))
    assert not set(range(10, 20)) & set(got.support)
    assert (got.coef >= 0).all()
    assert len(got.support) <= 60
    groups = np.repeat(np.arange(50), 2)
    grouped = ksparse.fit(X, y, 40, loss="squared", groups=groups, search="fast")
    assert len(np.unique(groups[grouped.support])) == 40
    every = ksparse.fit(X, y, 50, loss="squared", groups=groups)
    assert every.objective == pytest.approx(ksparse.fit(X, y, 100, loss="squared").objective, rel=1e-10)


def test_path_over_many_ks():
    """F never rises, budgets hold, the ends are those of single fits, and entries share their work."""
    X, _, y = regression(7, 400, 100)
    ks = range(1, 101)
    path = ksparse.fit_path(X, y, ks, ridge=1e-3, search="fast")
    assert (np.diff(path.objectives) <= 0).all()
    assert all(len(result.support) <= k for k, result in zip(ks, path, strict=True))
    for k in (33, 50, 64, 100):
        single = ksparse.fit(X, y, k, ridge=1e-3, search="fast").objective
        assert path.at(k).objective <= single * (1 + 1e-9)
    assert path[0].n_refits < 50 * len(ks)


def test_working_set_does_not_jump():
    """Refits and scans from one k to the next, where the working set once went from 192 features to all 600."""
    X, y, _ = regression(8, 700, 600, rho=0.0)
    scans = [ksparse.fit(X, y, k, loss="squared", search="fast").n_scans for k in (95, 96, 97, 98)]
    assert all(b <= 2 * a + 2 for a, b in itertools.pairwise(scans))


@pytest.mark.parametrize("ks", [[2], [2, 5], [40, 60]])
def test_a_path_whose_budget_is_what_must_be_in(ks):
    """Features that must be in never leave, however small the budget."""
    X, y, _ = regression(9, 300, 120)
    must = [7, 90] if ks[0] == 2 else [*range(40)]
    path = ksparse.fit_path(X, y, ks, loss="squared", always_in=must)
    assert path[0].support.tolist() == must
    assert all(set(must) <= set(result.support) for result in path)
