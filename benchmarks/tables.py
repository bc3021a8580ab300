"""Ksparse on real tables beside abess, FasterRisk and imodels: who finds the lower objective, and at what cost.

    python benchmarks/tables.py [--shared ../shared] [--only mushroom] [--tools fast auto thorough abess] [--patience 60] [--markdown table.md]

The tables of real_tables.py (categories as dummies, numbers cut at their deciles) and, with ``--shared``, those of tables.py in that
folder. Every answer is judged by an exact refit of its support in NumPy (common.py); times are medians of runs in alternation, on
one thread. The mark is the lowest objective that any tool, or any longer search of ours, is known to have reached; it is not a
proven optimum. "found a/b" says how many of b restarts ended at the answer.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import designs
import numpy as np
import quality
import real_tables
from peers import PEERS, Peer

OURS = quality.OURS
RIVALS = [peer for peer in PEERS if peer.name in ("abess", "FasterRisk", "imodels")]
TOOLS = (*OURS, *(peer.name for peer in RIVALS))
# Marks are rounded to six digits.
ROUNDED = 5e-7

# The lowest objectives known of the tables in the shared folder.
SHARED_MARKS = {
    "mushroom-k2": 0.163015,
    "mushroom-k3": 0.067194,
    "mushroom-k5": 0.015451,
    "spambase-k5": 0.338388,
    "spambase-k10": 0.266625,
    "adult-k3": 0.403696,
    "adult-k10": 0.3537025,
    "mammo-k5": 0.462388,
    "mammo-k10": 0.458339,
    "spambase-cuts-k5": 0.265420,
    "spambase-cuts-k10": 0.192858,
    "cancer-cuts-k3": 0.132681,
    "cancer-cuts-k5": 0.083829,
    "cancer-cuts-k10": 0.030595,
    "cancer-cuts-focal-k5": 0.011981,
}


def shared_cases(folder: str) -> dict[str, Callable[[], designs.Design]]:
    """Return the tables of the shared folder as designs."""
    sys.path.insert(0, str(Path(folder).resolve()))
    # This file has the same name.
    own = sys.modules.pop("tables", None)
    import tables

    cases = dict(tables.PUBLIC)
    if own is not None:
        sys.modules["tables"] = own

    def design(make: Callable[[], dict]) -> designs.Design:
        case = make()
        return designs.Design(
            case["X"],
            case["y"],
            case["k"],
            loss=case.get("loss", "logistic"),
            alpha=case.get("alpha", 0.5),
            gamma=case.get("gamma", 2.0),
            fit_intercept=case.get("intercept", True),
            ridge=case["ridge"],
        )

    return {name: lambda make=make: design(make) for name, make in cases.items()}


def show(name: str, design: designs.Design, outcomes: quality.Outcomes, mark: float) -> None:
    """Print a line per tool."""
    n, p = design.X.shape
    print(f"{name}  ({n} x {p}, k {design.k}, {design.loss}, lowest known {mark:.6f})")
    for tool in (tool for tool in TOOLS if tool in outcomes):
        o = outcomes[tool]
        over = f"  {o.n_chosen} features!" if o.n_chosen > design.k else ""
        above = "" if o.objective <= mark + ROUNDED else f"  +{o.objective / mark - 1:.2%}"
        found = f"  found {o.found}" if o.found else ""
        print(f"  {tool:12s} {o.objective:9.6f}{above}  {1e3 * o.seconds:10.2f} ms{found}{over}")
    print(flush=True)


def verdict(claim: str, holds: dict[str, bool], least: float = 1.0) -> None:
    """Print whether a claim holds on enough of the tables, and where it does not."""
    failed = [name for name, held in holds.items() if not held]
    if not holds:
        return
    reached = len(holds) - len(failed) >= least * len(holds)
    where = f"; not on {', '.join(failed)}" if failed else ""
    print(f"  {'reached    ' if reached else 'NOT reached'}  {claim}: {len(holds) - len(failed)} of {len(holds)}{where}")


def summarise(results: dict[str, tuple[designs.Design, quality.Outcomes, float]]) -> None:
    """Judge each claim on the tables that were run."""

    def rival(name: str) -> float:
        design, outcomes, _ = results[name]
        return min((o.objective for tool, o in outcomes.items() if tool not in OURS and o.n_chosen <= design.k), default=np.inf)

    print("Claims, on the tables above:")
    for search, least in (("fast", 0.9), ("auto", 0.95), ("thorough", 1.0)):
        ran = [name for name, (_, outcomes, _) in results.items() if search in outcomes]
        lowest = {name: results[name][1][search].objective <= results[name][2] + ROUNDED for name in ran}
        verdict(f"{search} = lowest known", lowest, least)
        beside = [name for name in ran if rival(name) < np.inf]
        verdict(f"{search} <= best peer", {n: results[n][1][search].objective <= rival(n) + ROUNDED for n in beside}, least)
    timed = {name: o for name, (_, o, _) in results.items() if "auto" in o and "abess" in o}
    if timed:
        ratios = [o["auto"].seconds / o["abess"].seconds for o in timed.values()]
        print(f"  time of auto / time of abess: median {np.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


def table(results: dict[str, tuple[designs.Design, quality.Outcomes, float]]) -> str:
    """Return objectives and times of every tool as a markdown table; the lowest objective in bold."""
    shown = [tool for tool in TOOLS if any(tool in outcomes for _, outcomes, _ in results.values())]
    lines = ["| table | " + " | ".join(shown) + " |", "|---" * (len(shown) + 1) + "|"]
    for name, (_, outcomes, mark) in results.items():
        cells = []
        for tool in shown:
            o = outcomes.get(tool)
            if o is None:
                cells.append("—")
                continue
            value = f"**{o.objective:.6f}**" if o.objective <= mark + ROUNDED else f"{o.objective:.6f}"
            cells.append(", ".join([value, f"{1e3 * o.seconds:.3g} ms", *([f"found {o.found}"] if o.found else [])]))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def quick_enough(design: designs.Design, peer: Peer, patience: float) -> bool:
    """Whether a peer answers within so many seconds, tried in a process of its own."""
    choose = peer.prepare(design)
    if choose is None or patience <= 0:
        return choose is not None
    trial = multiprocessing.get_context("fork").Process(target=choose)
    trial.start()
    trial.join(patience)
    if trial.is_alive():
        trial.kill()
        trial.join()
        return False
    return trial.exitcode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", help="folder with tables.py")
    parser.add_argument("--only", nargs="*", default=[], help="tables whose name contains one of these")
    parser.add_argument("--tools", nargs="*", default=list(TOOLS), choices=TOOLS, metavar="TOOL", help=", ".join(TOOLS))
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument(
        "--patience", type=float, default=0, help="seconds after which a peer other than abess is left out; 0: none"
    )
    parser.add_argument("--markdown", type=Path, help="file for the table")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # of peers, and of ksparse where data are separable: the refit judges
    for peer in RIVALS:
        if peer.name in arguments.tools and not peer.is_installed:
            print(f"{peer.name} is not installed: {peer.install}")
    cases = shared_cases(arguments.shared) if arguments.shared else {}
    for name, make in real_tables.cases().items():
        if real_tables.TABLES[name.rsplit("-k", 1)[0]].is_installed:
            cases[name] = make
    results = {}
    for name, make in cases.items():
        if arguments.only and not any(part in name for part in arguments.only):
            continue
        design = make()
        slow = [peer for peer in RIVALS if peer.name in arguments.tools and peer.is_installed and peer.name != "abess"]
        left_out = {peer.name for peer in slow if not quick_enough(design, peer, arguments.patience)}
        tools = [tool for tool in arguments.tools if tool not in left_out]
        outcomes = quality.measured(design, tools, arguments.repeats)
        here = min(o.objective for o in outcomes.values() if o.n_chosen <= design.k)
        mark = min(here, (SHARED_MARKS | real_tables.LOWEST_KNOWN).get(name, np.inf))
        results[name] = design, outcomes, mark
        show(name, design, outcomes, mark)
    if not results:
        print("no table has such a name")
        return 1
    summarise(results)
    if arguments.markdown:
        arguments.markdown.write_text(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
