"""The losses absolute, quantile and hinge, against linear programming, enumeration and scikit-learn."""

from __future__ import annotations

import pickle
import runpy
from pathlib import Path

import ksparse
import numpy as np
import pytest
from ksparse import losses
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import QuantileRegressor
from sklearn.svm import SVC, SVR

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "kinked_losses.py"
LOSSES = [losses.Absolute(), losses.Quantile(0.3), losses.Quantile(0.9), losses.Hinge()]

by_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)


def problem(loss, seed=0, n=90, p=12):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    y = X[:, [2, 5, 9]] @ [1.0, -2.0, 1.5] + rng.standard_t(2, n)
    return X, (y > 0) * 1.0 if loss.is_classification else y, rng


def value(loss, eta, y, weights=None):
    """Compute the mean loss from its definition."""
    if isinstance(loss, losses.Hinge):
        each = np.maximum(1 - (2 * y - 1) * eta, 0)
    else:
        tau, factor = (0.5, 2) if isinstance(loss, losses.Absolute) else (loss.tau, 1)
        each = factor * np.maximum(tau * (y - eta), (tau - 1) * (y - eta))
    return np.average(each, weights=weights)


@pytest.mark.skipif(not BENCHMARK.is_file(), reason="the benchmarks are not here")
@pytest.mark.parametrize("name", ["absolute", "quantile", "hinge"])
def test_equal_to_enumeration(name):
    """The support and the value are those of the best support, refitted by linear programming."""
    of = runpy.run_path(str(BENCHMARK))
    for seed in (100, 101):
        X, y = of["problem"](seed, name, p=15)
        fit = ksparse.fit(X, y, 3, loss=of["LOSSES"][name])
        best, support = of["best_by_enumeration"](X, *of["lines"](name, y), 3)
        assert fit.support.tolist() == support
        assert fit.objective == pytest.approx(best, rel=1e-9)


@by_loss
def test_objective_is_that_of_the_loss(loss):
    """F is the mean loss at the coefficients plus the penalty, with weights, offset and ridge."""
    X, y, rng = problem(loss)
    weights, offset = rng.uniform(0, 3, len(y)), rng.standard_normal(len(y))
    weights[:5] = 0
    for ridge in (0.0, 0.05):
        fit = ksparse.fit(X, y, 3, loss=loss, sample_weight=weights, offset=offset, ridge=ridge)
        eta = X @ fit.coef + fit.intercept + offset
        assert fit.converged
        assert fit.objective == pytest.approx(value(loss, eta, y, weights) + ridge / 2 * fit.coef @ fit.coef, rel=1e-12)
        moved = [
            value(loss, X @ (fit.coef + step * (fit.coef != 0)) + fit.intercept + shift + offset, y, weights)
            + ridge / 2 * np.sum((fit.coef + step * (fit.coef != 0)) ** 2)
            for step, shift in zip(1e-3 * rng.standard_normal((50, X.shape[1])), 1e-3 * rng.standard_normal(50), strict=True)
        ]
        assert fit.objective <= min(moved)


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("intercept", [True, False])
def test_equal_to_scikit_learn_on_the_support(tau, intercept):
    """scikit-learn's quantile regression has the same minimum on the chosen features."""
    X, y, rng = problem(losses.Quantile(tau), seed=3)
    weights = rng.uniform(0.5, 2, len(y))
    fit = ksparse.fit(X, y, 3, loss=losses.Quantile(tau), fit_intercept=intercept, sample_weight=weights)
    other = QuantileRegressor(quantile=tau, alpha=0, fit_intercept=intercept).fit(X[:, fit.support], y, sample_weight=weights)
    expected = value(losses.Quantile(tau), other.predict(X[:, fit.support]), y, weights)
    assert fit.objective == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("ridge", [1e-3, 0.03, 0.5])
def test_ridge_is_a_support_vector_machine(ridge):
    """With a ridge penalty, hinge and absolute error are linear support vector machines with C = 1 / (n ridge)."""
    for loss, machine in ((losses.Hinge(), SVC), (losses.Absolute(), SVR)):
        X, y, rng = problem(loss, seed=4)
        weights = rng.uniform(0.5, 2, len(y))
        more = {} if machine is SVC else {"epsilon": 0.0}
        fit = ksparse.fit(X, y, 3, loss=loss, ridge=ridge, sample_weight=weights)
        other = machine(kernel="linear", C=1 / (weights.sum() * ridge), tol=1e-9, **more)
        other.fit(X[:, fit.support], y, sample_weight=weights)
        coef = other.coef_.ravel()
        expected = value(loss, X[:, fit.support] @ coef + other.intercept_, y, weights) + ridge / 2 * coef @ coef
        assert fit.objective == pytest.approx(expected, rel=1e-6)


