"""Rows on several machines: real workers on loopback, the same answers as in memory, and errors before work starts."""

from __future__ import annotations

import os
import pickle
import signal
import warnings

import ksparse
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

distributed = pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")

import ksparse.dask  # noqa: E402
from ksparse._dask.source import RowsOnWorkers  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # of Dask, about its own ports and pickles


@pytest.fixture(scope="module")
def client():
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
            yield client


def data(seed=0, n=3000, p=110):
    draw = np.random.default_rng(seed)
    X = draw.standard_normal((n, p))
    X[:, 1:] += 0.5 * X[:, :-1]
    eta = X[:, 3] - 0.7 * X[:, p - 5]
    return X, eta, (draw.random(n) < 1 / (1 + np.exp(-eta))).astype(float), draw


def chunked(values, size=1000):
    return da.from_array(values, chunks=(size, *values.shape[1:]))


def assert_same(found, expected):
    assert found.status == expected.status
    assert found.support.tolist() == expected.support.tolist()
    assert found.objective == pytest.approx(expected.objective, rel=1e-10)
    assert found.coef == pytest.approx(expected.coef, rel=1e-6, abs=1e-9)


def test_fit_equals_memory(client):
    """F is a sum over rows, on whichever machine these are; chunks may have any sizes."""
    X, eta, y, draw = data()
    weight = draw.integers(0, 3, len(X)).astype(float)
    given = {"sample_weight": weight, "offset": 0.1 * X[:, 0], "always_in": [7], "bounds": (-0.6, None)}
    chunks = (700, 1, 1299, 1000)
    split = {name: da.from_array(value, chunks=(chunks,)) for name, value in given.items() if isinstance(value, np.ndarray)}
    found = ksparse.dask.fit(
        da.from_array(X, chunks=(chunks, 110)), da.from_array(y, chunks=(chunks,)), 4, **{**given, **split}
    )
    assert_same(found, ksparse.fit(X, y, 4, **given))
    squared = ksparse.dask.fit(chunked(X.astype(np.float32)), chunked(1e4 * eta + 5e5), 2, loss="squared")
    assert_same(squared, ksparse.fit(X.astype(np.float32), 1e4 * eta + 5e5, 2, loss="squared"))


def test_path(client):
    """So is a path."""
    X, _, y, _ = data(1)
    for found, expected in zip(
        ksparse.dask.fit_path(chunked(X), chunked(y), [1, 3], search="fast"),
        ksparse.fit_path(X, y, [1, 3], search="fast"),
        strict=True,
    ):
        assert_same(found, expected)


def test_estimators(client):
    """Estimators are those of ksparse, with lazy predictions and without the client where they are stored."""
    pandas = pytest.importorskip("pandas")
    dd = pytest.importorskip("dask.dataframe")
    X, eta, y, _ = data(2)
    frame, labels = pandas.DataFrame(X, columns=[f"c{j}" for j in range(110)]), pandas.Series(np.where(y > 0, "yes", "no"))
    on_dask = dd.from_pandas(frame, npartitions=3), dd.from_pandas(labels, npartitions=3)
    model = ksparse.dask.DaskKSparseClassifier(2, class_weight="balanced", search="fast").fit(*on_dask)
    expected = ksparse.KSparseClassifier(2, class_weight="balanced", search="fast").fit(frame, labels)
    assert model.objective_ == pytest.approx(expected.objective_, rel=1e-10)
    assert model.get_feature_names_out().tolist() == expected.get_feature_names_out().tolist()
    lazy = model.predict(on_dask[0])
    assert hasattr(lazy, "compute")
    assert (np.asarray(lazy.compute()) == expected.predict(frame)).all()
    assert np.asarray(model.predict_proba(on_dask[0]).compute()) == pytest.approx(expected.predict_proba(frame))
    assert type(model.to_local()) is ksparse.KSparseClassifier
    assert (model.to_local().predict(frame) == expected.predict(frame)).all()
    assert model.client_ is client
    model.client = client
    assert pickle.loads(pickle.dumps(model)).client is None
    regressor = ksparse.dask.DaskKSparseRegressor(2, search="fast").fit(chunked(X), chunked(eta + 5))
    assert regressor.support_.tolist() == [3, 105]
    assert regressor.predict(chunked(X)).compute() == pytest.approx(eta + 5)


