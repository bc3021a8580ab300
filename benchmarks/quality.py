"""Ksparse (fast, auto, thorough) beside abess, skscope, FasterRisk and L1 with refit: who finds the lower objective, at what cost.

    python benchmarks/quality.py [--only ar0.9 digits] [--tools fast auto thorough] [--quick] [--seeds 5] [--markdown table.md]

Public designs (designs.py) and real data that packages ship (real_data.py). Every answer is judged by an exact refit of its
support in NumPy (common.py), which owes nothing to any of the tools; times are medians of runs in alternation with those of the
others, on one thread, and t_pass is one ``X.T @ r`` in NumPy. Ends with a line for each claim: reached, NOT reached, or not judged.

Peers and data sets that are not installed are named with the command that installs them. On public designs the objective
that such a peer is known to reach stands in its place, marked by an asterisk. ksparse alone takes about a minute, FasterRisk
and skscope some minutes more.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import common
import designs
import ksparse
import numpy as np
from peers import PEERS
from real_data import REAL

OURS = ("fast", "auto", "thorough")
PUBLISHED = ("abess", "skscope", "FasterRisk", "L1, refit")  # the order of designs.PEERS
AS_LONG = "as long as FasterRisk"  # thorough, with FasterRisk's time as its budget
TOOLS = (*OURS, *(peer.name for peer in PEERS), AS_LONG)

# Published objectives are rounded to six digits; ours and those measured here differ by the rounding of a refit at most.
ROUNDED, EXACT = 5e-7, 1e-9
# An objective is strictly below another if by more than this, relative to it.
STRICT = 1e-6
# Tools that need longer than this for a run are run once.
LONG_SECONDS = 5.0
QUICK_SIZE = 1_000_000


@dataclass
class Outcome:
    """What one tool reached on one design."""

    objective: float
    seconds: float = np.nan
    passes: float = np.nan
    n_chosen: int = 0
    recovered: str = ""
    found: str = ""
    is_published: bool = False

    @property
    def allowance(self) -> float:
        """How far above this objective another may lie and still be as good."""
        return ROUNDED if self.is_published else EXACT


Outcomes = dict[str, Outcome]


def find(design: designs.Design, **search) -> ksparse.FitResult:
    """Fit by ksparse."""
    return ksparse.fit(design.X, design.y, design.k, **search, **design.settings)


def prepared(design: designs.Design, tools: list[str]) -> dict[str, Callable[[], object]]:
    """Return what to run for each tool that can do the problem."""
    runs: dict[str, Callable[[], object]] = {
        search: lambda search=search: find(design, search=search) for search in OURS if search in tools
    }
    for peer in PEERS:
        if peer.name in tools and peer.is_installed:
            choose = peer.prepare(design)
            if choose is not None:
                runs[peer.name] = choose
    return runs


def outcome_of(design: designs.Design, answer: object, seconds: list[float], passes: list[float]) -> Outcome:
    """Judge a support by its exact refit."""
    support = answer.support if isinstance(answer, ksparse.FitResult) else np.asarray(answer)
    F = float(common.refit_objectives(design.X, design.y, [support], **design.settings)[0])
    outcome = Outcome(F, float(np.median(seconds)), float(np.median(passes)), len(support))
    if len(design.truth):
        outcome.recovered = f"{len(np.intersect1d(support, design.truth))}/{len(design.truth)}"
    if isinstance(answer, ksparse.FitResult):
        outcome.found = f"{answer.times_found}/{answer.n_restarts}"
    return outcome


def measured(design: designs.Design, tools: list[str], repeats: int) -> Outcomes:
    """Run the tools in turn, and each next to passes over X."""
    runs, unit = prepared(design, tools), common.one_pass(design.X)
    answers: dict[str, object] = {}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    passes: dict[str, list[float]] = {name: [] for name in runs}
    for _, (name, run) in itertools.product(range(repeats), runs.items()):
        if seconds[name] and seconds[name][0] > LONG_SECONDS:
            continue
        t_pass = common.median_seconds(unit, 5)
        seconds[name].append(common.seconds(lambda name=name, run=run: answers.__setitem__(name, run())))
        passes[name].append(seconds[name][-1] / t_pass)
    return {name: outcome_of(design, answers[name], seconds[name], passes[name]) for name in runs}


def with_time_of_fasterrisk(design: designs.Design, outcomes: Outcomes) -> None:
    """Thorough search with FasterRisk's own time as its budget."""
    budget = outcomes["FasterRisk"].seconds
    answers: list[object] = []
    seconds = common.seconds(lambda: answers.append(find(design, search="thorough", max_seconds=budget)))
    t_pass = common.median_seconds(common.one_pass(design.X), 5)
    outcomes[AS_LONG] = outcome_of(design, answers[0], [seconds], [seconds / t_pass])


