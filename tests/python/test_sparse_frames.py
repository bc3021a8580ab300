"""pandas' tables of sparse columns stay sparse, with whatever value lies between their entries."""

import tracemalloc

import ksparse
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseSelector
from ksparse._input.frames import numbers_of_design
from sklearn.model_selection import GridSearchCV

N = 120
RNG = np.random.default_rng(0)
DENSE = np.round(RNG.standard_normal((N, 8)), 2) * (RNG.random((N, 8)) < 0.15)
y = (DENSE[:, 1] - DENSE[:, 4] + 0.3 * RNG.logistic(size=N) > 0).astype(int)
NAMES = [f"word {j}" for j in range(8)]


def sparse_frame(values=DENSE, fill=0.0, dtype=float):
    return pd.DataFrame(
        {
            name: pd.arrays.SparseArray(column.astype(dtype), fill_value=fill)
            for name, column in zip(NAMES, values.T, strict=True)
        }
    )


def cases():
    """Tables and the numbers that they hold."""
    yield "floats", sparse_frame(), DENSE
    yield "float32", sparse_frame(dtype=np.float32, fill=np.float32(0)), DENSE.astype(np.float32)
    yield "integers", sparse_frame((DENSE * 100).astype(int), 0, np.int64), (DENSE * 100).astype(int)
    yield "small integers", sparse_frame(DENSE > 0, 0, np.uint8), DENSE > 0
    yield "booleans", sparse_frame(DENSE != 0, False, bool), DENSE != 0
    yield "dummies", pd.get_dummies(pd.Series(RNG.integers(0, 9, N)), sparse=True), None
    yield "of SciPy", pd.DataFrame.sparse.from_spmatrix(scipy.sparse.csr_matrix(DENSE), columns=NAMES), DENSE
    yield "negative zero", sparse_frame(fill=-0.0), DENSE
    inverted = 1.0 - (DENSE != 0)
    yield "one between the entries", sparse_frame(inverted, 1.0), inverted
    yield "true between the entries", sparse_frame(DENSE == 0, True, bool), DENSE == 0
    mixed = sparse_frame()
    mixed["word 0"] = inverted[:, 0]
    mixed["word 3"] = pd.arrays.SparseArray(inverted[:, 3], fill_value=1.0)
    numbers = DENSE.copy()
    numbers[:, [0, 3]] = inverted[:, [0, 3]]
    yield "one dense column, one with ones between", mixed, numbers
    own = mixed.assign(**{"word 5": pd.array(DENSE[:, 5] > 0, dtype="boolean")})
    numbers = numbers.copy()
    numbers[:, 5] = DENSE[:, 5] > 0
    yield "a column of pandas' own type", own, numbers
    yield (
        "most columns dense",
        pd.DataFrame(DENSE, columns=NAMES).assign(**{"word 2": pd.arrays.SparseArray(DENSE[:, 2], fill_value=0.0)}),
        DENSE,
    )
    yield "by blocks", sparse_frame().apply(lambda c: pd.arrays.SparseArray(c.to_numpy(), fill_value=0.0, kind="block")), DENSE
    yield "columns of one name", sparse_frame().set_axis(["a"] * 8, axis=1), DENSE


CASES = list(cases())


