"""A fit on every kind of storage: time in passes over X, and anonymous memory above X and y, against 10 % of X plus 50 MB (Linux).

    python benchmarks/storage.py
    python benchmarks/storage.py --sparse 200000 20000 1e-3 --dense 20000 1000
    python benchmarks/storage.py --orders
    python benchmarks/storage.py --tall

``--orders`` compares C order with F order only: a fit on each in turn, the ratio of their processor times (at most 1.3), and the memory that
either adds. ``--tall`` has the passes of a fit of 300,000 x 80 with density 0.1 (20 are wanted), and 200 outcomes over one sparse X compared with
a loop of single fits (a third of its time is wanted).

t_pass is one ``X.T @ r`` of the very X in the same process. Memory is RssAnon, sampled all the time: a memory map's pages are the
kernel's to drop, and do not count. The maps are fitted under a limit (RLIMIT_DATA) that X would not fit in.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

DENSE = ["F", "C", "F float32", "C float32", "map F", "map C"]
SPARSE = ["csc", "csc float32", "csc int64", "csr", "csr float32"]
ALLOWANCE = 50e6


class Watch:
    """Highest RssAnon while it runs, above what it was."""

    def __enter__(self) -> Watch:
        self.before = self.highest = anonymous()
        self.running = True
        self.thread = threading.Thread(target=self._look)
        self.thread.start()
        return self

    def _look(self) -> None:
        while self.running:
            self.highest = max(self.highest, anonymous())
            time.sleep(0.001)

    def __exit__(self, *_: Any) -> None:
        self.running = False
        self.thread.join()
        self.added = self.highest - self.before


def anonymous(which: str = "RssAnon") -> int:
    """Bytes of this process that no file backs."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) * 1024


def dense(n: int, p: int, kind: str, folder: str) -> tuple[Any, Any]:
    """X and y; a map is written first and opened read-only."""
    import numpy as np

    rng = np.random.default_rng(0)
    order = "C" if "C" in kind else "F"
    dtype = np.float32 if "float32" in kind else np.float64
    mapped = kind.startswith("map")
    path = Path(folder, "X")
    X = np.memmap(path, dtype, "w+", shape=(n, p), order=order) if mapped else np.empty((n, p), dtype, order)
    for begin in range(0, n, 1000):
        X[begin : begin + 1000] = rng.standard_normal((min(1000, n - begin), p)).astype(np.float32)
    eta = X[:, : p // 2 : p // 20] @ np.resize([0.7, -0.7], 10)
    if mapped:
        X.flush()
        X = np.memmap(path, dtype, "r", shape=(n, p), order=order)
    return X, (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)


def sparse(n: int, p: int, density: float, kind: str) -> tuple[Any, Any]:
    """X with entries of mean 1 in random places, and y from ten of the columns."""
    import numpy as np
    import scipy.sparse as sp

    rng = np.random.default_rng(0)
    starts = np.concatenate([[0], np.cumsum(rng.binomial(n, density, p))])
    rows = np.concatenate([np.sort(rng.choice(n, size, replace=False)) for size in np.diff(starts)])
    index = np.int64 if "int64" in kind else np.int32
    values = (1 + rng.standard_normal(starts[-1])).astype(np.float32)
    values = values.astype(np.float32 if "float32" in kind else np.float64)
    X = sp.csc_array((values, rows, starts), shape=(n, p))
    eta = X[:, : p // 2 : p // 20] @ np.resize([4.0, -4.0], 10) - 1
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    X = X.tocsr() if "csr" in kind else X
    X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    return X, y


def child(kind: str, n: int, p: int, density: float, repeats: int, search: str) -> None:
    """Fit once under watch, then against passes in alternation; print what came of it."""
    import ctypes
    import resource

    import common
    import ksparse
    import numpy as np

    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        X, y = sparse(n, p, density, kind) if kind in SPARSE else dense(n, p, kind, folder)
        size = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes if kind in SPARSE else X.nbytes
        ksparse.fit(X[:200, :20], y[:200], 2, ridge=1e-2)  # loads what a first call loads
        ctypes.CDLL(None).malloc_trim(0)
        with Watch() as watch:
            if kind.startswith("map"):
                limit = anonymous("VmData") + int(0.1 * size + ALLOWANCE)
                resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))
            result = ksparse.fit(X, y, 10, search=search)
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        r = np.random.default_rng(0).standard_normal(n).astype(X.dtype)
        transposed = X.T
        ratio = common.paired_ratio(lambda: ksparse.fit(X, y, 10, search=search), lambda: transposed @ r, repeats).tolist()
        milliseconds = 1e3 * common.median_seconds(lambda: ksparse.fit(X, y, 10, search=search), 3)
    print(json.dumps([size, watch.added, ratio, milliseconds, result.n_scans, result.objective, result.support.tolist()]))


