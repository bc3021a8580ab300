"""Fits per second of a stream of data sets, fit_each on 1 and 2 threads beside a loop of fit, and how soon Ctrl-C ends it.

    python benchmarks/each.py [--n 500] [--p 200] [--k 5] [--loss logistic] [--sets 400] [--repeats 15] [--threads 1 2] [--seed 0]

Ratios are taken in alternation, answers compared to the last bit before. *machine* is the same ratio for threads that hash bytes
and share nothing: what threads can gain here and now, other programs being what they are. *Python* is the time per data set with
the core's work taken out, in which threads exclude each other: no number of them gains more than fit / Python.
"""

from __future__ import annotations

import argparse
import hashlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import common
import ksparse
import numpy as np
from ksparse import _core

INTERRUPTED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
import numpy as np, time, ksparse
rng = np.random.default_rng(0)
X, y = rng.standard_normal((3000, 3000)), (rng.random(3000) < 0.5).astype(float)
print("ready", flush=True)
try:
    list(ksparse.fit_each(iter(lambda: (X, y), None), 100, n_jobs=2, ridge=1e-3, search="thorough"))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def data_sets(count: int, n: int, p: int, k: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return independent data sets with k true features each."""
    rng = np.random.default_rng(seed)
    sets = []
    for _ in range(count):
        X = np.asfortranarray(rng.standard_normal((n, p)))
        eta = X[:, rng.choice(p, k, replace=False)] @ rng.choice([-1.0, 1.0], k)
        sets.append((X, (eta + rng.logistic(size=n) > 0).astype(float)))
    return sets


def hashes(threads: int, count: int = 400) -> Callable[[], None]:
    """Return a job of fixed size that needs no GIL, cut into threads."""
    block = bytes(200_000)

    def work() -> None:
        for _ in range(count // threads):
            hashlib.sha256(block).digest()

    def job() -> None:
        pool = [threading.Thread(target=work) for _ in range(threads)]
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join()

    return job


def python_seconds(job: Callable[[], object], repeats: int) -> float:
    """Time of a job whose fits are answered by an answer that is there already."""
    fit = _core.fit
    answers: list[object] = []

    def ready(*arguments: object) -> object:
        if not answers:
            answers.append(fit(*arguments))
        return answers[0]

    _core.fit = ready
    try:
        return common.median_seconds(job, repeats)
    finally:
        _core.fit = fit


def seconds_to_interrupt() -> float:
    """Time from the signal to the answer of a child in the middle of long fits."""
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True) as child:
        child.stdout.readline()
        time.sleep(1.0)
        began = time.perf_counter()
        child.send_signal(signal.SIGINT)
        child.stdout.readline()
        return time.perf_counter() - began


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("n", 500), ("p", 200), ("k", 5), ("sets", 400), ("repeats", 15), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--loss", default="logistic")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    sets = data_sets(given.sets, given.n, given.p, given.k, given.seed)
    settings = {"k": given.k, "loss": given.loss}

    def loop() -> list[ksparse.FitResult]:
        return [ksparse.fit(X, y, **settings) for X, y in sets]

    def each(threads: int) -> Callable[[], list]:
        return lambda: list(ksparse.fit_each(sets, n_jobs=threads, **settings))

    print(f"{given.sets} data sets {given.n} x {given.p}, k = {given.k}, {given.loss}, {common.instruction_set()}")
    seconds = common.median_seconds(loop, 5) / given.sets
    print(f"loop of fit            {1 / seconds:6.0f} fits/s, {seconds * 1e3:.3f} ms a fit")
    expected = loop()
    for threads in given.threads:
        for got, one in zip(each(threads)(), expected, strict=True):
            assert got.objective == one.objective
            np.testing.assert_array_equal(got.coef, one.coef)
        gain = common.paired_ratio(loop, each(threads), given.repeats)
        free = common.paired_ratio(hashes(1), hashes(threads), given.repeats)
        python = python_seconds(each(threads), 5) / given.sets
        print(
            f"fit_each, {threads} thread{'s' * (threads > 1)}    {gain[1] / seconds:6.0f} fits/s, {gain[1]:.2f} times the loop "
            f"({gain[0]:.2f} to {gain[2]:.2f}); machine {free[1]:.2f} ({free[0]:.2f} to {free[2]:.2f}); "
            f"Python {python * 1e6:.0f} us a data set"
        )
    if sys.platform != "win32":
        waits = [seconds_to_interrupt() for _ in range(3)]
        print(f"Ctrl-C is answered after {min(waits):.3f} to {max(waits):.3f} s")


if __name__ == "__main__":
    main()
