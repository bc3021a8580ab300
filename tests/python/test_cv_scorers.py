"""What a scorer sees in cross-validation, and the scores, are those of GridSearchCV over k on the same folds."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sps
import sklearn
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseRegressor, KSparseRegressorCV
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, make_scorer, max_error, mean_absolute_error
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, StratifiedKFold

FORMS = ["array", "fortran", "float32", "frame", "mixed frame", "polars", "csr", "csc", "coo", "list"]
KS = [0, 1, 2, 3, 4]


def clear_data(n=150, p=8, n_classes=2, seed=0):
    """Labels and numbers from three columns, so clearly that any sound search finds the same supports; a constant column too."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)).round(3)
    X[:, 6] = 4.0
    eta = 3 * X[:, 0] - 2.2 * X[:, 2] + 1.5 * X[:, 4] + 0.5 * rng.logistic(size=n)
    cuts = [0.0] if n_classes == 2 else [-2.0, 2.0]
    return X, np.digitize(eta, cuts), eta


def as_form(X, form):
    """X in one of many forms of the same numbers."""
    names = [f"c{j}" for j in range(X.shape[1])]
    if form == "frame":
        return pytest.importorskip("pandas").DataFrame(X, columns=names, index=np.arange(len(X))[::-1])
    if form == "mixed frame":
        frame = pytest.importorskip("pandas").DataFrame(X, columns=names).astype({"c1": "float32", "c5": "Float64"})
        return frame.assign(c6=4)
    if form == "polars":
        return pytest.importorskip("polars").DataFrame(X, schema=names)
    return {
        "array": lambda: X,
        "fortran": lambda: np.asfortranarray(X),
        "float32": lambda: X.astype(np.float32),
        "csr": lambda: sps.csr_matrix(X),
        "csc": lambda: sps.csc_array(X),
        "coo": lambda: sps.coo_matrix(X),
        "list": lambda: X.tolist(),
    }[form]()


def compared(ours, single, X, y, ks=KS, fit_params=None, **search):
    """Fit ours and GridSearchCV over k, and compare every score of every fold, and the choice."""
    grid = GridSearchCV(single, {"k": list(ks)}, **search).fit(X, y, **(fit_params or {}))
    model = ours.set_params(ks=ks, **search).fit(X, y, **(fit_params or {}))
    for key in grid.cv_results_:
        if key.endswith("_test_score"):
            np.testing.assert_allclose(model.cv_results_[key], grid.cv_results_[key], rtol=1e-5, atol=1e-7, err_msg=key)
    assert model.best_params_["k"] == grid.best_params_["k"]
    assert model.score(X, y) == pytest.approx(grid.score(X, y), rel=1e-5)
    return model, grid


@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc", "average_precision", "neg_log_loss", "neg_brier_score", "f1"])
@pytest.mark.parametrize("form", ["array", "frame", "csc"])
def test_scorers_of_two_classes(scoring, form):
    """Those that compare y to predictions, k = 0 included."""
    X, y, _ = clear_data()
    model = KSparseClassifierCV(ridge=1e-3)
    compared(model, KSparseClassifier(ridge=1e-3), as_form(X, form), y, cv=StratifiedKFold(3), scoring=scoring)


@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc_ovr", "neg_log_loss", "f1_macro", "balanced_accuracy"])
@pytest.mark.parametrize("settings", [{}, {"loss": "focal", "probability": "score"}])
def test_scorers_of_three_classes(scoring, settings):
    """One k for all classes, each against the rest, by the mean score over the folds."""
    X, y, _ = clear_data(n_classes=3)
    labels = np.array(["high", "low", "middle"])[y]
    model, grid = compared(
        KSparseClassifierCV(ridge=1e-3, **settings),
        KSparseClassifier(ridge=1e-3, **settings),
        X,
        labels,
        cv=StratifiedKFold(3),
        scoring=scoring,
    )
    best = grid.best_estimator_
    np.testing.assert_allclose(model.coef_, best.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.predict_proba(X), best.predict_proba(X), atol=1e-7)
    assert [s.tolist() for s in model.supports_] == [s.tolist() for s in best.supports_]
    assert model.predict(X).tolist() == best.predict(X).tolist()


@pytest.mark.parametrize("scoring", ["r2", "neg_mean_absolute_error", "neg_root_mean_squared_error", "neg_max_error"])
@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_scorers_of_numbers(scoring, loss):
    """Regression likewise."""
    X, _, eta = clear_data()
    compared(KSparseRegressorCV(loss=loss), KSparseRegressor(loss=loss), X, eta, cv=KFold(3), scoring=scoring)


