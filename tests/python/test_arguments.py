"""Arguments as users of scikit-learn try them: class weights, seeds, k or ks, criteria, and labels that are missing where nothing counts."""

from __future__ import annotations

import warnings

import ksparse
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseMultiLabelClassifier, KSparseRegressor, KSparseRegressorCV
from sklearn.exceptions import ConvergenceWarning as SklearnWarning
from sklearn.utils.class_weight import compute_sample_weight

mpl.use("Agg")

RNG = np.random.default_rng(7)
N = 240
X = RNG.standard_normal((N, 12))
ETA = X[:, 2] - X[:, 5]
Y = (ETA + RNG.logistic(size=N) > 0.8).astype(int)
WEIGHTS = RNG.integers(1, 4, N).astype(float)


# ---- class_weight


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 3.5}, {1: 2}, {True: 2, False: 0.5}])
def test_class_weights_are_weights_of_the_rows(class_weight):
    """In every function, and together with weights of the rows, of which balanced weights depend."""
    repeated = np.repeat(np.arange(N), WEIGHTS.astype(int))
    by_class = compute_sample_weight(class_weight, Y[repeated])
    expected = ksparse.fit(X[repeated], Y[repeated], 3, sample_weight=by_class)
    given = {"sample_weight": WEIGHTS, "class_weight": class_weight}
    found = [
        ksparse.fit(X, Y, 3, **given),
        ksparse.fit_path(X, Y, [3], **given)[0],
        ksparse.fit_many(X, np.column_stack([1 - Y, Y]), 3, **given)[1],
        ksparse.fit_many(X, Y, [2, 3], **given)[1],
        ksparse.fit_many(X, Y, 3, **{**given, "sample_weight": np.column_stack([WEIGHTS] * 2)})[1],
        next(iter(ksparse.fit_each([(X, Y, WEIGHTS)], 3, class_weight=class_weight))),
    ]
    for result in found:
        np.testing.assert_array_equal(result.support, expected.support)
        np.testing.assert_allclose(result.coef, expected.coef, rtol=1e-6, atol=1e-9)
    # There is no likelihood of weighted classes.
    assert all(result.summary().covariance == "sandwich" for result in found[:-1])
    with pytest.raises(ValueError, match="class_weight"):
        found[0].summary(covariance="information")


def test_class_weights_that_mean_nothing_are_refused_by_name():
    for wrong, match in (
        ({0: -1}, r"class_weight\[0\] is -1"),
        ({0: 0}, "leaves the class 1 only"),
        ("even", "class_weight is 'even'"),
        (2.0, "class_weight is 2.0"),
    ):
        for call in (ksparse.fit, ksparse.fit_many):
            with pytest.raises(ValueError, match=match):
                call(X, Y, 2, class_weight=wrong)
    with pytest.raises(ValueError, match="class_weight is 'balanced' but the loss 'squared' has no classes"):
        ksparse.fit(X, ETA, 2, loss="squared", class_weight="balanced")


# ---- random_state

CORRELATED = RNG.standard_normal((N, 1)) + 0.3 * RNG.standard_normal((N, 40))


def noise_of(random_state):
    """Return how often features are chosen, which any change of the seed changes."""
    return ksparse.stability_selection(CORRELATED, Y, 3, rounds=20, random_state=random_state).frequency


def test_a_generator_draws_the_seed_as_in_scikit_learn():
    """The same state gives the same answer, the next draw another one; None uses the global generator."""
    for make in (np.random.RandomState, np.random.default_rng):
        state = make(3)
        first, second = noise_of(state), noise_of(state)
        assert np.array_equal(first, noise_of(make(3)))
        assert not np.array_equal(first, second)
    np.random.seed(5)  # noqa: NPY002
    first, second = noise_of(None), noise_of(None)
    np.random.seed(5)  # noqa: NPY002
    assert np.array_equal(first, noise_of(None))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    "state", [None, np.random.RandomState(0), np.random.default_rng(0)], ids=["None", "state", "generator"]
)
def test_every_function_and_estimator_takes_a_random_state(state):
    functions = (
        lambda: ksparse.fit(X, Y, 2, random_state=state),
        lambda: ksparse.fit_path(X, Y, [2], random_state=state)[0],
        lambda: ksparse.fit_many(X, Y[:, None], 2, random_state=state)[0],
        lambda: next(iter(ksparse.fit_each([(X, Y)], 2, random_state=state))),
        lambda: KSparseClassifier(2, random_state=state).fit(X, Y).result_,
        lambda: KSparseClassifierCV([2], random_state=state).fit(X, Y).result_,
        lambda: KSparseClassifier("ebic", k_max=2, random_state=state).fit(X, Y).result_,
        lambda: KSparseMultiLabelClassifier(2, random_state=state).fit(X, np.column_stack([Y, 1 - Y])).result_[0],
    )
    for function in functions:
        np.testing.assert_array_equal(function().support, [2, 5])
    assert ksparse.fit(X, Y, 2).summary(bootstrap=5, random_state=state).share_chosen is not None
    with pytest.raises(TypeError, match="random_state is 'today'; it must be an integer, a NumPy generator or None"):
        ksparse.fit(X, Y, 2, random_state="today")


