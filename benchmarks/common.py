"""What every benchmark shares: one thread, times as ratios, and an exact refit that owes nothing to ksparse.

Import this before NumPy, so that the number of threads takes effect.
"""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
# skscope's JAX has a pool of its own, which the variables above do not reach.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import time
from collections.abc import Callable

import numpy as np


def seconds(job: Callable[[], object]) -> float:
    """Time of one run."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def median_seconds(job: Callable[[], object], repeats: int) -> float:
    """Median time after one run to warm up."""
    job()
    return float(np.median([seconds(job) for _ in range(repeats)]))


def paired_ratio(ours: Callable[[], object], reference: Callable[[], object], repeats: int = 15) -> np.ndarray:
    """Quartiles of t(ours) / t(reference), taken in alternation, so that drift of the machine hits both."""
    ours(), reference()
    return np.percentile([seconds(ours) / seconds(reference) for _ in range(repeats)], [25, 50, 75])


def one_pass(X: np.ndarray) -> Callable[[], object]:
    """Return the unit t_pass: one ``X.T @ r``."""
    r = np.random.default_rng(0).standard_normal(len(X))
    return lambda: X.T @ r


def loss_terms(m: np.ndarray, gamma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Focal loss of weight 1 (gamma 0: logistic) and its two derivatives, in NumPy."""
    e = np.exp(-np.abs(m))
    large, small = 1 / (1 + e), e / (1 + e)
    p, q = np.where(m >= 0, large, small), np.where(m >= 0, small, large)
    softplus = np.maximum(-m, 0) + np.log1p(e)
    f = q**gamma
    return f * softplus, -f * (gamma * p * softplus + q), f * p * (gamma * softplus * (gamma * p - q) + (2 * gamma + 1) * q)


def refit_objectives(
    X: np.ndarray,
    y: np.ndarray,
    supports: np.ndarray,
    *,
    loss: str = "logistic",
    alpha: float = 0.5,
    gamma: float = 2.0,
    ridge: float = 0.0,
    fit_intercept: bool = True,
    iterations: int = 80,
) -> np.ndarray:
    """Least F on each of many supports (m, s), by Newton on all at once with the Hessians' eigenvalues made positive.

    The focal loss is not convex: this is the local minimum that is reached from zero.
    """
    focal = loss == "focal"
    supports = np.asarray(supports, dtype=int)
    n, (m, s) = len(y), supports.shape
    Z = X[:, supports.ravel()].reshape(n, m, s).transpose(1, 0, 2)
    penalty = np.full(s, ridge)
    if fit_intercept:
        Z = np.concatenate([Z, np.ones((m, n, 1))], axis=2)
        penalty = np.append(penalty, 0.0)
    sign = 2 * y - 1
    a = (np.where(y == 1, alpha, 1 - alpha) if focal else np.ones(n)) / n
    g = gamma if focal else 0.0

    def evaluate(b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        value, slope, curvature = loss_terms(sign * (Z @ b[:, :, None])[:, :, 0], g)
        return value @ a + (penalty * b * b).sum(1) / 2, slope * (a * sign), curvature * a

    b = np.zeros((m, Z.shape[2]))
    F, slope, curvature = evaluate(b)
    if not b.shape[1]:
        return F
    for _ in range(iterations):
        gradient = (slope[:, None, :] @ Z)[:, 0] + penalty * b
        hessian = Z.transpose(0, 2, 1) @ (Z * curvature[:, :, None]) + np.diag(penalty)
        values, vectors = np.linalg.eigh(hessian)
        inner = (vectors.transpose(0, 2, 1) @ gradient[:, :, None])[:, :, 0] / np.maximum(np.abs(values), 1e-12)
        step = -(vectors @ inner[:, :, None])[:, :, 0]
        t, moving = np.ones(m), np.ones(m, bool)
        for _ in range(40):
            trial, *rest = evaluate(b + t[:, None] * step)
            moving = trial < F
            if moving.all():
                break
            t = np.where(moving, t, t / 2)
        b = np.where(moving[:, None], b + t[:, None] * step, b)
        fallen = (F - np.where(moving, trial, F)).max()
        F = np.where(moving, trial, F)
        slope, curvature = (np.where(moving[:, None], new, old) for new, old in zip(rest, (slope, curvature), strict=True))
        if fallen <= 1e-15:
            break
    return F


def instruction_set() -> str:
    """Name of the variant of ksparse that runs."""
    import ksparse

    return str(ksparse.build_info()["instruction_set"])