def column(X, j):
    """Return a column of any form of X as numbers."""
    if sps.issparse(X):
        return X.toarray()[:, j]
    return np.asarray(X.to_numpy() if hasattr(X, "columns") else X, dtype=float)[:, j]


def amount_caught(model, X, y):
    """Score by what stands in column 5, which no model chooses, and in one that only some choose."""
    return float(np.sum(np.abs(100 * column(X, 5) + column(X, 0)) * (model.predict(X) == np.asarray(y))))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_callables_that_read_x(form, n_classes):
    """The example of the fault: an amount was read from another column, and the wrong k was chosen."""
    X, y, _ = clear_data(n_classes=n_classes)
    single = KSparseClassifier(ridge=1e-3)
    data = as_form(X, form)
    compared(KSparseClassifierCV(ridge=1e-3), single, data, y, cv=StratifiedKFold(3), scoring=amount_caught)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["two", "three", "numbers"])
def test_what_a_callable_is_given(form, kind):
    """Model, rows and responses hold what GridSearchCV's do: types, shapes, names, index, and every fitted attribute."""
    X, y, eta = clear_data(n_classes=3 if kind == "three" else 2)
    y = eta if kind == "numbers" else np.array(["a", "b", "c"])[y]
    pandas = pytest.importorskip("pandas")
    if form == "frame":
        y = pandas.Series(y, index=np.arange(len(y))[::-1], name="outcome")
    seen = []

    def looks(model, X, y):
        seen.append((model, X, y))
        return float(len(model.support_) == 3)

    single, ours = (
        (KSparseRegressor(ridge=1e-3), KSparseRegressorCV(ridge=1e-3))
        if kind == "numbers"
        else (KSparseClassifier(ridge=1e-3), KSparseClassifierCV(ridge=1e-3))
    )
    search = {"cv": KFold(3, shuffle=True, random_state=0), "scoring": looks}
    data = as_form(X, form)
    ours.set_params(ks=KS, **search).fit(data, y)
    by_ours, seen[:] = list(seen), []
    GridSearchCV(single, {"k": KS}, refit=False, **search).fit(data, y)
    by_fold = [seen[j * 3 + fold] for fold in range(3) for j in range(len(KS))]  # theirs is k by k
    for (model, rows, responses), (other, their_rows, their_responses) in zip(by_ours, by_fold, strict=True):
        assert type(model) is type(other)
        assert type(rows) is type(their_rows)
        assert type(responses) is type(their_responses)
        for j in range(X.shape[1]):
            np.testing.assert_array_equal(column(rows, j), column(their_rows, j))
        np.testing.assert_array_equal(np.asarray(responses), np.asarray(their_responses))
        if form == "frame":
            assert rows.index.equals(their_rows.index)
            assert responses.index.equals(their_responses.index)
            assert responses.name == "outcome"
        ours_has, theirs_has = ({name for name in vars(m) if name.endswith("_")} for m in (model, other))
        assert ours_has == theirs_has
        assert model.get_params() == other.get_params()
        assert model.n_features_in_ == 8
        if hasattr(data, "columns"):
            assert model.feature_names_in_.tolist() == list(data.columns)
        assert model.support_.tolist() == other.support_.tolist()
        assert [s.tolist() for s in model.supports_] == [s.tolist() for s in other.supports_]
        assert model.get_feature_names_out().tolist() == other.get_feature_names_out().tolist()
        np.testing.assert_allclose(model.coef_, other.coef_, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(model.intercept_, other.intercept_, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(model.objective_, other.objective_, rtol=1e-8)
        np.testing.assert_array_equal(model.status_, other.status_)
        if kind != "numbers":
            np.testing.assert_array_equal(model.classes_, other.classes_)
        again = pickle.loads(pickle.dumps(model))
        if kind == "numbers":
            np.testing.assert_allclose(again.predict(rows), other.predict(their_rows), rtol=1e-5)
        else:
            np.testing.assert_array_equal(again.predict(rows), other.predict(their_rows))
        assert model.formula(3) == other.formula(3)
    # Each model is its own, as a scorer may keep them.
    assert len({id(model) for model, _, _ in by_ours}) == len(by_ours)


def test_x_is_cut_once_for_a_fold_and_cannot_be_changed():
    """All models of a fold share the rows, so that an array is read-only, and a frame that is written to is no longer shared."""
    X, y, _ = clear_data()
    seen = []

    def keeps(model, X, y):
        seen.append(X)
        return 1.0

    KSparseClassifierCV(KS, ridge=[1e-3, 1e-2], cv=3, scoring=keeps).fit(X, y)
    assert len(seen) == 30
    assert len({id(rows) for rows in seen}) == 3

    def writes(model, X, y):
        X[:, 0] = 0.0
        return 1.0

    with pytest.raises(ValueError, match="read-only"):
        KSparseClassifierCV(KS, ridge=1e-3, scoring=writes).fit(X, y)
    # A scorer of scikit-learn, which reads predictions only, cuts nothing at all.
    whole = np.lib.stride_tricks.as_strided(X)
    KSparseClassifierCV(KS, ridge=1e-3, scoring="accuracy").fit(whole, y)


def test_no_feature_at_all():
    """A fold that chooses nothing has a model and a score: for ks=[0], bounds that allow nothing, and constant columns."""
    X, y, eta = clear_data(n=90)
    constant = np.ones((90, 3))
    nothing = {"bounds": (0.0, 0.0)}
    for data, ks, settings in (
        (X, [0], {}),
        (X, [0, 2], nothing),
        (constant, [0, 1, 3], {}),
        (sps.csr_array(constant), [2], {}),
    ):
        for scoring in ("accuracy", "neg_log_loss", "roc_auc", amount_caught if data is X else "f1"):
            single = KSparseClassifier(**settings)
            compared(KSparseClassifierCV(**settings), single, data, y, ks=ks, cv=StratifiedKFold(3), scoring=scoring)
        for scoring in ("r2", "neg_mean_absolute_error", lambda model, X, y: -np.abs(model.predict(X) - y).mean()):
            single = KSparseRegressor(**settings)
            compared(KSparseRegressorCV(**settings), single, data, eta, ks=ks, cv=KFold(3), scoring=scoring)
        assert KSparseClassifierCV(ks, **settings).fit(data, y).best_score_ < 0


def test_weights_go_to_scorers_that_take_them():
    """One that takes none is called as GridSearchCV calls it; one that does scores the weighted rows."""
    X, y, eta = clear_data()
    weights = np.random.default_rng(1).uniform(0.5, 2, len(y))
    got = []

    def without(model, X, y):
        return accuracy_score(y, model.predict(X))

    def with_weights(model, X, y, sample_weight=None):
        got.append(sample_weight)
        return accuracy_score(y, model.predict(X), sample_weight=sample_weight)

    folds, given = StratifiedKFold(3), {"sample_weight": weights}
    for scoring in (without, make_scorer(lambda y, predicted: np.mean(y == predicted))):
        with pytest.warns(UserWarning, match="sample_weight"):  # scikit-learn 1.9 warns so too
            compared(KSparseClassifierCV(), KSparseClassifier(), X, y, fit_params=given, cv=folds, scoring=scoring)
    with pytest.warns(UserWarning, match="sample_weight"):
        compared(KSparseRegressorCV(), KSparseRegressor(), X, eta, fit_params=given, cv=KFold(3), scoring="neg_max_error")
    model = KSparseClassifierCV(KS, cv=folds, scoring=with_weights).fit(X, y, sample_weight=weights)
    named = KSparseClassifierCV(KS, cv=folds, scoring="accuracy").fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(model.cv_results_["mean_test_score"], named.cv_results_["mean_test_score"])
    for (_, test), given in zip(folds.split(X, y), got[:: len(KS)], strict=True):
        np.testing.assert_array_equal(given, weights[test])
    assert named.score(X, y, sample_weight=weights) == accuracy_score(y, named.predict(X), sample_weight=weights)
    assert KSparseRegressorCV(KS, scoring="neg_max_error").fit(X, eta).score(X, eta, sample_weight=weights) < 0


@pytest.mark.parametrize("n_classes", [2, 3])
def test_metadata_is_routed_as_by_grid_search(n_classes):
    """Weights under another name, an amount for each row, groups for the splitter; in fit and in score."""
    X, y, _ = clear_data(n_classes=n_classes)
    rng = np.random.default_rng(2)
    weights, amount, groups = rng.uniform(0.5, 2, len(y)), rng.exponential(size=len(y)), np.arange(len(y)) % 6

    def total(y, predicted, amount):
        return float(np.sum(amount * (y == predicted)))

    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(total).set_score_request(amount=True)
        single = KSparseClassifier(ridge=1e-3).set_fit_request(sample_weight=True)
        search = {"cv": GroupKFold(3), "scoring": scorer}
        metadata = {"sample_weight": weights, "amount": amount, "groups": groups}
        grid = GridSearchCV(single, {"k": KS}, **search).fit(X, y, **metadata)
        ours = KSparseClassifierCV(KS, ridge=1e-3, **search).set_fit_request(sample_weight=True).fit(X, y, **metadata)
        np.testing.assert_allclose(ours.cv_results_["mean_test_score"], grid.cv_results_["mean_test_score"])
        assert ours.score(X, y, amount=amount) == pytest.approx(grid.score(X, y, amount=amount))
    with pytest.raises(TypeError, match="score got amount"):
        ours.score(X, y, amount=amount)


def test_score_is_by_the_scorer():
    """As GridSearchCV's is; without a scorer, that of the estimator of one k."""
    X, y, eta = clear_data()
    proba = KSparseClassifierCV(KS, ridge=1e-3, scoring="roc_auc").fit(X, y)
    assert proba.score(X, y) == sklearn.metrics.roc_auc_score(y, proba.decision_function(X))
    assert proba.score(X, y) != np.mean(proba.predict(X) == y)
    plain = KSparseClassifierCV(KS, ridge=1e-3).fit(X, y)
    assert plain.score(X, y) == np.mean(plain.predict(X) == y)
    absolute = KSparseRegressorCV(KS, scoring="neg_mean_absolute_error").fit(X, eta)
    assert absolute.score(X, eta) == -mean_absolute_error(eta, absolute.predict(X))
    worst = KSparseRegressorCV(KS, scoring=make_scorer(max_error, greater_is_better=False)).fit(X, eta)
    assert worst.score(X, eta) == -max_error(eta, worst.predict(X))
    assert KSparseRegressorCV(KS).fit(X, eta).score(X, eta) == pytest.approx(
        sklearn.metrics.r2_score(eta, KSparseRegressorCV(KS).fit(X, eta).predict(X))
    )
    with pytest.raises(TypeError, match="score without a scorer got amount"):
        plain.score(X, y, amount=1)


def test_splits_and_scorers_that_are_none_are_named():
    """Empty lists, used-up generators, several scorers, scorers that return no number: in words."""
    X, y, _ = clear_data(n=60)
    with pytest.raises(ValueError, match=r"cv is \[\], which yields no splits; it must yield at least one pair"):
        KSparseClassifierCV(KS, cv=[]).fit(X, y)
    pairs = list(StratifiedKFold(3).split(X, y))
    model = KSparseClassifierCV([1, 2], ridge=1e-2, cv=(pair for pair in pairs)).fit(X, y)
    with pytest.raises(ValueError, match=r"yields no splits.*a generator can be used only once"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="yields no splits"):
        KSparseRegressorCV(KS, cv=iter([])).fit(X, X[:, 0])
    for several in (["accuracy", "roc_auc"], {"a": "accuracy"}, ("accuracy",), {"accuracy"}, 3):
        with pytest.raises(ValueError, match=r"scoring is .*; it must be one scorer"):
            KSparseClassifierCV(KS, scoring=several).fit(X, y)
        with pytest.raises(ValueError, match=r"scoring is .*; it must be one scorer"):
            KSparseRegressorCV(KS, scoring=several).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="accurate"):
        KSparseClassifierCV(KS, scoring="accurate").fit(X, y)
    for value in ({"a": 1.0}, None, "0.5", np.ones(2), [1.0]):
        with pytest.raises(ValueError, match=r"scoring returned .*; it must return one number"):
            KSparseClassifierCV(KS, ridge=1e-2, scoring=lambda *_, value=value: value).fit(X, y)
    for value in (1, True, np.float32(1), np.array(1.0)):
        assert KSparseClassifierCV(KS, ridge=1e-2, scoring=lambda *_, value=value: value).fit(X, y).best_score_ == 1.0


def test_few_rows_have_fewer_folds():
    """By default five, or as many as the largest class has rows; a number that was given is kept to."""
    X, y, eta = clear_data(n=60)
    few = np.concatenate([np.flatnonzero(y == 0)[:3], np.flatnonzero(y == 1)[:3]])
    assert KSparseClassifierCV([0, 1], ridge=1e-1).fit(X[few], y[few]).n_splits_ == 3
    assert KSparseRegressorCV([0, 1], ridge=1e-1).fit(X[few[1:5]], eta[few[1:5]]).n_splits_ == 4
    assert KSparseClassifierCV([0, 1], ridge=1e-1).fit(X, y).n_splits_ == KSparseRegressorCV([0]).fit(X, eta).n_splits_ == 5
    with pytest.raises(ValueError, match="n_splits=5"):
        KSparseClassifierCV([0, 1], cv=5).fit(X[few], y[few])


def test_folds_without_a_class_are_named():
    """By its label, of two classes and of three."""
    X, y, _ = clear_data(n=90, n_classes=3)
    labels = np.array(["low", "middle", "high"])[y]
    bad = [(np.flatnonzero(y != 1), np.arange(90))]
    with pytest.raises(ValueError, match="fold 0 of cv has no training row of class middle; use fewer folds"):
        KSparseClassifierCV(KS, cv=bad).fit(X, labels)
    no_test = [(np.arange(90), np.flatnonzero(y != 2)), (np.arange(90), np.arange(90))]
    with (
        pytest.raises(ValueError, match="every score on fold 0 of cv is NaN: it has no test row of class high"),
        pytest.warns(UserWarning, match="Only one class"),
    ):
        KSparseClassifierCV(
            KS,
            ridge=1e-2,
            cv=no_test,
            scoring=lambda m, X, y: sklearn.metrics.roc_auc_score(y, m.predict_proba(X), multi_class="ovr", labels=m.classes_),
        ).fit(X, labels)
    weights = np.where(y == 0, 0.0, 1.0)
    with pytest.raises(ValueError, match="sample_weight is zero for every row of class low"):
        KSparseClassifierCV(KS).fit(X, labels, sample_weight=weights)


def test_three_classes_without_a_scorer():
    """Minus the average loss of each class against the rest on the rows left out, their mean; weights and a grid count."""
    X, y, _ = clear_data(n_classes=3)
    weights = np.random.default_rng(3).uniform(0.5, 2, len(y))
    folds = StratifiedKFold(3)
    model = KSparseClassifierCV([1, 2, 3], ridge=[1e-3, 1e-1], cv=folds, n_jobs=2).fit(X, y, sample_weight=weights)
    results = model.cv_results_
    for i, point in enumerate(results["params"]):
        for fold, (train, test) in enumerate(folds.split(X, y)):
            single = KSparseClassifier(point["k"], ridge=point["ridge"]).fit(X[train], y[train], sample_weight=weights[train])
            eta = single.decision_function(X[test])
            signs = np.where(y[test][:, None] == np.arange(3), 1, -1)
            expected = -np.average(np.logaddexp(0, -signs * eta), axis=0, weights=weights[test]).mean()
            assert results[f"split{fold}_test_score"][i] == pytest.approx(expected, rel=1e-5)
    assert model.best_params_["k"] == 3
    with_bar = KSparseClassifierCV([1, 2], ridge=1e-2, verbose=0).fit(X, y)
    assert [len(s) for s in with_bar.supports_] == [2, 2, 2]
    # Cloned and fitted again with other parameters, nothing of the first fit stays.
    again = clone(model).set_params(ks=[1], ridge=1e-3).fit(X, y == 0)
    assert again.coef_.shape == (1, 8)
    assert again.classes_.tolist() == [False, True]
    kept = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(kept.predict(X), model.predict(X))


def test_fits_of_folds_that_did_not_converge_are_said_where_they_matter():
    """Those of what was chosen, and those that ended early; not a fit that separates and is far from the best."""
    X, y, _ = clear_data()
    with pytest.warns(ConvergenceWarning) as caught:
        KSparseClassifierCV([0, 1, 2], max_newton=1, cv=5, search="fast").fit(X[:, :3], y)
    assert "10 of 15 fits of the folds did not converge" in str(caught[0].message)
    assert "k=1 on fold 0: max_iterations: raise max_newton" in str(caught[0].message)
    separable = X[:, 0] > 0
    with pytest.warns(ConvergenceWarning) as caught:
        KSparseClassifierCV([0, 1], cv=3).fit(X, separable)
    assert "3 of 6 fits of the folds did not converge" in str(caught[0].message)
    assert "k=1 on fold 0: separable" in str(caught[0].message)
    assert "separable: " in str(caught[1].message)  # of the last fit
    assert {warning.filename for warning in caught} == {__file__}
