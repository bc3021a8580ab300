"""Progress: shown when asked, rising, from nothing to all; nothing is printed otherwise, and what fails ends the work."""

import sys
import threading

import ksparse
import numpy as np
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseMultiLabelClassifier, _core

LOGISTIC = _core.loss_by_name("logistic", [])
tqdm_auto = pytest.importorskip("tqdm.auto")


def data(n=120, p=10, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, (X[:, 1] - X[:, 4] + rng.logistic(size=n) > 0).astype(int)


@pytest.fixture
def bars(monkeypatch):
    """Bars that were drawn: their totals, what they showed, whether they were closed."""
    drawn = []

    class Bar:
        def __init__(self, total, unit):
            self.total, self.unit, self.n, self.shown, self.closed = total, unit, 0, [0], False
            drawn.append(self)

        def update(self, more):
            self.n += more
            self.shown.append(self.n)

        def close(self):
            self.closed = True

    monkeypatch.setattr(tqdm_auto, "tqdm", Bar)
    return drawn


def three_classes():
    X, y = data()
    return X, np.where(X[:, 7] > 0.8, 2, y)


WORK = {
    "fit_path": (lambda X, y, verbose: ksparse.fit_path(X, y, [0, 1, 2, 3], ridge=1e-2, verbose=verbose), 4, "fits"),
    "fit_many": (
        lambda X, y, verbose: ksparse.fit_many(X, np.tile(y, (7, 1)).T, 2, ridge=1e-2, n_jobs=2, verbose=verbose),
        7,
        "problems",
    ),
    "fit_each": (
        lambda X, y, verbose: list(ksparse.fit_each([(X, y)] * 3, 2, ridge=1e-2, n_jobs=2, verbose=verbose)),
        3,
        "data sets",
    ),
    "stability": (
        lambda X, y, verbose: ksparse.stability_selection(X, y, 2, rounds=9, ridge=1e-2, verbose=verbose),
        9,
        "rounds",
    ),
    "criterion": (lambda X, y, verbose: KSparseClassifier("bic", k_max=4, ridge=1e-2, verbose=verbose).fit(X, y), 5, "fits"),
    "cross-validation": (
        lambda X, y, verbose: KSparseClassifierCV(ks=[1, 2, 3], ridge=[1e-2, 1e-1], cv=4, verbose=verbose).fit(X, y),
        3 * 2 * 4,
        "fits",
    ),
    "labels": (
        lambda X, y, verbose: KSparseMultiLabelClassifier(2, ridge=1e-2, verbose=verbose).fit(X, np.column_stack([y, 1 - y])),
        2,
        "labels",
    ),
    "classes": (lambda X, y, verbose: KSparseClassifier(2, ridge=1e-2, verbose=verbose).fit(*three_classes()), 3, "fits"),
    "criterion for each class": (
        lambda X, y, verbose: KSparseClassifier("bic", k_max=4, ridge=1e-2, verbose=verbose).fit(*three_classes()),
        15,
        "fits",
    ),
}


@pytest.mark.parametrize("work", WORK)
def test_a_bar_rises_to_its_total(work, bars):
    """One bar, of all that is to be done, which is closed."""
    do, total, unit = WORK[work]
    do(*data(), 1)
    (bar,) = bars
    assert (bar.total, bar.unit, bar.n, bar.closed) == (total, f" {unit}", total, True)
    assert (np.diff(bar.shown) >= 0).all()


@pytest.mark.parametrize("work", WORK)
def test_nothing_is_shown_by_default(work, bars, capfd):
    """No bar, and not a byte on the standard streams, of Python or of the core."""
    WORK[work][0](*data(), 0)
    assert bars == []
    assert capfd.readouterr() == ("", "")


def test_tqdm_shows_it_where_standard_error_goes(capfd):
    """The real one, in a terminal."""
    X, y = data()
    ksparse.fit_path(X, y, [0, 1, 2], ridge=1e-2, verbose=True)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "3/3" in shown.err
    assert "fits" in shown.err


def test_a_bar_does_not_change_the_answer():
    """The same fits in the same order."""
    X, y = data()
    shown, plain = (ksparse.fit_path(X, y, range(5), ridge=1e-2, verbose=verbose) for verbose in (2, False))
    np.testing.assert_array_equal(shown.coefs, plain.coefs)


def test_rounds_with_weights_are_one_bar(bars, monkeypatch):
    """They are answered in parts, where weights multiply the counts; the bar is of all."""
    monkeypatch.setattr(ksparse._results.resampling, "_ROUNDS_AT_ONCE", 4)
    monkeypatch.setattr(ksparse._results.resampling, "_LARGEST_PRODUCT", 1)
    X, y = data()
    ksparse.stability_selection(X, y, 2, rounds=10, ridge=1e-2, sample_weight=np.full(120, 0.5), verbose=True)
    (bar,) = bars
    assert (bar.total, bar.n) == (10, 10)
    assert {4, 8, 10} <= set(bar.shown)
    assert (np.diff(bar.shown) >= 0).all()


def test_a_class_that_fails_is_not_waited_for(bars):
    """Of the classes only those that have a path are counted."""
    X, y = three_classes()
    weights = np.where(y == 2, 0.0, 1.0)
    with pytest.warns(UserWarning, match="did not converge"):
        KSparseClassifier("bic", k_max=4, ridge=1e-2, verbose=1).fit(X, y, sample_weight=weights)
    (bar,) = bars
    assert (bar.total, bar.n, bar.closed) == (10, 10, True)


def test_a_stream_without_a_length_has_a_bar_without_a_total(bars):
    """It counts; breaking off closes it, and the stream below."""
    X, y = data()
    closed = []

    def datasets():
        try:
            while True:
                yield X, y
        finally:
            closed.append(True)

    results = ksparse.fit_each(datasets(), 2, ridge=1e-2, verbose=1)
    assert bars == []
    for _ in range(3):
        next(results)
    (bar,) = bars
    assert (bar.total, bar.n, bar.closed) == (None, 3, False)
    results.close()
    assert bar.closed
    del results
    assert closed == [True]


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_listener_raises_ends_the_work(threads):
    """It reaches the caller as it was raised, before the work is done, and the next call is none the worse for it."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 150))
    y = (X[:, 0] + rng.standard_normal(400) > 0).astype(float)
    count = 5000
    told = []

    def listener(done, total):
        told.append((done, total))
        if done:
            raise KeyError("enough")

    def go(progress):
        numbers = np.full(count, 3), np.full(count, 1e-2)
        return _core.fit_many(X, y.astype(np.uint8), None, None, [LOGISTIC], *numbers, _core.Options(), threads, progress)

    answer = go(listener)  # fit_many raises the exception, with what was done before it
    assert isinstance(answer["stopped_by"], KeyError)
    assert answer["stopped_by"].args == ("enough",)
    assert [total for _, total in told] == [count] * 2
    assert told[0][0] == 0
    assert 0 < told[1][0] < count
    count = 20
    answer = go(None)
    assert len(answer["status"]) == 20
    assert answer["stopped_by"] is None


def test_ctrl_c_in_a_listener_closes_the_bar(bars, monkeypatch):
    """As any error does: no bar is left half drawn."""

    def interrupt(self, more):
        raise KeyboardInterrupt

    X, y = data()
    with ksparse._input.progress.progress_bar("fits") as report:
        report(0, 2)
    monkeypatch.setattr(type(bars[0]), "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ksparse.fit_path(X, y, [0, 1], ridge=1e-2, verbose=1)
    assert bars[-1].closed


def test_a_listener_is_called_on_the_thread_that_called():
    """While others work; each time more is done than before."""
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((1000, 500)))
    y = (X[:, :4].sum(axis=1) + rng.logistic(size=1000) > 0).astype(float)
    settings = [np.full(200, value) for value in (5, 1e-2)]
    told, threads = [], set()

    def listener(done, total):
        told.append((done, total))
        threads.add(threading.get_ident())

    _core.fit_many(X, y.astype(np.uint8), None, None, [LOGISTIC], *settings, _core.Options(), 3, listener)
    done, total = np.transpose(told)
    assert threads == {threading.get_ident()}
    assert set(total) == {200}
    assert (done[0], done[-1]) == (0, 200)
    assert (np.diff(done) > 0).all()


@pytest.mark.parametrize("verbose", [-1, "yes", None, 0.5])
def test_verbose_is_a_flag_or_a_number(verbose):
    """Refused before any work."""
    X, y = data()
    message = rf"verbose is {verbose!r}; it must be True, False or an integer >= 0"
    for work in (
        lambda: ksparse.fit_path(X, y, [1], verbose=verbose),
        lambda: ksparse.fit_each([], 1, verbose=verbose),
        lambda: KSparseClassifierCV(ks=[1], verbose=verbose).fit(X, y),
    ):
        with pytest.raises(ValueError, match=message):
            work()


def test_without_tqdm_verbose_says_how_to_get_it(monkeypatch):
    """And without verbose it is not missed."""
    X, y = data()
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    ksparse.fit_path(X, y, [1])
    message = r"verbose needs tqdm, which is not installed: pip install 'ksparse\[progress\]'"
    with pytest.raises(ModuleNotFoundError, match=message):
        ksparse.fit_path(X, y, [1], verbose=1)
    with pytest.raises(ModuleNotFoundError, match=message):
        next(ksparse.fit_each([(X, y)], 1, verbose=1))
