"""Fits a second of batches: beside abess under joblib, beside skscope, beside loops of single fits, and over threads.

    python benchmarks/throughput.py                    # all, about two minutes
    python benchmarks/throughput.py --only outcomes
    python benchmarks/throughput.py --plot docs/throughput.png

Parts: outcomes (1000 over 500 x 200, both losses), beyond-cache (200 over 2000 x 5000), bootstrap (1000 rounds of one outcome over
2000 x 500, with peak memory), threads (1 against 2), growth (fits a second against the number of problems). What is compared is
timed in alternation, and answers are compared before times. Peers are optional: pip install abess skscope joblib.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import common
import ksparse
import numpy as np


def outcomes(n: int, p: int, k: int, m: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """X with neighbouring columns correlated by 0.5, and m outcomes of k random features each."""
    rng = np.random.default_rng([seed, n, p, k])
    X = np.asfortranarray(rng.standard_normal((n, p)))
    for j in range(1, p):
        X[:, j] = 0.5 * X[:, j - 1] + np.sqrt(0.75) * X[:, j]
    Y = np.empty((n, m), order="F")
    for j in range(m):
        eta = X[:, rng.choice(p, k, replace=False)] @ rng.choice([-1.0, 1.0], k)
        Y[:, j] = rng.random(n) < 1 / (1 + np.exp(-eta * (2 / eta.std())))
    return X, Y


def alternate(jobs: dict[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """Seconds of each job in each round, in turn, after one run to warm up."""
    for job in jobs.values():
        job()
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            times[name].append(common.seconds(job))
    return {name: np.array(values) for name, values in times.items()}


def report(times: dict[str, np.ndarray], ours: str, count: int) -> None:
    """Print fits a second, and how many times faster ours is, with quartiles."""
    for name, seconds in times.items():
        line = f"  {name:<34s} {count / np.median(seconds):9.0f} fits/s"
        if name != ours:
            low, middle, high = np.percentile(seconds / times[ours], [25, 50, 75])
            line += f"   {ours} is {middle:.2f} times faster (quartiles {low:.2f} to {high:.2f})"
        print(line, flush=True)


def pool_loop(X: np.ndarray, Y: np.ndarray, k: int, threads: int, **settings) -> Callable[[], list]:
    """Return a Python loop of single fits, over a pool of threads."""

    def run() -> list:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(lambda y: ksparse.fit(X, y, k, **settings), Y.T))

    return run


def abess_block(X: np.ndarray, Y: np.ndarray, k: int) -> list[np.ndarray]:
    """Supports that abess chooses, for a worker."""
    from abess import LogisticRegression

    return [np.flatnonzero(LogisticRegression(support_size=k, thread=1).fit(X, y).coef_) for y in Y.T]


def abess_by_joblib(X: np.ndarray, Y: np.ndarray, k: int, workers: int) -> Callable[[], list[np.ndarray]] | None:
    """Return abess over worker processes, some blocks of outcomes for each, or None where it is absent."""
    if find_spec("abess") is None:
        return None
    from joblib import Parallel, delayed

    blocks = np.array_split(np.arange(Y.shape[1]), 4 * workers)
    parallel = Parallel(n_jobs=workers)

    def run() -> list[np.ndarray]:
        parts = parallel(delayed(abess_block)(X, Y[:, block], k) for block in blocks)
        return [support for part in parts for support in part]

    return run


def skscope_seconds(X: np.ndarray, Y: np.ndarray, k: int, gamma: float, fits: int) -> tuple[float, float]:
    """Seconds of a fit by skscope as documented (``jit=True``, compiled in each call), and with its functions compiled once."""
    import jax
    import jax.numpy as jnp
    from skscope import ScopeSolver

    jax.config.update("jax_enable_x64", True)
    p, design = X.shape[1], jnp.array(X)

    def objective(beta, sign):
        margin = sign * (design @ beta[:p] + beta[p])
        return jnp.mean(jnp.exp(-gamma * jax.nn.softplus(margin)) * jax.nn.softplus(-margin))

    value, gradient = jax.jit(objective), jax.jit(jax.grad(objective))

    def fit(y: np.ndarray, compiled_once: bool) -> object:
        sign = jnp.array(2 * y - 1)
        solver = ScopeSolver(p + 1, k + 1, preselect=[p])
        if compiled_once:
            solver.solve(lambda beta: value(beta, sign), gradient=lambda beta: gradient(beta, sign))
        else:
            solver.solve(lambda beta: objective(beta, sign), jit=True)
        return solver.get_estimated_params()

    def seconds(compiled_once: bool) -> float:
        fit(Y[:, 0], compiled_once)
        return common.seconds(lambda: [fit(y, compiled_once) for y in Y.T[1 : 1 + fits]]) / fits

    return seconds(False), seconds(True)


def part_outcomes(rounds: int, m: int, threads: int) -> None:
    X, Y = outcomes(500, 200, 5, m)
    print(f"{m} outcomes over X 500 x 200, k = 5, {threads} threads or workers")
    by_abess = abess_by_joblib(X, Y, 5, threads)
    # The plain loop comes between abess's worker processes, which wind down for a while, and what uses all processors.
    jobs: dict[str, Callable[[], object]] = {"abess under joblib": by_abess} if by_abess else {}
    jobs["loop of fit"] = lambda: [ksparse.fit(X, y, 5) for y in Y.T]
    jobs["fit_many"] = lambda: ksparse.fit_many(X, Y, 5, n_jobs=threads)
    jobs["loop of fit in a thread pool"] = pool_loop(X, Y, 5, threads)
    jobs["fit_many, focal"] = lambda: ksparse.fit_many(X, Y, 5, loss="focal", n_jobs=threads)
    jobs["loop of fit in a pool, focal"] = pool_loop(X, Y, 5, threads, loss="focal")
    if by_abess:
        ours = ksparse.fit_many(X, Y, 5).objectives
        theirs = np.array([common.refit_objectives(X, y, s[None])[0] for y, s in zip(Y.T, by_abess(), strict=True)])
        share = np.mean(ours <= theirs * (1 + 1e-9))
        print(
            f"  logistic objective no worse than abess's on {100 * share:.1f} % of the problems, lower on {np.mean(ours < theirs * (1 - 1e-9)):.1%}"
        )
    else:
        print("  abess is not installed: pip install abess")
    times = alternate(jobs, rounds)
    report({name: t for name, t in times.items() if "focal" not in name}, "fit_many", m)
    report({name: t for name, t in times.items() if name == "abess under joblib" or "focal" in name}, "fit_many, focal", m)
    if find_spec("skscope") is None:
        print("  skscope is not installed: pip install skscope")
        return
    for name, gamma in (("fit_many", 0.0), ("fit_many, focal", 2.0)):
        documented, compiled = (value * m / np.median(times[name]) for value in skscope_seconds(X, Y, 5, gamma, fits=5))
        print(
            f"  {name} is {documented:.0f} times faster than skscope (jit=True), {compiled:.0f} times with its functions compiled once"
        )


def part_beyond_cache(rounds: int, m: int, threads: int) -> None:
    X, Y = outcomes(2000, 5000, 10, m)
    print(f"{m} outcomes over X 2000 x 5000 (80 MB), k = 10, {threads} threads")
    jobs: dict[str, Callable[[], object]] = {"fit_many": lambda: ksparse.fit_many(X, Y, 10, n_jobs=threads)}
    jobs["loop of fit in a thread pool"] = pool_loop(X, Y, 10, threads)
    report(alternate(jobs, rounds), "fit_many", m)


def part_threads(rounds: int, m: int, threads: int) -> None:
    X, Y = outcomes(500, 200, 5, m)
    print(f"{m} outcomes over X 500 x 200, k = 5: {threads} threads against 1")
    jobs = {f"{n} threads": lambda n=n: ksparse.fit_many(X, Y, 5, n_jobs=n) for n in (1, threads)}
    report(alternate(jobs, rounds), f"{threads} threads", m)


def high_water(which: str) -> float:
    """VmHWM or VmRSS of this process, in MB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) * 1024 / 1e6


