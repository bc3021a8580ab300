"""Many small fits by an executor: fits per second through Dask and a pool of processes, beside ``fit_each`` on threads.

    python benchmarks/executors.py [--sets 10000] [--n 300] [--p 50] [--k 5] [--workers 2] [--seed 0]

Every way fits the same data sets, which are drawn before. The ratio is that of its fits per second to those of threads.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import common  # noqa: F401 - one thread each
import ksparse
from each import data_sets


def main() -> None:
    from distributed import Client, LocalCluster

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"sets": 10000, "n": 300, "p": 50, "k": 5, "workers": 2, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    own = data_sets(min(arguments.sets, 500), arguments.n, arguments.p, arguments.k, arguments.seed)
    sets = [own[i % len(own)] for i in range(arguments.sets)]

    def run(**how: Any) -> tuple[float, list[float]]:
        start = time.perf_counter()
        objectives = [fit.objective for fit in ksparse.fit_each(sets, arguments.k, **how)]
        return len(sets) / (time.perf_counter() - start), objectives

    with (
        LocalCluster(arguments.workers, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
        ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool,
    ):
        ways = {
            "threads": {"n_jobs": arguments.workers},
            "processes": {"executor": pool},
            "Dask": {"executor": client.get_executor()},
        }
        for how in ways.values():  # the workers import ksparse
            list(ksparse.fit_each(sets[:200], arguments.k, **how))
        _, expected = run(**ways["threads"])
        print(f"{arguments.sets} fits of {arguments.n} x {arguments.p}, k = {arguments.k}, {arguments.workers} workers")
        best: dict[str, float] = {}
        for _ in range(3):
            for name, how in ways.items():
                rate, objectives = run(**how)
                assert objectives == expected
                best[name] = max(best.get(name, 0.0), rate)
        for name, rate in best.items():
            print(f"{name:10} {rate:8.0f} fits a second, {rate / best['threads']:.2f} of threads")


if __name__ == "__main__":
    main()