@pytest.mark.parametrize(("frame", "numbers"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_numbers_are_those_of_the_dense_table(frame, numbers):
    """Whatever lies between the entries."""
    numbers = frame.to_numpy().astype(float) if numbers is None else np.asarray(numbers)
    design = numbers_of_design(frame)
    as_array = design.toarray() if scipy.sparse.issparse(design) else design
    np.testing.assert_array_equal(as_array, numbers)
    assert as_array.dtype == (np.float32 if numbers.dtype == np.float32 else np.float64)
    expected = ksparse.fit(numbers.astype(as_array.dtype), y, 3, ridge=1e-2)
    result = ksparse.fit(frame, y, 3, ridge=1e-2)
    np.testing.assert_allclose(result.coef, expected.coef, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(result.decision_function(frame), expected.decision_function(numbers), rtol=1e-6)
    if frame.columns.is_unique:
        model = KSparseClassifier(3, ridge=1e-2).fit(frame, y)
        np.testing.assert_allclose(model.coef_[0], expected.coef, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(model.decision_function(frame), expected.decision_function(numbers), rtol=1e-6)


def test_which_form_is_chosen():
    """That which takes less memory."""
    for case in CASES[:6]:
        assert numbers_of_design(case[1]).format == "csc"
    for name in ("one between the entries", "most columns dense"):
        assert isinstance(numbers_of_design(next(case[1] for case in CASES if case[0] == name)), np.ndarray)


def test_a_sparse_table_does_not_become_dense():
    """The bytes taken are those of the entries, in functions and estimators: the dense table has 800 times as many."""
    n, p = 4000, 2000
    rng = np.random.default_rng(1)
    words = scipy.sparse.random(n, p, density=1e-3, format="lil", random_state=0)
    words[:, [7, 30]] = (rng.random((n, 2)) < 0.05).astype(float)
    words = words.tocsc()
    outcome = (words[:, [7]].toarray() - words[:, [30]].toarray())[:, 0] + 0.2 * rng.logistic(size=n) > 0.4
    frame = pd.DataFrame.sparse.from_spmatrix(words)
    frame.columns = [f"w{j}" for j in range(p)]
    frame["length"] = rng.random(n)  # one dense column, and one that is 1 where there is no entry
    frame["known"] = pd.arrays.SparseArray(rng.random(n) > 0.01, fill_value=True)
    dense = n * p * 8
    for fit in (
        lambda: ksparse.fit(frame, outcome, 2, ridge=1e-3),
        lambda: KSparseClassifier(2, ridge=1e-3).fit(frame, outcome),
        lambda: KSparseClassifier(2, ridge=1e-3).fit(frame, outcome).predict(frame),
        lambda: ksparse.fit(frame, outcome, 2, ridge=1e-3).decision_function(frame),
    ):
        tracemalloc.start()
        result = fit()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < dense / 10
        if hasattr(result, "support"):
            assert result.support.tolist() == [7, 30]


def test_a_missing_entry_is_named():
    """Among the entries, or between them."""
    gap = DENSE.copy()
    gap[11, 3] = np.nan
    for fill in (0.0, np.nan):
        with pytest.raises(ValueError, match=r"X\[11, 3\] \(column 'word 3'\) is nan"):
            ksparse.fit(sparse_frame(gap, fill), y, 2)
        with pytest.raises(ValueError, match=r"X\[11, 3\] \(column 'word 3'\) is nan"):
            KSparseClassifier(2).fit(sparse_frame(gap, fill), y)


def test_inside_scikit_learn():
    """Searches cut the table by rows; the selector's columns keep their names."""
    frame = sparse_frame()
    search = GridSearchCV(KSparseClassifier(ridge=1e-2), {"k": [1, 2]}, cv=3).fit(frame, y)
    same = GridSearchCV(KSparseClassifier(ridge=1e-2), {"k": [1, 2]}, cv=3).fit(DENSE, y)
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], same.cv_results_["mean_test_score"])
    model = KSparseClassifierCV([1, 2], ridge=1e-2, cv=3).fit(frame, y)
    np.testing.assert_allclose(model.coef_, KSparseClassifierCV([1, 2], ridge=1e-2, cv=3).fit(DENSE, y).coef_, rtol=1e-6)
    selector = KSparseSelector(2, ridge=1e-2).fit(frame, y)
    assert set(selector.get_feature_names_out()) <= set(NAMES)


def test_for_an_objective():
    """ScopeSolver makes its data dense, tables of sparse columns as well as others."""
    solver = ksparse.ScopeSolver(8, 2)
    found = solver.solve(ksparse.losses.Squared(), data=(sparse_frame(), DENSE[:, 1] - DENSE[:, 4]))
    assert np.flatnonzero(found).tolist() == [1, 4]
