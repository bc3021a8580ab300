"""Rows on Dask workers: the same answer as in one process, rounds, bytes and times.

    python benchmarks/dask_rows.py --rows 2000000 --columns 100 --workers 2

prints the support, the difference of the objectives, the rounds of tasks with the bytes that the client sent and received, and the
time compared with one process with as many threads.
"""

from __future__ import annotations

import argparse
import time

import ksparse
import ksparse.dask
import numpy as np
from ksparse._dask import solve as of_dask


def main() -> None:
    import dask.array as da
    from distributed import Client, LocalCluster, wait

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--features", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    n, p = arguments.rows, arguments.columns
    draw = np.random.default_rng(arguments.seed)
    X = draw.standard_normal((n, p), dtype=np.float32)
    for j in range(1, p):
        X[:, j] += 0.5 * X[:, j - 1]
    eta = X[:, :: p // 10][:, :10] @ np.linspace(1, 0.1, 10)
    y = (draw.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    start = time.perf_counter()
    expected = ksparse.fit(X, y, arguments.features, n_jobs=arguments.workers)
    local = time.perf_counter() - start
    sources = []
    rows_on_workers = of_dask.RowsOnWorkers

    def noted(*given):
        sources.append(rows_on_workers(*given))
        return sources[-1]

    of_dask.RowsOnWorkers = noted
    with (
        LocalCluster(arguments.workers, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        chunk = -(-n // (2 * arguments.workers))
        on_workers = [client.persist(da.from_array(values, chunks=(chunk, *values.shape[1:]))) for values in (X, y)]
        wait(on_workers)
        for _ in range(2):  # the workers import ksparse in the first
            start = time.perf_counter()
            result = ksparse.dask.fit(*on_workers, arguments.features)
            seconds = time.perf_counter() - start
    source = sources[-1]
    same = result.support.tolist() == expected.support.tolist()
    print(f"{n} x {p} float32, k = {arguments.features}, {arguments.workers} workers")
    print(f"same support {same}, objective differs by {abs(result.objective / expected.objective - 1):.1e}")
    print(f"{source.n_rounds} rounds, {result.n_scans} of them read all of X; {result.n_newton} Newton iterations")
    print(f"the client sent {source.bytes_sent} bytes of questions and received {source.bytes_received} bytes of sums")
    print(f"{seconds:.2f} s, one process with {arguments.workers} threads {local:.2f} s: ratio {seconds / local:.2f}")


if __name__ == "__main__":
    main()
