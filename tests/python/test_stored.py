"""Results that were stored and changed meanwhile: an exception that says what is wrong, and never a crash."""

import copy
import dataclasses
import pickle
import subprocess
import sys
import warnings

import ksparse
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_array, csr_array


def results():
    """Return a result of every kind, by name, as they come from fits."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((120, 6)), columns=list("abcdef"))
    y = (X["a"] - X["c"] + rng.logistic(size=120) > 0).to_numpy()
    Y = pd.DataFrame({"one": y * 1, "two": np.ones(120, int), "three": 1 - y})
    fit, grouped = ksparse.fit(X, y, 2), ksparse.fit(X, y, 1, groups=list("uuvvww"))
    yield from (("fit", fit), ("grouped", grouped), ("none", ksparse.fit(X.to_numpy(), y, 0)))
    yield "focal", ksparse.fit(X, y, 2, loss="focal", ridge=0.1)
    yield "numbers", ksparse.fit(X, X["b"], 2, loss=ksparse.losses.Huber(0.3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the problem of one class
        yield "batch", ksparse.fit_many(X, Y, 2)
    yield "batch of groups", ksparse.fit_many(X, y, [1, 2], groups=list("uuvvww"))
    yield "part of a batch", ksparse.fit_many(X.to_numpy(), y, [0, 1, 2])[1:]
    yield "path", ksparse.fit_path(X, y, [0, 2])
    yield "stability", ksparse.stability_selection(X, y, 2, rounds=3)
    yield "alternatives", fit.alternatives(2)
    yield "alternatives of groups", grouped.alternatives(2)
    yield "summary", fit.summary()
    yield "summary with shares", fit.summary(bootstrap=2)
    yield "scorecard", fit.scorecard()
    yield "unnamed scorecard", ksparse.fit(X.to_numpy(), y, 2).scorecard()


@pytest.fixture(scope="module")
def stored():
    """Return them once for all tests."""
    return dict(results())


def read_back(result, **changes):
    """Store and read back with some fields changed."""
    shell = pickle.loads(pickle.dumps(result))
    state = {**shell.__dict__, **changes}
    new = object.__new__(type(result))
    new.__setstate__(state)
    return new


def test_what_was_not_changed_is_read_back(stored):
    """By pickle, by copies, and however often."""
    for result in stored.values():
        text = repr(result)
        for again in (pickle.loads(pickle.dumps(result)), copy.copy(result), copy.deepcopy(result), read_back(result)):
            assert repr(again) == text
            assert repr(pickle.loads(pickle.dumps(again, protocol=2))) == text


def test_every_field_has_a_rule(stored):
    """What is added to a result is checked as well."""
    for result in stored.values():
        assert set(type(result)._RULES) == {field.name for field in dataclasses.fields(result)}


def changed(value):
    """Return what a field may have become."""
    yield from (
        None,
        1.5,
        "text",
        b"bytes",
        object(),
        [1],
        {"a": 1},
        -1,
        2**70,
        (),
        (1, "a"),
        np.array("x"),
        np.zeros((2, 3, 4)),
    )
    if isinstance(value, np.ndarray):
        yield from (
            value[:-1],
            np.append(value, value),
            value.astype(object),
            value[None],
            value.tolist(),
            np.ma.masked_array(value),
        )
        yield from (value.astype("datetime64[s]"),) if value.dtype.kind == "i" else ()
        if value.dtype.kind == "i":
            yield from (value + 10**6, value - 10**6, value.astype(float), np.full(value.shape, 2**62))
        if value.dtype.kind == "f":
            yield from (value.view(np.int64), value.astype(str), value.astype(complex))
    if isinstance(value, tuple):
        yield from (value + value, value[:-1], list(value), tuple(str(item) + "!" for item in value))


def read_everything(result):
    """Use all that a result has to say; any exception will do."""
    X = np.random.default_rng(1).standard_normal((3, 6))
    asked = ["predict", "predict_proba", "decision_function", "score"]
    for name in asked:
        try:
            getattr(result, name)(X)
        except Exception:
            continue
    for name in ("formula", "to_python", "to_sql", "to_frame", "stable", "rivals", "best", "_repr_html_", "__repr__", "plot"):
        try:
            getattr(result, name)()
        except Exception:
            continue
    try:
        list(result)
    except Exception:
        return


def test_a_changed_field_is_refused_or_harmless(stored):
    """In words that name a field; where it is taken, everything can be asked for without a crash."""
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    refused, taken = [], 0
    for result in stored.values():
        for field in dataclasses.fields(result):
            for value in changed(getattr(result, field.name)):
                try:
                    again = read_back(result, **{field.name: value})
                except ValueError as error:
                    refused.append(f" of a stored {type(result).__name__}" in str(error))
                else:
                    taken += 1
                    if taken % 10 == 0:
                        read_everything(again)
    plt.close("all")
    assert all(refused)
    assert len(refused) > 10 * taken


SPARSE = [
    ("indices", lambda a: a + 10**6, r"coefs of a stored BatchResult: indices has 10000\d\d at 0; it must be in \[0, 6\)"),
    ("indices", lambda a: a - 10**6, r"indices has -\d+ at 0; it must be in \[0, 6\)"),
    ("indices", lambda a: a[:-1], r"indices has shape \(3,\)"),
    ("indices", lambda a: a.astype(float), "indices has dtype float64; it must be of the kind i"),
    ("indptr", lambda a: a + 10**9, "indptr must rise from 0 to the number of entries, 4, over 3 rows"),
    ("indptr", lambda a: a[::-1], "indptr must rise from 0"),
    ("indptr", lambda a: np.array([0, 2**40, 4, 4]), "indptr must rise from 0"),
    ("indptr", lambda a: a[:-1], "indptr must rise from 0"),
    ("data", lambda a: a[:0], "indices has shape"),
    ("data", lambda a: a.astype(object), "data has dtype object; it must be of the kind f"),
    ("data", lambda a: None, "data is a NoneType; it must be an array"),
    ("_shape", lambda a: (3, 2), r"it must be in \[0, 2\)"),
    ("_shape", lambda a: (2**40, 6), "indptr must rise from 0"),
    ("_shape", lambda a: (3, 2**60), r"feature_names of a stored BatchResult has shape \(6,\)"),
    ("_shape", lambda a: (3.0, 6), "it must be two integers >= 0"),
    ("_shape", lambda a: (3,), "it must be two integers >= 0"),
]


@pytest.mark.parametrize(("part", "change", "message"), SPARSE)
def test_a_changed_sparse_matrix_is_refused(stored, part, change, message):
    """SciPy reads where the indices say, wherever that is."""
    shell = pickle.loads(pickle.dumps(stored["batch"]))
    shell.coefs.__dict__[part] = change(shell.coefs.__dict__[part])
    with pytest.raises(ValueError, match=message):
        pickle.loads(pickle.dumps(shell))


def test_another_kind_of_matrix_is_refused(stored):
    """Also one of the right shape."""
    for value in (csc_array((3, 6)), np.zeros((3, 6)), csr_array((3, 6), dtype=int)):
        with pytest.raises(ValueError, match="coefs of a stored BatchResult"):
            read_back(stored["batch"], coefs=value)


def test_a_result_of_another_version_is_refused(stored):
    """Fields that are missing, or that are not known."""
    with pytest.raises(
        ValueError, match="a stored FitResult has the field 'mood', which this version of ksparse does not know"
    ):
        read_back(stored["fit"], mood=1)
    new = object.__new__(ksparse.FitResult)
    with pytest.raises(ValueError, match="a stored FitResult has no field 'coef'"):
        new.__setstate__({"support": np.array([1])})
    with pytest.raises(ValueError, match="a stored FitResult is a list; it must be a dict of its fields"):
        new.__setstate__([1])


def test_wide_batches_need_no_memory_for_their_columns(stored):
    """A matrix may say that it has 2**40 columns: what is asked of it depends on those that are used."""
    batch = stored["part of a batch"]
    wide = read_back(batch, coefs=csr_array((batch.coefs.data, batch.coefs.indices, batch.coefs.indptr), shape=(2, 2**40)))
    assert "1099511627776 features" in repr(wide)
    with pytest.raises(ValueError, match=r"X has shape \(3, 6\) but the fit had 1099511627776 features"):
        wide.predict(np.zeros((3, 6)))


SCRIPT = """
import pickle, sys
import numpy as np
data, arrays = pickle.load(sys.stdin.buffer)
sizes = np.array([len(array) for array in arrays])
rng = np.random.default_rng(int(sys.argv[1]))
X = np.zeros((3, 6))
for round in range(300):
    changed = [bytearray(array) for array in arrays]
    for which in rng.choice(len(arrays), rng.integers(1, 4), p=sizes / sizes.sum()):
        changed[which][rng.integers(sizes[which])] = rng.integers(0, 256)
    try:
        with np.errstate(all="ignore"):
            result = pickle.loads(data, buffers=changed)
            result.predict(X), result.predict_proba(X), repr(result), [one.predict(X) for one in result], result.to_frame(), result[:2]
    except Exception:
        pass
"""


def test_bytes_that_were_changed_do_not_crash(stored):
    """At random places of the arrays, in a process of its own; a change of the program that reads them may crash NumPy itself."""
    arrays = []
    data = pickle.dumps(stored["batch of groups"], protocol=5, buffer_callback=arrays.append)
    parts = pickle.dumps((data, [array.raw().tobytes() for array in arrays]))
    done = subprocess.run([sys.executable, "-c", SCRIPT, "0"], input=parts, capture_output=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
