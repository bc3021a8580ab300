"""X in blocks of rows: the same answers as in memory, few passes, and little memory."""

from __future__ import annotations

import itertools
import subprocess
import sys
import textwrap
import warnings

import ksparse
import numpy as np
import pytest
from ksparse import RowBlocks


def in_blocks(X, size=700, **settings):
    return RowBlocks(lambda: (X[first : first + size] for first in range(0, len(X), size)), X.shape[1], **settings)


def design(seed, n, p, correlation=0.8):
    draw = np.random.default_rng(seed)
    X = draw.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] += correlation * X[:, j - 1]
    return X, 0.5 * X[:, 1] - 0.4 * X[:, p // 2] + 0.2 * X[:, p - 3], draw


def response(loss, eta, draw):
    if loss in ("squared", "huber"):
        return 1e5 * (eta + draw.standard_normal(len(eta))) + 3e6
    if loss == "poisson":
        return draw.poisson(np.exp(0.3 * eta)).astype(float)
    if loss == "gamma":
        return 1000 * draw.gamma(2.0, np.exp(0.3 * eta))
    return (draw.random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(float)


def assert_same(found, expected, relative=1e-12):
    assert found.status == expected.status
    assert found.support.tolist() == expected.support.tolist()
    assert found.objective == pytest.approx(expected.objective, rel=relative)
    assert found.coef == pytest.approx(expected.coef, rel=1e-6, abs=1e-9)
    assert found.intercept == pytest.approx(expected.intercept, rel=1e-6, abs=1e-9)


LOSSES = ("logistic", "focal", "squared", "huber", "poisson", "gamma", "probit", "squared_hinge", "huberised_hinge", "cloglog")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("intercept", [True, False])
def test_blocks_equal_memory_for_every_loss(loss, intercept):
    """F is a sum over rows, however these are cut."""
    X, eta, draw = design(3, 2500, 130)
    y = response(loss, eta, draw)
    if loss in ("squared", "huber") and not intercept:
        y -= 3e6
    settings = {"k": 4, "loss": loss, "fit_intercept": intercept, "ridge": 1e-3}
    assert_same(ksparse.fit(in_blocks(X), y, **settings), ksparse.fit(X, y, **settings))


@pytest.mark.parametrize("kind", ["float32", "int64", "int8", "F", "frame", "sparse"])
def test_blocks_of_every_storage(kind):
    """A block may be whatever fit takes in memory."""
    X, eta, draw = design(5, 1500, 30)
    y = response("logistic", eta, draw)
    X = np.round(8 * X)
    if kind == "frame":
        pandas = pytest.importorskip("pandas")
        given = pandas.DataFrame(X)
        blocks = RowBlocks(lambda: (given[first : first + 400] for first in range(0, 1500, 400)), 30)
    elif kind == "sparse":
        sparse = pytest.importorskip("scipy.sparse")
        given = sparse.csr_matrix(X)
        blocks = RowBlocks(lambda: (given[first : first + 400] for first in range(0, 1500, 400)), 30)
    else:
        blocks = in_blocks(np.asfortranarray(X) if kind == "F" else X.astype(kind))
    assert_same(ksparse.fit(blocks, y, 3), ksparse.fit(X, y, 3))


@pytest.mark.parametrize("make", [np.asarray, np.ndarray.tolist, "pandas", "polars", "sparse"])
def test_blocks_without_rows_are_left_out(make):
    """Parts of a file of which a filter leaves no rows, at the beginning, in the middle and at the end."""
    X, eta, draw = design(6, 600, 12)
    y = response("logistic", eta, draw)
    if isinstance(make, str):
        module = pytest.importorskip("scipy.sparse" if make == "sparse" else make)
        make = module.csr_array if make == "sparse" else module.DataFrame
    ends = [0, 0, 200, 200, 201, 600, 600]
    empty = np.zeros((0, 12))
    blocks = RowBlocks(lambda: (make(X[a:b] if b > a else empty) for a, b in itertools.pairwise(ends)), 12)
    assert_same(ksparse.fit(blocks, y, 3), ksparse.fit(X, y, 3))
    assert_same(ksparse.fit_path(blocks, y, [1, 3])[1], ksparse.fit_path(X, y, [1, 3])[1])
    model = ksparse.KSparseClassifier(k=3).fit(blocks, y)
    rows = RowBlocks(lambda: (X[a:b] for a, b in itertools.pairwise(ends)), 12)
    assert model.predict_proba(rows) == pytest.approx(ksparse.KSparseClassifier(k=3).fit(X, y).predict_proba(X), rel=1e-6)


def test_weights_offset_bounds_and_forced_features():
    """The settings of a fit mean the same for blocks."""
    X, eta, draw = design(7, 2000, 60)
    y = response("logistic", eta, draw)
    weight = draw.integers(0, 4, 2000).astype(float)
    X[weight == 0] *= 1e6
    settings = {
        "k": 5,
        "sample_weight": weight,
        "offset": draw.standard_normal(2000),
        "bounds": (-0.1, 0.2),
        "always_in": [11],
        "never_in": [1],
    }
    found = ksparse.fit(in_blocks(X), y, **settings)
    assert_same(found, ksparse.fit(X, y, **settings))
    assert np.abs(found.coef).max() == pytest.approx(0.2)


def test_the_search_is_the_same_with_focal_weights_of_classes():
    """Units weigh the rows as the loss does, and columns that others nearly determine are told from them."""
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    rows = np.delete(np.arange(len(y)), np.flatnonzero(y == 0)[:170])[:280]
    X, y = (X[rows] - X[rows].mean(axis=0)) / X[rows].std(axis=0), y[rows]
    X = np.hstack([X, np.random.default_rng(0).standard_normal((len(X), 70))])
    settings = {"loss": "focal", "alpha": 0.25, "fit_intercept": False, "search": "fast"}
    found, expected = ksparse.fit(in_blocks(X, 100), y, 8, **settings), ksparse.fit(X, y, 8, **settings)
    assert_same(found, expected)
    assert found.n_refits == expected.n_refits


def test_columns_in_any_unit():
    """Units are chosen by deviations that cannot overflow; columns far from 0, or constant, are like any others."""
    X, eta, draw = design(9, 1200, 25)
    y = response("logistic", eta, draw)
    X *= 10.0 ** draw.integers(-150, 150, 25)
    X[:, 4] = 7.0
    X[:, 5] = 1e9 + draw.standard_normal(1200)
    X[:, 6] = 0.0
    with np.errstate(over="ignore"):
        assert_same(ksparse.fit(in_blocks(X, 100), y, 4), ksparse.fit(X, y, 4), 1e-10)


@pytest.mark.parametrize("size", [1, 37, 512, 5000])
def test_any_size_of_blocks(size):
    """Neither the size of the blocks nor the number of threads matters."""
    X, eta, draw = design(11, 600, 12)
    y = response("squared", eta, draw)
    expected = ksparse.fit(X, y, 3, loss="squared")
    one = ksparse.fit(in_blocks(X, size), y, 3, loss="squared")
    assert_same(one, expected)
    two = ksparse.fit(in_blocks(X, size), y, 3, loss="squared", n_jobs=2)
    assert two.objective == one.objective
    assert (two.coef == one.coef).all()


def test_path_and_estimators():
    """A path and the estimators take blocks."""
    X, eta, draw = design(13, 1500, 40)
    y = response("logistic", eta, draw)
    for found, expected in zip(
        ksparse.fit_path(in_blocks(X), y, range(1, 6)), ksparse.fit_path(X, y, range(1, 6)), strict=True
    ):
        assert_same(found, expected)
    labels = np.where(y > 0, "yes", "no")
    model = ksparse.KSparseClassifier(3, class_weight="balanced").fit(in_blocks(X), labels)
    expected = ksparse.KSparseClassifier(3, class_weight="balanced").fit(X, labels)
    assert (model.support_ == expected.support_).all()
    assert model.n_features_in_ == 40
    assert (model.predict(in_blocks(X)) == expected.predict(X)).all()
    regressor = ksparse.KSparseRegressor("bic", k_max=5).fit(in_blocks(X), eta + draw.standard_normal(1500))
    assert regressor.predict(in_blocks(X)) == pytest.approx(regressor.predict(X))


def test_separable_classes():
    """Classes that the columns separate have no minimum, and the result says so."""
    X, eta, _ = design(15, 800, 20)
    with pytest.warns(ksparse.ConvergenceWarning, match="separable"):
        found = ksparse.fit(in_blocks(X), eta > 0, 3)
    assert found.status == "separable"
    # Partly: a column that is not 0 in positive rows only.
    X, eta, draw = design(17, 800, 6)
    y = response("logistic", eta, draw)
    X[:, 2] = np.where(y > 0, draw.random(800) < 0.2, 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ksparse.fit(in_blocks(X), y, 3).status == ksparse.fit(X, y, 3).status == "separable"


@pytest.mark.parametrize("p", [110, 400])
def test_few_passes(p):
    """The search asks for all columns rarely, and the columns that it asks for often are read together."""
    X, _, draw = design(19, 4000, p, 0.4)
    y = response("logistic", X[:, 3 :: p // 10][:, :10] @ np.linspace(1, 0.3, 10), draw)
    passes = []

    def make():
        passes.append(1)
        return (X[first : first + 1000] for first in range(0, 4000, 1000))

    result = ksparse.fit(RowBlocks(make, p), y, 10)
    assert result.n_scans == len(passes) <= 4
    # Where the choice is not clear, each scan is followed by one or two passes that read the columns it proposes.
    y = response("logistic", 0.3 * X[:, 5], draw)
    passes.clear()
    found, expected = ksparse.fit(RowBlocks(make, p), y, 8, search="fast"), ksparse.fit(X, y, 8, search="fast")
    assert_same(found, expected)
    assert found.n_scans == len(passes) <= 3 * expected.n_scans + 2


def test_errors_name_the_place():
    """What is wrong with a block is said with its number, or its row."""
    X, eta, draw = design(21, 900, 10)
    y = response("logistic", eta, draw)
    with pytest.raises(TypeError, match=r"make_blocks is a list; it must be a function"):
        RowBlocks([X], 10)
    with pytest.raises(ValueError, match="block 0 has 10 columns; it must have n_features=9"):
        ksparse.fit(RowBlocks(lambda: [X], 9), y, 2)
    with pytest.raises(ValueError, match="the blocks have 900 rows in all but y has 901"):
        ksparse.fit(in_blocks(X), np.append(y, 1), 2)
    with pytest.raises(ValueError, match="the blocks have more rows than y"):
        ksparse.fit(in_blocks(X), y[:850], 2)
    with pytest.raises(ValueError, match="groups need X in memory"):
        ksparse.fit(in_blocks(X), y, 2, groups=np.arange(10) // 2)
    with pytest.raises(ValueError, match="a proof needs X in memory"):
        ksparse.fit(in_blocks(X), y, 2, certify=True)
    with pytest.raises(TypeError, match="X comes in blocks of rows"):
        ksparse.fit_many(in_blocks(X), np.column_stack([y, 1 - y]), 2)
    X[812, 3] = np.nan
    with pytest.raises(ValueError, match=r"X\[812, 3\] is nan"):
        ksparse.fit(in_blocks(X), y, 2)
    X[812, 3] = 0
    once = iter([X])
    with pytest.raises(ValueError, match="the blocks have 0 rows"):
        ksparse.fit(RowBlocks(lambda: once, 10), y, 2)


def test_columns_that_do_not_fit_memory_go_to_a_file():
    """With no memory for columns, the answer is the same."""
    X, eta, draw = design(23, 1000, 120)
    y = response("logistic", eta, draw)
    assert_same(ksparse.fit(in_blocks(X, memory=0), y, 6), ksparse.fit(X, y, 6))


def test_memory_map(tmp_path, monkeypatch):
    """A memory map that takes more than half of the memory is read by blocks."""
    X, eta, draw = design(25, 1000, 15)
    y = response("logistic", eta, draw)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    expected = ksparse.fit(X, y, 3)
    assert ksparse.fit(mapped, y, 3)._request is not None
    monkeypatch.setattr("ksparse._input.row_blocks._memory", lambda: 2 * mapped.nbytes - 1)
    found = ksparse.fit(mapped, y, 3)
    assert_same(found, expected)
    assert found._request is None
    assert_same(ksparse.fit(RowBlocks.from_npy(tmp_path / "X.npy", rows_per_block=99), y, 3), expected)
    np.save(tmp_path / "F.npy", np.asfortranarray(X))
    with pytest.raises(ValueError, match="Fortran order; it must be a matrix of numbers in C order"):
        RowBlocks.from_npy(tmp_path / "F.npy")


@pytest.mark.parametrize("rows", [0, -3, 2.5])
@pytest.mark.parametrize("of_file", [False, True])
def test_rows_per_block_must_be_a_positive_integer(tmp_path, rows, of_file):
    """Zero stood for the default, and a negative number for no blocks at all, which was reported as a y of another length."""
    X = np.ones((4, 2))
    np.save(tmp_path / "X.npy", X)
    with pytest.raises((TypeError, ValueError), match=f"rows_per_block is {rows}"):
        RowBlocks.from_npy(tmp_path / "X.npy", rows_per_block=rows) if of_file else RowBlocks.from_array(X, rows_per_block=rows)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS")
def test_a_file_larger_than_the_limit_of_memory(tmp_path):
    """Memory is bounded by a few blocks: a file of 256 MB is fitted in a process that may map 160 MB more than it has."""
    program = textwrap.dedent(f"""
        import resource
        import numpy as np
        import ksparse
        n, p, path = 2**18, 128, {str(tmp_path / "X.npy")!r}
        draw = np.random.default_rng(0)
        eta = np.empty(n)
        with open(path, "wb") as file:
            np.lib.format.write_array_header_2_0(file, {{"descr": "<f8", "fortran_order": False, "shape": (n, p)}})
            for first in range(0, n, 2**14):
                X = draw.standard_normal((2**14, p))
                eta[first : first + 2**14] = X[:, 3] - X[:, 90]
                file.write(X.tobytes())
        y = eta + draw.standard_normal(n) > 0
        mapped = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + 160 * 2**20,) * 2)
        try:
            np.load(path)
        except MemoryError:
            pass
        else:
            raise SystemExit("X fits into memory")
        result = ksparse.fit(ksparse.RowBlocks.from_npy(path, memory=2**24), y, 2)
        print(result.support.tolist(), result.status, result.n_scans <= 8)
    """)
    environment = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=300)
    assert done.stdout.strip() == "[3, 90] converged True", done.stderr


@pytest.mark.parametrize("given", ["offset", "exposure"])
def test_estimators_take_offsets_with_blocks(given):
    """An offset is part of the linear predictor wherever the rows are."""
    X, eta, draw = design(21, 800, 12)
    shift = 2 * draw.standard_normal(800)
    y = draw.poisson(np.exp(0.3 * eta + shift)).astype(float)
    settings = {given: np.exp(shift) if given == "exposure" else shift}
    model, expected = (ksparse.KSparseRegressor(k=3, loss="poisson").fit(D, y, **settings) for D in (in_blocks(X, 300), X))
    assert model.objective_ == pytest.approx(expected.objective_, rel=1e-10)
    assert model.predict(in_blocks(X, 300), **settings) == pytest.approx(expected.predict(X, **settings), rel=1e-6)
    assert model.score(in_blocks(X, 300), y, **settings) == pytest.approx(expected.score(X, y, **settings), rel=1e-6)
    loss = "cloglog" if given == "exposure" else "logistic"
    classifier = ksparse.KSparseClassifier(k=3, loss=loss)
    found, truth = (classifier.fit(D, y > 1, **settings).objective_ for D in (in_blocks(X, 300), X))
    assert found == pytest.approx(truth, rel=1e-10)


def test_what_needs_x_in_memory_says_so():
    X, eta, draw = design(22, 300, 6)
    y = response("logistic", eta, draw)
    blocks = in_blocks(X, 100)
    calls = [
        lambda: ksparse.near_optimal(blocks, y, 2, ridge=0.1),
        lambda: ksparse.stability_selection(blocks, y, 2),
        lambda: ksparse.fit_many(blocks, y[:, None], 2),
        lambda: ksparse.KSparseSelector(k=2).fit(blocks, y),
        lambda: ksparse.KSparseClassifierCV(ks=[1, 2]).fit(blocks, y),
        lambda: ksparse.KSparseRegressorCV(ks=[1, 2]).fit(blocks, y),
        lambda: ksparse.KSparseMultiLabelClassifier(k=2).fit(blocks, y[:, None]),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"X comes in blocks of rows, which fit, .* here it must be in memory"):
            call()
    with pytest.raises(ValueError, match="certify is True, but X comes in blocks"):
        ksparse.fit_path(blocks, y, [1, 2], ridge=0.1, certify=True)
    with pytest.raises(ValueError, match="from X in blocks"):
        ksparse.fit(blocks, y, 2).summary()


@pytest.mark.parametrize("unit", [1e-250, 1e-160, 1e160])
@pytest.mark.parametrize("columns", [slice(None), slice(0, 2)])
def test_columns_of_any_size(unit, columns):
    """The choice of features does not depend on the units of the columns, also where the squares of these overflow or are 0."""
    X, eta, draw = design(23, 400, 8)
    y = response("logistic", eta, draw)
    X[:, columns] *= unit
    found, expected = ksparse.fit(in_blocks(X, 150), y, 3), ksparse.fit(X, y, 3)
    assert found.support.tolist() == expected.support.tolist()
    assert found.objective == pytest.approx(expected.objective, rel=1e-10)