@by_loss
def test_weights_are_repeated_rows(loss):
    """A weight of 2 has the effect of two equal rows, and one of 0 that of none, even if y is missing."""
    X, y, rng = problem(loss, seed=1)
    counts = rng.integers(0, 3, len(y))
    missing = np.where(counts == 0, np.nan, y)
    one = ksparse.fit(X, missing, 3, loss=loss, sample_weight=counts)
    two = ksparse.fit(np.repeat(X, counts, axis=0), np.repeat(y, counts), 3, loss=loss)
    assert one.support.tolist() == two.support.tolist()
    assert one.objective == pytest.approx(two.objective, rel=1e-9)


@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e9])
@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_units_of_y(unit, shift):
    """The support does not depend on the unit and origin of y, and F is proportional to the unit."""
    X, y, _ = problem(losses.Absolute(), seed=2)
    plain, other = (ksparse.fit(X, of, 3, loss="absolute") for of in (y, unit * (y + shift)))
    assert other.support.tolist() == plain.support.tolist()
    assert other.objective == pytest.approx(unit * plain.objective, rel=1e-9)


@by_loss
def test_sparse_and_other_types(loss):
    """Sparse X, single precision and C order give the same fit."""
    X, y, _ = problem(loss)
    X = np.round(X, 1).astype(np.float32).astype(np.float64)
    plain = ksparse.fit(X, y, 3, loss=loss)
    for other in (sparse.csc_array(X), sparse.csr_array(X), X.astype(np.float32), np.asfortranarray(X)):
        fit = ksparse.fit(other, y, 3, loss=loss)
        assert fit.support.tolist() == plain.support.tolist()
        assert fit.objective == pytest.approx(plain.objective, rel=1e-9)


@by_loss
def test_constraints(loss):
    """Features that are always or never in, bounds, and a budget of 0."""
    X, y, _ = problem(loss)
    fit = ksparse.fit(X, y, 3, loss=loss, always_in=[0], never_in=[5])
    assert 0 in fit.support
    assert 5 not in fit.support
    bounded = ksparse.fit(X, y, 3, loss=loss, bounds=(0, 0.7))
    assert bounded.coef.min() >= 0
    assert bounded.coef.max() <= 0.7
    assert bounded.objective == pytest.approx(value(loss, X @ bounded.coef + bounded.intercept, y), rel=1e-12)
    empty = ksparse.fit(X, y, 0, loss=loss)
    grid = [value(loss, np.full(len(y), constant), y) for constant in np.append(y, [-1.0, 1.0])]
    assert empty.objective == pytest.approx(min(grid), rel=1e-9)


def test_estimators():
    """Estimators have the function's fit, predict, score and can be cloned and pickled."""
    X, y, _ = problem(losses.Absolute())
    model = clone(ksparse.KSparseRegressor(k=3, loss=losses.Quantile(0.9))).fit(X, y)
    fit = ksparse.fit(X, y, 3, loss=losses.Quantile(0.9))
    assert model.support_.tolist() == fit.support.tolist()
    assert 0.85 <= np.mean(y <= model.predict(X)) <= 0.95
    constant = value(losses.Quantile(0.9), np.quantile(y, 0.9, method="inverted_cdf"), y)
    assert model.score(X, y) == pytest.approx(1 - fit.objective / constant, rel=1e-6)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(X), model.predict(X))
    classifier = ksparse.KSparseClassifier(k=3, loss="hinge").fit(X, np.where(y > 0, "a", "b"))
    assert classifier.score(X, np.where(y > 0, "a", "b")) > 0.8
    assert not hasattr(classifier, "predict_proba")


def test_refusals():
    """What these losses cannot do is refused, with the name of a loss that can."""
    X, y, _ = problem(losses.Absolute())
    for refused in (
        lambda: ksparse.fit_path(X, y, [1, 2], loss="absolute"),
        lambda: ksparse.fit_many(X, np.column_stack([y, y]), 2, loss="absolute"),
        lambda: ksparse.fit(X, y, 2, loss="absolute", groups=np.arange(12) // 2),
        lambda: ksparse.fit(X, y, 2, loss="absolute", certify=True),
        lambda: ksparse.KSparseRegressor(k=2, loss="absolute", certify=True).fit(X, y),
        lambda: ksparse.KSparseRegressorCV([1, 2], loss="absolute").fit(X, y),
    ):
        with pytest.raises(ValueError, match=r"'absolute'.*'huber'"):
            refused()
    with pytest.raises(ValueError, match="tau is 1"):
        ksparse.fit(X, y, 2, loss=losses.Quantile(1.0))
    with pytest.raises(ValueError, match="k must be an integer"):
        ksparse.fit(X, y, "bic", loss="absolute")
    with pytest.raises(ValueError, match="not for regression"):
        ksparse.KSparseRegressor(k=2, loss="hinge").fit(X, y)
    X[4, 3] = np.nan
    with pytest.raises(ValueError, match=r"X\[4, 3\] is nan"):
        ksparse.fit(X, y, 2, loss="absolute")