# ---- k and ks


def test_k_and_ks_are_both_understood():
    one, path = ksparse.fit(X, Y, 2), ksparse.fit_path(X, Y, [1, 2])
    assert ksparse.fit(X, Y, ks=2).objective == one.objective
    assert ksparse.fit_path(X, Y, k=[1, 2]).objectives.tolist() == path.objectives.tolist()
    assert ksparse.fit_many(X, Y[:, None], ks=[2])[0].objective == one.objective
    for CV, y in ((KSparseClassifierCV, Y), (KSparseRegressorCV, ETA)):
        by_k, by_ks = CV(k=[1, 2]).fit(X, y), CV(ks=[1, 2]).fit(X, y)
        assert by_k.best_params_ == by_ks.best_params_
        assert by_k.cv_results_["param_k"].tolist() == [1, 2]
        with pytest.raises(TypeError, match="ks and k are both given"):
            CV(ks=[1], k=[2]).fit(X, y)
    for call, names in ((ksparse.fit, "k and ks"), (ksparse.fit_many, "k and ks"), (ksparse.fit_path, "ks and k")):
        with pytest.raises(TypeError, match=f"{names} are both given"):
            call(X, Y, k=2, ks=2)
        with pytest.raises(TypeError, match="is missing"):
            call(X, Y)


@pytest.mark.parametrize("k", [[1, 2], (1, 2), range(3), np.array([1, 2]), np.array([2])])
def test_a_list_of_k_is_pointed_to_what_takes_it(k):
    for name in ("k", "ks"):
        with pytest.raises(TypeError, match=r"for several values of k use ksparse\.fit_path"):
            ksparse.fit(X, Y, **{name: k})
    with pytest.raises(TypeError, match="for several values of k use KSparseClassifierCV"):
        KSparseClassifier(k).fit(X, Y)
    with pytest.raises(TypeError, match="for several values of k use KSparseRegressorCV"):
        KSparseRegressor(k).fit(X, ETA)


# ---- criteria


@pytest.mark.parametrize("criterion", ["aic", "bic", "ebic", "gic"])
def test_a_criterion_chooses_k_in_every_function(criterion):
    """As the estimator does, and as the smallest value of the criterion over a path of all k says."""
    expected = KSparseClassifier(criterion, k_max=6).fit(X, Y).result_
    found = ksparse.fit(X, Y, criterion, k_max=6)
    path = ksparse.fit_path(X, Y, criterion, k_max=6)
    batch = ksparse.fit_many(X, np.column_stack([Y, 1 - Y, np.zeros(N)])[:, :2], criterion, k_max=6)
    assert path.ks.tolist() == list(range(7))
    assert found.k == path.ks[np.argmin(path.criterion(criterion))]
    for result in (found, path.best(criterion), batch[0]):
        assert (result.k, result.objective) == (expected.k, expected.objective)
        np.testing.assert_array_equal(result.coef, expected.coef)
    assert batch[1].objective == ksparse.fit(X, 1 - Y, criterion, k_max=6).objective
    assert batch[0].summary().names.tolist() == found.summary().names.tolist()  # a batch refers to its data


def test_a_criterion_in_a_batch_leaves_out_what_cannot_be_fitted():
    outcomes = pd.DataFrame({"a": Y, "never": np.zeros(N), "b": 1 - Y, "wrong": np.where(Y == 1, 2, 0)})
    with pytest.warns(ksparse.ConvergenceWarning, match="2 of 4 problems"):
        batch = ksparse.fit_many(X, outcomes, "ebic", k_max=4)
    assert batch.status.tolist() == ["converged", "invalid_input", "converged", "invalid_input"]
    assert batch.problem_names.tolist() == list(outcomes)
    assert set(batch.messages) == {1, 3}
    for i, y in ((0, Y), (2, 1 - Y)):
        assert batch[i].objective == ksparse.fit(X, y, "ebic", k_max=4).objective