def bootstrap(m: int, threads: int) -> None:
    """For a process of its own: seconds of m rounds, and peak memory above X and the counts."""
    X, Y = outcomes(2000, 500, 10, 1)
    rng = np.random.default_rng(0)
    counts = np.empty((2000, m), np.uint8, order="F")
    for j in range(m):
        counts[:, j] = np.bincount(rng.integers(2000, size=2000), minlength=2000)
    ksparse.fit_many(X, Y[:, 0], 10, sample_weight=counts[:, :4], n_jobs=threads)
    ctypes.CDLL(None).malloc_trim(0)
    before = high_water("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    seconds = common.seconds(lambda: ksparse.fit_many(X, Y[:, 0], 10, sample_weight=counts, n_jobs=threads))
    print(seconds, high_water("VmHWM") - before)


def part_bootstrap(rounds: int, m: int, threads: int) -> None:
    print(f"{m} bootstrap rounds of one outcome over X 2000 x 500 (8 MB), k = 10, {threads} threads, counts as uint8")
    command = [sys.executable, __file__, "--bootstrap", str(m), "--threads", str(threads)]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() for _ in range(rounds)]
    seconds, added = np.median(np.array(runs, float), axis=0)
    print(f"  {m / seconds:.0f} fits/s, peak memory {added:.1f} MB above X and the counts")


