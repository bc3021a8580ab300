"""Proofs of optimality: seconds, nodes and gap beside the figures that they should reach.

    python benchmarks/proof.py [--only seed-ce factor] [--seconds 30] [--jobs 1] [--tables tables.py] [--el0ps]
    python benchmarks/proof.py --enumerate 1000 [--first 0]

Each problem is searched thoroughly, and the proof starts from that answer (gap 1e-6, one thread). Times are those of the processor, which a
busy machine stretches less than the clock. ``--tables`` names a file whose ``PUBLIC`` has further problems by name, as dicts of X, y, k and
settings. ``--el0ps`` solves the penalised problem whose optimum has k features with El0ps (``pip install el0ps mpich``, whose solver loads MPI) beside ours.

``--enumerate`` compares proofs and lists of near-optimal models with the enumeration of all supports of random small problems: at most 14
features of which 4 are chosen, all losses, weights, offsets, bounds, groups and storages, from the answer of a search and from the worst
support.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import common  # noqa: F401  (one thread)
import designs
import ksparse
import numpy as np


@dataclass
class Case:
    """A problem, a ridge, and what is wanted: seconds, or None where only the gap is reported."""

    name: str
    ridge: float
    seconds: float | None


PROOFS = [
    *(Case("seed-ce", ridge, seconds) for ridge, seconds in ((0.1, 0.02), (0.01, 1.5), (0.001, 15))),
    *(Case("seed-focal.5", ridge, seconds) for ridge, seconds in ((0.01, 1.5), (0.001, 20))),
    *(
        Case(name, 0.01, 0.5)
        for name in ("ar0.5-10000x1000-k10", "rare5%-2000x1000-k10", "mushroom-k2", "mushroom-k3", "mushroom-k5")
    ),
    *(Case(name, 0.01, 0.5) for name in ("mammo-k5", "mammo-k10", "adult-k3", "spambase-k5")),
    *(Case(name, 0.01, 0.5) for name in ("cancer-cuts-k3", "cancer-cuts-k5", "cancer-cuts-k10")),
    *(Case(name, 0.01, 4) for name in ("ar0.5-500x1000-k10", "factor-500x500-k10", "spambase-k10")),
    Case("adult-k10", 0.01, 1.5),
    Case("spambase-cuts-k5", 0.01, None),
    *(Case(name, 0.001, 1) for name in ("mushroom-k2", "mushroom-k3", "mushroom-k5", "adult-k3")),
    Case("spambase-k5", 0.001, 6),
    *(Case(name, 0.001, 3) for name in ("ar0.5-10000x1000-k10", "ar0.9-10000x1000-k10")),
    Case("adult-k10", 0.001, 30),
    *(Case(name, 0.001, None) for name in ("rare5%-2000x1000-k10", "spambase-k10", "cancer-cuts-k5")),
]
NEAR = [Case("seed-ce", 0.1, 0.3), Case("seed-ce", 0.01, 5), Case("ar0.5-10000x1000-k10", 0.01, 0.5)]


def of_design(design: designs.Design) -> tuple[Any, Any, int, dict[str, Any]]:
    """X, y, k and the settings of a public design."""
    return design.X, design.y, design.k, {name: value for name, value in design.settings.items() if name != "ridge"}


def of_dict(case: dict[str, Any]) -> tuple[Any, Any, int, dict[str, Any]]:
    """X, y, k and the settings of a problem of a file."""
    settings = {name: case[name] for name in ("loss", "alpha", "gamma") if name in case}
    return case["X"], case["y"], case["k"], {**settings, "fit_intercept": case.get("intercept", True)}


def problems(tables: str | None) -> dict[str, Callable[[], tuple[Any, Any, int, dict[str, Any]]]]:
    """All problems by name."""
    found = {name: lambda make=make: of_design(make()) for name, make in designs.PUBLIC.items()}
    if tables:
        spec = importlib.util.spec_from_file_location("tables", Path(tables))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found.update({name: lambda make=make: of_dict(make()) for name, make in module.PUBLIC.items()})
    return found


def verdict(seconds: float, wanted: float | None, done: bool) -> str:
    """Whether a figure was reached, by a proof or a list that came to its end."""
    return "" if wanted is None else f"{'reached' if done and seconds <= wanted else 'NOT reached'} ({wanted:g} s)"


def el0ps_seconds(X: Any, y: Any, k: int, ridge: float, result: ksparse.FitResult, limit: float) -> str:
    """Seconds and gap of El0ps on the penalised problem, without an intercept."""
    from el0ps.datafit import Logistic
    from el0ps.penalty import L2norm
    from el0ps.solver import BnbSolver

    fewer, more = (
        ksparse.fit(X, y, size, ridge=ridge, fit_intercept=False, search="thorough").objective for size in (k - 1, k + 1)
    )
    n = len(y)
    # Between what the k-th feature and the next one are worth, k features are the optimum.
    lmbd = n * 0.5 * ((fewer - result.objective) + (result.objective - more))
    problem = Logistic(2.0 * y - 1), L2norm(0.5 * ridge * n), np.asfortranarray(X), lmbd
    BnbSolver(node_limit=2).solve(*problem)  # compiles
    start = time.process_time()
    found = BnbSolver(time_limit=limit, relative_gap=1e-6).solve(*problem)
    spent = time.process_time() - start
    return f"El0ps {spent:8.2f} s, {found.status}, {found.iter_count} nodes, {np.count_nonzero(found.x)} features"


def faults_of(seed: int) -> list[str]:
    """Return what proofs and the list of models of a random problem say that the enumeration of its supports contradicts."""
    from proof_problems import enumerate_supports, small_problem, worst_support

    X, y, k, settings = small_problem(seed, 14, 4)
    found = enumerate_supports(X, y, k, settings, strict=False)
    best, within = min(found.values()), 0.1
    faults = []
    convex = "ocal" not in type(settings["loss"]).__name__
    fits = [ksparse.fit(X, y, k, **settings) for _ in range(2)]
    if fits[0].lower_bound > best * (1 + 1e-12):
        faults.append(f"the bound of the search is {fits[0].lower_bound / best - 1:.1e} above the optimum")
    object.__setattr__(fits[1], "support", worst_support(found, settings, X.shape[1]))
    for start, which in zip(fits, ("the answer of the search", "the worst support"), strict=True):
        try:
            proved = start.certify()
        except ValueError as error:
            faults.append(f"from {which}: {error}")
            continue
        if proved.lower_bound > best * (1 + 1e-11):
            faults.append(f"from {which} the bound is {proved.lower_bound / best - 1:.1e} above the optimum")
        if not proved.objective <= best * (1 + max(proved.gap, 1e-6) + 1e-9):
            faults.append(
                f"from {which} F is {proved.objective / best - 1:.1e} above the optimum, and the gap is {proved.gap:.1e}"
            )
        if convex and not proved.proof.optimal:
            faults.append(f"from {which} the gap is {proved.gap:.1e} ({proved.proof.stopped})")
    models = ksparse.near_optimal(X, y, k, within=within, max_models=10**6, **settings)
    listed = {tuple(support.tolist()): value for support, value in zip(models.supports, models.objective, strict=True)}
    # A column that is constant adds nothing to a model with an intercept and does not count as one of its features.
    constant = {j for j in range(X.shape[1]) if np.ptp(X[:, [j]].toarray() if hasattr(X, "toarray") else X[:, j]) == 0}
    sure = {support for support in found if "groups" in settings or not constant & set(support)}
    missing = [support for support in sure if found[support] <= best * (1 + within - 1e-9) and support not in listed]
    beyond = [support for support, value in listed.items() if value > best * (1 + within + 1e-9)]
    other = [support for support in listed if support in found and abs(listed[support] / found[support] - 1) > 1e-7]
    if not models.complete or missing or beyond or other:
        faults.append(f"list complete: {models.complete}, missing {missing}, beyond {beyond}, with another F {other}")
    return faults


def enumerate_all(first: int, count: int) -> None:
    """Print the problems of a sweep on which proofs and enumeration differ, and how many there are."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))
    from proof_problems import small_problem

    warnings.simplefilter("ignore", ksparse.ConvergenceWarning)
    wrong = 0
    for seed in range(first, first + count):
        faults = faults_of(seed)
        wrong += bool(faults)
        for fault in faults:
            print(f"problem {seed} ({small_problem(seed, 14, 4)[3]['loss']}): {fault}", flush=True)
    print(f"{count - wrong} of {count} problems agree with the enumeration of their supports")