def test_a_criterion_respects_features_that_are_always_in_and_groups():
    groups = np.repeat(np.arange(6), 2)
    for settings in ({"always_in": [0, 1]}, {"groups": groups}, {"groups": groups, "always_in": [0]}):
        path = ksparse.fit_path(X, Y, "bic", k_max=4, **settings)
        least = len(settings.get("always_in", []))
        assert path.ks.tolist() == list(range(least, 5))
        assert ksparse.fit(X, Y, "bic", k_max=4, **settings).objective == path.best("bic").objective
        assert ksparse.fit_many(X, Y[:, None], "bic", k_max=4, **settings)[0].objective == path.best("bic").objective
    with pytest.raises(ValueError, match="k_max is 1 but always_in names 2 features"):
        ksparse.fit(X, Y, "bic", k_max=1, always_in=[0, 1])
    with pytest.raises(ValueError, match="k is 'bics'; it must be one of 'aic'"):
        ksparse.fit(X, Y, "bics")
    with pytest.raises(ValueError, match="ks is 'bics'; it must be one of 'aic'"):
        ksparse.fit_path(X, Y, "bics")


# ---- labels that are missing where the weight is 0

GAPS = RNG.random(N) < 0.2
IDLE = np.where(GAPS, 0.0, WEIGHTS)
MISSING = np.where(GAPS, np.nan, Y)


def test_a_label_may_be_missing_where_the_weight_is_0():
    """The answer is that of the rows that count; in one problem of a batch a row may count that is missing in another."""
    expected = ksparse.fit(X[~GAPS], Y[~GAPS], 3, sample_weight=WEIGHTS[~GAPS])
    words = np.where(GAPS, None, np.where(Y == 1, "yes", "no"))
    both = np.column_stack([MISSING, Y])
    weights = np.column_stack([IDLE, WEIGHTS])
    fits = [
        ksparse.fit(X, MISSING, 3, sample_weight=IDLE),
        ksparse.fit(X, pd.Series(MISSING).astype("Int64"), 3, sample_weight=IDLE),
        ksparse.fit_path(X, MISSING, [3], sample_weight=IDLE)[0],
        ksparse.fit_many(X, both, 3, sample_weight=weights)[0],
        ksparse.fit_many(X, MISSING, 3, sample_weight=np.column_stack([IDLE, IDLE]))[1],
        next(iter(ksparse.fit_each([(X, MISSING, IDLE)], 3))),
        KSparseClassifier(3).fit(X, MISSING, IDLE).result_,
        KSparseClassifier(3).fit(X, words, IDLE).result_,
        KSparseClassifier(3).fit(X, pd.Series(words), IDLE).result_,
        KSparseMultiLabelClassifier(3).fit(X, np.column_stack([MISSING] * 2), IDLE).result_[0],
    ]
    for result in fits:
        np.testing.assert_array_equal(result.support, expected.support)
        np.testing.assert_allclose(result.coef, expected.coef, rtol=1e-7, atol=1e-10)
    complete = ksparse.fit_many(X, both, 3, sample_weight=weights)[1]
    assert complete.objective == ksparse.fit(X, Y, 3, sample_weight=WEIGHTS).objective


@pytest.mark.parametrize("loss", ["squared", "gamma"])
def test_a_response_may_be_missing_where_the_weight_is_0(loss):
    responses = np.exp(0.3 * ETA) if loss == "gamma" else ETA + RNG.standard_normal(N)
    missing = np.where(GAPS, np.nan, responses)
    expected = ksparse.fit(X[~GAPS], responses[~GAPS], 2, sample_weight=WEIGHTS[~GAPS], loss=loss)
    for result in (
        ksparse.fit(X, missing, 2, sample_weight=IDLE, loss=loss),
        ksparse.fit_many(X, missing[:, None], 2, sample_weight=IDLE, loss=loss)[0],
        KSparseRegressor(2, loss=loss).fit(X, missing, IDLE).result_,
    ):
        np.testing.assert_allclose(result.coef, expected.coef, rtol=1e-7, atol=1e-10)
    model = KSparseRegressor(2, loss=loss).fit(X, missing, IDLE)
    assert model.score(X, missing, IDLE) == pytest.approx(model.score(X[~GAPS], responses[~GAPS], WEIGHTS[~GAPS]))


