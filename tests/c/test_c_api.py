"""The C API by ctypes, as other languages bind it: its answers are those of the Python package. Run by ctest (CMakeLists.txt)."""

import ctypes
import os
import re
import subprocess
import sys
import warnings
from ctypes import POINTER, byref, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from pathlib import Path

import ksparse
import numpy as np
import pytest
import scipy.sparse as sp

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))
from reference import random_problem

INTERRUPT = ctypes.CFUNCTYPE(c_int32, c_void_p)
PROGRESS = ctypes.CFUNCTYPE(None, c_void_p, c_int64, c_int64)
PROOF_PROGRESS = ctypes.CFUNCTYPE(None, c_void_p, c_double, c_double, c_double, c_int64, c_int64)


HEADER = (Path(__file__).parents[2] / "cpp" / "include" / "ksparse" / "ksparse.h").read_text(encoding="utf-8")
TYPES = {
    "uint64_t": c_uint64,
    "int64_t": c_int64,
    "double": c_double,
    "const int64_t*": POINTER(c_int64),
    "const double*": POINTER(c_double),
    "const char*": c_char_p,
    "void*": c_void_p,
    "ksparse_interrupt": INTERRUPT,
    "ksparse_progress": PROGRESS,
    "ksparse_proof_progress": PROOF_PROGRESS,
    "ksparse_loss_function": c_void_p,
}


def fields_of(name):
    """Return the members of a struct of the header, of which the types that are not above are numbers of 32 bits."""
    body = re.search(rf"typedef struct {name} {{(.*?)}} {name};", HEADER, re.DOTALL)[1]
    members = re.findall(r"([\w ]+?\*?)\s+(\w+);", re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL))
    return [(member, TYPES.get(kind.strip(), c_int32)) for kind, member in members]


class Options(ctypes.Structure):
    """As in ksparse.h."""

    _fields_ = fields_of("ksparse_options")


class Batch(ctypes.Structure):
    """As in ksparse.h."""

    _fields_ = fields_of("ksparse_batch")


class Summary(ctypes.Structure):
    """As in ksparse.h."""

    _fields_ = fields_of("ksparse_summary")


class ProofOptions(ctypes.Structure):
    """As in ksparse.h."""

    _fields_ = fields_of("ksparse_proof_options")


class Proof(ctypes.Structure):
    """As in ksparse.h."""

    _fields_ = fields_of("ksparse_proof")


def load():
    """Return the library with the signatures of its functions."""
    library = ctypes.CDLL(os.environ["KSPARSE_C_LIBRARY"])
    handle, address, text = c_void_p, POINTER(c_void_p), c_char_p
    sparse = [c_void_p, c_int32, c_void_p, c_void_p, c_int32, c_int64, c_int64, c_int64, address]
    signatures = {
        "last_error": (text, []),
        "version": (text, []),
        "design_dense": (c_int32, [c_void_p, c_int32, c_int64, c_int64, c_int32, c_int64, address]),
        "design_csc": (c_int32, sparse),
        "design_csr": (c_int32, sparse),
        "design_rows": (c_int64, [handle]),
        "design_columns": (c_int64, [handle]),
        "design_free": (None, [handle]),
        "options_init": (c_int32, [POINTER(Options), c_size_t]),
        "fit": (c_int32, [handle, c_void_p, c_void_p, c_void_p, POINTER(Options), address]),
        "fit_path": (c_int32, [handle, c_void_p, c_void_p, c_void_p, POINTER(c_int64), c_int64, POINTER(Options), address]),
        "batch_init": (c_int32, [POINTER(Batch), c_size_t]),
        "fit_many": (c_int32, [handle, POINTER(Batch), POINTER(Options), address]),
        "proof_options_init": (c_int32, [POINTER(ProofOptions), c_size_t]),
        "certify": (
            c_int32,
            [
                handle,
                c_void_p,
                c_void_p,
                c_void_p,
                POINTER(Options),
                POINTER(ProofOptions),
                POINTER(Proof),
                c_size_t,
                address,
            ],
        ),
        "status_name": (text, [c_int32]),
        "status_advice": (text, [c_int32]),
        "result_count": (c_int64, [handle]),
        "result_columns": (c_int64, [handle]),
        "result_summary": (c_int32, [handle, c_int64, POINTER(Summary), c_size_t]),
        "result_support": (c_int32, [handle, c_int64, c_void_p, c_void_p, c_int64]),
        "result_coef": (c_int32, [handle, c_int64, c_void_p, c_int64]),
        "result_message": (text, [handle, c_int64]),
        "result_free": (None, [handle]),
    }
    for name, (returns, arguments) in signatures.items():
        function = getattr(library, f"ksparse_{name}")
        function.restype, function.argtypes = returns, arguments
    return library, {f"ksparse_{name}" for name in signatures}