def main() -> None:
    """Print a line for each proof and each list of models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[""], help="problems whose name begins so")
    parser.add_argument("--seconds", type=float, default=30.0, help="limit of a proof")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--tables", help="a file with further problems")
    parser.add_argument("--el0ps", action="store_true")
    parser.add_argument(
        "--enumerate", type=int, default=0, metavar="N", help="compare with enumeration on N random problems instead"
    )
    parser.add_argument("--first", type=int, default=0, help="number of the first of these problems")
    options = parser.parse_args()
    if options.enumerate:
        enumerate_all(options.first, options.enumerate)
        return
    known = problems(options.tables)
    for case in (*PROOFS, *NEAR):
        if case.name not in known or not case.name.startswith(tuple(options.only)):
            continue
        X, y, k, settings = known[case.name]()
        near = any(case is other for other in NEAR)
        fitted = ksparse.fit(X, y, k, ridge=case.ridge, search="thorough", **settings)
        clock, start = time.perf_counter(), time.process_time()
        if near:
            models = ksparse.near_optimal(
                X, y, k, ridge=case.ridge, max_models=10**5, max_seconds=options.seconds, n_jobs=options.jobs, **settings
            )
            done = models.complete
            what = f"{len(models)} models within 1 %, complete: {models.complete}, {models.n_nodes} nodes"
        else:
            result = fitted.certify(max_seconds=options.seconds, n_jobs=options.jobs)
            done = result.proof.optimal
            what = f"{result.proof.n_nodes:8d} nodes  gap {result.gap:.1e}  {result.proof.stopped}"
            what += f"  loss gap {result.proof.loss_gap:.1e}" if result.proof.loss_gap else ""
        spent = time.process_time() - start, time.perf_counter() - clock
        line = f"{case.name:24s} ridge {case.ridge:<6g} {spent[0]:8.3f} s of the processor ({spent[1]:.3f} s)  {what}"
        print(f"{line}  {verdict(spent[0], case.seconds, done)}", flush=True)
        if options.el0ps and not near and not settings.get("fit_intercept", True):
            print("    ", el0ps_seconds(X, y, k, case.ridge, fitted, 5 * options.seconds), flush=True)


if __name__ == "__main__":
    main()
