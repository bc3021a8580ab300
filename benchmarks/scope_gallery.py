"""Twelve problems of the kind that skscope is for, solved by ksparse's ScopeSolver and by skscope's: objectives, then times.

    python benchmarks/scope_gallery.py

Objectives are written in JAX, once for both, in float64. skscope compiles anew in each call (``jit=True``); it is also timed with value and
gradient compiled before, which is its search alone. ksparse's time is that of a call after the first. Each problem is a process, in
which the solvers take turns. The data are small and made up; problems are common knowledge (linear, logistic and Poisson models,
several responses and classes by groups, Ising model, trend filtering, robust and quantile regression, portfolio, kernel selection, graphs).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import common
import numpy as np

Problem = tuple[Callable[[Any], Any], int, int, dict[str, Any]]


def correlated(rng: np.random.Generator, n: int, p: int, rho: float) -> np.ndarray:
    """Return rows of an AR(1) process over columns."""
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    return X


def sparse_coef(rng: np.random.Generator, p: int, k: int, size: float) -> np.ndarray:
    """Return coefficients of which k are not zero."""
    coef = np.zeros(p)
    coef[rng.choice(p, k, replace=False)] = size * rng.choice([-1.0, 1.0], k) * rng.uniform(0.5, 1.5, k)
    return coef


def linear(jnp: Any, rng: np.random.Generator) -> Problem:
    X = correlated(rng, 200, 100, 0.8)
    y = X @ sparse_coef(rng, 100, 10, 1.0) + rng.standard_normal(200)
    return lambda b: jnp.mean((y - X @ b) ** 2), 100, 10, {}


def logistic(jnp: Any, rng: np.random.Generator) -> Problem:
    X = correlated(rng, 300, 100, 0.7)
    y = (rng.random(300) < 1 / (1 + np.exp(-X @ sparse_coef(rng, 100, 8, 1.0)))).astype(float)
    return lambda b: jnp.mean(jnp.logaddexp(0.0, X @ b) - y * (X @ b)), 100, 8, {}


def poisson(jnp: Any, rng: np.random.Generator) -> Problem:
    X = correlated(rng, 200, 100, 0.5) / 2
    y = rng.poisson(np.exp(X @ sparse_coef(rng, 100, 6, 1.0)))
    return lambda b: jnp.mean(jnp.exp(X @ b) - y * (X @ b)), 100, 6, {}


def gamma(jnp: Any, rng: np.random.Generator) -> Problem:
    X = correlated(rng, 200, 60, 0.5) / 2
    y = np.exp(X @ sparse_coef(rng, 60, 5, 1.0)) * rng.gamma(2.0, 0.5, 200)
    return lambda b: jnp.mean(y * jnp.exp(-X @ b) + X @ b), 60, 5, {}


def huber(jnp: Any, rng: np.random.Generator) -> Problem:
    X = correlated(rng, 200, 100, 0.7)
    y = X @ sparse_coef(rng, 100, 8, 1.0) + rng.standard_t(1.5, 200)

    def objective(b: Any) -> Any:
        r = jnp.abs(y - X @ b)
        return jnp.mean(jnp.where(r <= 1.0, 0.5 * r**2, r - 0.5))

    return objective, 100, 8, {}


def quantile(jnp: Any, rng: np.random.Generator) -> Problem:
    X = correlated(rng, 200, 60, 0.5)
    y = X @ sparse_coef(rng, 60, 5, 1.0) + rng.standard_t(3, 200)
    level, width = 0.7, 0.2

    def objective(b: Any) -> Any:
        r = y - X @ b
        return jnp.mean(level * r + width * jnp.logaddexp(0.0, -r / width))

    return objective, 60, 5, {}


def several_responses(jnp: Any, rng: np.random.Generator) -> Problem:
    X = correlated(rng, 120, 40, 0.6)
    B = np.zeros((40, 3))
    B[rng.choice(40, 5, replace=False)] = rng.standard_normal((5, 3))
    Y = X @ B + rng.standard_normal((120, 3))
    return lambda b: jnp.mean((Y - X @ b.reshape(40, 3)) ** 2), 120, 5, {"group": np.repeat(np.arange(40), 3)}


def multinomial(jnp: Any, rng: np.random.Generator) -> Problem:
    import jax

    X = correlated(rng, 250, 30, 0.5)
    B = np.zeros((30, 3))
    B[rng.choice(30, 4, replace=False)] = 1.5 * rng.standard_normal((4, 3))
    eta = X @ B
    Y = np.eye(3)[[rng.choice(3, p=np.exp(e) / np.exp(e).sum()) for e in eta]]

    def objective(b: Any) -> Any:
        eta = X @ b.reshape(30, 3)
        return jnp.mean(jax.nn.logsumexp(eta, axis=1) - jnp.sum(Y * eta, axis=1)) + 1e-3 * jnp.sum(b**2)

    return objective, 90, 4, {"group": np.repeat(np.arange(30), 3)}


def ising(jnp: Any, rng: np.random.Generator) -> Problem:
    nodes = 12
    rows, columns = np.triu_indices(nodes, 1)
    weights = sparse_coef(rng, len(rows), 12, 0.6)
    W = np.zeros((nodes, nodes))
    W[rows, columns] = W[columns, rows] = weights
    Z = rng.choice([-1.0, 1.0], (400, nodes))
    for _ in range(50):
        for j in range(nodes):
            Z[:, j] = np.where(rng.random(400) < 1 / (1 + np.exp(-2 * Z @ W[:, j])), 1.0, -1.0)

    def objective(b: Any) -> Any:
        A = jnp.zeros((nodes, nodes)).at[rows, columns].set(b)
        return jnp.mean(jnp.sum(jnp.logaddexp(0.0, -2 * Z * (Z @ (A + A.T))), axis=1))

    return objective, len(rows), 12, {}


def trend(jnp: Any, rng: np.random.Generator) -> Problem:
    steps = sparse_coef(rng, 120, 7, 2.0)
    y = np.cumsum(steps) + 0.5 * rng.standard_normal(120)
    return lambda b: jnp.sum((y - jnp.cumsum(b)) ** 2), 120, 8, {"preselect": [0]}


def portfolio(jnp: Any, rng: np.random.Generator) -> Problem:
    factors = rng.standard_normal((50, 4))
    returns = 1e-2 * (rng.standard_normal((300, 4)) @ factors.T + rng.standard_normal((300, 50)))
    S, mean = 252 * np.cov(returns.T), 252 * returns.mean(axis=0)
    return lambda w: w @ S @ w - 0.1 * mean @ w + 10 * (jnp.sum(w) - 1) ** 2, 50, 8, {}


def kernels(jnp: Any, rng: np.random.Generator) -> Problem:
    X = rng.standard_normal((60, 30))
    y = np.sin(X[:, 2]) + X[:, 9] ** 2 * np.sign(X[:, 14]) + 0.3 * rng.standard_normal(60)
    centre = np.eye(60) - 1 / 60

    def kernel(v: np.ndarray) -> np.ndarray:
        return centre @ np.exp(-0.5 * ((v[:, None] - v) / v.std()) ** 2) @ centre

    K = np.stack([kernel(column).ravel() for column in X.T], axis=1)
    L = kernel(y).ravel()
    return lambda b: jnp.sum((L - K @ b) ** 2), 30, 4, {}


GALLERY = {
    "linear": linear,
    "logistic": logistic,
    "Poisson": poisson,
    "gamma": gamma,
    "Huber": huber,
    "quantile, smooth": quantile,
    "several responses": several_responses,
    "multinomial": multinomial,
    "Ising": ising,
    "trend filtering": trend,
    "portfolio": portfolio,
    "kernel selection": kernels,
}


def run_one(name: str, seed: int, repeats: int) -> dict[str, Any]:
    """Solve one problem by both, in turns."""
    import jax
    import jax.numpy as jnp
    import ksparse
    import skscope

    jax.config.update("jax_enable_x64", True)
    objective, p, k, settings = GALLERY[name](jnp, np.random.default_rng(seed))
    value, gradient = jax.jit(objective), jax.jit(jax.grad(objective))
    ours = ksparse.ScopeSolver(p, k, **settings)
    theirs, compiled = (skscope.ScopeSolver(p, k, **settings) for _ in range(2))
    jobs = {
        "ours": lambda: ours.solve(objective),
        "theirs": lambda: theirs.solve(objective, jit=True),
        # Plain functions, for skscope looks at their arguments.
        "compiled": lambda: compiled.solve(lambda b: value(b), gradient=lambda b: gradient(b)),
    }
    first = {solver: common.seconds(job) for solver, job in jobs.items()}
    times = {solver: [] for solver in jobs}
    for _ in range(repeats):
        for solver, job in jobs.items():
            times[solver].append(common.seconds(job))
    return {
        "p": p,
        "k": k,
        "values": [float(objective(solver.params)) for solver in (ours, theirs)],
        "seconds": {solver: float(np.median(of)) for solver, of in times.items()},
        "first": first["ours"],
        "status": ours.status,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=GALLERY)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(run_one(arguments.only, arguments.seed, arguments.repeats)))
        return
    print(
        f"{'':<18} {'p':>4} {'k':>3} {'ksparse':>12} {'skscope':>12} {'difference':>10}   milliseconds: ksparse, skscope, compiled before"
    )
    better = faster = faster_than_compiled = 0
    for name in GALLERY:
        command = [sys.executable, __file__, "--only", name, "--seed", str(arguments.seed), "--repeats", str(arguments.repeats)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"{name:<18} failed: {done.stderr.strip().splitlines()[-1:]}")
            continue
        got = json.loads(done.stdout.splitlines()[-1])
        (mine, other), seconds = got["values"], got["seconds"]
        no_worse = mine <= other + 1e-9 * abs(other)
        better += no_worse
        faster += seconds["ours"] <= seconds["theirs"]
        faster_than_compiled += seconds["ours"] <= seconds["compiled"]
        print(
            f"{name:<18} {got['p']:>4} {got['k']:>3} {mine:12.7g} {other:12.7g} {(mine - other) / abs(other):+10.1e}   "
            + " ".join(f"{1e3 * seconds[which]:8.1f}" for which in ("ours", "theirs", "compiled"))
            + f"   first call {1e3 * got['first']:.0f}"
            + ("" if no_worse else "   WORSE")
            + ("" if got["status"] == "converged" else f"   {got['status']}"),
            flush=True,
        )
    count = len(GALLERY)
    print(
        f"\nno worse on {better} of {count}; no slower on {faster}, and on {faster_than_compiled} where skscope was compiled before"
    )


if __name__ == "__main__":
    main()