def add_published(name: str, outcomes: Outcomes) -> None:
    """Put what peers are known to reach on a public design in the place of those that did not run."""
    for peer, objective in zip(PUBLISHED, designs.PEERS.get(name, ()), strict=False):
        if objective is not None and peer not in outcomes:
            outcomes[peer] = Outcome(objective, is_published=True)


def best_peer(outcomes: Outcomes, k: int) -> tuple[str, Outcome] | None:
    """Return the peer with the lowest objective among those that kept to the budget of k features."""
    rivals = [(name, o) for name, o in outcomes.items() if name in PUBLISHED and o.n_chosen <= k]
    return min(rivals, key=lambda rival: rival[1].objective, default=None)


def show(name: str, design: designs.Design, outcomes: Outcomes) -> None:
    """Print a line per tool."""
    n, p = design.X.shape
    ridge = f", ridge {design.ridge:g}" if design.ridge else ""
    mark = f", lowest known {designs.LOWEST_KNOWN[name]:.6f}" if name in designs.LOWEST_KNOWN else ""
    print(f"{name}  ({n} x {p}, k {design.k}, {design.loss}{ridge}{mark})")
    for tool in (tool for tool in TOOLS if tool in outcomes):
        o = outcomes[tool]
        if o.is_published:
            print(f"  {tool:20s} {o.objective:9.6f}*")
            continue
        over = f"  {o.n_chosen} features!" if o.n_chosen > design.k else ""
        truth = f"  truth {o.recovered}" if o.recovered else ""
        found = f"  found {o.found}" if o.found else ""
        print(f"  {tool:20s} {o.objective:9.6f}  {1e3 * o.seconds:10.2f} ms {o.passes:9.1f} t_pass{truth}{found}{over}")
    print(flush=True)


@dataclass
class Case:
    """One design with what all tools reached on it."""

    name: str
    design: designs.Design
    outcomes: Outcomes

    @property
    def is_public(self) -> bool:
        """Whether it is one of designs.py."""
        return self.name in designs.PUBLIC

    @property
    def is_rugged(self) -> bool:
        """Whether it is one of the public designs made of near-equal features."""
        return self.name in designs.LOWEST_KNOWN


def verdict(claim: str, cases: list[Case], holds: Callable[[Case], bool], least: float = 1.0) -> None:
    """Print whether a claim holds on enough of some cases, and where it does not."""
    failed = [case.name for case in cases if not holds(case)]
    if not cases:
        print(f"  not judged   {claim}")
        return
    reached = len(cases) - len(failed) >= least * len(cases)
    where = "" if not failed else f"; not on {', '.join(failed)}"
    print(f"  {'reached    ' if reached else 'NOT reached'}  {claim}: {len(cases) - len(failed)} of {len(cases)}{where}")


def no_worse(tool: str) -> Callable[[Case], bool]:
    """Whether a search is as good as the best peer."""

    def holds(case: Case) -> bool:
        rival = best_peer(case.outcomes, case.design.k)
        return rival is None or case.outcomes[tool].objective <= rival[1].objective + rival[1].allowance

    return holds