def test_every_method_of_the_classifier(client):
    """Methods that a class inherits must work with collections too; these called predict with an offset, which it does not take."""
    X, _, y, draw = data(7, 400, 6)
    weight = draw.integers(0, 3, len(X)).astype(float)
    model = ksparse.dask.DaskKSparseClassifier(2).fit(chunked(X, 100), chunked(y, 100))
    local = model.to_local()
    assert model.score(chunked(X, 100), chunked(y, 100)) == local.score(X, y)
    assert model.score(chunked(X, 100), chunked(y, 100), chunked(weight, 100)) == pytest.approx(local.score(X, y, weight))
    assert model.score(X, y, weight) == pytest.approx(local.score(X, y, weight))
    assert model.predict_log_proba(chunked(X, 100)).compute() == pytest.approx(local.predict_log_proba(X))
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(ksparse.dask.DaskKSparseClassifier(), method)(chunked(X, 100))
    with pytest.raises(NotFittedError):
        ksparse.dask.DaskKSparseRegressor().to_local()


@pytest.mark.parametrize("loss", ["squared", "poisson"])
def test_score_of_the_regressor_reads_predictions_only(client, loss, monkeypatch):
    """X stays on the workers, which compute linear predictors."""
    X, eta, _, draw = data(9, 400, 6)
    y = eta + draw.standard_normal(400) if loss == "squared" else draw.poisson(np.exp(0.3 * eta)).astype(float)
    weight = draw.integers(0, 3, len(X)).astype(float)
    model = ksparse.dask.DaskKSparseRegressor(2, loss=loss).fit(chunked(X, 100), chunked(y, 100))
    expected = model.to_local().score(X, y), model.to_local().score(X, y, weight)
    monkeypatch.setattr(ksparse.KSparseRegressor, "_validated", None)  # which would read X
    assert model.score(chunked(X, 100), chunked(y, 100)) == pytest.approx(expected[0], rel=1e-12)
    assert model.score(chunked(X, 100), chunked(y, 100), chunked(weight, 100)) == pytest.approx(expected[1], rel=1e-12)
    assert model.score(X, y) == pytest.approx(expected[0], rel=1e-12)


@pytest.mark.parametrize("estimator", [ksparse.dask.DaskKSparseClassifier, ksparse.dask.DaskKSparseRegressor])
def test_estimators_check_types_first(client, estimator):
    """An estimator reads the number of columns and the labels before the fit checks them, so it must check the types itself."""
    X, _, y, _ = data(8, 400, 6)
    good, labels = chunked(X, 100), chunked(y, 100)
    for match, kind, arguments in (
        ("X is a list; it must be a Dask array or data frame", TypeError, (X.tolist(), labels)),
        (r"X has shape \(400,\); it must have two dimensions", ValueError, (good[:, 0], labels)),
        ("y is a ndarray; it must be a Dask array or series", TypeError, (good, y)),
        ("sample_weight is a ndarray; it must be a Dask array or series", TypeError, (good, labels, y)),
    ):
        with pytest.raises(kind, match=match):
            estimator(2).fit(*arguments)
    if estimator is ksparse.dask.DaskKSparseClassifier:
        with pytest.raises(ValueError, match="y has one class only"):
            estimator(2, class_weight="balanced").fit(good, labels, labels)


def test_a_lost_worker_changes_nothing(client, monkeypatch):
    """A task depends on its chunk and its question alone, so Dask computes again what is lost."""
    X, _, y, _ = data(3)
    expected = ksparse.fit(X, y, 3)
    ask = RowsOnWorkers.ask
    killed = []

    def killing(self, question, columns=None):
        if self.n_rounds == 6 and not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)
        return ask(self, question, columns)

    monkeypatch.setattr(RowsOnWorkers, "ask", killing)
    assert_same(ksparse.dask.fit(chunked(X), chunked(y), 3), expected)
    assert killed
    client.wait_for_workers(2)