def orders(repeats: int) -> None:
    """Print the cost of C order relative to F order, for sizes at which X is read from memory."""
    import ctypes

    import common  # noqa: F401  one thread
    import ksparse
    import numpy as np

    print(f"{'n':>7s} {'p':>5s} {'F ms':>7s} {'C ms':>7s} {'C/F':>5s} {'quartiles':>11s} {'F added':>8s} {'C added':>8s}  of X")
    for n, p in [(100_000, 500), (10_000, 1000), (2000, 2000)]:
        by_columns, y = dense(n, p, "F", "")
        by_rows = np.ascontiguousarray(by_columns)
        times: dict[str, list[float]] = {"F": [], "C": []}
        added, results = {}, {}
        for _ in range(repeats):
            for name, X in (("F", by_columns), ("C", by_rows)):
                ctypes.CDLL(None).malloc_trim(0)
                with Watch() as watch:
                    start = time.thread_time()
                    results[name] = ksparse.fit(X, y, 10)
                    times[name].append(time.thread_time() - start)
                added[name] = watch.added
        ratios = np.array(times["C"]) / np.array(times["F"])
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        f, c = (1e3 * np.median(times[name]) for name in "FC")
        same = abs(results["F"].objective - results["C"].objective) <= 1e-12 * results["F"].objective
        same = same and results["F"].support.tolist() == results["C"].support.tolist()
        print(
            f"{n:7d} {p:5d} {f:7.1f} {c:7.1f} {middle:5.2f} {f'{low:.2f}-{high:.2f}':>11s} {added['F'] / by_rows.nbytes:8.1%} "
            f"{added['C'] / by_rows.nbytes:8.1%}  {'same answer' if same else 'ANOTHER ANSWER'}",
            flush=True,
        )


def tall() -> None:
    """Print the cost of a sparse X with many rows, and of many outcomes over one sparse X."""
    import common
    import ksparse
    import numpy as np
    import scipy.sparse as sp

    rng = np.random.default_rng(0)
    n, p = 300_000, 80
    X = sp.csc_array(np.where(rng.random((n, p)) < 0.1, rng.standard_normal((n, p)), 0.0))
    y = (rng.random(n) < 1 / (1 + np.exp(0.5 - X[:, ::8].sum(axis=1)))).astype(float)
    transposed, r = X.T, rng.standard_normal(n)
    for loss in ("logistic", "squared"):
        for search in ("fast", "auto"):
            fit = partial(ksparse.fit, X, y, 10, loss=loss, search=search)
            low, middle, high = common.paired_ratio(fit, lambda: transposed @ r, 3)
            print(
                f"{n} x {p}, {loss:8s} {search:4s} {middle:7.1f} t_pass ({low:.1f}-{high:.1f}), {fit().n_scans} scans",
                flush=True,
            )
    n, p, outcomes = 20_000, 2000, 200
    X = sp.csc_array((rng.random((n, p)) < 0.01).astype(float))
    eta = np.column_stack([X[:, rng.choice(p, 3)].sum(axis=1) * 3 - 1 for _ in range(outcomes)])
    Y = (rng.random((n, outcomes)) < 1 / (1 + np.exp(-eta))).astype(float)
    start = time.process_time()
    batch = ksparse.fit_many(X, Y, 3, search="fast", n_jobs=1)
    shared = time.process_time() - start
    start = time.process_time()
    single = [ksparse.fit(X, Y[:, i], 3, search="fast").objective for i in range(outcomes)]
    alone = time.process_time() - start
    same = np.allclose(np.ravel(batch.objectives), single, rtol=1e-12)
    print(f"{outcomes} outcomes over {n} x {p}: {shared:.2f} s, a loop {alone:.2f} s, ratio {alone / shared:.2f}", end=", ")
    print("same answers" if same else "OTHER ANSWERS")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dense", nargs=2, type=int, default=[100000, 500], metavar=("N", "P"))
    parser.add_argument("--sparse", nargs=3, type=float, default=[100000, 50000, 1e-3], metavar=("N", "P", "DENSITY"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--search", default="auto")
    parser.add_argument("--orders", action="store_true")
    parser.add_argument("--tall", action="store_true")
    parser.add_argument("--child")
    arguments = parser.parse_args()
    if arguments.tall:
        tall()
        return
    if arguments.orders:
        orders(max(arguments.repeats, 9))
        return
    n, p, density = arguments.sparse if arguments.child in SPARSE else (*arguments.dense, 1.0)
    if arguments.child:
        child(arguments.child, int(n), int(p), density, arguments.repeats, arguments.search)
        return
    first: dict[bool, Any] = {}
    print(f"{'storage':>12s} {'X':>9s} {'added':>9s} {'allowed':>9s} {'ms':>7s} {'t_pass':>6s} {'quartiles':>11s} scans")
    for kind in [*DENSE, *SPARSE]:
        command = [sys.executable, __file__, "--child", kind, *sys.argv[1:]]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        size, added, (low, middle, high), milliseconds, scans, objective, support = json.loads(output)
        expected = first.setdefault(kind in SPARSE, (objective, support))
        same = abs(objective - expected[0]) <= 1e-10 * expected[0] and support == expected[1]
        allowed = 0.1 * size + ALLOWANCE
        print(
            f"{kind:>12s} {size / 1e6:6.1f} MB {added / 1e6:6.1f} MB {allowed / 1e6:6.1f} MB {milliseconds:7.1f} {middle:6.1f} "
            f"{f'{low:.1f}-{high:.1f}':>11s} {scans:5d} {'' if added <= allowed else 'TOO MUCH '}"
            f"{'same answer' if same else 'ANOTHER ANSWER'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
