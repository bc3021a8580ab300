"""However X is stored, a fit is that of the same numbers in a dense float64 array, and X stays what it was."""

import subprocess
import sys
import textwrap

import hypothesis.strategies as st
import ksparse
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseMultiLabelClassifier
from ksparse._input.validation import check_design
from reference import Problem, random_problem


def sparse_problem(seed, n=300, p=60, density=0.1, **more):
    """Return a problem in which most entries are 0 and all are float32 numbers, so that every storage can hold them."""
    problem = random_problem(seed, n=n, p=p, **more)
    rng = np.random.default_rng(seed)
    X = np.where(rng.random(problem.X.shape) < density, (problem.X + 1).astype(np.float32), 0).astype(np.float64)
    signal = X[:, :3] @ [2.0, -2.0, 1.5] / np.sqrt(density)
    y = (rng.random(n) < 1 / (1 + np.exp(0.5 - signal))).astype(float)
    y[:2] = [0, 1]
    return Problem(X, y, problem.settings)


def fit(problem, X, k=4, **more):
    return ksparse.fit(X, problem.y, k, **{**problem.settings, **more})


def assert_same(a, b):
    assert a.objective == pytest.approx(b.objective, rel=1e-10)
    np.testing.assert_array_equal(a.support, b.support)
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-5, atol=1e-6)


STORAGES = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "C float32": lambda X: np.ascontiguousarray(X, np.float32),
    "F float32": lambda X: np.asfortranarray(X, np.float32),
    "csc": sp.csc_array,
    "csc matrix": sp.csc_matrix,
    "csc float32": lambda X: sp.csc_array(X.astype(np.float32)),
    "csc int64": lambda X: with_long_indices(sp.csc_array(X)),
    "csr": sp.csr_array,
    "csr float32": lambda X: sp.csr_matrix(X.astype(np.float32)),
    "csr int64": lambda X: with_long_indices(sp.csr_array(X)),
    "coo": sp.coo_array,
    "lil": sp.lil_matrix,
    "bsr": sp.bsr_array,
}
storages = pytest.mark.parametrize("store", STORAGES.values(), ids=STORAGES)


def with_long_indices(X):
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


@storages
@settings(max_examples=12)
@given(seed=st.integers(0, 10**6), density=st.sampled_from([0.02, 0.1, 0.5, 1.0]))
def test_every_storage_gives_the_same_fit(store, seed, density):
    """Sums over the same numbers in another order."""
    problem = sparse_problem(seed, density=density, ridge=1e-2)
    assert_same(fit(problem, store(problem.X)), fit(problem, problem.X))


@storages
def test_many_rows(store):
    """Where a dense X is scanned with a Hessian of a sample of the rows first, which a sparse one is not."""
    problem = sparse_problem(5, n=3000, p=400, density=0.02, ridge=1e-3)
    weights = np.random.default_rng(0).integers(0, 3, 3000)
    assert_same(fit(problem, store(problem.X), sample_weight=weights), fit(problem, problem.X, sample_weight=weights))


@storages
def test_paths_alternatives_batches_and_resamplings(store):
    """Whatever is built on fits takes what a fit takes."""
    problem = sparse_problem(3, n=400, ridge=1e-2)
    X, y = store(problem.X), problem.y
    for a, b in zip(
        ksparse.fit_path(X, y, [1, 2, 4], **problem.settings),
        ksparse.fit_path(problem.X, y, [1, 2, 4], **problem.settings),
        strict=True,
    ):
        assert_same(a, b)
    a, b = fit(problem, X), fit(problem, problem.X)
    np.testing.assert_array_equal(a.alternatives().replacement, b.alternatives().replacement)
    np.testing.assert_allclose(a.alternatives().objective, b.alternatives().objective, rtol=1e-10)
    np.testing.assert_allclose(a.decision_function(X), b.decision_function(problem.X), rtol=1e-5, atol=1e-6)
    Y = np.column_stack([y, 1 - y])
    a, b = ksparse.fit_many(X, Y, 3, ridge=1e-2), ksparse.fit_many(problem.X, Y, 3, ridge=1e-2)
    np.testing.assert_allclose(a.objectives, b.objectives, rtol=1e-10)
    np.testing.assert_allclose(a.decision_function(X), b.decision_function(problem.X), rtol=1e-5, atol=1e-6)
    a, b = (ksparse.stability_selection(x, y, 3, rounds=6, ridge=1e-2) for x in (X, problem.X))
    np.testing.assert_array_equal(a.frequency, b.frequency)
    assert_same(next(ksparse.fit_each([(X, y)], 3, ridge=1e-2)), ksparse.fit(problem.X, y, 3, ridge=1e-2))