def part_growth(rounds: int, m: int, threads: int, plot: str | None) -> None:
    X, Y = outcomes(500, 200, 5, m)
    counts = [count for count in (1, 3, 10, 30, 100, 300, 1000) if count <= m]
    seconds = [
        common.median_seconds(lambda c=count: ksparse.fit_many(X, Y[:, :c], 5, n_jobs=threads), rounds) for count in counts
    ]
    slope = np.polyfit(np.log(counts[-4:]), np.log(seconds[-4:]), 1)[0]
    print(f"time against the number of outcomes, X 500 x 200, k = 5, {threads} threads: slope {slope:.2f} (log-log, last four)")
    for count, value in zip(counts, seconds, strict=True):
        print(f"  {count:5d} {1e3 * value:8.2f} ms {count / value:7.0f} fits/s")
    if plot:
        import matplotlib.pyplot as plt

        figure, ax = plt.subplots(figsize=(5, 3.5), layout="constrained")
        ax.loglog(counts, np.array(counts) / seconds, "o-")
        ax.set(xlabel="problems in the batch", ylabel="fits a second", title="X 500 x 200, k = 5, logistic")
        ax.grid(alpha=0.3)
        figure.savefig(plot, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["outcomes", "beyond-cache", "bootstrap", "threads", "growth"]
    parser.add_argument("--only", nargs="*", choices=names, default=names)
    parser.add_argument("--rounds", type=int, default=3, help="repeats of each timing, in alternation")
    parser.add_argument("--problems", type=int, help="in place of each part's own number")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--plot", metavar="FILE", help="draw the part growth")
    parser.add_argument("--bootstrap", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bootstrap:
        bootstrap(arguments.bootstrap, arguments.threads)
        return
    print(f"instruction set {common.instruction_set()}")
    rounds, threads = arguments.rounds, arguments.threads
    for name in arguments.only:
        m = arguments.problems or {"beyond-cache": 200}.get(name, 1000)
        if name == "growth":
            part_growth(rounds, m, threads, arguments.plot)
        else:
            {
                "outcomes": part_outcomes,
                "beyond-cache": part_beyond_cache,
                "bootstrap": part_bootstrap,
                "threads": part_threads,
            }[name](rounds, m, threads)


if __name__ == "__main__":
    main()
