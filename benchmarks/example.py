"""The example data, k = 8: objective against the marks, and time of a fit through Python beside abess and skscope.

    python benchmarks/example.py

Peers are optional: pip install abess skscope. One thread; answers are compared before times.
"""

from __future__ import annotations

import argparse
from functools import partial

import common
import ksparse
import numpy as np
from designs import MARKS, PUBLIC


def abess_fit(design):
    """Return abess on the same problem, or None where it is absent or has no such loss."""
    if design.loss != "logistic":
        return None
    try:
        from abess import LogisticRegression
    except ImportError:
        return None

    def fit():
        model = LogisticRegression(support_size=design.k, fit_intercept=False, thread=1)
        return np.flatnonzero(model.fit(design.X, design.y).coef_)

    return fit


def skscope_fit(design, compiled_once=False):
    """Return skscope with a stable objective in float64, or None where it is absent.

    As documented (``jit=True``), each call of ``solve`` compiles anew, which is most of its time here. With ``compiled_once``
    it is handed value and gradient that are compiled already, so that only the search is timed.
    """
    try:
        import jax
        import jax.numpy as jnp
        from skscope import ScopeSolver
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    X, sign = jnp.array(design.X), jnp.array(2 * design.y - 1)
    a = jnp.array(np.where(design.y == 1, design.alpha, 1 - design.alpha) if design.loss == "focal" else np.ones(len(design.y)))
    gamma = design.gamma if design.loss == "focal" else 0.0

    def objective(beta):
        m = sign * (X @ beta)
        return jnp.mean(a * jnp.exp(-gamma * jax.nn.softplus(m)) * jax.nn.softplus(-m))

    solver = ScopeSolver(design.X.shape[1], design.k)
    compiled_value, compiled_gradient = jax.jit(objective), jax.jit(jax.grad(objective))

    # Plain functions, for skscope looks at their arguments.
    def value(beta):
        return compiled_value(beta)

    def gradient(beta):
        return compiled_gradient(beta)

    def fit():
        if compiled_once:
            solver.solve(value, gradient=gradient)
        else:
            solver.solve(objective, jit=True)
        return np.flatnonzero(solver.get_estimated_params())

    return fit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=31)
    repeats = parser.parse_args().repeats
    print(f"instruction set {common.instruction_set()}, one thread\n")
    for name in ("seed-ce", "seed-focal.5", "seed-focal.25"):
        design = PUBLIC[name]()

        def ours(design=design):
            return ksparse.fit(design.X, design.y, design.k, **design.settings)

        result = ours()
        refit = common.refit_objectives(design.X, design.y, [result.support], **design.settings)[0]
        verdict = "reached" if refit <= MARKS[name] else "NOT reached"
        print(
            f"{name}: ksparse {refit:.6f}, mark {MARKS[name]:.6f} {verdict}; {1e3 * common.median_seconds(ours, repeats):.3f} ms"
        )
        for peer, build, runs in (
            ("abess", abess_fit, repeats),
            ("skscope", skscope_fit, 5),
            ("skscope, compiled once", partial(skscope_fit, compiled_once=True), 11),
        ):
            theirs = build(design)
            if theirs is None:
                print(f"  {peer:22s} not compared (not installed, or it has no such loss)")
                continue
            F = common.refit_objectives(design.X, design.y, [theirs()], **design.settings)[0]
            low, middle, high = 1 / common.paired_ratio(ours, theirs, runs)[::-1]
            print(f"  {peer:22s} {F:.6f}; ksparse is {middle:.1f} times faster (quartiles {low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()
