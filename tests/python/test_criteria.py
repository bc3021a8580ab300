"""The k that a criterion chooses: that of the smallest value, also where features separate the classes, and said where it may not be."""

import itertools
import warnings
from dataclasses import replace

import ksparse
import numpy as np
import pytest
from ksparse import KSparseClassifier, KSparseRegressor, KSparseSelector
from ksparse._results.criteria import information_criterion
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

CRITERIA = ["aic", "bic", "ebic", "gic"]


def with_a_rare_flag(seed, n=300, negative=False, weighted=False):
    """Labels from the first column, and a last column that is 1 in a few rows, all of one class: part of the rows is separated."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    X[:, 4] = rng.random(n) < 0.08
    y = (0.8 * X[:, 0] + rng.logistic(size=n) > 0) | (X[:, 4] == 1)
    weights = rng.integers(1, 4, n) if weighted else None
    return X, ~y if negative else y, weights


def smallest_by_enumeration(X, y, weights, name):
    """Return the smallest criterion over all supports, and its support, by scikit-learn with next to no penalty."""
    n, p = X.shape
    w = np.ones(n) if weights is None else weights
    values = {}
    for size in range(p + 1):
        for support in itertools.combinations(range(p), size):
            Z = X[:, support] if size else np.zeros((n, 1))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of supports that separate
                model = LogisticRegression(C=1e9, solver="newton-cholesky", tol=1e-10, max_iter=500).fit(Z, y, sample_weight=w)
            margin = np.where(y, 1, -1) * model.decision_function(Z)
            deviance = 2 * np.sum(w * np.logaddexp(0, -margin))
            values[support] = float(information_criterion(name, deviance, size + 1, size, w.sum(), p))
    return min(values.items(), key=lambda item: item[1])


@pytest.mark.parametrize("name", CRITERIA)
@pytest.mark.parametrize("label", [0, 1, 2])
def test_a_class_of_iris(name, label):
    """Setosa against the rest is told by one feature: BIC 10, where no feature at all has 196."""
    X, y = load_iris(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = KSparseClassifier(k=name).fit(X, y == label)
    support, value = smallest_by_enumeration(X, y == label, None, name)
    assert min(model.path_.criterion(name)) == pytest.approx(value, abs=1e-4)
    if label == 0:
        assert len(model.support_) == 1
        assert model.status_ == "separable"
    else:
        assert tuple(model.support_) == support


@pytest.mark.parametrize("name", CRITERIA)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("negative", "weighted"), [(False, False), (True, True)])
def test_a_flag_that_separates_part_of_the_rows(name, seed, negative, weighted):
    """The support of the smallest criterion by enumeration, with a warning; the selector keeps the same."""
    X, y, weights = with_a_rare_flag(seed, negative=negative, weighted=weighted)
    support, value = smallest_by_enumeration(X, y, weights, name)
    assert 4 in support  # else the example tests nothing
    with pytest.warns(ConvergenceWarning, match="separable: .*ridge"):
        model = KSparseClassifier(k=name).fit(X, y, sample_weight=weights)
    assert tuple(model.support_) == support
    assert min(model.path_.criterion(name)) == pytest.approx(value, abs=1e-4)
    with pytest.warns(ConvergenceWarning, match="separable: .*ridge"):
        selector = KSparseSelector(k=name).fit(X, y, sample_weight=weights)
    assert tuple(selector.support_) == support
    # A ridge makes every fit converge, and then nothing is warned of.
    assert KSparseClassifier(k=name, ridge=1e-3).fit(X, y, sample_weight=weights).status_ == "converged"


def test_each_class_of_several():
    """One class of three is told apart by one feature, and the others are not; one warning for all."""
    X, y = load_iris(return_X_y=True, as_frame=True)
    with pytest.warns(ConvergenceWarning) as caught:
        model = KSparseClassifier(k="bic").fit(X, y)
    assert len(caught) == 1
    assert "1 of 3 classes did not converge; the first is 0: separable" in str(caught[0].message)
    assert len(model.supports_[0]) == 1
    for name in (1, 2):
        assert tuple(model.supports_[name]) == smallest_by_enumeration(X.to_numpy(), y == name, None, "bic")[0]
    assert model.score(X, y) > 0.95


def test_a_path_of_which_no_fit_converges():
    """Every k separates the classes: the smallest of them is best, and says what it is; before, that was an error."""
    X, y = load_iris(return_X_y=True)
    for chosen in ({"always_in": [2]}, {"always_in": [2], "k_max": 2}):
        with pytest.warns(ConvergenceWarning, match="separable"):
            model = KSparseClassifier(k="ebic", **chosen).fit(X, y == 0)
        assert model.support_.tolist() == [2]


def test_fits_that_ended_early_are_named_where_they_matter():
    """A fit that might have had the smallest criterion, had it gone on, is named; one that could not is not."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 8))
    y = X[:, 0] - X[:, 3] + rng.logistic(size=400) > 0
    path = ksparse.fit_path(X, y, range(9))

    def with_status(k, status, objective=None):
        fits = list(path.results)
        fits[k] = replace(fits[k], status=status, objective=fits[k].objective if objective is None else objective)
        return replace(path, results=tuple(fits))

    assert path.best("bic").k == 2
    assert path._doubts("bic") == []
    # At k = 1 no more is to be had than the loss at k = 8 with one feature: enough to matter. At k = 6 four features too many are
    # paid for whatever they bring.
    assert [fit.k for fit in with_status(1, "max_iterations")._doubts("bic")] == [1]
    assert with_status(6, "max_iterations")._doubts("bic") == []
    assert with_status(6, "separable")._doubts("bic") == []
    # Nothing bounds the loss of the largest k from below.
    assert [fit.k for fit in with_status(8, "stalled")._doubts("bic")] == [8]
    failed = with_status(1, "numerical_failure", np.nan)
    assert [fit.k for fit in failed._doubts("bic")] == [1]
    assert failed.best("bic").k == 2


def test_the_estimators_warn_of_fits_that_ended_early():
    """With one Newton iteration per refit most fits end early; each warning names what to raise."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((200, 5))
    counts = rng.poisson(np.exp(X[:, 0] - X[:, 2]))
    three = np.digitize(X[:, 0] + rng.logistic(size=200), [-1, 1])
    for model, y in (
        (KSparseRegressor("bic", loss="poisson", max_newton=1), counts),
        (KSparseClassifier("bic", max_newton=1), counts > 1),
        (KSparseSelector("ebic", max_newton=1), counts > 1),
        (KSparseClassifier("bic", max_newton=1), three),
    ):
        with pytest.warns(ConvergenceWarning, match="max_iterations.*raise max_newton") as caught:
            model.fit(X, y)
        assert {warning.filename for warning in caught} == {__file__} or isinstance(model, KSparseSelector)
