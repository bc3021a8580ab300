"""Summaries: standard errors against closed forms, derivatives by complex step and simulation, and what is said of them."""

import pickle

import ksparse
import numpy as np
import pandas as pd
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseMultiLabelClassifier
from reference import random_problem
from scipy.sparse import csc_array, csr_array
from scipy.special import expit
from scipy.stats import norm
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.utils.class_weight import compute_sample_weight

CASES = [
    {},
    {"ridge": 0.05},
    {"ridge": 0.05, "fit_intercept": False},
    {"loss": "focal", "alpha": 0.7, "gamma": 2.0},
    {"loss": "focal", "gamma": 0.5, "ridge": 0.02},
]


def row_losses(b, Z, y, offset, loss="logistic", alpha=0.5, gamma=0.0, **_):
    """Plain formula of the loss of each row, for complex arguments too."""
    m = (2 * y - 1) * (Z @ b + offset)
    a = np.where(y == 1, alpha, 1 - alpha) if loss == "focal" else 1.0
    return a * (1 / (1 + np.exp(m))) ** (gamma if loss == "focal" else 0.0) * np.log1p(np.exp(-m))


def row_gradients(b, *data, **settings):
    """Gradient of each row's loss by complex step, exact to rounding."""
    steps = 1e-30j * np.eye(len(b))
    return np.column_stack([row_losses(b + step, *data, **settings).imag / 1e-30 for step in steps])


def expected_covariance(kind, b, w, penalised, *data, ridge=0.0, **settings):
    """Evaluate the formulas of the docstring, with a Hessian by central differences of these gradients."""
    penalty = ridge * penalised
    scores = w[:, None] * (row_gradients(b, *data, **settings) + penalty * b)
    h = 1e-5
    columns = [
        w @ (row_gradients(b + step, *data, **settings) - row_gradients(b - step, *data, **settings)) / (2 * h)
        for step in h * np.eye(len(b))
    ]
    curvature = np.stack(columns)
    inverse = np.linalg.inv(curvature + w.sum() * np.diag(penalty))
    return inverse @ (curvature if kind == "information" else scores.T @ scores) @ inverse