@storages
def test_estimators(store):
    """The same model, and the same of new rows."""
    problem = sparse_problem(4, n=300, p=30)
    X = store(problem.X)
    a, b = (KSparseClassifier(k=3, ridge=1e-2).fit(x, problem.y) for x in (X, problem.X))
    np.testing.assert_array_equal(a.support_, b.support_)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(problem.X), rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(a.predict(X), b.predict(problem.X))
    outcomes = np.digitize(problem.X[:, 0] - problem.X[:, 1], [-0.5, 0.5])
    several = np.column_stack([outcomes == 0, outcomes == 2]).astype(int)
    for estimator, labels in ((KSparseClassifier, outcomes), (KSparseMultiLabelClassifier, several)):
        a, b = (estimator(k=3, ridge=1e-2).fit(x, labels) for x in (X, problem.X))
        np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(problem.X), rtol=1e-5, atol=1e-7)
    for scoring in (None, "average_precision"):
        a, b = (
            KSparseClassifierCV(ks=[1, 2, 3], ridge=[1e-3, 1e-2], scoring=scoring, cv=3).fit(x, problem.y)
            for x in (X, problem.X)
        )
        assert a.best_params_ == b.best_params_
        np.testing.assert_allclose(
            a.cv_results_["mean_test_score"], b.cv_results_["mean_test_score"], rtol=1e-5, equal_nan=False
        )


@pytest.mark.parametrize("form", [sp.csc_array, sp.csr_array])
def test_a_sparse_X_is_read_in_place(form):
    """Neither converted nor copied."""
    X = form(sparse_problem(11).X)
    assert check_design(X) is X
    for array in (X.data, X.indices, X.indptr):
        array.flags.writeable = False
    assert check_design(X) is X
    assert ksparse.fit(X, sparse_problem(11).y, 3, ridge=1e-2).status == "converged"


@storages
def test_columns_of_every_kind(store):
    """Without an entry, constant, in rows of weight zero alone, tiny, huge, and far from 0 for their spread."""
    problem = sparse_problem(12, n=300, p=60, ridge=0.0)
    rng = np.random.default_rng(3)
    X, weights = np.float32(problem.X).astype(float), np.ones(300)
    weights[::3] = 0
    X[:, [2, 30, 59]] = 0
    X[:, 4] = 1.5
    X[:, 6] = np.where(np.arange(300) % 3 == 0, 1.0, 0.0)
    X[:, 8] *= 2.0**-100
    X[:, 10] *= 2.0**100
    X[:, 12] = 2.0**20 + rng.integers(0, 2, 300)
    eta = X[:, 12] - 2.0**20 + X[:, 8] * 2.0**100 - X[:, 10] * 2.0**-100
    y = (rng.random(300) < 1 / (1 + np.exp(-2 * eta + 1))).astype(float)
    for more in ({}, {"offset": 0.1 * rng.standard_normal(300)}, {"groups": np.arange(60) // 2}):
        a, b = (ksparse.fit(x, y, 4, sample_weight=weights, **more) for x in (store(X), X))
        np.testing.assert_array_equal(a.support, b.support)
        assert a.objective == pytest.approx(b.objective, rel=1e-9)


@storages
def test_a_long_batch(store):
    """For so many problems an X by rows is brought into columns once."""
    problem = sparse_problem(13, n=250, p=80)
    Y = (np.random.default_rng(1).random((250, 40)) < 0.2 + 0.5 * (problem.X[:, :40] > 0.3)).astype(float)
    a, b = (ksparse.fit_many(x, Y, 3, ridge=1e-2, n_jobs=2) for x in (store(problem.X), problem.X))
    np.testing.assert_allclose(a.objectives, b.objectives, rtol=1e-10)
    np.testing.assert_array_equal(a.status, b.status)


@pytest.mark.parametrize("form", ["csc", "csr"])
def test_a_sparse_X_that_is_not_canonical_is_put_in_order_in_a_copy(form):
    """Explicit zeros are zeros, duplicates add up, the order within a line is of no account, and X keeps them all."""
    problem = sparse_problem(6, p=20)
    canonical = sp.csc_array(problem.X)
    rng = np.random.default_rng(0)
    triples = canonical.tocoo()
    rows, columns = triples.row, triples.col
    part = rng.random(canonical.nnz) * 0.5
    more = rng.integers(0, 20, 200), rng.integers(0, 300, 200)
    order = rng.permutation(2 * canonical.nnz + 200)
    values = np.concatenate([canonical.data * part, canonical.data * (1 - part), np.zeros(200)])[order]
    rows = np.concatenate([rows, rows, more[1]])[order]
    columns = np.concatenate([columns, columns, more[0]])[order]
    lines, numbers = (columns, rows) if form == "csc" else (rows, columns)
    by_line = np.argsort(lines, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(lines, minlength=20 if form == "csc" else 300))])
    kind = sp.csc_array if form == "csc" else sp.csr_array
    X = kind((values[by_line], numbers[by_line], starts), shape=canonical.shape)
    before = X.data.copy(), X.indices.copy(), X.indptr.copy()
    assert fit(problem, X).objective == pytest.approx(fit(problem, problem.X).objective, rel=1e-9)
    X.has_canonical_format = X.has_sorted_indices = True  # a flag that lies is not believed
    assert fit(problem, X).objective == pytest.approx(fit(problem, problem.X).objective, rel=1e-9)
    for now, then in zip((X.data, X.indices, X.indptr), before, strict=True):
        np.testing.assert_array_equal(now, then)
    coo = sp.coo_array((values, (rows, columns)), shape=X.shape)
    assert fit(problem, coo).objective == pytest.approx(fit(problem, problem.X).objective, rel=1e-9)


