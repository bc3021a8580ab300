"""Losses of a user's own, compiled elsewhere, and the checker of losses."""

import copy
import ctypes
import math
import pickle
import re
import subprocess
import sys
import threading

import ksparse
import numpy as np
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseRegressor, losses
from ksparse._loss import terms_by_eta
from reference import random_problem
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

Scalar = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)
Doubles = ctypes.POINTER(ctypes.c_double)
Block = ctypes.CFUNCTYPE(None, ctypes.c_int64, Doubles, Doubles, Doubles, Doubles, Doubles, ctypes.c_void_p)


def of_rows(value, slope, curvature, **claims):
    """Return a compiled loss of three Python functions, as ctypes makes function pointers of them."""
    return losses.Compiled(value=Scalar(value), slope=Scalar(slope), curvature=Scalar(curvature), **claims)


def softplus(m):
    return max(-m, 0.0) + math.log1p(math.exp(-abs(m)))


def sigmoid(m):
    return 1 / (1 + math.exp(-m)) if m > -700 else 0.0


def logistic_rows(**claims):
    return of_rows(
        lambda eta, y: softplus(y * eta),
        lambda eta, y: -y * sigmoid(-y * eta),
        lambda eta, y: sigmoid(eta) * sigmoid(-eta),
        **claims,
    )


def python_block(n, eta, y, value, slope, curvature, user_data):
    arrays = [np.ctypeslib.as_array(a, (n,)) for a in (eta, y, value, slope, curvature)]
    arrays[2][:], arrays[3][:], arrays[4][:] = terms_by_eta(losses.Squared(), arrays[0], arrays[1])


def numba_logistic():
    pytest.importorskip("numba")
    import numba_logistic as module

    return module


def numba_rows():
    numba = pytest.importorskip("numba")
    signature = "float64(float64, float64)"

    @numba.cfunc(signature)
    def value(eta, y):
        return max(-y * eta, 0.0) + math.log1p(math.exp(-abs(eta)))

    @numba.cfunc(signature)
    def slope(eta, y):
        e = math.exp(-abs(eta))
        return -y * (e / (1 + e) if y * eta >= 0 else 1 / (1 + e))

    @numba.cfunc(signature)
    def curvature(eta, y):
        e = math.exp(-abs(eta))
        return e / (1 + e) ** 2

    return losses.Compiled(value=value, slope=slope, curvature=curvature, convex=True)


FORMS = {
    "three of ctypes": logistic_rows,
    "three of Numba": numba_rows,
    "a block of Numba": lambda: numba_logistic().loss,
}