@pytest.mark.parametrize("settings", CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_covariance_is_that_of_the_formula(settings, weighted):
    """Both estimates, with weights, an offset and a ridge; intervals and coefficients per standard deviation follow."""
    problem = random_problem(1, n=200, p=8)
    rng = np.random.default_rng(0)
    w, offset = rng.uniform(0.0, 3.0, 200) * (rng.random(200) > 0.1), 0.3 * rng.standard_normal(200)
    if not weighted:
        w, offset = np.ones(200), np.zeros(200)
    result = ksparse.fit(
        problem.X, problem.y, 3, sample_weight=w if weighted else None, offset=offset if weighted else None, **settings
    )
    Z, b, penalised = problem.X[:, result.support], result.coef[result.support], np.ones(3)
    if settings.get("fit_intercept", True):
        Z, b, penalised = np.column_stack([Z, np.ones(200)]), np.append(b, result.intercept), np.append(penalised, 0.0)
    for kind in ["sandwich"] if settings.get("loss") == "focal" else ["information", "sandwich"]:
        summary = result.summary(covariance=kind, level=0.9)
        expected = expected_covariance(kind, b, w, penalised, Z, problem.y, offset, **settings)
        np.testing.assert_allclose(summary.covariance_matrix, expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())
        np.testing.assert_allclose(summary.standard_error, np.sqrt(np.diag(expected)), rtol=1e-6)
        np.testing.assert_allclose(summary.coef, b)
        np.testing.assert_allclose(summary.upper, b + norm.ppf(0.95) * summary.standard_error, rtol=1e-9)
        np.testing.assert_allclose(summary.lower, b - norm.ppf(0.95) * summary.standard_error, rtol=1e-9)
        mean = np.average(Z[:, :3], axis=0, weights=w)
        sd = np.sqrt(np.average((Z[:, :3] - mean) ** 2, axis=0, weights=w))
        np.testing.assert_allclose(summary.coef_per_sd[:3], b[:3] * sd)
        assert f" {(w > 0).sum()} rows, {int(problem.y[w > 0].sum())} of class 1:" in summary.title


def test_log_odds_ratio_of_a_two_by_two_table():
    """Woolf's formula: the variance is the sum of the inverse counts; counts as weights and as repeated rows are the same."""
    counts = np.array([12, 5, 7, 31])
    X, y = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([0, 1, 0, 1])
    weighted = ksparse.fit(X, y, 1, sample_weight=counts).summary()
    repeated = ksparse.fit(np.repeat(X, counts, axis=0), np.repeat(y, counts), 1).summary()
    for summary in (weighted, repeated):
        assert summary.odds_ratio[0] == pytest.approx(12 * 31 / (5 * 7), rel=1e-9)
        np.testing.assert_allclose(summary.standard_error, np.sqrt([(1 / counts).sum(), 1 / 12 + 1 / 5]), rtol=1e-9)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("information", {}),
        ("sandwich", {"ridge": 0.1}),
        ("sandwich", {"loss": "focal", "gamma": 2.0}),
        ("sandwich", {"loss": "focal", "alpha": 0.8, "gamma": 0.0}),
    ],
)
def test_standard_errors_are_the_spread_over_samples(kind, settings):
    """400 outcomes drawn at the same X: the mean standard error is the standard deviation of the coefficients, within 4 of its own."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 2))
    Y = rng.random((400, 400)) < expit(X @ [1.0, -0.5] + 0.3)[:, None]
    batch = ksparse.fit_many(X, Y, 2, **settings)
    summaries = [result.summary(covariance=kind) for result in batch]
    spread = np.std([summary.coef for summary in summaries], axis=0, ddof=1)
    stated = np.mean([summary.standard_error for summary in summaries], axis=0)
    np.testing.assert_allclose(stated, spread, rtol=4 / np.sqrt(2 * 400))


@pytest.mark.parametrize("unit", [1e-150, 1e150])
def test_units_far_from_one(unit):
    """Squares of such columns, and of their coefficients, are beyond the range of doubles."""
    problem = random_problem(3, n=150)
    plain = ksparse.fit(problem.X, problem.y, 2).summary()
    far = ksparse.fit(problem.X * unit, problem.y, 2).summary()
    np.testing.assert_allclose(far.coef[:-1] * unit, plain.coef[:-1], rtol=1e-6)
    np.testing.assert_allclose(far.standard_error[:-1] * unit, plain.standard_error[:-1], rtol=1e-6)
    np.testing.assert_allclose(far.coef_per_sd[:-1], plain.coef_per_sd[:-1], rtol=1e-6)
    path = ksparse.fit_path(problem.X * unit * 1e50, problem.y, range(4))
    np.testing.assert_allclose(
        path.criterion("bic"), ksparse.fit_path(problem.X, problem.y, range(4)).criterion("bic"), rtol=1e-9
    )


def test_units_and_shifts():
    """A column in other units has the standard error in these, also far from 0, where the Hessian as it stands has no digits."""
    problem = random_problem(2, n=150, p=5, ridge=0.0)
    base = ksparse.fit(problem.X, problem.y, 5).summary()
    moved = ksparse.fit(problem.X * 1e-3 + 1e4, problem.y, 5).summary()
    np.testing.assert_allclose(moved.standard_error[:-1] * 1e-3, base.standard_error[:-1], rtol=1e-5)
    np.testing.assert_allclose(moved.coef_per_sd[:-1], base.coef_per_sd[:-1], rtol=1e-5)


def test_share_of_bootstrap_rounds():
    """That of stability_selection with the problem of the fit, but not its budget to search; the seed is the summary's own."""
    problem = random_problem(3, n=120, p=20, rho=0.8, loss="focal", ridge=1e-2, alpha=0.6, always_in=[2])
    result = ksparse.fit(problem.X, problem.y, 3, search="thorough", max_rounds=20, **problem.settings)
    summary = result.summary(bootstrap=40, random_state=7)
    stability = ksparse.stability_selection(
        problem.X, problem.y, 3, rounds=40, sampling="bootstrap", random_state=7, **problem.settings
    )
    assert summary.share_chosen[:-1].tolist() == stability.frequency[result.support].tolist()
    assert summary.share_chosen[summary.names.tolist().index("x2")] == 1.0
    assert "share of 40 bootstrap rounds" in summary.notes[-1]
    row = str(summary).splitlines()[2].split()
    assert row[-2:] == [f"{100 * stability.frequency[result.support[0]]:.0f}", "%"]
    assert result.summary().share_chosen is None