@pytest.mark.parametrize("form", ["csc", "csr"])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X: X.indices.__setitem__(3, 10**6), "index 1000000"),
        (lambda X: X.indices.__setitem__(3, -1), "index -1"),
        (lambda X: X.indptr.__setitem__(2, 10**6), "ends before it starts"),
        (lambda X: X.indptr.__setitem__(2, -5), "ends before it starts"),
        (lambda X: X.indptr.__setitem__(-1, 10**6), "indptr ends at 1000000"),
        (lambda X: X.indptr.__setitem__(0, 1), "does not start at entry 0"),
    ],
)
def test_indices_out_of_range_are_refused(form, spoil, message):
    """No index is used before it has been looked at."""
    problem = sparse_problem(7, p=20)
    X = sp.csc_array(problem.X).asformat(form)
    spoil(X)
    with pytest.raises(ValueError, match=f"sparse X is malformed: .*{message}"):
        fit(problem, X)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [("row", 4, "the row index 4, but there are 4 rows"), ("col", -1, "the column index -1, but there are 4 columns")],
)
def test_coordinates_out_of_range_are_refused(place, value, message):
    """SciPy's conversion would read or write outside of its arrays."""
    X = sp.coo_matrix(np.eye(4))
    getattr(X, place)[2] = value
    with pytest.raises(ValueError, match=f"sparse X is malformed: it has {message}"):
        ksparse.fit(X, np.array([0, 1, 0, 1]), 1)


@pytest.mark.parametrize(("indices", "starts"), [(np.int16, np.int16), (np.int32, np.int64), (np.uint32, np.int64)])
def test_indices_of_any_integer_type(indices, starts):
    """They are brought to one that the core reads, in a copy; the values are not."""
    problem = sparse_problem(10)
    for form in (sp.csc_array, sp.csr_array):
        X = form(problem.X)
        X.indices, X.indptr = X.indices.astype(indices), X.indptr.astype(starts)
        assert_same(fit(problem, X), fit(problem, problem.X))
        assert (X.indices.dtype, X.indptr.dtype) == (indices, starts)


@storages
def test_entries_that_are_not_finite_are_named(store):
    """Row and column, as in a dense X."""
    problem = sparse_problem(8)
    problem.X[211, 13] = np.nan
    with pytest.raises(ValueError, match=r"X\[211, 13\] is nan; X must be finite"):
        fit(problem, store(problem.X))


@pytest.mark.parametrize("dtype", [np.int8, bool, np.int64, np.float16, ">f8", ">f4"])
def test_sparse_values_of_other_types_are_converted(dtype):
    """To the same numbers, in a copy."""
    problem = sparse_problem(9)
    for form in (sp.csc_array, sp.csr_array):
        X = form((problem.X > 0.5).astype(np.float64))
        expected = fit(problem, X.toarray())
        X.data = X.data.astype(dtype)
        assert_same(fit(problem, X), expected)
        assert X.data.dtype == dtype


