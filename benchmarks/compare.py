"""Compare this build with another one: objectives, work and time of the searches on all public designs and tables.

    python benchmarks/compare.py --against /path/to/other/tree/python [--search fast auto thorough] [--only mushroom] [--tables]

The other build is run in a process of its own, in alternation with this one, so that drift of the machine hits both. The designs are
those of designs.py and, with ``--tables``, the tables of real_tables.py that are installed; with ``--shared FOLDER`` also those of
cases.py and tables.py in that folder. Each line has both objectives, the ratio of the times, and the scans and Newton iterations
of both, which do not depend on how busy the machine is. The exit status is 1 if an objective is worse.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
# Objectives that differ by less, relatively, count as equal.
SAME = 1e-9

WORKER = r"""
import json, sys, time, warnings
warnings.simplefilter("ignore")
sys.path[:0] = json.loads(sys.argv[1])
import compare, ksparse
problems = compare.problems(json.loads(sys.argv[2]), json.loads(sys.argv[3]))
print(json.dumps(list(problems)), flush=True)
name = None
for line in sys.stdin:
    asked, search = line.split()
    if asked != name:
        name, (X, y, k, settings) = asked, problems[asked]()
    start = time.perf_counter()
    fit = ksparse.fit(X, y, k, search=search, **settings)
    seconds = time.perf_counter() - start
    print(json.dumps([fit.objective, seconds, fit.n_scans, fit.n_newton]), flush=True)
"""


def problems(shared: str | None, with_tables: bool) -> dict:
    """Return functions that make (X, y, k, settings of a fit), by name."""
    import designs

    def of_design(make):
        def problem():
            design = make()
            return design.X, design.y, design.k, design.settings

        return problem

    found = {name: of_design(make) for name, make in designs.PUBLIC.items()}
    if with_tables:
        import real_tables

        found |= {name: of_design(make) for name, make in real_tables.cases().items()}
    if shared:
        sys.path.insert(0, shared)
        import cases
        import tables

        found |= {name: of_shared(make) for name, make in (cases.PUBLIC | tables.PUBLIC).items()}
    return found


def of_shared(make):
    """Return the same for a dict of the shared folder."""

    def problem():
        case = make()
        settings = {name: case[name] for name in ("loss", "alpha", "gamma", "ridge") if name in case}
        return case["X"], case["y"], case["k"], settings | {"fit_intercept": case.get("intercept", True)}

    return problem


class Build:
    """A tree's ksparse in a process of its own, which first prints the names of its problems and then answers one line with another."""

    def __init__(self, path: str | None, worker: str, *arguments: object) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        if path:
            environment["PYTHONPATH"] = path
        self.process = subprocess.Popen(
            [sys.executable, "-c", worker, json.dumps([str(FOLDER)]), *map(json.dumps, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.names: list[str] = json.loads(self.process.stdout.readline())

    def ask(self, *words: str) -> tuple:
        """Return the answer to a question, such as objective, seconds, scans and Newton iterations of one fit."""
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        return tuple(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", required=True, help="the folder that holds the other build's package ksparse")
    parser.add_argument("--search", nargs="+", default=["fast", "auto"], choices=["fast", "auto", "thorough"])
    parser.add_argument("--only", nargs="*", default=[], help="problems whose name contains one of these")
    parser.add_argument("--skip", nargs="*", default=[], help="none whose name contains one of these")
    parser.add_argument("--tables", action="store_true", help="also the tables of real_tables.py")
    parser.add_argument("--shared", help="folder with cases.py and tables.py")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    ours, theirs = (Build(path, WORKER, arguments.shared, arguments.tables) for path in (None, arguments.against))
    names = [
        name
        for name in ours.names
        if (not arguments.only or any(part in name for part in arguments.only)) and not any(s in name for s in arguments.skip)
    ]
    worse = 0
    for search in arguments.search:
        ratios, newton = [], []
        for name in names:
            a, b = ours.ask(name, search), theirs.ask(name, search)
            times = [ours.ask(name, search)[1] / theirs.ask(name, search)[1] for _ in range(arguments.repeats)] or [a[1] / b[1]]
            ratios.append(float(np.median(times)))
            newton.append((a[3] + 1) / (b[3] + 1))
            change = a[0] / b[0] - 1 if b[0] else 0.0
            word = "" if abs(change) <= SAME else f"  WORSE by {change:.1e}" if change > 0 else f"  better by {-change:.1e}"
            worse += change > SAME
            work = f"scans {b[2]:4d} -> {a[2]:4d}  Newton {b[3]:5d} -> {a[3]:5d}"
            print(
                f"{name:28s} {search:9s} {b[0]:.8f} -> {a[0]:.8f}  time x{ratios[-1]:5.2f} of {1e3 * b[1]:8.2f} ms  {work}{word}",
                flush=True,
            )
        means = [np.exp(np.mean(np.log(values))) for values in (ratios, newton)]
        print(f"{search}: median time x{np.median(ratios):.2f}, geometric mean x{means[0]:.2f}; Newton x{means[1]:.2f}\n")
    ours.close()
    theirs.close()
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
