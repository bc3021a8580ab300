"""How the time of a fit grows with rows, features, budget, non-zeros and threads: slopes on log-log scales, and a picture.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --plot docs/scaling.png

Two decades for n, p and the non-zeros (of sparse X), one for k; the slope is that of a line through all points. Growth with the
number of problems is in throughput.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import common
import ksparse
import numpy as np
from designs import autoregressive


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


SWEEPS: dict[str, tuple[str, list[int], Callable[[int], Callable[[], object]]]] = {
    "n": ("rows, p = 200, k = 5", [500, 1500, 5000, 15000, 50000], lambda n: dense(n, 200, 5)),
    "p": ("features, n = 500, k = 5", [200, 600, 2000, 6000, 20000], lambda p: dense(500, p, 5)),
    "k": ("budget, n = 1000, p = 1000", [2, 4, 8, 16, 32], lambda k: dense(1000, 1000, k)),
    "nnz": ("non-zeros of sparse X, 20 a row, k = 10", [20_000, 60_000, 200_000, 600_000, 2_000_000], sparse),
}


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
        seconds = np.array([common.median_seconds(make(size), arguments.repeats) for size in sizes])
        slope = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
        verdict = "" if name == "k" else " ok: <= 1.1" if slope <= 1.1 else " NOT REACHED: <= 1.1"
        print(f"{title}: slope {slope:.2f}{verdict}")
        print("  " + ", ".join(f"{size}: {1e3 * value:.2f} ms" for size, value in zip(sizes, seconds, strict=True)), flush=True)
        curves[name] = (title, sizes, seconds, slope)
    if arguments.plot:
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(1, len(curves), figsize=(3.2 * len(curves), 3), layout="constrained", squeeze=False)
        for ax, (title, sizes, seconds, slope) in zip(axes[0], curves.values(), strict=True):
            ax.loglog(sizes, 1e3 * seconds, "o-", color="black")
            ax.set(xlabel=title.split(",")[0], ylabel="ms a fit", title=f"slope {slope:.2f}")
            ax.grid(alpha=0.3, which="both")
        figure.savefig(arguments.plot, dpi=110)


if __name__ == "__main__":
    main()
