"""The result and what comes with it."""

import ksparse
import numpy as np
import pandas as pd
import pytest
from ksparse import KSparseClassifier
from reference import random_problem


@pytest.fixture
def problem():
    return random_problem(1, n=100, p=6)


def test_result_prints_its_features_by_name(problem):
    """A reader sees names and coefficients, not an array of zeros."""
    names = ["age", "dose", "weight", "height", "pulse", "sugar"]
    result = ksparse.fit(pd.DataFrame(problem.X, columns=names), problem.y, 2, ridge=1e-2)
    text = str(result)
    assert "2 of 6 features" in text
    assert "(intercept)" in text
    for j in range(6):
        assert (names[j] in text) == (j in result.support)
    assert "status='converged'" in repr(result)


def test_result_is_frozen(problem):
    """An answer does not change after the fact."""
    result = ksparse.fit(problem.X, problem.y, 2, ridge=1e-2)
    with pytest.raises(AttributeError):
        result.objective = 0.0


def test_decision_function_is_the_linear_predictor(problem):
    """On new rows, with and without an offset; a wrong number of columns is refused with both numbers."""
    result = ksparse.fit(problem.X, problem.y, 3, ridge=1e-2)
    eta = problem.X @ result.coef + result.intercept
    np.testing.assert_allclose(result.decision_function(problem.X), eta, atol=1e-12)
    np.testing.assert_allclose(result.decision_function(problem.X, np.ones(100)), eta + 1, atol=1e-12)
    with pytest.raises(ValueError, match=r"X has shape \(100, 5\) but the fit had 6 features"):
        result.decision_function(problem.X[:, :5])


@pytest.mark.parametrize("loss", ["logistic", "focal"])
def test_predictions_are_those_of_the_estimator(problem, loss):
    """Probabilities with the focusing undone, labels, and an offset on top; the same as of a batch of one."""
    result = ksparse.fit(problem.X, problem.y, 3, loss=loss, ridge=1e-2)
    model = KSparseClassifier(3, loss=loss, ridge=1e-2).fit(problem.X, problem.y)
    np.testing.assert_allclose(result.predict_proba(problem.X), model.predict_proba(problem.X)[:, 1], rtol=1e-9)
    np.testing.assert_array_equal(result.predict(problem.X), model.predict(problem.X))
    batch = ksparse.fit_many(problem.X, problem.y[:, None], 3, loss=loss, ridge=1e-2)
    np.testing.assert_allclose(batch.predict_proba(problem.X)[:, 0], result.predict_proba(problem.X), rtol=1e-9)
    far = np.where(np.arange(100) % 2, 1e3, -1e3)
    np.testing.assert_array_equal(result.predict(problem.X, far), np.arange(100) % 2)
    np.testing.assert_array_equal(result.predict_proba(problem.X, far).round(9), np.arange(100) % 2)


def test_too_few_iterations_are_said(problem):
    """One Newton step is not enough, and the warning says what to raise."""
    with pytest.warns(ksparse.ConvergenceWarning, match="raise max_newton"):
        result = ksparse.fit(problem.X, problem.y, 3, max_newton=1)
    assert result.status == "max_iterations"
    assert " ".join(str(result).split()).endswith(f"{result.advice}.")


def test_counts_of_work_are_plausible(problem):
    """At least the null model and the answer are refitted, and X is scanned."""
    result = ksparse.fit(problem.X, problem.y, 3, ridge=1e-2)
    assert result.n_refits >= 5
    assert result.n_scans >= 2
    assert result.n_newton >= 3


def test_build_info_names_the_variant():
    """What runs is among what was built and what can run."""
    info = ksparse.build_info()
    assert info["instruction_set"] in info["available"]
    assert info["instruction_set"] in info["supported"]
    assert info["version"] == ksparse.__version__