def test_what_is_no_real_matrix_is_refused():
    """With what it is and what it must be."""
    y = np.array([0, 1, 0, 1])
    with pytest.raises(TypeError, match="X has dtype complex128"):
        ksparse.fit(sp.csc_array(np.eye(4) * 1j), y, 1)
    with pytest.raises(ValueError, match=r"X has shape \(4, 0\)"):
        ksparse.fit(sp.csc_array((4, 0)), y, 0)
    line = sp.coo_array(np.ones(4))
    message = r"X has shape \(4,\)" if line.ndim == 1 else "X has 1 rows"  # a row before SciPy 1.13
    with pytest.raises(ValueError, match=message):
        ksparse.fit(line, y, 1)

    class COO:  # an array of the package `sparse`, as far as it matters
        __module__, nnz = "sparse.numba_backend", 4

    with pytest.raises(TypeError, match=r"X is a COO of the package sparse; convert it to a SciPy matrix with X\.tocsc\(\)"):
        ksparse.fit(COO(), y, 1)
    result = ksparse.fit(sp.csc_array(np.eye(4)), y, 1, ridge=0.1)
    with pytest.raises(ValueError, match="the fit had 4 features"):
        result.decision_function(sp.csr_array(np.eye(5)))


def handed_to_core(monkeypatch):
    """Collect what the core is handed as X."""
    seen = []
    original = ksparse._core.Problem
    monkeypatch.setattr(ksparse._core, "Problem", lambda X, *rest: (seen.append(X), original(X, *rest))[1])
    return seen


@storages
def test_what_need_not_be_copied_is_not(store, monkeypatch):
    """Floats of either size with contiguous rows or columns, and CSC, reach the core in the memory where they lie."""
    problem = sparse_problem(1)
    X = store(problem.X)
    seen = handed_to_core(monkeypatch)
    fit(problem, X)
    data = (lambda A: A.data) if sp.issparse(X) else np.asarray
    if not sp.issparse(X) or X.format == "csc":
        assert np.shares_memory(data(seen[0]), data(X))


def test_views_are_read_in_place(monkeypatch):
    """Every second row or column of a larger array, read-only, and any mix of these with contiguous rows or columns."""
    problem = sparse_problem(2, density=1.0)
    expected = fit(problem, problem.X)
    seen = handed_to_core(monkeypatch)
    n, p = problem.X.shape
    rows, columns = np.zeros((2 * n, p + 3)), np.zeros((n + 5, 3 * p), order="F")
    rows[::2, 1:-2], columns[3:-2, ::3] = problem.X, problem.X
    frozen = rows[::2, 1:-2]
    frozen.flags.writeable = False
    floats = rows.astype(np.float32)
    for X in (frozen, columns[3:-2, ::3], floats[::2, 1:-2]):
        assert_same(fit(problem, X), expected)
        assert np.shares_memory(seen[-1], X)
    for X in (np.repeat(problem.X, 2, axis=1)[:, ::2], problem.X[::-1][::-1], np.asfortranarray(problem.X)[:, ::-1][:, ::-1]):
        assert_same(fit(problem, X), expected)


def test_frames_are_read_in_place(monkeypatch):
    """A frame whose columns lie in one block is a view; others are put together once. Names go with it."""
    pandas = pytest.importorskip("pandas")
    problem = sparse_problem(2, p=12)
    names = [f"f{j}" for j in range(12)]
    expected = fit(problem, problem.X)
    seen = handed_to_core(monkeypatch)
    for dtype in (np.float64, np.float32):
        frame = pandas.DataFrame(np.asfortranarray(problem.X, dtype), columns=names)
        result = fit(problem, frame)
        assert_same(result, expected)
        assert list(result.feature_names) == names
        assert np.shares_memory(seen[-1], frame.to_numpy())
    mixed = pandas.DataFrame({name: problem.X[:, j].astype([np.float64, np.float32][j % 2]) for j, name in enumerate(names)})
    assert_same(fit(problem, mixed), expected)
    spread = pandas.DataFrame.sparse.from_spmatrix(sp.csc_matrix(problem.X), columns=names)
    assert_same(fit(problem, spread), expected)


