"""Other tools on the same problems: each returns the features that it chose. All are optional, and run on one thread.

Ridge is the weight of half the squared norm in the average loss; what each tool calls it is worked out below from the objective
that it minimises (columns are standardised, so that its own scaling changes nothing).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from designs import Design

Choose = Callable[[], np.ndarray]


@dataclass(frozen=True)
class Peer:
    """A tool: how to install it, and how to set it up for a problem (None: it cannot do that one)."""

    name: str
    module: str
    install: str
    prepare: Callable[[Design], Choose | None]

    @property
    def is_installed(self) -> bool:
        """Whether its package is there."""
        return find_spec(self.module) is not None


def abess(design: Design) -> Choose | None:
    """Defaults at a support size of k. It adds alpha |beta|^2 to the sum of the losses."""
    if design.loss != "logistic":
        return None
    from abess import LogisticRegression

    settings = {"fit_intercept": design.fit_intercept, "alpha": len(design.y) * design.ridge / 2, "thread": 1}

    def choose() -> np.ndarray:
        return np.flatnonzero(LogisticRegression(support_size=design.k, **settings).fit(design.X, design.y).coef_)

    return choose


def skscope(design: Design) -> Choose | None:
    """Return skscope with a stable objective in float64, whose value and gradient are compiled once, before it is timed.

    As documented (``jit=True``) each call of ``solve`` compiles anew; example.py has both times.
    """
    import jax
    import jax.numpy as jnp
    from skscope import ScopeSolver

    jax.config.update("jax_enable_x64", True)
    X, sign = jnp.array(design.X), jnp.array(2 * design.y - 1)
    focal = design.loss == "focal"
    a = jnp.array(np.where(design.y == 1, design.alpha, 1 - design.alpha) if focal else np.ones(len(design.y)))
    gamma, p = (design.gamma if focal else 0.0), X.shape[1]

    def objective(beta):
        m = sign * (X @ beta[:p] + (beta[p] if design.fit_intercept else 0.0))
        penalty = design.ridge / 2 * jnp.sum(beta[:p] ** 2)
        return jnp.mean(a * jnp.exp(-gamma * jax.nn.softplus(m)) * jax.nn.softplus(-m)) + penalty

    compiled_value, compiled_gradient = jax.jit(objective), jax.jit(jax.grad(objective))
    size = p + design.fit_intercept
    compiled_value(jnp.zeros(size)), compiled_gradient(jnp.zeros(size))

    # Plain functions, for skscope looks at their arguments.
    def value(beta):
        return compiled_value(beta)

    def gradient(beta):
        return compiled_gradient(beta)

    def choose() -> np.ndarray:
        # The intercept is a variable that is always chosen, and counts.
        always = [p] if design.fit_intercept else []
        solver = ScopeSolver(size, design.k + len(always), preselect=always)
        solver.solve(value, gradient=gradient)
        return np.flatnonzero(solver.get_estimated_params()[:p])

    return choose


def fasterrisk(design: Design) -> Choose | None:
    """Return its continuous sparse solution, beam 10, before the rounding to integers.

    It scales columns to norm 1, which divides coefficients by sqrt(n) and turns n ridge / 2 into ridge / 2; 1e-8 is its default.
    Its box of [-5, 5] for integer scores is opened, which changed nothing where tried.
    """
    if design.loss != "logistic" or not design.fit_intercept:
        return None
    from fasterrisk.sparseBeamSearch import sparseLogRegModel

    def choose() -> np.ndarray:
        penalty = max(design.ridge / 2, 1e-8)
        model = sparseLogRegModel(design.X, 2 * design.y - 1, penalty, intercept=True, original_lb=-1e6, original_ub=1e6)
        model.get_sparse_sol_via_OMP(design.k, parent_size=10, child_size=10)
        return np.flatnonzero(np.abs(model.get_original_beta0_betas()[1]) > 1e-9)

    return choose


def l1(design: Design) -> Choose | None:
    """Features of the longest point of an L1 path that has no more than k."""
    if design.loss != "logistic":
        return None
    import adelie

    def choose() -> np.ndarray:
        with contextlib.redirect_stdout(io.StringIO()):
            path = adelie.grpnet(
                design.X,
                adelie.glm.binomial(design.y),
                intercept=design.fit_intercept,
                exit_cond=lambda state: state.betas[-1].nnz > design.k,
                lmda_path_size=300,  # fine enough to come to k on nearly every design
                progress_bar=False,
            )
        coefs = path.betas.toarray()
        sizes = (coefs != 0).sum(axis=1)
        return np.flatnonzero(coefs[np.flatnonzero(sizes <= design.k)[-1]])

    return choose


def imodels(design: Design) -> Choose | None:
    """Return FastRiskScore's features: whole points between -5 and 5 for columns of 0 and 1, chosen together with the features."""
    two_valued = all(np.unique(column).size == 2 for column in design.X.T)
    if design.loss != "logistic" or not design.fit_intercept or not two_valued:
        return None
    from imodels import FastRiskScoreClassifier

    binary = (design.X.mean(axis=0) < design.X).astype(float)

    def choose() -> np.ndarray:
        return np.flatnonzero(FastRiskScoreClassifier(k=design.k, binarize=False).fit(binary, design.y).coef_)

    return choose


# fasterrisk and adelie pin old releases of others that skscope needs new; both work with the new ones, without their dependencies.
PEERS = [
    Peer("abess", "abess", "pip install abess", abess),
    Peer("skscope", "skscope", "pip install skscope", skscope),
    Peer("FasterRisk", "fasterrisk", "pip install --no-deps fasterrisk", fasterrisk),
    Peer("L1, refit", "adelie", "pip install --no-deps adelie", l1),
    Peer("imodels", "imodels", "pip install imodels six", imodels),
]
