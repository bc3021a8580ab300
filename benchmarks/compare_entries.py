"""Compare this build with another one: processor time of single fits, batches, paths, cross-validation and kinds of storage.

    python benchmarks/compare_entries.py --against /path/to/other/tree/python [--only path]

What single.py, throughput.py, path.py, cross_validation.py and storage.py time is called in both builds in alternation, at sizes of up
to a few tens of milliseconds. Each line has the median ratio of the processor times, and whether both gave the same value (an
objective, or a sum of them). All calls state their search, whose default differs between versions.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import cache

import numpy as np
from compare import Build

WORKER = r"""
import json, sys, warnings
warnings.simplefilter("ignore")
sys.path[:0] = json.loads(sys.argv[1])
import compare_entries
calls = compare_entries.calls()
print(json.dumps(list(calls)), flush=True)
for line in sys.stdin:
    print(json.dumps(compare_entries.timed(calls[line.strip()])), flush=True)
"""


def timed(call: Callable[[], float], least: float = 0.03) -> tuple[float, float]:
    """Return the value of a call and its processor time, of as many repetitions as take so many seconds."""
    start, count = time.process_time(), 0
    while count == 0 or time.process_time() - start < least:
        value, count = call(), count + 1
    return value, (time.process_time() - start) / count


@cache
def outcomes(n: int, p: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """X (n, p) of independent columns, and m outcomes (n, m) of five random features each."""
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((n, p)))
    signals = [X[:, rng.choice(p, 5, replace=False)] @ rng.choice([-1.0, 1.0], 5) for _ in range(m)]
    return X, np.stack([signal + rng.logistic(size=n) > 0 for signal in signals], axis=1)


@cache
def design(name: str):
    """Return a public design, made once."""
    from designs import PUBLIC

    return PUBLIC[name]()


@cache
def stored(kind: str):
    """X of a public design, or its large entries, in a kind of storage."""
    import scipy.sparse

    X = design("ar0.5-10000x1000-k10").X
    sparse = {"csc": scipy.sparse.csc_array, "csr": scipy.sparse.csr_array}
    if kind in sparse:
        return sparse[kind](np.where(np.abs(X) > 1.6, X, 0))
    return np.ascontiguousarray(X) if kind == "C order" else X.astype(np.float32)


def calls() -> dict[str, Callable[[], float]]:
    """Return what is timed, by name."""
    import ksparse

    def single(name: str, search: str) -> float:
        case = design(name)
        return ksparse.fit(case.X, case.y, case.k, search=search, **case.settings).objective

    def batch(n: int, p: int, m: int, loss: str) -> float:
        return float(np.sum(ksparse.fit_many(*outcomes(n, p, m), 5, loss=loss, n_jobs=1).objectives))

    def path(loss: str) -> float:
        X, Y = outcomes(2000, 500, 2)
        return ksparse.fit_path(X, Y[:, 0], range(21), loss=loss, search="fast").at(20).objective

    def folds() -> float:
        X, Y = outcomes(2000, 500, 2)
        return float(ksparse.KSparseClassifierCV(ks=range(1, 11), search="fast", n_jobs=1).fit(X, Y[:, 0]).intercept_[0])

    def storage(kind: str) -> float:
        return ksparse.fit(stored(kind), design("ar0.5-10000x1000-k10").y, 10, search="fast").objective

    found: dict[str, Callable[[], float]] = {}
    for name in ("seed-ce", "seed-focal.5", "ar0.5-500x1000-k10", "ar0.5-10000x1000-k10", "wide-200x20000-k5"):
        for search in ("fast", "auto"):
            found[f"single {name} {search}"] = lambda name=name, search=search: single(name, search)
    for loss in ("logistic", "focal"):
        found[f"batch of 150, 500 x 200, {loss}"] = lambda loss=loss: batch(500, 200, 150, loss)
        found[f"path 0..20, 2000 x 500, {loss}"] = lambda loss=loss: path(loss)
    found["batch of 10, 2000 x 2000"] = lambda: batch(2000, 2000, 10, "logistic")
    found["cross-validation, 2000 x 500"] = folds
    for kind in ("C order", "float32", "csc", "csr"):
        found[f"storage {kind}"] = lambda kind=kind: storage(kind)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", required=True, help="the folder that holds the other build's package ksparse")
    parser.add_argument("--only", nargs="*", default=[], help="calls whose name contains one of these")
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    ours, theirs = Build(None, WORKER), Build(arguments.against, WORKER)
    medians = []
    for name in ours.names:
        if arguments.only and not any(part in name for part in arguments.only):
            continue
        ours.ask(name), theirs.ask(name)  # both make their data
        pairs = [(theirs.ask(name), ours.ask(name)) for _ in range(arguments.repeats)]
        medians.append(float(np.median([new[1] / old[1] for old, new in pairs])))
        values = {value for pair in pairs for value, _ in pair}
        same = "same value" if max(values) - min(values) <= 1e-9 * abs(max(values)) else f"values {sorted(values)}"
        print(f"{name:36s} time x{medians[-1]:5.3f} of {1e3 * min(old[1] for old, _ in pairs):8.2f} ms, {same}", flush=True)
    print(f"median time x{np.median(medians):.3f}")
    ours.close()
    theirs.close()


if __name__ == "__main__":
    main()
