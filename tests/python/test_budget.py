"""A k larger than the number of features: at most k of them means all of them, wherever a k is asked for."""

import warnings

import ksparse
import numpy as np
import pytest
from ksparse import (
    KSparseClassifier,
    KSparseClassifierCV,
    KSparseMultiLabelClassifier,
    KSparseRegressor,
    KSparseRegressorCV,
    KSparseSelector,
)
from sklearn.feature_selection import RFE, SequentialFeatureSelector
from sklearn.model_selection import GridSearchCV

P = 5
RNG = np.random.default_rng(0)
X = RNG.standard_normal((120, P))
Y = (X[:, [0]] - X[:, [3]] + RNG.logistic(size=(120, 3)) > 0).astype(int)
y = Y[:, 0]
CLASSES = np.digitize(X[:, 0] + 0.3 * RNG.standard_normal(120), [-0.5, 0.5])
NUMBERS = X[:, 0] + RNG.standard_normal(120)
GROUPS = [0, 0, 1, 1, 2]
TOO_MANY = "is 9 but X has only 5 features, so all of them may be chosen"


@pytest.mark.parametrize("k", [P + 1, 9, np.int64(100), 2**40, 2**70])
def test_a_k_beyond_the_features_is_all_of_them(k):
    """In a fit, with walks or without, and for any storage of X."""
    everything = ksparse.fit(X, y, P, ridge=1e-2)
    for given in ({}, {"walks": 3}, {"search": "thorough"}, {"start": [1, 2]}, {"always_in": [0, 1, 2]}):
        with pytest.warns(UserWarning, match=f"^k is {k} but X has only 5 features") as caught:
            result = ksparse.fit(X, y, k, ridge=1e-2, **given)
        assert len(caught) == 1
        assert caught[0].filename == __file__
        assert (result.k, result.status) == (P, "converged")
        np.testing.assert_allclose(result.coef, everything.coef, rtol=1e-6)