LIBRARY, NAMES = load()


def check(code):
    """Raise what the library says."""
    if code:
        raise ValueError(f"{code}: {LIBRARY.ksparse_last_error().decode()}")


def address(array):
    return None if array is None else array.ctypes.data


class Design:
    """X as it lies in NumPy's or SciPy's memory."""

    def __init__(self, X):
        self.X, self.handle = X, c_void_p()
        scalar = {"float64": 0, "float32": 1, "bool": 2, "uint8": 3, "int8": 4}[X.dtype.name]
        n, p = X.shape
        if sp.issparse(X):
            make = LIBRARY.ksparse_design_csc if X.format == "csc" else LIBRARY.ksparse_design_csr
            index = {"int32": 0, "int64": 1}[X.indices.dtype.name]
            check(
                make(
                    address(X.data),
                    scalar,
                    address(X.indptr),
                    address(X.indices),
                    index,
                    n,
                    p,
                    X.nnz,
                    byref(self.handle),
                )
            )
        else:
            order = int(X.strides[0] != X.itemsize)
            stride = X.strides[1 - order] // X.itemsize
            check(LIBRARY.ksparse_design_dense(address(X), scalar, n, p, order, stride, byref(self.handle)))

    def __del__(self):
        LIBRARY.ksparse_design_free(self.handle)


def options_of(k, loss="logistic", alpha=0.5, gamma=2.0, search="auto", bounds=None, **settings):
    """Return options from the keyword arguments of ``ksparse.fit``, and the arrays that they point to."""
    options, held = Options(), []
    check(LIBRARY.ksparse_options_init(byref(options), ctypes.sizeof(options)))
    options.k = k
    options.loss = loss.encode()
    options.search = ["fast", "auto", "thorough"].index(search)

    def pointer(values, kind, dtype):
        held.append(np.ascontiguousarray(values, dtype))
        return held[-1].ctypes.data_as(POINTER(kind))

    if loss == "focal":
        options.loss_parameters, options.loss_parameter_count = pointer([alpha, gamma], c_double, np.float64), 2
    for name, bound in zip(("lower", "upper"), bounds or (None, None), strict=True):
        if bound is not None:
            setattr(options, name, pointer(bound, c_double, np.float64))
    for name, value in settings.items():
        if name in ("always_in", "never_in", "start", "groups"):
            setattr(options, name, pointer(value, c_int64, np.int64))
            if name != "groups":
                setattr(options, f"{name}_count", len(value))
        else:
            setattr(options, name, value)
    return options, held


def answers_of(handle):
    """Return all answers of a result as pairs of a summary and coefficients, and free it."""
    answers = []
    for i in range(LIBRARY.ksparse_result_count(handle)):
        summary, coef = Summary(), np.full(LIBRARY.ksparse_result_columns(handle), np.nan)
        check(LIBRARY.ksparse_result_summary(handle, i, byref(summary), ctypes.sizeof(summary)))
        check(LIBRARY.ksparse_result_coef(handle, i, address(coef), len(coef)))
        support, of_support = np.empty(summary.support_size, np.int64), np.empty(summary.support_size)
        check(LIBRARY.ksparse_result_support(handle, i, address(support), address(of_support), len(support)))
        np.testing.assert_array_equal(coef[support], of_support)
        answers.append((summary, coef))
    LIBRARY.ksparse_result_free(handle)
    return answers