def strictly_better(tool: str) -> Callable[[Case], bool]:
    """Whether a search is below the best peer."""

    def holds(case: Case) -> bool:
        rival = best_peer(case.outcomes, case.design.k)
        return rival is not None and case.outcomes[tool].objective < rival[1].objective * (1 - STRICT)

    return holds


def lowest(tool: str) -> Callable[[Case], bool]:
    """Whether a search reaches the lowest objective that is known."""
    return lambda case: case.outcomes[tool].objective <= designs.LOWEST_KNOWN[case.name] + ROUNDED


def summarise(cases: list[Case]) -> None:
    """Judge each claim on the designs that were run."""

    def of(*tools: str, public: bool | None = None, rugged: bool | None = None) -> list[Case]:
        return [
            case
            for case in cases
            if all(tool in case.outcomes for tool in tools)
            and best_peer(case.outcomes, case.design.k)
            and public in (None, case.is_public)
            and rugged in (None, case.is_rugged)
        ]

    peers = sorted({name for case in cases for name, o in case.outcomes.items() if name in PUBLISHED and not o.is_published})
    published = sorted({name for case in cases for name, o in case.outcomes.items() if o.is_published} - set(peers))
    print(f"Claims, on the designs above. Peers run here: {', '.join(peers) or 'none'}", end="")
    print(f"; from published objectives: {', '.join(published)}" if published else "")
    verdict(
        "fast <= best peer, public designs but factor- and blocks-", of("fast", public=True, rugged=False), no_worse("fast")
    )
    verdict("auto (the default) <= best peer, public designs", of("auto", public=True), no_worse("auto"))
    verdict("auto (the default) <= best peer, real data", of("auto", public=False), no_worse("auto"))
    verdict("thorough <= best peer, all", of("thorough"), no_worse("thorough"))
    short = [case for case in of("thorough") if case.name in ("factor-500x500-k10", "blocks-400x600-k10")]
    verdict("thorough <= lowest known, factor-500x500 and blocks-400x600", short, lowest("thorough"))
    verdict("thorough with FasterRisk's time <= lowest known, factor- and blocks-", of(AS_LONG, rugged=True), lowest(AS_LONG))
    verdict(
        "thorough strictly below best peer, half of the real data",
        of("thorough", public=False),
        strictly_better("thorough"),
        0.5,
    )
    verdict("auto strictly below best peer, half of the real data", of("auto", public=False), strictly_better("auto"), 0.5)
    timed = [case for case in of("thorough", "FasterRisk") if not case.outcomes["FasterRisk"].is_published]
    verdict(
        "time of thorough <= FasterRisk's / 20",
        timed,
        lambda case: 20 * case.outcomes["thorough"].seconds <= case.outcomes["FasterRisk"].seconds,
    )
    if timed:
        ratio = {case.name: case.outcomes["FasterRisk"].seconds / case.outcomes["thorough"].seconds for case in timed}
        print("\nFasterRisk's time as a multiple of thorough's: " + ", ".join(f"{name} {r:.0f}" for name, r in ratio.items()))


def show_seeds(cases: list[Case], seeds: int) -> None:
    """Print how often a search reaches the lowest objective of any tool here, over random states: one seed may be lucky."""
    print(f"\nOver random_state 0 to {seeds - 1}, objectives within 1e-6 of the lowest here or known:")
    for case in cases:
        lowest_here = min(o.objective for o in case.outcomes.values())
        bar = min(lowest_here, designs.LOWEST_KNOWN.get(case.name, np.inf)) * (1 + 1e-6)
        line = f"  {case.name:28s}"
        for search in ("auto", "thorough"):
            got = [find(case.design, search=search, random_state=seed).objective for seed in range(seeds)]
            line += f" {search} {sum(np.array(got) <= bar)} of {seeds} (worst {max(0.0, max(got) / bar - 1):+.2%})"
        print(line, flush=True)


