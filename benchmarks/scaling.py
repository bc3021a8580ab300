"""How time grows with rows, features, budget, non-zeros and problems: slopes on log-log scales; and how it falls with threads.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --plot benchmarks/scaling.png

Two decades for all but k, which has one; the slope is that of a line through all points. Seconds are of the processor, the median of
the repeats, so that other work on the machine counts little; those of the threads are by the clock, and want a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import common
import ksparse
import numpy as np
from designs import autoregressive


def processor_seconds(fit: Callable[[], object], repeats: int) -> float:
    """Return the median processor time of a call."""
    fit()
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        fit()
        times.append(time.process_time() - begin)
    return float(np.median(times))


def dense(n: int, p: int, k: int) -> Callable[[], object]:
    """Return a fit of a design with neighbouring correlations of 0.5."""
    design = autoregressive(n, p, k, 0.5)
    return lambda: ksparse.fit(design.X, design.y, k, search="fast")


def sparse(non_zeros: int) -> Callable[[], object]:
    """Return a fit of a sparse X with 20 non-zeros a row, whose rows and columns grow alike."""
    from scipy.sparse import csc_array
    from scipy.sparse import random as random_sparse

    n = non_zeros // 20
    rng = np.random.default_rng([1, non_zeros])
    X = csc_array(random_sparse(n, n, 20 / n, format="csc", random_state=rng, data_rvs=rng.standard_normal))
    truth = np.argsort(-np.diff(X.indptr))[:10]
    eta = np.asarray(X[:, truth] @ np.full(10, 3.0))
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    return lambda: ksparse.fit(X, y, 10, search="fast")


def batch(problems: int, threads: int = 1) -> Callable[[], object]:
    """Return a batch of outcomes over X 500 x 200, k = 5, each with five features of its own."""
    rng = np.random.default_rng(2)
    X = np.asfortranarray(rng.standard_normal((500, 200)))
    effects = np.zeros((200, problems))
    for column in effects.T:
        column[rng.choice(200, 5, replace=False)] = 1.0
    Y = rng.random((500, problems)) < 1 / (1 + np.exp(-(X @ effects)))
    return lambda: ksparse.fit_many(X, Y, 5, search="fast", n_jobs=threads)


def processors() -> list[int]:
    """Return 1, 2, 4, ... up to what this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return [2**i for i in range(usable.bit_length())]


SWEEPS: dict[str, tuple[str, list[int], Callable[[int], Callable[[], object]]]] = {
    "n": ("rows, p = 200, k = 5", [500, 1500, 5000, 15000, 50000], lambda n: dense(n, 200, 5)),
    "p": ("features, n = 500, k = 5", [200, 600, 2000, 6000, 20000], lambda p: dense(500, p, 5)),
    "k": ("budget, n = 1000, p = 1000", [2, 4, 8, 16, 32], lambda k: dense(1000, 1000, k)),
    "nnz": ("non-zeros of sparse X, 20 a row, k = 10", [20_000, 60_000, 200_000, 600_000, 2_000_000], sparse),
    "m": ("problems of a batch, n = 500, p = 200, k = 5", [10, 32, 100, 320, 1000], batch),
    "threads": ("threads of a batch, m = 1000", processors(), lambda threads: batch(1000, threads)),
}
PROMISED = ("n", "p", "nnz", "m")  # a slope of at most 1.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", nargs="*", choices=list(SWEEPS), default=list(SWEEPS))
    parser.add_argument("--plot", metavar="FILE")
    arguments = parser.parse_args()
    print(f"instruction set {common.instruction_set()}, one thread\n")
    curves = {}
    for name in arguments.only:
        title, sizes, make = SWEEPS[name]
        measure = common.median_seconds if name == "threads" else processor_seconds
        seconds = np.array([measure(make(size), arguments.repeats) for size in sizes])
        slope = np.polyfit(np.log(sizes), np.log(seconds), 1)[0] if len(sizes) > 1 else np.nan
        verdict = "" if name not in PROMISED else " ok: <= 1.1" if slope <= 1.1 else " NOT REACHED: <= 1.1"
        print(f"{title}: slope {slope:.2f}{verdict}")
        print("  " + ", ".join(f"{size}: {1e3 * value:.2f} ms" for size, value in zip(sizes, seconds, strict=True)), flush=True)
        curves[name] = (title, sizes, seconds, slope)
    if arguments.plot:
        import matplotlib.pyplot as plt
        from matplotlib.ticker import LogLocator

        rows = -(-len(curves) // 3)
        figure, axes = plt.subplots(rows, 3, figsize=(10, 3 * rows), layout="constrained", squeeze=False)
        for ax in axes.flat[len(curves) :]:
            ax.remove()
        for ax, (name, (title, sizes, seconds, slope)) in zip(axes.flat, curves.items(), strict=False):
            ax.loglog(sizes, 1e3 * seconds, "o-", color="black")
            ax.set(xlabel=title, ylabel="ms a batch" if name in ("m", "threads") else "ms a fit", title=f"slope {slope:.2f}")
            ax.set_xticks(sizes, [f"{size:,}".replace(",000,000", "M").replace(",000", "k") for size in sizes])
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.yaxis.set_major_formatter("{x:g}")
            ax.minorticks_off()
            ax.grid(alpha=0.3)
        figure.savefig(arguments.plot, dpi=110)


if __name__ == "__main__":
    main()