def test_estimators_say_what_a_fit_says():
    """On the data given again; with weights, by cross-validation, by the name of the class."""
    problem = random_problem(4, n=150, p=9)
    y, w = np.where(problem.y == 1, "ill", "well"), np.random.default_rng(0).uniform(0.5, 2.0, 150)
    frame = pd.DataFrame(problem.X, columns=list("abcdefghi"))
    fit = ksparse.fit(frame, y == "well", 3, sample_weight=w, ridge=1e-2).summary(bootstrap=10)
    for estimator in [KSparseClassifier(3, ridge=1e-2), KSparseClassifierCV([3], ridge=[1e-2])]:
        summary = estimator.fit(frame, y, sample_weight=w).summary(frame, y, w, bootstrap=10)
        pd.testing.assert_frame_equal(summary.to_frame(), fit.to_frame())
        assert "of class well" in summary.title
    with pytest.raises(NotFittedError):
        KSparseClassifier().summary(frame, y)
    assert summary.to_frame().index.tolist()[-1] == "(intercept)"


@pytest.mark.parametrize("storage", [csr_array, csc_array, np.asfortranarray, np.float32])
def test_storage_does_not_matter(storage):
    """Only the chosen columns are gathered, as float64; intercepts are taken out of a sparse X that is not centred."""
    X = np.round(random_problem(11, n=150, p=9).X * 4) / 4 * (np.random.default_rng(0).random((150, 9)) < 0.6)
    y = (X[:, 2] - X[:, 5] + np.random.default_rng(1).logistic(size=150) > 0).astype(float)
    expected, summary = (ksparse.fit(Z, y, 3, ridge=1e-3).summary() for Z in (X, storage(X)))
    np.testing.assert_allclose(summary.covariance_matrix, expected.covariance_matrix, rtol=1e-6)
    np.testing.assert_allclose(summary.coef_per_sd, expected.coef_per_sd, rtol=1e-6)
    model = KSparseClassifier(3, ridge=1e-3).fit(storage(X), y)
    np.testing.assert_allclose(model.summary(storage(X), y).standard_error, expected.standard_error, rtol=1e-6)


def test_an_entry_that_is_not_finite_is_named():
    """In the rows that an estimator asks for again, for summaries and scorecards."""
    X = np.random.default_rng(0).standard_normal((80, 6))
    y = X[:, 4] + np.random.default_rng(1).logistic(size=80) > 0
    model = KSparseClassifier(k=1).fit(pd.DataFrame(X, columns=list("abcdef")), y)
    assert model.support_ == [4]
    X[7, 4] = np.nan
    frame = pd.DataFrame(X, columns=list("abcdef"))
    for read in (model.summary, model.scorecard):
        with pytest.raises(ValueError, match=r"X\[7, 4\] \(column 'e'\) is nan; X must be finite"):
            read(frame, y)


@pytest.mark.parametrize(
    "name", [name for name in ksparse.losses.BY_NAME if ksparse.losses.BY_NAME[name].responses != "binary"]
)
@pytest.mark.parametrize(("unit", "shift"), [(1.0, 0.0), (1e6, 1e3), (1e-6, 1e3)])
def test_a_perfect_fit_has_a_summary(name, unit, shift):
    """F is rounding there, on the rows as in the fit, and the one is no share of the other."""
    rng = np.random.default_rng(4)
    Z = rng.standard_normal((150, 8))
    eta = Z[:, 4] - 0.5 * Z[:, 2] + 0.25
    y = unit * (np.exp(eta) if ksparse.losses.BY_NAME[name]().has_log_link else eta)
    for X in (Z + shift, np.float32(Z) + np.float32(shift)):
        model = ksparse.KSparseRegressor(2, loss=name, search="fast").fit(X, y)
        for rows in (np.arange(150), np.random.default_rng(5).permutation(150)):
            assert model.summary(X[rows], y[rows]).names.tolist() == ["x2", "x4", "(intercept)"]
        with pytest.raises(ValueError, match="on those of the fit"):
            model.summary(X, y[::-1])