@pytest.mark.parametrize("form", FORMS)
def test_a_compiled_logistic_loss_is_the_built_in_one(form):
    """Dense and sparse, with weights, an offset, groups and bounds, in batches, paths and cross-validation."""
    loss = FORMS[form]()
    problem = random_problem(0, n=200, p=20, rho=0.6)
    X, y = problem.X, problem.y
    w, offset = np.random.default_rng(0).random(200) * (np.arange(200) % 9 > 0), np.linspace(-1, 1, 200)
    settings = [{}, {"sample_weight": w}, {"offset": offset}, {"bounds": (-0.5, 0.5)}, {"groups": np.arange(20) // 2}]
    for setting in settings:
        a, b = (ksparse.fit(X, y, 3, loss=which, ridge=1e-2, **setting) for which in (loss, "logistic"))
        np.testing.assert_array_equal(a.support, b.support)
        np.testing.assert_allclose(a.coef, b.coef, rtol=1e-8, atol=1e-12)
        assert a.objective == pytest.approx(b.objective, rel=1e-12)
        assert a.converged
    batch = ksparse.fit_many(X, np.column_stack([y, 1 - y, y]), 3, loss=loss, ridge=1e-2, n_jobs=2)
    np.testing.assert_allclose(batch.objectives, ksparse.fit(X, y, 3, ridge=1e-2).objective, rtol=1e-12)
    path, reference = (ksparse.fit_path(X, y, range(5), loss=which, ridge=1e-2) for which in (loss, "logistic"))
    np.testing.assert_allclose(path.objectives, reference.objectives, rtol=1e-10)
    model, known = (KSparseClassifierCV(range(4), loss=which, ridge=1e-2, cv=3).fit(X, y) for which in (loss, "logistic"))
    np.testing.assert_allclose(model.cv_results_["mean_test_score"], known.cv_results_["mean_test_score"], rtol=1e-8)
    assert not hasattr(model, "predict_proba")


def test_separable_labels_are_named_unless_the_loss_reaches_zero():
    """What the loss says of its tail is believed."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 6))
    y = X[:, 2] > 0.1
    with pytest.warns(ksparse.ConvergenceWarning, match="separable"):
        ksparse.fit(X, y, 1, loss=logistic_rows())
    hinge = of_rows(
        lambda eta, y: max(1 - y * eta, 0.0) ** 2 / 2,
        lambda eta, y: -y * max(1 - y * eta, 0.0),
        lambda eta, y: float(y * eta < 1),
        falls_for_ever=False,
    )
    result = ksparse.fit(X, y, 1, loss=hinge, ridge=1e-3)
    assert result.objective == pytest.approx(ksparse.fit(X, y, 1, loss="squared_hinge", ridge=1e-3).objective, rel=1e-9)


def test_a_block_of_ctypes_with_numbers_and_threads():
    """A Python function takes the lock for each block, from whatever thread, while the core runs without it."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((700, 8))
    Y = X[:, [2, 5]] + 0.1 * rng.standard_normal((700, 2))
    loss = losses.Compiled(Block(python_block), responses="finite")
    batch = ksparse.fit_many(X, Y, 1, loss=loss, n_jobs=2)
    assert [support.tolist() for support in batch.supports] == [[2], [5]]
    assert batch.objectives[0] == pytest.approx(ksparse.fit(X, Y[:, 0], 1, loss="squared").objective, rel=1e-10)
    found = []
    threads = [threading.Thread(target=lambda: found.append(KSparseRegressor(1, loss=loss).fit(X, Y[:, 1]))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [model.support_.tolist() for model in found] == [[5]] * 3


def test_a_capsule_is_a_function():
    """As Cython hands functions over, whatever the capsule is called."""
    numba_module = numba_logistic()
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    name = b"a loss"
    capsule = new(numba_module.logistic_block.address, name, None)
    problem = random_problem(1)
    a = ksparse.fit(problem.X, problem.y, 2, loss=losses.Compiled(capsule), ridge=1e-2)
    assert a.objective == pytest.approx(ksparse.fit(problem.X, problem.y, 2, ridge=1e-2).objective, rel=1e-12)


def test_estimators_clone_copy_search_and_pickle():
    """The functions are shared by copies; a pickle keeps the model and says what it has lost."""
    problem = random_problem(2)
    loss = logistic_rows()
    model = KSparseClassifier(2, loss=loss, ridge=1e-2)
    assert clone(model).loss.value is loss.value
    assert copy.deepcopy(model).loss.value is loss.value
    search = GridSearchCV(model, {"ridge": [1e-2, 1e-1], "k": [1, 2]}, cv=3, error_score="raise").fit(problem.X, problem.y)
    assert search.best_score_ > 0.6
    fitted = pickle.loads(pickle.dumps(model.fit(problem.X, problem.y)))
    np.testing.assert_array_equal(fitted.predict(problem.X), model.predict(problem.X))
    with pytest.raises(ValueError, match="pickled"):
        fitted.fit(problem.X, problem.y)
    assert pickle.loads(pickle.dumps(ksparse.fit(problem.X, problem.y, 2, loss=loss, ridge=1e-2))).loss == "compiled"
    assert "0x" not in repr(model)


def test_what_is_no_loss_is_refused():
    """By name, before anything is called."""
    X, y = np.random.default_rng(0).standard_normal((30, 3)), np.arange(30) % 2
    scalar = Scalar(lambda eta, y: 0.0)

    def fit(**parameters):
        return ksparse.fit(X, y, 1, loss=losses.Compiled(**parameters))

    with pytest.raises(TypeError, match="function is a function; it must be a cfunc of Numba"):
        fit(function=lambda: None)
    with pytest.raises(ValueError, match="it was given value"):
        fit(value=scalar)
    with pytest.raises(ValueError, match="it was given function, value, slope, curvature"):
        fit(function=Block(python_block), value=scalar, slope=scalar, curvature=scalar)
    with pytest.raises(TypeError, match="takes 2 arguments"):
        fit(function=scalar)
    with pytest.raises(ValueError, match="responses"):
        fit(function=Block(python_block), responses="any")
    with pytest.raises(ValueError, match="falls_for_ever"):
        fit(function=Block(python_block), responses="finite", falls_for_ever=True)
    numba = pytest.importorskip("numba")
    other = numba.cfunc("float64(float64)")(lambda m: m)
    with pytest.raises(TypeError, match=r"signature \(float64,\) -> float64"):
        fit(value=other, slope=other, curvature=other)


def test_a_loss_that_is_not_finite_ends_with_a_status():
    """No crash and no NaN in the answer; the same arguments with a proper loss work afterwards."""
    problem = random_problem(3)
    nan = of_rows(lambda eta, y: math.nan, lambda eta, y: math.nan, lambda eta, y: math.nan)
    with pytest.warns(ksparse.ConvergenceWarning, match="numerical_failure"):
        result = ksparse.fit(problem.X, problem.y, 2, loss=nan)
    assert np.isfinite(result.coef).all()
    far = of_rows(
        lambda eta, y: softplus(y * eta) if abs(eta) < 3 else math.inf,
        lambda eta, y: -y * sigmoid(-y * eta),
        lambda eta, y: sigmoid(eta) * sigmoid(-eta),
    )
    assert np.isfinite(ksparse.fit(problem.X, problem.y, 2, loss=far, ridge=1e-1).objective)
    assert ksparse.fit(problem.X, problem.y, 2, loss=logistic_rows(), ridge=1e-2).converged
    assert not ksparse.check_loss(far).ok


@pytest.mark.parametrize("name", list(losses.BY_NAME))
def test_all_built_in_losses_pass_the_check(name):
    """And the report knows which are convex."""
    report = ksparse.check_loss(name)
    assert report.ok, report
    assert report.convex == ("focal" not in name)


@pytest.mark.parametrize("form", FORMS)
def test_proper_compiled_losses_pass_the_check(form):
    """Those that the fits above rely on."""
    report = ksparse.check_loss(FORMS[form]())
    assert report.ok, report


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slope": lambda eta, y: -y * sigmoid(-y * eta) * (1 + 1e-6)}, r"slope is .* but the derivative of value is"),
        ({"slope": lambda eta, y: y * sigmoid(-y * eta)}, "slope"),
        ({"curvature": lambda eta, y: 0.25}, r"curvature is 0.25 .* but the derivative of slope is"),
        ({"value": lambda eta, y: softplus(y * eta) - 0.1}, "a loss must be >= 0"),
        (
            {"value": lambda eta, y: math.log1p(math.exp(min(-y * eta, 709.0))) if y * eta > -100 else math.inf},
            "must be finite",
        ),
        ({"curvature": lambda eta, y: math.nan if eta > 20 else sigmoid(eta) * sigmoid(-eta)}, "curvature is nan"),
    ],
)
def test_the_check_says_what_is_wrong(changes, message):
    """Each fault is named with its place; a slope that is off by a millionth is."""
    rows = {
        "value": lambda eta, y: softplus(y * eta),
        "slope": lambda eta, y: -y * sigmoid(-y * eta),
        "curvature": lambda eta, y: sigmoid(eta) * sigmoid(-eta),
        **changes,
    }
    report = ksparse.check_loss(of_rows(**rows))
    assert not report.ok
    assert any(re.search(message, problem) for problem in report.problems), report
    assert "problem" in str(report)


def test_the_check_holds_a_loss_to_its_claims():
    """Convexity, and what it says of its tail."""
    focal = losses.Focal(0.5, 2.0)

    def term(which):
        return lambda eta, y: float(terms_by_eta(focal, np.array([eta]), np.array([float(y > 0)]))[which][0])

    report = ksparse.check_loss(of_rows(term(0), term(1), term(2), convex=True), largest=10.0)
    assert any("declared as convex" in problem for problem in report.problems)
    assert not report.convex
    hinge = {
        "value": lambda eta, y: max(1 - y * eta, 0.0) ** 2 / 2,
        "slope": lambda eta, y: -y * max(1 - y * eta, 0.0),
        "curvature": lambda eta, y: float(y * eta < 1),
    }
    assert any("falls_for_ever=False" in problem for problem in ksparse.check_loss(of_rows(**hinge)).problems)
    assert ksparse.check_loss(of_rows(**hinge, falls_for_ever=False)).ok
    squared = of_rows(lambda eta, y: (eta - y) ** 2 / 2, lambda eta, y: eta - y, lambda eta, y: 1.0)
    assert any("must fall" in problem for problem in ksparse.check_loss(squared).problems)


def test_numba_math_is_exact():
    """Over the range of exp, and on [0, 1]."""
    pytest.importorskip("numba")
    from ksparse.numba_math import exp, log1p_unit

    x = np.concatenate([np.linspace(-708, 709, 20001), np.linspace(-1, 1, 2001)])
    np.testing.assert_allclose([exp(value) for value in x], np.exp(x), rtol=1e-15)
    e = np.concatenate([np.linspace(0, 1, 2001), np.logspace(-300, 0, 301)])
    np.testing.assert_allclose([log1p_unit(value) for value in e], np.log1p(e), rtol=1e-15)


def test_numba_is_not_imported_unless_given():
    """It takes longer to import than all of ksparse."""
    code = "import sys, ksparse, ksparse.losses; print('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