def test_a_k_that_fits_warns_of_nothing():
    """Nor does the default of an estimator, whatever the width of X."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ksparse.fit(X, y, P, ridge=1e-2)
        ksparse.fit_path(X, y, range(P + 1), ridge=1e-2)
        KSparseClassifier(ridge=1e-2).fit(X, y)
        KSparseClassifierCV(ridge=1e-2).fit(X, y)


def test_a_path_over_a_usual_range():
    """``range(1, 21)`` serves any X: every number of features once, and one warning."""
    with pytest.warns(UserWarning, match="^the largest of ks is 20 but X has only 5 features") as caught:
        path = ksparse.fit_path(X, y, range(1, 21), ridge=1e-2)
    assert len(caught) == 1
    assert path.ks.tolist() == [1, 2, 3, 4, 5]
    with pytest.warns(UserWarning, match="the largest of ks is 9"):
        assert ksparse.fit_path(X, y, [9], ridge=1e-2).ks.tolist() == [5]
    with pytest.warns(UserWarning, match="the largest of ks is 20 but X has only 3 groups"):
        path = ksparse.fit_path(X, y, range(0, 21, 2), groups=GROUPS, ridge=1e-2)
    assert path.ks.tolist() == [0, 2, 3]


def test_groups_are_what_k_counts():
    """All of three groups are all five features."""
    with pytest.warns(UserWarning, match="k is 4 but X has only 3 groups, so all of them may be chosen"):
        result = ksparse.fit(X, y, 4, groups=GROUPS, ridge=1e-2)
    assert len(result.support) == P
    assert result.k == 3
    with pytest.warns(UserWarning, match="k is 4 but X has only 3 groups"):
        assert ksparse.fit_many(X, Y, 4, groups=GROUPS, ridge=1e-2).k.tolist() == [3] * 3


def test_many_fits():
    """Of a batch, a stream and resamplings; budgets that fit stay as they are."""
    with pytest.warns(UserWarning, match=f"^k {TOO_MANY}") as caught:
        batch = ksparse.fit_many(X, Y, [2, 9, 6], ridge=1e-2)
    assert len(caught) == 1
    assert batch.k.tolist() == [2, 5, 5]
    assert batch.converged.all()
    assert batch[1].objective == ksparse.fit(X, Y[:, 1], P, ridge=1e-2).objective
    for n_jobs in (1, 2):
        with pytest.warns(UserWarning, match="k is 3 but X has only 2 features"):
            results = list(ksparse.fit_each([(X, y), (X[:, :2], y)], 3, ridge=1e-2, n_jobs=n_jobs))
        assert [result.k for result in results] == [3, 2]
    with pytest.warns(UserWarning, match=f"^k {TOO_MANY}"):
        assert ksparse.stability_selection(X, y, 9, rounds=3, ridge=1e-2).k == P


@pytest.mark.parametrize(
    ("estimator", "outcome"),
    [
        (KSparseClassifier, y),
        (KSparseClassifier, CLASSES),
        (KSparseMultiLabelClassifier, y),
        (KSparseMultiLabelClassifier, Y),
        (KSparseRegressor, NUMBERS),
        (KSparseSelector, y),
    ],
)
def test_estimators(estimator, outcome):
    """Each fits as with k = p, and says so."""
    with pytest.warns(UserWarning, match=f"^k {TOO_MANY}") as caught:
        model = estimator(k=9, ridge=1e-2).fit(X, outcome)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    same = estimator(k=P, ridge=1e-2).fit(X, outcome)
    np.testing.assert_array_equal(model.support_, same.support_)
    if hasattr(model, "coef_"):
        np.testing.assert_array_equal(model.coef_, same.coef_)


@pytest.mark.parametrize(
    ("estimator", "outcome"), [(KSparseClassifier, y), (KSparseClassifier, CLASSES), (KSparseRegressor, NUMBERS)]
)
def test_k_max_of_a_criterion(estimator, outcome):
    """It is the largest k considered, and no more can be."""
    loss = {"loss": "squared"} if estimator is KSparseRegressor else {}
    with pytest.warns(UserWarning, match="k_max is 20 but X has only 5 features"):
        model = estimator(k="bic", k_max=20, ridge=1e-2, **loss).fit(X, outcome)
    np.testing.assert_array_equal(model.coef_, estimator(k="bic", ridge=1e-2, **loss).fit(X, outcome).coef_)


@pytest.mark.parametrize(("estimator", "outcome"), [(KSparseClassifierCV, y), (KSparseRegressorCV, NUMBERS)])
def test_cross_validation_over_a_usual_range(estimator, outcome):
    """``ks=range(1, 21)``: as many points as there are features."""
    with pytest.warns(UserWarning, match="the largest of ks is 20 but X has only 5 features"):
        model = estimator(ks=range(1, 21), ridge=1e-2, cv=3).fit(X, outcome)
    assert sorted(set(np.asarray(model.cv_results_["param_k"], dtype=int))) == [1, 2, 3, 4, 5]


@pytest.mark.filterwarnings("ignore:k is:UserWarning")
def test_inside_selectors_of_scikit_learn():
    """They fit on ever fewer, or ever more, columns."""
    model = KSparseClassifier(k=4, ridge=1e-2)
    assert RFE(model, n_features_to_select=1).fit(X, y).support_.sum() == 1
    for direction in ("forward", "backward"):
        chosen = SequentialFeatureSelector(model, n_features_to_select=2, direction=direction, cv=3).fit(X, y)
        assert chosen.get_support().sum() == 2
    search = GridSearchCV(model, {"k": [1, 2, 50]}, cv=3).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_what_must_be_in_still_must_fit_into_k():
    """More features that are always in than k remain an error, and so does a negative k."""
    with pytest.raises(ValueError, match="always_in names 3 features but k is 2"):
        ksparse.fit(X, y, 2, always_in=[0, 1, 2])
    with pytest.raises(ValueError, match="k is -1; it must be >= 0"):
        ksparse.fit(X, y, -1)


def test_the_fit_of_a_budget_beyond_all_features():
    """A path that was asked for more features than X has answers for each number that was asked."""
    X = np.random.default_rng(0).standard_normal((60, 3))
    with pytest.warns(UserWarning, match="X has only 3 features"):
        path = ksparse.fit_path(X, X[:, 0] + np.random.default_rng(1).logistic(size=60) > 0, range(1, 6))
    assert path.at(4) is path.at(3)
    assert path.at(2**70) is path.at(3)
    with pytest.raises(KeyError, match="k is 0"):
        path.at(0)