def test_a_perfect_fit_of_labels_has_a_summary():
    """A squared hinge that no row is beyond: F is 0."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((150, 8))
    y = X[:, 4] > 0
    X[:, 4] += np.where(y, 0.3, -0.3)
    for loss in ("squared_hinge", "huberised_hinge"):
        result = ksparse.fit(X, y, 2, loss=loss)
        assert result.objective < 1e-20
        assert result.summary().names[-1] == "(intercept)"


@pytest.mark.filterwarnings("ignore::ksparse.ConvergenceWarning")  # some are only just separable
@pytest.mark.parametrize("loss", ["squared_hinge", "huberised_hinge"])
def test_a_perfect_fit_of_columns_far_from_their_centre_has_a_summary(loss):
    """The fit centres its columns: of one with an outlier, every row adds and takes away as much as the mean is."""
    for seed in range(20):
        X = np.random.default_rng(seed).standard_normal((60, 3))
        y = X[:, 0] > 0
        for outlier in (X[0, 0], 1e6):
            X[0, 0] = outlier if y[0] else -outlier
            assert ksparse.fit(X, y, 1, loss=loss).summary().names[-1] == "(intercept)"


def test_other_rows_are_refused():
    """Away from the minimum a standard error means nothing, so the data must be those of the fit."""
    problem = random_problem(5, n=150)
    model = KSparseClassifier(2, ridge=1e-2).fit(problem.X, problem.y)
    with pytest.raises(ValueError, match=r"F is 0\.\d+ on these rows but was 0\.\d+ on those of the fit"):
        model.summary(problem.X[:100], problem.y[:100])
    with pytest.raises(ValueError, match=r"y\[0\] is .*2.*; the fit had the classes \[0.0, 1.0\]"):
        model.summary(problem.X, problem.y + 2)
    with pytest.raises(ValueError, match="7 features"):
        model.summary(problem.X[:, :7], problem.y)
    result = ksparse.fit(problem.X, problem.y, 2)
    with pytest.raises(ValueError, match="does not refer to its data"):
        pickle.loads(pickle.dumps(result)).summary()


def test_classes_and_labels_each():
    """A summary by class, that of the class against the rest; by label the same; None for one without an answer."""
    X, y = load_wine(return_X_y=True, as_frame=True)
    names = np.array(["alba", "barolo", "cuneo"])[y]
    model = KSparseClassifier(2, ridge=1e-2).fit(X, names)
    summaries = model.summary(X, names)
    assert list(summaries) == ["alba", "barolo", "cuneo"]
    for name, summary in summaries.items():
        expected = ksparse.fit(X, names == name, 2, ridge=1e-2).summary()
        pd.testing.assert_frame_equal(summary.to_frame(), expected.to_frame())
    Y = pd.get_dummies(names).astype(int)
    labels = KSparseMultiLabelClassifier(2, ridge=1e-2).fit(X, Y)
    pd.testing.assert_frame_equal(labels.summary(X, Y)["barolo"].to_frame(), summaries["barolo"].to_frame())
    with pytest.raises(ValueError, match="y has 2 columns but the fit had 3 labels"):
        labels.summary(X, Y[["alba", "cuneo"]])
    Y["nowhere"] = 0
    with pytest.warns(match="never predicted"):
        labels.fit(X, Y)
    found = labels.summary(X, Y)
    assert [name for name in found if found[name] is None] == ["nowhere"]


def test_weights_of_classes_leave_no_likelihood():
    """They are no counts of rows, so the sandwich is taken; asking for the information is refused, as with the focal loss."""
    problem = random_problem(6, n=150)
    model = KSparseClassifier(2, class_weight="balanced", ridge=1e-2).fit(problem.X, problem.y)
    summary = model.summary(problem.X, problem.y)
    weights = compute_sample_weight("balanced", problem.y)
    result = ksparse.fit(problem.X, problem.y, 2, sample_weight=weights, ridge=1e-2)
    np.testing.assert_allclose(summary.standard_error, result.summary(covariance="sandwich").standard_error, rtol=1e-6)
    assert summary.covariance == "sandwich"
    assert result.summary().covariance == "information"
    with pytest.raises(ValueError, match="'information', which needs a likelihood, but there is none with class_weight"):
        model.summary(problem.X, problem.y, covariance="information")
    with pytest.raises(ValueError, match="there is none with the focal loss with gamma=2"):
        ksparse.fit(problem.X, problem.y, 2, loss="focal").summary(covariance="information")


def test_no_standard_errors_where_there_are_none():
    """Separable rows, columns that depend on each other, coefficients at a bound: NaN, an empty cell, and a line that says why."""
    problem = random_problem(7, n=150, p=4)
    with pytest.warns(ksparse.ConvergenceWarning):
        separable = ksparse.fit(problem.X, problem.X[:, 0] > 0, 1).summary()
    assert np.isnan(separable.standard_error).all()
    assert any("'separable'" in note for note in separable.notes)
    for combine in ([[2.0], [0.0]], [[1.0], [1.0]], [[1.0], [-3.0]]):
        dependent = np.column_stack([problem.X[:, :2], problem.X[:, :2] @ combine])
        singular = ksparse.fit(dependent, problem.y, 3, always_in=[0, 1, 2]).summary()
        assert np.isnan(singular.standard_error).all()
        assert any("singular" in note for note in singular.notes)
    free = ksparse.fit(problem.X, problem.y, 4)
    j = int(np.argmax(free.coef))
    held = ksparse.fit(problem.X, problem.y, 4, bounds=(None, np.where(np.arange(4) == j, free.coef[j] / 2, np.inf)))
    summary = held.summary()
    offset = problem.X[:, j] * held.coef[j]
    rest = np.delete(np.arange(4), j)
    expected = ksparse.fit(problem.X[:, rest], problem.y, 3, offset=offset).summary()
    np.testing.assert_allclose(np.delete(summary.standard_error, j), expected.standard_error, rtol=1e-6)
    assert np.isnan(summary.standard_error[j])
    assert f"These coefficients are at a bound and treated as fixed: x{j}." in summary.notes


def test_what_the_printout_says():
    """The caveat where features were chosen, and only there; the level; names; a notebook shows the same."""
    problem = random_problem(8, n=150, p=4)
    frame = pd.DataFrame(problem.X, columns=["age", "<dose>", "pulse", "sugar"])
    summary = ksparse.fit(frame, problem.y, 2, ridge=1e-2).summary(level=0.9)
    text = str(summary)
    assert text.startswith("logistic loss, 2 of 4 features, 150 rows")
    assert "90 % from" in text
    assert "The features were chosen on the same rows" in text
    assert "ridge shrinks" in text
    assert all(name in text for name in summary.names)
    assert "The features were chosen" not in str(ksparse.fit(frame, problem.y, 4).summary())
    assert "The features were chosen" not in str(ksparse.fit(frame, problem.y, 1, always_in=["age"]).summary())
    html = ksparse.fit(frame, problem.y, 4).summary()._repr_html_()
    assert "&lt;dose&gt;" in html
    focal = ksparse.fit(frame, problem.y, 2, loss="focal").summary()
    assert focal.odds_ratio is None
    assert "odds ratio " not in str(focal)
    empty = ksparse.fit(frame, problem.y, 0, fit_intercept=False).summary()
    assert len(empty.names) == 0
    assert str(empty)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"level": 1.0}, ValueError, r"level is 1.0; it must be in \(0, 1\)"),
        ({"level": 0.0}, ValueError, "level is 0.0"),
        ({"covariance": "HC0"}, ValueError, "covariance is 'HC0'; it must be one of 'information', 'sandwich', or None"),
        ({"bootstrap": -1}, ValueError, "bootstrap is -1; it must be >= 0"),
        ({"bootstrap": True}, TypeError, "bootstrap is True"),
        ({"bootstrap": 2, "random_state": -1}, ValueError, "random_state is -1"),
    ],
)
def test_arguments_are_checked(arguments, error, message):
    """The message names the argument, what it was and what it must be."""
    problem = random_problem(9)
    with pytest.raises(error, match=message):
        ksparse.fit(problem.X, problem.y, 2, ridge=1e-2).summary(**arguments)
