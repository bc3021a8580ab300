"""The tutorial's own objectives through ScopeSolver, as they are and written with care, beside skscope in the same run.

    python benchmarks/scope.py

Each row is a process of its own, so that each compiles for the first time. skscope with ``jit=True`` compiles value and gradient
anew in each call; so it is also run with both compiled before, which times its search alone, and what that compilation takes is measured
by itself. Of ksparse, compilation is the first call less the median of later ones. Most runs of skscope on the tutorial's form end
their process with an error of C++.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import common
import numpy as np

MARKS = {"cross entropy": 0.108536, "focal": 0.014714}


def objective_of(loss: str, form: str):
    """Return the objective in JAX: as the tutorial has it, or without overflow."""
    import jax
    import jax.numpy as jnp
    import ksparse

    data = ksparse.datasets.load_imbalanced_cancer()
    X, y = data.X_train, data.y_train
    alpha, gamma = 0.5, 2

    def careless(params):
        p = 1 / (1 + jnp.exp(-X @ params))
        if loss == "cross entropy":
            terms = [lambda p: -jnp.log(p), lambda p: -jnp.log(1 - p)]
        else:
            terms = [
                lambda p: -alpha * (1 - p) ** gamma * jnp.log(p),
                lambda p: -(1 - alpha) * p**gamma * jnp.log(1 - p),
            ]
        return jnp.mean(jnp.piecewise(p, [y == 1, y == 0], terms))

    def careful(params):
        m = (2 * y - 1) * (X @ params)
        value = jax.nn.softplus(-m)
        return jnp.mean(value if loss == "cross entropy" else alpha * jax.nn.sigmoid(-m) ** gamma * value)

    return careless if form == "tutorial" else careful


def run_one(solver_name: str, loss: str, form: str, double: bool, repeats: int) -> dict[str, float | str]:
    """Solve some times in this process; print what came of it as JSON."""
    import jax

    jax.config.update("jax_enable_x64", double)
    jax.jit(lambda x: x + 1)(1.0)  # starts JAX, which costs the first who asks
    objective = objective_of(loss, form)
    if solver_name == "ksparse":
        from ksparse import ScopeSolver

        settings = {}
    else:
        from skscope import ScopeSolver

        settings = {"jit": True}
    if solver_name == "compiled":
        value, gradient = jax.jit(objective), jax.jit(jax.grad(objective))
        # Plain functions, for skscope looks at their arguments.
        objective, settings = (lambda params: value(params)), {"gradient": lambda params: gradient(params)}
    times = []
    for _ in range(repeats + 1):
        solver = ScopeSolver(100, sparsity=8)
        start = time.perf_counter()
        params = solver.solve(objective, **settings)
        times.append(time.perf_counter() - start)
    usual = float(np.median(times[1:]))
    return {
        "objective": float(solver.objective_value),
        "seconds": usual,
        **({"compile": times[0] - usual} if solver_name == "ksparse" else {}),
        "finite": bool(np.isfinite(params).all()),
        "status": getattr(solver, "status", ""),
    }


def compile_as_skscope(loss: str, form: str, double: bool) -> dict[str, float]:
    """Time to compile value and value with gradient."""
    import jax

    jax.config.update("jax_enable_x64", double)
    jax.jit(lambda x: x + 1)(1.0)
    objective, x = objective_of(loss, form), np.zeros(100)
    functions = [jax.jit(objective), jax.jit(jax.value_and_grad(objective))]
    times = [common.seconds(lambda f=f: jax.block_until_ready(f(x))) for f in (*functions, *functions)]
    return {"compile": sum(times[:2]) - sum(times[2:])}


def in_process(*arguments: str) -> dict | None:
    """Run this script on one case; None: its process died."""
    done = subprocess.run([sys.executable, __file__, "--case", *arguments], capture_output=True, text=True, check=False)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def row(name: str, got: dict | None, mark: float) -> str:
    """Return a line of the table."""
    if got is None:
        return f"{name:<40} the process ends with an error of C++"
    words = "" if "objective" not in got else f"{got['objective']:.6f} {100 * (got['objective'] / mark - 1):+7.2f} %"
    seconds = "" if "seconds" not in got else f"{1e3 * got['seconds']:9.1f}"
    compiled = "" if "compile" not in got else f"{1e3 * got['compile']:9.0f}"
    return f"{name:<40} {words:>18} {seconds:>9} {compiled:>9}   {got.get('status', '')}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--case", nargs=5, metavar=("SOLVER", "LOSS", "FORM", "PRECISION", "REPEATS"))
    arguments = parser.parse_args()
    if arguments.case:
        solver, loss, form, precision, repeats = arguments.case
        double = precision == "float64"
        answer = (
            compile_as_skscope(loss, form, double) if solver == "compile" else run_one(solver, loss, form, double, int(repeats))
        )
        print(json.dumps(answer))
        return
    repeats = str(arguments.repeats)
    for loss, mark in MARKS.items():
        for precision in ("float32", "float64"):
            print(f"\n{loss}, {precision}, k = 8; objective less {mark} in per cent, milliseconds")
            print(f"{'':<40} {'objective':>18} {'a call':>9} {'compile':>9}")
            for form in ("tutorial", "careful"):
                ours = in_process("ksparse", loss, form, precision, repeats)
                theirs = in_process("skscope", loss, form, precision, repeats)
                compiled = in_process("compiled", loss, form, precision, repeats) if theirs else None
                print(row(f"ksparse, {form} form", ours, mark))
                print(row(f"skscope, {form} form", theirs, mark))
                if compiled:
                    print(row("skscope, compiled before", compiled, mark))
                print(row("what skscope compiles", in_process("compile", loss, form, precision, "1"), mark))
                if ours and theirs and compiled:
                    ratios = [other["seconds"] / ours["seconds"] for other in (theirs, compiled)]
                    print(f"skscope takes {ratios[0]:.0f} times as long, compiled before {ratios[1]:.0f} times")


if __name__ == "__main__":
    main()