def c_fit(X, y, k, sample_weight=None, offset=None, **settings):
    (options, _held), design, handle = options_of(k, **settings), Design(X), c_void_p()
    check(
        LIBRARY.ksparse_fit(design.handle, address(y), address(sample_weight), address(offset), byref(options), byref(handle))
    )
    return answers_of(handle)[0]


def assert_same(answer, expected):
    """Compare an answer of the C API with one of the package, and the work that it took, which settings of the search change."""
    summary, coef = answer
    for ours, theirs in {
        "newton": "n_newton",
        "refits": "n_refits",
        "scans": "n_scans",
        "rounds": "n_rounds",
        "restarts": "n_restarts",
    }.items():
        assert getattr(summary, ours) == getattr(expected, theirs), ours
    assert summary.times_found == expected.times_found
    assert LIBRARY.ksparse_status_name(summary.status).decode() == expected.status
    assert LIBRARY.ksparse_status_advice(summary.status).decode() == expected.advice
    assert summary.objective == pytest.approx(expected.objective, rel=1e-12, abs=0)
    assert summary.intercept == pytest.approx(expected.intercept, rel=1e-12, abs=1e-12)
    np.testing.assert_array_equal(np.flatnonzero(coef), expected.support)
    np.testing.assert_allclose(coef, expected.coef, rtol=1e-12, atol=1e-12)


CASES = {
    "logistic": {},
    "focal": {"loss": "focal", "alpha": 0.3, "gamma": 1.5},
    "no intercept": {"fit_intercept": False, "ridge": 0.1},
    "thorough": {"search": "thorough", "max_rounds": 20, "random_state": 3},
    "refits": {"search": "thorough", "max_refits": 60},
    "walks": {"search": "thorough", "walks": 3},
    "fast": {"search": "fast", "tolerance": 1e-3, "max_newton": 2},
    "in and out": {"always_in": [5], "never_in": [1, 4]},
    "start": {"search": "fast", "start": [3, 7, 11]},
    "bounds": {"bounds": (np.full(30, -0.2), np.full(30, 0.9))},
    "lower bound": {"bounds": (np.zeros(30), None)},
    "groups": {"groups": np.arange(30) // 3},
}


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
@pytest.mark.parametrize("rows", ["plain", "weights and offset"])
def test_fit_equals_the_package(settings, rows):
    """Both are the same C++, so that options must have arrived as they were meant."""
    problem = random_problem(7, n=150, p=30)
    rng = np.random.default_rng(1)
    more = {"sample_weight": rng.random(150), "offset": rng.standard_normal(150)} if rows != "plain" else {}
    settings = {"ridge": 1e-2, **settings}
    assert_same(
        c_fit(np.asfortranarray(problem.X), problem.y, 3, **more, **settings),
        ksparse.fit(problem.X.copy("F"), problem.y, 3, **more, **settings),
    )


def test_settings_have_the_defaults_of_the_package():
    """Each setting is listed once, in settings.hpp; here its members in C and its attributes in Python are compared."""
    options, core = Options(), ksparse._core.Options()
    check(LIBRARY.ksparse_options_init(byref(options), ctypes.sizeof(options)))
    names = {name for name in dir(core) if not name.startswith("_")}
    members = [name for name, _ in Options._fields_]
    first_of_c_alone = members.index("loss")
    assert {name for name in members[1:first_of_c_alone] if not name.endswith("_count")} == names
    for name in names:
        ours, theirs = getattr(options, name), getattr(core, name)
        if name == "search":
            assert (ours, theirs) == (1, "auto")
        elif isinstance(theirs, (list, np.ndarray)):
            assert not ours
            assert len(theirs) == 0
        else:
            assert ours == theirs, name
    assert (options.loss, options.threads) == (b"logistic", 1)


def with_long_indices(X):
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


STORAGES = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "C float32": lambda X: np.ascontiguousarray(X, np.float32),
    "F float32": lambda X: np.asfortranarray(X, np.float32),
    "rows apart": lambda X: np.hstack([X, X])[:, :30],
    "columns apart": lambda X: np.asfortranarray(np.vstack([X, X]))[:150],
    "C bool": lambda X: np.ascontiguousarray(X > 0),
    "F bool": lambda X: np.asfortranarray(X > 0),
    "C uint8": lambda X: np.ascontiguousarray(np.round(20 * X), np.uint8),
    "F uint8": lambda X: np.asfortranarray(np.round(20 * X), np.uint8),
    "C int8": lambda X: np.ascontiguousarray(np.round(20 * X) - 9, np.int8),
    "F int8": lambda X: np.asfortranarray(np.round(20 * X) - 9, np.int8),
    "csc": sp.csc_array,
    "csc float32": lambda X: sp.csc_array(X.astype(np.float32)),
    "csc int64": lambda X: with_long_indices(sp.csc_array(X)),
    "csc float32 int64": lambda X: with_long_indices(sp.csc_array(X.astype(np.float32))),
    "csr": sp.csr_array,
    "csr float32": lambda X: sp.csr_array(X.astype(np.float32)),
    "csr int64": lambda X: with_long_indices(sp.csr_array(X)),
    "csr float32 int64": lambda X: with_long_indices(sp.csr_array(X.astype(np.float32))),
}