def table(cases: list[Case]) -> str:
    """Return objective, seconds and passes over X of every tool as a markdown table; the lowest objective in bold."""
    shown = [tool for tool in TOOLS if any(tool in case.outcomes for case in cases)]
    lines = ["| design | " + " | ".join(shown) + " |", "|---" * (len(shown) + 1) + "|"]
    for case in cases:
        lowest_here = min(o.objective for o in case.outcomes.values())
        cells = []
        for tool in shown:
            o = case.outcomes.get(tool)
            if o is None:
                cells.append("—")
                continue
            is_lowest = o.objective <= lowest_here + max(EXACT, o.allowance)
            value = f"**{o.objective:.6f}**" if is_lowest else f"{o.objective:.6f}"
            parts = [f"{value}*"] if o.is_published else [value, _time(o.seconds), _three_digits(o.passes)]
            parts += [f"truth {o.recovered}"] * bool(o.recovered) + [f"found {o.found}"] * bool(o.found)
            cells.append(", ".join(parts))
        lines.append(f"| {case.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _three_digits(value: float) -> str:
    return f"{float(f'{value:.3g}'):.12g}"


def _time(seconds: float) -> str:
    return f"{1e3 * seconds:.2g} ms" if seconds < 0.1 else f"{seconds:.2g} s"


def chosen_designs(only: list[str], quick: bool) -> list[tuple[str, designs.Design]]:
    """Build the designs that were asked for; say which data are missing."""
    found = []
    for name in (*designs.PUBLIC, *REAL):
        if only and not any(part in name for part in only):
            continue
        if name in REAL and not REAL[name].is_installed:
            print(f"{name} is left out: pip install {REAL[name].package}")
            continue
        design = designs.PUBLIC[name]() if name in designs.PUBLIC else REAL[name].build()
        if not quick or design.X.size <= QUICK_SIZE:
            found.append((name, design))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], help="designs whose name contains one of these")
    parser.add_argument("--tools", nargs="*", default=list(TOOLS), choices=TOOLS, metavar="TOOL", help=", ".join(TOOLS))
    parser.add_argument("--quick", action="store_true", help="only designs of a million entries or less, one run each")
    parser.add_argument("--repeats", type=int, default=3, help=f"runs of each tool that takes less than {LONG_SECONDS:g} s")
    parser.add_argument("--seeds", type=int, default=0, help="random states over which ksparse's searches are repeated")
    parser.add_argument("--markdown", type=Path, help="file for the table")
    arguments = parser.parse_args()
    tools = arguments.tools
    if AS_LONG in tools and "FasterRisk" not in tools:
        tools = [tool for tool in tools if tool != AS_LONG]
    warnings.simplefilter("ignore")  # of peers, and of ksparse where data are separable: the refit judges
    print(f"instruction set {common.instruction_set()}, one thread, X in F order")
    for peer in PEERS:
        if peer.name in tools and not peer.is_installed:
            print(f"{peer.name} is not installed: {peer.install}")
    chosen = chosen_designs(arguments.only, arguments.quick)
    print("* published objective of a peer that did not run here (not installed, or not asked for)\n")
    cases = []
    for name, design in chosen:
        outcomes = measured(design, tools, 1 if arguments.quick else arguments.repeats)
        if AS_LONG in tools and name in designs.LOWEST_KNOWN and "FasterRisk" in outcomes:
            with_time_of_fasterrisk(design, outcomes)
        add_published(name, outcomes)
        cases.append(Case(name, design, outcomes))
        show(name, design, outcomes)
    if not cases:
        print("no design has such a name")
        return 1
    summarise(cases)
    if arguments.seeds:
        show_seeds(cases, arguments.seeds)
    if arguments.markdown:
        arguments.markdown.write_text(table(cases))
    return 0


if __name__ == "__main__":
    sys.exit(main())
