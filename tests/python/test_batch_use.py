"""How a batch is used: results by name, blocks as they are done, and what is left after Ctrl-C."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import ksparse
import numpy as np
import pandas as pd
import pytest

RNG = np.random.default_rng(3)
X = RNG.standard_normal((120, 15))
NAMES = [f"night {i}" for i in range(150)]
Y = pd.DataFrame((X[:, RNG.integers(15, size=150)] + RNG.logistic(size=(120, 150)) > 0).astype(int), columns=NAMES)


def test_a_result_is_found_by_its_name():
    batch = ksparse.fit_many(X, Y.iloc[:, :5], 2)
    assert batch["night 3"].objective == batch[3].objective
    some = batch[["night 4", "night 0"]]
    assert some.problem_names.tolist() == ["night 4", "night 0"]
    assert some["night 0"].objective == batch[0].objective
    assert batch[np.array(["night 1"])].objectives.tolist() == batch[[1]].objectives.tolist()
    assert len(batch[[]]) == 0
    with pytest.raises(KeyError, match=r"'night 9': no problem has this name; the names are 'night 0', 'night 1'"):
        batch["night 9"]
    with pytest.raises(KeyError, match="the problems have no names; pass Y as a data frame"):
        ksparse.fit_many(X, Y.to_numpy()[:, :2], 2)["night 0"]
    twice = ksparse.fit_many(X, Y.iloc[:, [0, 0]], 2)
    with pytest.raises(KeyError, match="2 problems have this name"):
        twice["night 0"]


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(
    "settings",
    [
        {"k": 2},
        {"k": np.tile([1, 2, 3], 50)},
        {"k": "bic", "k_max": 2},
        {"k": 2, "loss": "focal", "gamma": np.tile([1.0, 2.0], 75)},
    ],
)
def test_a_callback_is_told_every_problem_once_and_in_order(n_jobs, settings):
    """The blocks together are the batch, with names, numbers, weights and messages."""
    outcomes = Y.assign(**{"night 70": 0})
    weights = RNG.integers(0, 3, (120, 150)).astype(float)
    blocks = []
    with pytest.warns(ksparse.ConvergenceWarning):
        batch = ksparse.fit_many(
            X,
            outcomes,
            **settings,
            ridge=1e-2,
            sample_weight=weights,
            n_jobs=n_jobs,
            callback=lambda *told: blocks.append(told),
        )
    with pytest.warns(ksparse.ConvergenceWarning):
        expected = ksparse.fit_many(X, outcomes, **settings, ridge=1e-2, sample_weight=weights)
    assert len(blocks) > 1
    assert [first for first, _ in blocks] == np.cumsum([0] + [len(block) for _, block in blocks])[:-1].tolist()
    for joined in (batch, expected):
        np.testing.assert_array_equal(np.concatenate([block.objectives for _, block in blocks]), joined.objectives)
        assert np.concatenate([block.problem_names for _, block in blocks]).tolist() == joined.problem_names.tolist()
    assert set(batch.messages) == set(expected.messages) == {70}
    assert (batch.coefs != expected.coefs).nnz == 0
    first, block = blocks[-1]
    assert block[0].summary().coef.tolist() == batch[first].summary().coef.tolist()  # a block refers to its data


def test_an_interrupt_in_the_callback_leaves_what_was_done():
    for k, done in ((2, 128), ("bic", 2)):
        calls = []

        def stop(first, block, calls=calls):
            calls.append(first)
            if len(calls) == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt) as stopped:
            ksparse.fit_many(X, Y, k, callback=stop)
        partial = stopped.value.partial
        assert np.count_nonzero(partial.status != "interrupted") == done
        assert partial.status[:done].tolist() == ["converged"] * done
        assert np.isnan(partial.objectives[done:]).all()
        assert partial["night 1"].objective == ksparse.fit(X, Y["night 1"], k).objective
        assert "interrupted" in str(partial)


PROGRAM = """
    import os, signal, sys, threading, time, warnings
    import numpy as np
    import ksparse
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 300))
    Y = rng.random((400, 20000)) < 0.4
    def press():
        time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGINT)
    for verbose in (0, 1):
        threading.Thread(target=press).start()
        try:
            ksparse.fit_many(X, Y, 5, n_jobs={n_jobs}, search="fast", verbose=verbose)
        except KeyboardInterrupt as stop:
            fitted = stop.partial.status != "interrupted"
            number = int(np.flatnonzero(fitted)[0])
            same = stop.partial[number].objective == ksparse.fit(X, Y[:, number], 5, search="fast").objective
            print(len(stop.partial), 0 < fitted.sum() < 20000, same)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a single child")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_keeps_what_is_done(n_jobs):
    """Also with a progress bar, whose own code a signal may interrupt."""
    program = textwrap.dedent(PROGRAM).replace("{n_jobs}", str(n_jobs))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["20000", "True", "True"] * 2, done.stdout + done.stderr[-2000:]