@pytest.mark.parametrize("store", STORAGES.values(), ids=STORAGES)
def test_storage_equals_the_package(store):
    """X is read as it lies, in the same order as by the package."""
    problem = random_problem(11, n=150, p=30)
    X = store(np.where(problem.X > 0.3, problem.X, 0.0))
    assert_same(c_fit(X, problem.y, 4, ridge=1e-3), ksparse.fit(X, problem.y, 4, ridge=1e-3))


def test_path_equals_the_package():
    """A path by the C API is that of the package."""
    problem, ks = random_problem(3, n=200, p=30), [0, 2, 5]
    (options, _held), design, handle = options_of(0, loss="focal", ridge=1e-2), Design(problem.X), c_void_p()
    told = []
    options.progress, options.progress_context = PROGRESS(lambda *numbers: told.append(numbers)), 42
    check(
        LIBRARY.ksparse_fit_path(
            design.handle, address(problem.y), None, None, (c_int64 * 3)(*ks), 3, byref(options), byref(handle)
        )
    )
    expected = ksparse.fit_path(problem.X, problem.y, ks, loss="focal", ridge=1e-2)
    assert told[0] == (42, 0, 3)
    assert told[-1] == (42, 3, 3)
    answers = answers_of(handle)
    assert len(answers) == len(ks)
    for i, answer in enumerate(answers):
        assert_same(answer, expected[i])