def test_separable_classes(client):
    """The chosen columns come to the client to decide whether the classes are separable."""
    X, eta, _, _ = data(4)
    assert ksparse.dask.fit(chunked(X), chunked((eta > 0).astype(float)), 2).status == "separable"


def test_responses_may_be_missing_in_rows_of_weight_zero(client):
    X, _, y, draw = data(6)
    weight = draw.integers(0, 2, len(X)).astype(float)
    y[weight == 0] = np.nan
    found = ksparse.dask.fit(chunked(X), chunked(y), 2, sample_weight=chunked(weight))
    assert_same(found, ksparse.fit(X, y, 2, sample_weight=weight))


def test_errors_before_work_starts(client):
    """What is wrong with collections is said with what to do."""
    X, _, y, _ = data(5)
    good, labels = chunked(X), chunked(y)

    def refused(match, X=good, y=labels, kind=ValueError, **settings):
        with pytest.raises(kind, match=match):
            ksparse.dask.fit(X, y, 2, **settings)

    refused("X has chunks of columns", da.from_array(X, chunks=(1000, 10)))
    refused("X has chunks of unknown sizes; call X.compute_chunk_sizes", good[good[:, 0] > 0], labels)
    refused("y has chunks of 500, 500, .* rows and X of 1000, 1000, 1000", y=da.from_array(y, chunks=500))
    refused("y has one class only", y=labels * 0)
    refused("must be a Dask array or data frame; use ksparse.fit for data in memory", X, kind=TypeError)
    refused("y is a ndarray; it must be a Dask array", y=y, kind=TypeError)
    broken = y.copy()
    broken[1500] = np.nan
    refused("y is nan in row 500 of chunk 1; labels must be 0 or 1", y=chunked(broken))
    refused("sample_weight is -1.0 in row 0 of chunk 2", sample_weight=chunked(np.where(np.arange(3000) == 2000, -1.0, 1.0)))
    X[2100, 4] = np.inf
    refused(r"X\[2100, 4\] is inf; .* \(row 100 of chunk 2\)", chunked(X))
    with pytest.raises(ValueError, match=r"y has 3 classes \('a', 'b', 'c'\); it must have two"):
        ksparse.dask.DaskKSparseClassifier().fit(good, da.from_array(np.array(["a", "b", "c"] * 1000), chunks=1000))


def test_many_chunks_are_added_in_a_tree(client, monkeypatch):
    """The order of the sums is fixed, so two fits are the same to the bit; small chunks are put together first."""
    X, _, y, _ = data(6, n=1000, p=110)
    small, expected = ksparse.dask.fit(chunked(X, 50), chunked(y, 50), 1), ksparse.fit(X, y, 1)
    assert small.objective == pytest.approx(expected.objective, rel=1e-12)
    monkeypatch.setattr("ksparse._dask.source._SMALL", 0)
    monkeypatch.setattr("ksparse._dask.source._ADDED_AT_ONCE", 2)
    one, two = (ksparse.dask.fit(chunked(X, 250), chunked(y, 250), 1) for _ in range(2))
    assert one.objective == two.objective
    assert one.objective == pytest.approx(expected.objective, rel=1e-12)


def test_executor_of_dask(client):
    """Batches and folds are fitted by the executor of a client, with X scattered to its workers once."""
    X, _, y, _ = data(4, 400, 30)
    executor = client.get_executor()
    streams = [ksparse.fit_each([(X, y), (X, 1 - y)] * 5, 3, **how) for how in ({}, {"executor": executor})]
    for expected, found in zip(*streams, strict=True):
        assert found.support.tolist() == expected.support.tolist()
        assert found.objective == expected.objective
    batch = [ksparse.fit_many(X, X[:, :6] > 0, 2, **how) for how in ({}, {"executor": executor})]
    assert batch[1].objectives.tolist() == batch[0].objectives.tolist()
    models = [ksparse.KSparseClassifierCV(ks=[1, 2, 3]).fit(X, y, **how) for how in ({}, {"executor": executor})]
    assert models[1].cv_results_["mean_test_score"].tolist() == models[0].cv_results_["mean_test_score"].tolist()
