"""The page on other packages: every row is run, with both packages where they are installed."""

import subprocess
import sys
import warnings

import ksparse
import numpy as np
import pandas as pd
import pytest
from claims import claims, uncovered, unfounded
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseRegressor, KSparseSelector
from scipy.optimize import minimize
from sklearn.feature_selection import RFE, SelectKBest, SequentialFeatureSelector, f_classif
from sklearn.linear_model import LogisticRegression, OrthogonalMatchingPursuit, PoissonRegressor
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold, PredefinedSplit
from sklearn.preprocessing import StandardScaler

PAGE = "coming_from.rst"
TRUE = [3, 7, 11]


@pytest.fixture(scope="module")
def data():
    """Labels from three of twenty features, so that every package finds the same."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 20))
    return X, (X[:, TRUE] @ [1.0, -1.0, 0.5] + rng.logistic(size=400) > 0).astype(int)


@pytest.fixture
def abess():
    """Return the package, if it is installed."""
    return pytest.importorskip("abess")


@pytest.fixture
def skscope():
    """Return the package, if it is installed, with JAX in double precision while it runs."""
    config = pytest.importorskip("jax").config
    before = config.jax_enable_x64
    config.update("jax_enable_x64", True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pytest.importorskip("skscope")
    config.update("jax_enable_x64", before)


def logistic(X, y):
    """Return the average logistic loss in JAX."""
    import jax.numpy as jnp

    return lambda b: jnp.mean(jnp.logaddexp(0.0, -(2 * y - 1) * (X @ b)))


def chosen(model):
    """Return the features of a model of abess."""
    return np.flatnonzero(model.coef_).tolist()


@claims(
    PAGE,
    "The ridge of ksparse is",
    "LogisticRegression(support_size=8)",
    "coef_ of shape (p,)",
    "train_loss_",
    "fit_intercept | fit_intercept",
    "Names of abess",
    "The rows on scikit-learn, abess and skscope are tested",
)
def test_abess_logistic(abess, data):
    """The same features and coefficients, in other shapes; and the loss is a sum there."""
    X, y = data
    other, ours = abess.LogisticRegression(support_size=3).fit(X, y), KSparseClassifier(k=3).fit(X, y)
    assert chosen(other) == ours.support_.tolist() == TRUE
    np.testing.assert_allclose(ours.coef_[0], other.coef_, atol=1e-7)
    assert (other.coef_.shape, np.shape(other.intercept_)) == ((20,), ())
    assert (ours.coef_.shape, ours.intercept_.shape) == ((1, 20), (1,))
    assert ours.objective_ * 400 == pytest.approx(other.train_loss_, rel=1e-7)
    other, ours = (
        model.fit(X, y)
        for model in (abess.LogisticRegression(support_size=3, fit_intercept=False), KSparseClassifier(3, fit_intercept=False))
    )
    np.testing.assert_allclose(ours.coef_[0], other.coef_, atol=1e-7)
    result = ksparse.fit(X, y, 3, ridge=0.1)
    value = np.logaddexp(0, -(2 * y - 1) * (X @ result.coef + result.intercept)).mean()
    assert result.objective == pytest.approx(value + 0.05 * result.coef @ result.coef, rel=1e-12)


@claims(PAGE, 'support_size=range(20), ic_type="ebic"')
def test_abess_criteria(abess, data):
    """AIC and BIC differ by the intercept, GIC not at all, EBIC by the term that the page names."""
    X, y = data
    path = ksparse.fit_path(X, y, range(20))
    constant = {"aic": 2.0, "bic": np.log(400), "gic": 0.0, "ebic": np.log(400)}
    for name, shift in constant.items():
        other, ours = abess.LogisticRegression(support_size=range(20), ic_type=name).fit(X, y), path.best(name)
        assert chosen(other) == ours.support.tolist()
        assert KSparseClassifier(k=name, k_max=19).fit(X, y).support_.tolist() == ours.support.tolist()
        s = len(ours.support)
        more = (
            2 * s * np.log(20) - 2 * np.log(np.prod(20 - np.arange(s)) / np.prod(np.arange(1, s + 1)))
            if name == "ebic"
            else 0.0
        )
        assert more >= 0
        assert path.criterion(name).min() == pytest.approx(other.eval_loss_ + shift - more, rel=1e-7)
    with pytest.raises(ValueError, match="k is 'hic'"):
        KSparseClassifier(k="hic").fit(X, y)


@claims(PAGE, 'path_type="gs"')
def test_abess_golden_section(abess, data):
    """It ends at the same k here; ours is in a path of every k."""
    X, y = data
    other = abess.LogisticRegression(path_type="gs", s_min=1, s_max=15).fit(X, y)
    assert chosen(other) == KSparseClassifier(k="ebic", k_max=15).fit(X, y).support_.tolist()
    assert KSparseClassifier(k="ebic", k_max=15).fit(X, y).path_.ks.tolist() == list(range(16))


@claims(PAGE, 'cv=5, cv_score="roc_auc"', "cv.glmnet(nfolds = 10", "L0Learn.cvfit(..., nFolds=5)", "foldid |", "lambda.1se")
def test_cross_validation(abess, data):
    """By the area under the curve, with a given number of folds, with given folds, and with the rule of one standard error."""
    X, y = data
    other = abess.LogisticRegression(support_size=range(1, 6), cv=5, cv_score="roc_auc").fit(X, y)
    ours = KSparseClassifierCV(range(1, 6), cv=5, scoring="roc_auc").fit(X, y)
    assert set(TRUE) <= set(chosen(other)) & set(ours.support_)
    assert "split9_test_score" in KSparseClassifierCV(range(3), cv=10, scoring="roc_auc").fit(X, y).cv_results_
    folds = np.arange(400) % 4
    given = KSparseClassifierCV(range(6), cv=PredefinedSplit(folds), one_standard_error=True).fit(X, y)
    assert "split3_test_score" in given.cv_results_
    assert "split4_test_score" not in given.cv_results_
    scores, ks = given.cv_results_["mean_test_score"], given.cv_results_["param_k"].astype(int)
    spread = (
        np.array([[given.cv_results_[f"split{i}_test_score"][j] for i in range(4)] for j in range(len(ks))]).std(axis=1, ddof=1)
        / 2
    )
    best = np.argmax(scores)
    assert given.best_params_["k"] == ks[scores >= scores[best] - spread[best]].min()


@claims(PAGE, "alpha (ridge)", "If a package standardises the columns first")
def test_abess_ridge(abess, data):
    """On columns of mean 0 and variance 1, whatever their units were."""
    X, y = data
    Z = StandardScaler().fit_transform(X)
    for alpha in (0.1, 1.0, 10.0):
        other = abess.LogisticRegression(support_size=3, alpha=alpha).fit(X * 7.0 + 2.0, y)
        ours = ksparse.fit(Z, y, 3, ridge=2 * alpha / 400)
        np.testing.assert_allclose(ours.coef / X.std(axis=0) / 7.0, other.coef_, atol=1e-6)


@claims(PAGE, "always_select", "group | groups, labels", "A_init", "preselect | always_in", "group (adjacent, increasing)")
def test_abess_and_skscope_constraints(abess, skscope, data):
    """Features that are always in count towards k in all of them; groups may have labels of any kind, in any order."""
    X, y = data
    other = abess.LogisticRegression(support_size=3, always_select=[0]).fit(X, y)
    assert chosen(other) == ksparse.fit(X, y, 3, always_in=[0]).support.tolist() == [0, 3, 7]
    groups = np.repeat(np.arange(10), 2)
    other = abess.LogisticRegression(support_size=2, group=groups).fit(X, y)
    mixed = np.array(list("jihgfedcba"))[groups]
    assert chosen(other) == ksparse.fit(X, y, 2, groups=mixed).support.tolist() == [2, 3, 6, 7]
    solver = skscope.ScopeSolver(20, 3, preselect=[0])
    solver.solve(logistic(X, y))
    assert sorted(solver.get_support()) == ksparse.fit(X, y, 3, always_in=[0], fit_intercept=False).support.tolist()
    solver = skscope.ScopeSolver(20, 2, group=groups)
    solver.solve(logistic(X, y))
    assert sorted(solver.get_support()) == ksparse.fit(X, y, 2, groups=mixed, fit_intercept=False).support.tolist()
    other = abess.LogisticRegression(support_size=3, A_init=[0, 1, 2]).fit(X, y)
    started = ksparse.fit(X, y, 3, start=[0, 1, 2])
    assert chosen(other) == started.support.tolist()
    assert started.n_refits > ksparse.fit(X, y, 3).n_refits


@claims(
    PAGE,
    "exchange_num, splicing_type, important_search",
    "thread | n_jobs",
    "primary_model_fit_max_iter",
    'algorithm="CDPSI"',
    "max_exchange_num, splicing_type, important_search",
)
def test_what_there_is_to_set(data):
    """Threads, Newton iterations, tolerance, and how long to search; nothing else of a search."""
    X, y = data
    long, short = ksparse.fit(X, y, 3, search="thorough"), ksparse.fit(X, y, 3)
    assert long.n_rounds > short.n_rounds
    assert long.objective <= short.objective
    with pytest.warns(ksparse.ConvergenceWarning, match="raise max_newton"):
        ksparse.fit(X, y, 3, max_newton=1, tolerance=1e-12)
    assert next(iter(ksparse.fit_each([(X, y)], 3, n_jobs=2))).support.tolist() == TRUE
    assert ksparse.fit_many(X, y, [1, 3], n_jobs=2).supports[1].tolist() == TRUE
    assert ksparse.stability_selection(X, y, 1, rounds=2, n_jobs=2).k == 1
    assert KSparseClassifierCV([3], n_jobs=2, cv=2).fit(X, y).support_.tolist() == TRUE
    # A single swap is tried whatever the start: from every pair of wrong features the search finds the right ones.
    for start in ([0, 1, 2], [17, 18, 19]):
        assert ksparse.fit(X, y, 3, start=start, search="fast").support.tolist() == TRUE


@claims(PAGE, "LinearRegression, PoissonRegression", "GammaRegression", 'loss="SquaredError"')
def test_abess_regressions(abess, data):
    """The same least squares; a Poisson model at least as good; and a gamma model that is another."""
    X, _ = data
    rng = np.random.default_rng(1)
    mean = np.exp(0.3 * X[:, 3] - 0.2 * X[:, 7] + 1)
    noisy = X[:, 3] - X[:, 7] + rng.standard_normal(400)
    other, ours = abess.LinearRegression(support_size=2).fit(X, noisy), KSparseRegressor(2, loss="squared").fit(X, noisy)
    np.testing.assert_allclose(ours.coef_, other.coef_, atol=1e-8)
    residuals = noisy - ours.predict(X)
    assert ours.objective_ == pytest.approx(0.5 * np.mean(residuals**2), rel=1e-10)
    counts = rng.poisson(mean)
    other, ours = abess.PoissonRegression(support_size=2).fit(X, counts), KSparseRegressor(2, loss="poisson").fit(X, counts)
    exact = PoissonRegressor(alpha=0, tol=1e-10, max_iter=1000).fit(X[:, [3, 7]], counts).coef_
    np.testing.assert_allclose(ours.coef_[[3, 7]], exact, atol=1e-5)
    assert chosen(other) == [3, 7]
    assert 1e-4 < np.abs(other.coef_[[3, 7]] - exact).max() < 0.1
    amounts = rng.gamma(5, mean / 5)
    other, ours = abess.GammaRegression(support_size=2).fit(X, amounts), KSparseRegressor(2, loss="gamma").fit(X, amounts)
    eta = X @ other.coef_ + other.intercept_
    np.testing.assert_allclose(other.predict(X), -1 / eta)
    np.testing.assert_allclose(ours.predict(X), np.exp(X @ ours.coef_ + ours.intercept_))
    assert (other.coef_[[3, 7]] * ours.coef_[[3, 7]] > 0).all()  # a rising mean in both, for -1/eta rises as well
    assert np.abs(other.coef_[3] / ours.coef_[3] - 1) > 0.5


@claims(PAGE, "MultinomialRegression", "OrdinalRegression, CoxPHSurvivalAnalysis")
def test_other_models_of_abess(abess, data):
    """More than two classes have features each; ksparse has no loss of the others."""
    X, y = data
    model = KSparseClassifier(k=2, ridge=1e-3).fit(X, y + (X[:, 11] > 1))
    assert len(model.supports_) == 3
    assert hasattr(abess, "OrdinalRegression")
    assert hasattr(abess, "CoxPHSurvivalAnalysis")
    assert not {"ordinal", "cox"} & set(ksparse.losses.BY_NAME)


@claims(
    PAGE,
    "Names of skscope",
    "If the objective is one of the built-in losses",
    "ScopeSolver(p, sparsity=8)",
    "get_support(), get_estimated_params()",
    "HTPSolver, IHTSolver",
    "an intercept as a column of ones",
    "an objective of your own",
    "jit=True",
)
def test_skscope_logistic(skscope, data):
    """The same parameters from both solvers and from a fit; an intercept counts in the one and not in the other."""
    X, y = data
    ours = ksparse.fit(X, y, 3, fit_intercept=False)
    for package in (skscope, ksparse):
        solver = package.ScopeSolver(20, sparsity=3)
        solver.solve(logistic(X, y))
        assert sorted(solver.get_support()) == ours.support.tolist()
        np.testing.assert_allclose(solver.get_estimated_params(), ours.coef, atol=1e-3)
        assert float(solver.objective_value) == pytest.approx(ours.objective, rel=1e-5)
        for name in ("HTPSolver", "IHTSolver", "GraspSolver", "OMPSolver", "ForwardSolver", "FobaSolver"):
            assert getattr(package, name)
    solver = skscope.ScopeSolver(21, 4, preselect=[0])
    params = solver.solve(logistic(np.column_stack([np.ones(400), X]), y))
    assert params[0] == pytest.approx(ksparse.fit(X, y, 3).intercept, abs=1e-3)
    code = "import ksparse, numpy, sys; X = numpy.eye(9); ksparse.fit(X, X[0] > 0, 1, ridge=1); print({'jax', 'numba'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"


@claims(
    PAGE,
    "Settings of another search",
    "the layers NonNegative",
    "lows, highs",
    "lower.limits, upper.limits",
)
def test_skscope_layers_and_settings(skscope, data):
    """Layers of skscope are taken; settings of another search have no effect, and a warning names them."""
    from skscope.layer import BoxConstraint, LinearConstraint, NonNegative

    X, y = data
    for layer, bounds in ((NonNegative(20), (0, None)), (BoxConstraint(20, -0.5, 0.5), (-0.5, 0.5))):
        solver = ksparse.ScopeSolver(20, 3)
        params = solver.solve(logistic(X, y), layers=[layer])
        ours = ksparse.fit(X, y, 3, bounds=bounds, fit_intercept=False)
        assert np.flatnonzero(params).tolist() == ours.support.tolist()
        np.testing.assert_allclose(params, ours.coef, atol=1e-6)
    other = skscope.ScopeSolver(20, 3).solve(logistic(X, y), layers=[NonNegative(20)])
    assert np.flatnonzero(other).tolist() == ksparse.fit(X, y, 3, bounds=(0, None), fit_intercept=False).support.tolist()
    for setting in ({"max_exchange_num": 3}, {"splicing_type": "taper"}, {"important_search": 5}, {"screening_size": 5}):
        with pytest.warns(UserWarning, match=f"{next(iter(setting))}=.* has no effect"):
            ksparse.ScopeSolver(20, 3, **setting).solve(logistic(X, y))
    assert ksparse.ScopeSolver(20, 3).solve(logistic(X, y), layers=[LinearConstraint(20)]).sum() == pytest.approx(1.0)
    wide = np.full(20, 2.0)
    assert ksparse.fit(X, y, 3, bounds=(-wide, wide)).support.tolist() == TRUE


@claims(
    PAGE,
    "Of skscope's own 113 tests",
    "These differences remain",
    "Objectives that are written in C++",
    "The estimators of skscope.skmodel",
    "The other solvers are no subclasses",
    "A solve does not change",
    "Numbers that are not whole",
    "eval_objective after a cross-validation",
    "float(...) of a number",
    "BaseSolver, PDASSolver, layer, utilities",
    "numeric_solver",
)
def test_what_is_different_from_skscope(skscope, data):
    """Each difference as the page has it; test_scope_switch.py tests what is the same. The 113 tests themselves are not kept here."""
    import jax.numpy as jnp
    from ksparse import scope
    from skscope import _scope

    X, y = data
    quadratic = _scope.QuadraticData(X.T @ X, -(X.T @ (y - 0.5)))
    with pytest.raises(TypeError, match="quadratic_loss"):
        scope.ScopeSolver(20, 3).solve(_scope.quadratic_loss, quadratic)
    params = scope.ScopeSolver(20, 3).solve(
        _scope.quadratic_loss, quadratic, gradient=lambda x, data: np.array(_scope.quadratic_grad(x, data))
    )
    assert np.flatnonzero(params).tolist() == TRUE
    assert not hasattr(scope, "skmodel")
    assert not issubclass(scope.OMPSolver, scope.BaseSolver)
    assert issubclass(skscope.OMPSolver, skscope.BaseSolver)
    for package in (scope, skscope):
        solver = package.OMPSolver(20, 3)
        solver.solve(logistic(X, y))
        assert (solver.group is None) == (package is scope)
        with pytest.raises(Exception, match=r"float|JAX"):
            package.OMPSolver(20, 3).solve(lambda b: jnp.sum(b**2) * float(jnp.sum(b)))
    with pytest.raises(TypeError, match=r"sparsity is 2\.5"):
        scope.ScopeSolver(20, 2.5).solve(logistic(X, y))
    values = []
    for package in (scope, skscope):
        solver = package.OMPSolver(20, 3, 400, cv=4, split_method=lambda data, index: (data[0][index], data[1][index]))
        solver.set_config(random_state=0).solve(lambda b, data: logistic(*data)(b), (X, y))
        values.append(float(solver.eval_objective))
    assert values[1] == pytest.approx(4 * values[0], rel=1e-3)
    for name in ("BaseSolver", "PDASSolver", "layer", "utilities", "convex_solver_LBFGS"):
        assert hasattr(scope, name)
        assert hasattr(skscope, name)
    by_lbfgs = scope.OMPSolver(20, 3, numeric_solver=lambda *arguments: skscope.convex_solver_LBFGS(*arguments))
    np.testing.assert_allclose(by_lbfgs.solve(logistic(X, y)), scope.OMPSolver(20, 3).solve(logistic(X, y)), atol=1e-3)


@claims(PAGE, "sparsity=range(20), ic_method", "cv, cv_fold_id, split_method")
def test_skscope_choice_of_k(skscope, data):
    """By the criteria that skscope has, of the sum of losses; and by folds."""
    import skscope.utilities

    X, y = data
    mean = logistic(X, y)
    path = ksparse.fit_path(X, y, range(20), fit_intercept=False)
    for name, method in (("ebic", skscope.utilities.EBIC), ("bic", skscope.utilities.BIC)):
        solver = skscope.ScopeSolver(20, range(2, 4), sample_size=400, ic_method=method)
        solver.solve(lambda b: 400 * mean(b))
        assert sorted(solver.get_support()) == path.best(name).support.tolist()
    assert KSparseClassifierCV(range(5), cv=KFold(3)).fit(X, y).best_params_["k"] >= 3


@claims(
    PAGE,
    "Names of the R package 2.1.0",
    "L0Learn *penalises*",
    "L0Learn.fit(x, y",
    'penalty="L0L2"',
    'penalty="L0L1"',
    "lambdaGrid",
    "excludeFirstK",
    "coef(fit, lambda=, gamma=)",
    "predict(fit, newx)",
    'loss="SquaredHinge"',
    "L0Learn and glmnet are packages of R",
)
def test_l0learn_by_its_formula(data):
    """With lambda = 0 on the chosen features the formula of L0Learn has the same minimum, for its three losses."""
    X, y = data
    n, s, gamma = 400, 2 * y - 1, 3.0

    def formula(losses_of, Z):
        def F(b):
            return losses_of(Z @ b[:-1] + b[-1]).sum() + gamma * b[:-1] @ b[:-1]

        return minimize(F, np.zeros(Z.shape[1] + 1), method="BFGS", options={"gtol": 1e-8}).x[:-1]

    path = ksparse.fit_path(X, y, range(21), ridge=2 * gamma / n)
    assert path.ks.tolist() == list(range(21))
    np.testing.assert_allclose(path.at(3).coef[TRUE], formula(lambda eta: np.logaddexp(0, -s * eta), X[:, TRUE]), atol=1e-4)
    hinge = ksparse.fit(X, y, 3, loss="squared_hinge", ridge=gamma / n)
    expected = formula(lambda eta: np.maximum(1 - s * eta, 0) ** 2, X[:, hinge.support])
    np.testing.assert_allclose(hinge.coef[hinge.support], expected, atol=1e-4)
    squared = ksparse.fit(X, 1.0 * y, 3, loss="squared", ridge=2 * gamma / n)
    expected = formula(lambda eta: 0.5 * (y - eta) ** 2, X[:, squared.support])
    np.testing.assert_allclose(squared.coef[squared.support], expected, atol=1e-4)
    assert KSparseClassifierCV([3], ridge=[1e-3, 1e-2], cv=2).fit(X, y).best_params_["ridge"] in (1e-3, 1e-2)
    assert ksparse.fit(X, y, 4, always_in=range(2)).support.tolist() == [0, 1, 3, 7]
    result = path.at(3)
    np.testing.assert_allclose(result.predict_proba(X), 1 / (1 + np.exp(-result.decision_function(X))), rtol=1e-12)


@claims(
    PAGE,
    "Names of the R package, glmnet",
    "The lasso selects by shrinking",
    "The coefficients of a best subset are not shrunk",
    'glmnet(x, y, family = "binomial")',
    "dfmax, pmax",
    "alpha (mixture of L1 and L2)",
    "lambda with alpha = 0",
)
def test_glmnet_by_its_formula(data):
    """An average loss plus lambda times the penalty, which scikit-learn has as well."""
    X, y = data
    Z = StandardScaler().fit_transform(X)
    for penalty in (0.01, 0.3):
        other = LogisticRegression(C=1 / (400 * penalty), tol=1e-10, max_iter=1000).fit(Z, y)
        np.testing.assert_allclose(ksparse.fit(Z, y, 20, ridge=penalty).coef, other.coef_[0], atol=1e-4)
    free = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(X[:, TRUE], y)
    np.testing.assert_allclose(ksparse.fit(X, y, 3).coef[TRUE], free.coef_[0], atol=1e-4)
    lasso = [
        LogisticRegression(C=C, l1_ratio=1, solver="liblinear", tol=1e-6).fit(Z[:200], y[:200])
        for C in np.geomspace(0.02, 2, 12)
    ]
    best = max(lasso, key=lambda model: -np.mean(np.logaddexp(0, -(2 * y[200:] - 1) * model.decision_function(Z[200:]))))
    kept = np.flatnonzero(best.coef_[0])
    assert set(TRUE) < set(kept.tolist())
    free = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(Z[:200][:, kept], y[:200])
    assert np.abs(best.coef_).sum() < np.abs(free.coef_).sum()


@claims(
    PAGE,
    "weights, offset |",
    "penalty.factor = 0",
    "exclude |",
    "standardize |",
    'predict(type = "response")',
    "several responses",
)
def test_glmnet_settings(data):
    """Weights as repeated rows, an offset, features that are in or out, units, probabilities and many responses."""
    X, y = data
    w = np.random.default_rng(0).integers(0, 3, 400)
    np.testing.assert_allclose(
        ksparse.fit(X, y, 3, sample_weight=w).coef, ksparse.fit(np.repeat(X, w, 0), np.repeat(y, w), 3).coef, atol=1e-6
    )
    assert ksparse.fit(X, y, 3, offset=np.full(400, 0.5)).intercept == pytest.approx(
        ksparse.fit(X, y, 3).intercept - 0.5, abs=1e-6
    )
    inside = ksparse.fit(X, y, 3, always_in=[0])
    assert 0 in inside.support
    assert abs(ksparse.fit(X, y, 3, always_in=[0], ridge=10.0).coef[0]) < abs(inside.coef[0])
    assert 3 not in ksparse.fit(X, y, 3, never_in=[3]).support
    assert ksparse.fit(X * np.geomspace(1e-6, 1e6, 20) + 3.0, y, 3).support.tolist() == TRUE
    result = ksparse.fit(X, y, 3)
    np.testing.assert_allclose(result.predict_proba(X), 1 / (1 + np.exp(-result.decision_function(X))), rtol=1e-12)
    many = ksparse.fit_many(pd.DataFrame(X), np.column_stack([y, X[:, 5] + np.random.default_rng(1).logistic(size=400) > 0]), 3)
    assert many[0].support.tolist() == TRUE
    assert 5 in many.supports[1]


@claims(
    PAGE,
    "Names of scikit-learn",
    "ksparse chooses all k features together",
    "LogisticRegression(l1_ratio=1.0",
    "LogisticRegression(C=c)",
    "RFE(LogisticRegression()",
    "Lasso, OrthogonalMatchingPursuit",
    "penalty, solver, max_iter",
)
def test_sklearn_models(data):
    """With as many features, no L1 model and no step-wise selection fits better; a ridge is 1 / (C n); k is the only parameter."""
    X, y = data
    ours = KSparseClassifier(k=3).fit(X, y)
    assert ours.support_.tolist() == TRUE
    for strength in np.geomspace(1e-3, 1.0, 40):
        l1 = LogisticRegression(l1_ratio=1.0, C=strength, solver="liblinear").fit(X, y)
        if np.count_nonzero(l1.coef_) == 3:
            break
    assert np.count_nonzero(l1.coef_) == 3
    assert log_loss(y, ours.predict_proba(X)) <= log_loss(y, l1.predict_proba(X))
    ridge = LogisticRegression(C=0.1, tol=1e-10, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(KSparseClassifier(k=20, ridge=1 / (0.1 * 400)).fit(X, y).coef_, ridge.coef_, atol=1e-6)
    plain = LogisticRegression(C=np.inf, max_iter=10_000)
    for selector in (RFE(plain, n_features_to_select=3), SequentialFeatureSelector(plain, n_features_to_select=3)):
        theirs = plain.fit(X[:, selector.fit(X, y).get_support()], y)
        assert log_loss(y, ours.predict_proba(X)) <= log_loss(y, theirs.predict_proba(X[:, selector.get_support()])) + 1e-9
    assert KSparseSelector(k=3).fit(X, y).get_support(indices=True).tolist() == TRUE
    target = X[:, TRUE] @ [1.0, -1.0, 0.5] + np.random.default_rng(1).standard_normal(400)
    assert KSparseRegressor(k=3).fit(X, target).support_.tolist() == TRUE
    assert np.flatnonzero(OrthogonalMatchingPursuit(n_nonzero_coefs=3).fit(X, target).coef_).tolist() == TRUE
    assert {"penalty", "solver", "max_iter"}.isdisjoint(ours.get_params())
    assert "max_newton" in ours.get_params()


@claims(PAGE, "RFECV, GridSearchCV", "SelectKBest(f_classif")
def test_sklearn_selection(data):
    """A cross-validation over k is that of GridSearchCV; two features that only matter together are found, but not one by one."""
    X, y = data
    cv = KFold(4)
    ours = KSparseClassifierCV(ks=range(1, 6), cv=cv, scoring="neg_log_loss", ridge=1e-3).fit(X, y)
    theirs = GridSearchCV(KSparseClassifier(ridge=1e-3), {"k": range(1, 6)}, cv=cv, scoring="neg_log_loss").fit(X, y)
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], rtol=1e-6)
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((400, 30))
    common = rng.standard_normal(400)
    pair = np.column_stack([common + 0.2 * noise[:, 0], common - 0.2 * noise[:, 0]])  # their difference is what matters
    table = np.column_stack([noise[:, 1:], pair])
    label = (noise[:, 0] + 0.3 * rng.logistic(size=400) > 0).astype(int)
    assert KSparseSelector(k=2).fit(table, label).get_support(indices=True).tolist() == [29, 30]
    assert SelectKBest(f_classif, k=2).fit(table, label).get_support(indices=True).tolist() != [29, 30]


@claims(PAGE, "These tables translate the names of other packages")
def test_every_row_of_the_page_is_run():
    """A row that no test names is not on the page, and a test that names a row that is gone is not here."""
    assert uncovered(PAGE) == []
    assert unfounded(PAGE) == []