@pytest.mark.parametrize("threads", [1, 2])
def test_batch_equals_the_package(threads):
    """Each column and each setting reaches its problem; a bad one fails alone."""
    rng = np.random.default_rng(5)
    problem = random_problem(5, n=120, p=30)
    Y = np.asfortranarray(rng.random((120, 4)) < 0.5, dtype=np.float64)
    Y[:, 1] = 1
    weights = rng.random(120)
    by_problem = {
        "k": [1, 2, 3, 4],
        "ridge": [0.1, 0.2, 0.3, 0.4],
        "alpha": [0.2, 0.3, 0.4, 0.5],
        "gamma": [0.0, 1.0, 2.0, 2.5],
    }
    (options, _held), design, handle = options_of(9, loss="focal", threads=threads), Design(problem.X), c_void_p()
    batch = Batch()
    check(LIBRARY.ksparse_batch_init(byref(batch), ctypes.sizeof(batch)))
    told = []
    options.progress = PROGRESS(lambda *numbers: told.append(numbers))
    pairs = np.stack([by_problem["alpha"], by_problem["gamma"]], axis=1)
    batch.count, batch.responses_stride = 4, 120
    for name, values in {"responses": Y, "weights": weights, "loss_parameters": pairs}.items():
        setattr(batch, name, values.ctypes.data_as(POINTER(c_double)))
    batch.k, batch.ridge = (c_int64 * 4)(*by_problem["k"]), (c_double * 4)(*by_problem["ridge"])
    check(LIBRARY.ksparse_fit_many(design.handle, byref(batch), byref(options), byref(handle)))
    assert told[-1] == (None, 4, 4)
    message = LIBRARY.ksparse_result_message(handle, 1).decode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ksparse.ConvergenceWarning)
        expected = ksparse.fit_many(problem.X, Y, loss="focal", sample_weight=weights, **by_problem)
    for i, answer in enumerate(answers_of(handle)):
        if i == 1:
            assert answer[0].status == 5
            assert "no row of class 0" in message
        else:
            assert_same(answer, expected[i])


def c_certify(X, y, k, start, sample_weight=None, offset=None, *, loss="logistic", ridge, bounds=None, threads=1, **limits):
    """Prove an answer by the C API; return the answer and its proof."""
    options, _held = options_of(k, loss=loss, ridge=ridge, bounds=bounds, threads=threads, start=start)
    design, handle, settings, proof = Design(X), c_void_p(), ProofOptions(), Proof()
    check(LIBRARY.ksparse_proof_options_init(byref(settings), ctypes.sizeof(settings)))
    for name, value in limits.items():
        setattr(settings, name, value)
    check(
        LIBRARY.ksparse_certify(
            design.handle,
            address(y),
            address(sample_weight),
            address(offset),
            byref(options),
            byref(settings),
            byref(proof),
            ctypes.sizeof(proof),
            byref(handle),
        )
    )
    return answers_of(handle)[0], proof


PROOFS = {
    "logistic": {"ridge": 1e-2},
    "focal": {"loss": "focal", "ridge": 1e-2},
    "bounds": {"ridge": 0.0, "bounds": (np.full(12, -0.5), np.full(12, 0.5))},
    "threads": {"ridge": 1e-2, "threads": 2},
    "nodes": {"ridge": 1e-3, "max_nodes": 3},
    "gap": {"ridge": 1e-2, "max_gap": 0.05},
}


@pytest.mark.parametrize("settings", PROOFS.values(), ids=PROOFS)
@pytest.mark.parametrize("rows", ["plain", "weights and offset"])
def test_proof_equals_the_package(settings, rows):
    """The tree is the same, and each limit reaches it."""
    problem = random_problem(4, n=120, p=12)
    rng = np.random.default_rng(2)
    more = {"sample_weight": rng.random(120), "offset": rng.standard_normal(120)} if rows != "plain" else {}
    fitted = {name: value for name, value in settings.items() if name in ("loss", "ridge", "bounds")}
    limits = {name: value for name, value in settings.items() if name.startswith("max_")}
    fit = ksparse.fit(problem.X, problem.y, 3, **more, **fitted)
    expected = fit.certify(n_jobs=settings.get("threads"), **limits)
    (summary, coef), proof = c_certify(problem.X, problem.y, 3, fit.support, **more, **settings)
    np.testing.assert_array_equal(np.flatnonzero(coef), expected.support)
    assert summary.objective == pytest.approx(expected.objective, rel=1e-12)
    assert summary.lower_bound == proof.lower_bound == pytest.approx(expected.lower_bound, rel=1e-10)
    assert proof.gap == pytest.approx(expected.gap, rel=1e-6, abs=1e-12)
    assert proof.loss_gap == pytest.approx(expected.proof.loss_gap, rel=1e-6, abs=1e-12)
    assert (proof.nodes, proof.open) == (expected.proof.n_nodes, expected.proof.n_open)
    assert bool(proof.improved) == (expected.support.tolist() != fit.support.tolist())
    assert ["optimal", "convex_loss", "rounding", "max_seconds", "max_nodes"][proof.end] == expected.proof.stopped