def test_polars_frames():
    """As pandas' frames."""
    polars = pytest.importorskip("polars")
    problem = sparse_problem(2, p=12)
    names = [f"f{j}" for j in range(12)]
    for dtype in (np.float64, np.float32):
        frame = polars.DataFrame(problem.X.astype(dtype), schema=names)
        result = fit(problem, frame)
        assert_same(result, fit(problem, problem.X))
        assert list(result.feature_names) == names


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_memory_map_may_be_larger_than_the_memory_that_is_left(tmp_path, order):
    """Nothing of the size of X is allocated: X of 160 MB under a limit that leaves 40 MB."""
    program = f"""
        import resource, numpy as np, ksparse
        X = np.memmap({str(tmp_path / "X")!r}, float, "w+", shape=(20000, 1000), order={order!r})
        rng = np.random.default_rng(0)
        for begin in range(0, 20000, 500):
            X[begin : begin + 500] = rng.standard_normal((500, 1000))
        y = (X[:, 7] - X[:, 800] > 0.3 * rng.standard_normal(20000)).astype(float)
        X = np.memmap({str(tmp_path / "X")!r}, float, "r", shape=(20000, 1000), order={order!r})
        used = next(line for line in open("/proc/self/status") if line.startswith("VmData"))
        limit = 1024 * int(used.split()[1]) + 40_000_000
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        result = ksparse.fit(X, y, 2)
        print(*result.support, result.n_scans)
        try:
            np.array(X)
        except MemoryError:
            print("no room for a copy")
        """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    chosen, other, scans = map(int, lines[0].split())
    assert (chosen, other) == (7, 800)
    assert 2 <= scans <= 6
    assert lines[1:] == ["no room for a copy"]  # the limit is one


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_memory_map(tmp_path, order, dtype, monkeypatch):
    """Read where it lies, read-only, in a few passes that are counted."""
    problem = sparse_problem(3, n=2000, p=150, density=1.0, ridge=1e-3)
    X = np.memmap(tmp_path / "X", dtype, "w+", shape=problem.X.shape, order=order)
    X[:] = problem.X
    X.flush()
    X = np.memmap(tmp_path / "X", dtype, "r", shape=problem.X.shape, order=order)
    seen = handed_to_core(monkeypatch)
    result = fit(problem, X)
    assert np.shares_memory(seen[0], X)
    assert_same(result, fit(problem, problem.X))
    assert 2 <= result.n_scans <= 8
    model = KSparseClassifier(k=4, ridge=1e-3).fit(X, problem.y)
    assert np.shares_memory(seen[-1], X)
    np.testing.assert_array_equal(model.support_, result.support)


@pytest.mark.parametrize("format", ["csc", "csr", "coo"])
def test_sparse_arrays_with_strides(format):
    """A part of a larger array, an unaligned or a swapped one: SciPy takes them, so X may hold them."""
    rng = np.random.default_rng(0)
    dense = rng.standard_normal((50, 6)) * (rng.random((50, 6)) < 0.4)
    y = (dense[:, 1] - dense[:, 4] + 0.5 * rng.logistic(size=50) > 0).astype(float)
    expected = ksparse.fit(dense, y, 2, ridge=1e-2)

    def every_other(array):
        return np.repeat(array, 2)[::2]

    def backwards(array):
        return array[::-1].copy()[::-1]

    def unaligned(array):
        raw = np.zeros(array.nbytes + 1, np.uint8)
        moved = raw[1:].view(array.dtype)
        moved[:] = array
        return moved

    def swapped(array):
        return array.astype(array.dtype.newbyteorder())

    parts = ("row", "col", "data") if format == "coo" else ("data", "indices", "indptr")
    for change in (every_other, backwards, unaligned, swapped):
        for some in (parts, *[(part,) for part in parts]):
            if change is swapped and some != ("data",):
                continue  # SciPy itself does not take such indices
            X = sp.coo_matrix(dense).asformat(format)
            for part in some:
                if hasattr(X, "coords") and format == "coo" and part != "data":
                    X.coords = tuple(
                        change(axis) if name == part else axis for name, axis in zip(("row", "col"), X.coords, strict=True)
                    )
                else:
                    setattr(X, part, change(getattr(X, part)))
            before = X.data.copy()
            for fitted in (ksparse.fit(X, y, 2, ridge=1e-2), KSparseClassifier(2, ridge=1e-2).fit(X, y).result_):
                np.testing.assert_allclose(fitted.coef, expected.coef, rtol=1e-9)
            np.testing.assert_array_equal(X.data, before)