@pytest.mark.parametrize("scoring", [None, "roc_auc", "accuracy"])
def test_cross_validation_scores_rows_with_a_label(scoring):
    """Folds are given, so that the same rows are compared."""
    folds = [(np.flatnonzero(np.arange(N) % 3 != f), np.flatnonzero(np.arange(N) % 3 == f)) for f in range(3)]
    place = np.cumsum(~GAPS) - 1
    own = [tuple(place[rows[~GAPS[rows]]] for rows in fold) for fold in folds]
    model = KSparseClassifierCV(range(4), cv=folds, scoring=scoring).fit(X, MISSING, IDLE)
    expected = KSparseClassifierCV(range(4), cv=own, scoring=scoring).fit(X[~GAPS], Y[~GAPS], WEIGHTS[~GAPS])
    np.testing.assert_allclose(model.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"], rtol=1e-6)


def test_rows_without_a_label_are_not_scored_by_a_scorer_without_weights():
    seen = []

    def scorer(model, rows, labels):
        seen.append(labels)
        return model.score(rows, labels)

    with pytest.warns(UserWarning, match="does not accept sample_weight"):
        KSparseClassifierCV([1, 2], scoring=scorer).fit(X, MISSING, IDLE)
    assert sum(map(len, seen)) == 2 * np.count_nonzero(~GAPS)
    assert np.isfinite(np.concatenate(seen)).all()


def test_a_label_that_counts_must_be_there():
    weights = IDLE.copy()
    first = int(np.flatnonzero(GAPS)[0])
    weights[first] = 1e-9
    for call in (
        lambda: ksparse.fit(X, MISSING, 2, sample_weight=weights),
        lambda: ksparse.fit(X, MISSING, 2),
        lambda: KSparseClassifier(2).fit(X, MISSING, weights),
        lambda: KSparseClassifierCV([2]).fit(X, MISSING),
    ):
        with pytest.raises(ValueError, match=rf"y\[{first}\] is (nan|missing)"):
            call()
    wrong = np.where(GAPS, 2, Y)  # a label that is there must be a label
    with pytest.raises(ValueError, match="it must be binary"):
        ksparse.fit(X, wrong, 2, sample_weight=IDLE)


# ---- what y is


def test_numbers_that_are_no_labels_are_pointed_to_a_regression():
    for call in (
        ksparse.fit,
        lambda *given: ksparse.fit_path(*given[:2], [2]),
        KSparseClassifier(2).fit,
        KSparseClassifierCV().fit,
    ):
        with pytest.raises(ValueError, match="KSparseRegressor"):
            call(X, ETA, 2) if call is ksparse.fit else call(X, ETA)
    with pytest.warns(ksparse.ConvergenceWarning, match="KSparseRegressor"):
        ksparse.fit_many(X, ETA[:, None], 2)
    with pytest.raises(ValueError, match=r"KSparseClassifier takes any two labels"):
        ksparse.fit(X, Y + 1, 2)


# ---- cross-validation


def test_best_params_are_those_that_the_loss_has():
    """A parameter that is not used would look as if it had been chosen."""
    assert set(KSparseClassifierCV([1, 2]).fit(X, Y).best_params_) == {"k", "ridge"}
    assert set(KSparseClassifierCV([1, 2], loss=ksparse.losses.Probit()).fit(X, Y).best_params_) == {"k", "ridge"}
    focal = KSparseClassifierCV([1, 2], loss="focal", gamma=[1, 2], scoring="roc_auc").fit(X, Y)
    assert set(focal.best_params_) == {"k", "alpha", "gamma", "ridge"}
    for name in ("alpha", "gamma"):
        with pytest.raises(ValueError, match=rf"{name} is \[0.3, 0.5\] but loss='logistic' has no parameter {name}"):
            KSparseClassifierCV([1, 2], **{name: [0.3, 0.5]}, scoring="roc_auc").fit(X, Y)


def separable_in_folds():
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((50, 40))
    return rows, (rows[:, 0] + 1.2 * rng.standard_normal(50) > 0).astype(int)


def test_folds_whose_classes_are_separated_are_named_and_do_not_ruin_the_plot():
    """Their scores are as large as the coefficients happen to be, here far from the best, which has no such fold."""
    rows, labels = separable_in_folds()
    with pytest.warns(SklearnWarning, match=r"separate the classes of their training rows.*add a ridge penalty"):
        model = KSparseClassifierCV(range(13)).fit(rows, labels)
    separable = model.cv_results_["n_separable"] > 0
    assert 0 < separable.sum() < 12
    assert not separable[model.best_index_]
    scores = model.cv_results_["mean_test_score"]
    display = model.plot()
    low, high = display.ax_.get_ylim()
    sound = scores[~separable]
    assert low < sound.min() <= sound.max() < high
    assert high - low < 4 * (sound.max() - sound.min() + 2 * display.standard_errors[~separable].max())
    assert scores[separable].min() < low
    assert "the classes of some folds are separated" in display.ax_.get_title(loc="left").replace("\n", " ")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # with a ridge nothing is said
        ridged = KSparseClassifierCV(range(13), ridge=0.1).fit(rows, labels)
    assert ridged.plot().ax_.get_title(loc="left") == ""


# ---- verbose


def test_verbose_prints_the_size_and_the_work_of_a_fit(capsys):
    result = ksparse.fit(X, Y, 2, verbose=1)
    before, after = capsys.readouterr().out.splitlines()
    assert f"{N} rows, 12 features" in before
    for part in (f"{len(result.support)} features", f"{result.n_scans} scans", f"{result.n_refits} refits", "converged"):
        assert part in after
    ksparse.fit(X, Y, 2)
    ksparse.fit(X, Y, 2, verbose=False)
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="verbose is 'yes'"):
        ksparse.fit(X, Y, 2, verbose="yes")