def test_proof_replaces_a_worse_start_and_reports_its_state():
    """The answer of the C API is the best one, whatever it began from; the last report comes from the calling thread."""
    problem = random_problem(4, n=120, p=12)
    best = ksparse.fit(problem.X, problem.y, 3, ridge=1e-2, search="thorough")
    worse = [j for j in range(12) if j not in best.support][:3]
    told = []
    report = PROOF_PROGRESS(lambda *state: told.append(state))
    (summary, coef), proof = c_certify(problem.X, problem.y, 3, worse, ridge=1e-2, progress=report, progress_context=42)
    np.testing.assert_array_equal(np.flatnonzero(coef), best.support)
    assert proof.improved
    assert proof.end == 0
    assert summary.objective == pytest.approx(best.objective, rel=1e-10)
    assert all(state[0] == 42 and state[3] <= state[2] for state in told)


def test_proofs_that_are_not_possible_are_refused():
    """The message says what would make one possible; the default settings are those of the package."""
    problem = random_problem(4, n=120, p=12)
    with pytest.raises(ValueError, match=r"1: .*ridge"):
        c_certify(problem.X, problem.y, 3, [0, 1, 2], ridge=0.0)
    with pytest.raises(ValueError, match=r"1: max_gap must be finite and > 0"):
        c_certify(problem.X, problem.y, 3, [0, 1, 2], ridge=1e-2, max_gap=0.0)


def test_interrupt_by_a_callback():
    """A function of another language stops the fit, and is asked with its context."""
    problem = random_problem(3, n=200, p=30)
    seen = []
    (options, _held), design, handle = options_of(5), Design(problem.X), c_void_p()
    options.interrupt = INTERRUPT(lambda context: seen.append(context) or len(seen) > 2)
    options.interrupt_context = 42
    code = LIBRARY.ksparse_fit(design.handle, address(problem.y), None, None, byref(options), byref(handle))
    assert code == 2
    assert seen == [42, 42, 42]
    assert handle.value is None


def test_malformed_sparse_is_refused():
    """Row numbers out of order are seen by the fit, before an entry is used."""
    X = sp.csc_array(np.ones((4, 2)))
    X.indices[0] = 3
    with pytest.raises(ValueError, match="1: sparse X is malformed: column 0"):
        c_fit(X, np.array([0.0, 1, 0, 1]), 1)


def test_memory_that_is_not_to_be_had_is_a_code():
    """Room for the columns of such an X cannot be had; neither an exception nor an end of the process."""
    (options, _held), handle, refused = options_of(1), c_void_p(), c_void_p()
    starts, y = np.zeros(3, np.int64), np.array([0.0, 1.0])
    check(LIBRARY.ksparse_design_csr(None, 0, address(starts), None, 1, 2, 2**50, 0, byref(handle)))
    assert LIBRARY.ksparse_fit(handle, address(y), None, None, byref(options), byref(refused)) == 3
    assert refused.value is None
    LIBRARY.ksparse_design_free(handle)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems list symbols in other ways")
def test_only_the_api_is_visible():
    """Copies of templates in other libraries of the same program are neither used nor offered."""
    table = subprocess.run(
        ["nm", "-D", "--defined-only", os.environ["KSPARSE_C_LIBRARY"]], capture_output=True, text=True, check=True
    )
    assert {line.split()[-1] for line in table.stdout.splitlines()} == NAMES
