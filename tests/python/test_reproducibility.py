"""Same input, same answer: over threads, batches, the order of X in memory and instruction sets, on the public designs."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import ksparse._core
import pytest

DESIGNS = Path(__file__).resolve().parents[2] / "benchmarks"
TOO_LARGE = ("tall-100000x500-k10",)  # 400 MB
WAYS = ("alone", "rows", "batch of one", "batch", "batch on two threads")
RUNNABLE = [name for name in ksparse._core.available() if name in ksparse._core.supported()]

# Run in a process of each instruction set, which is chosen at import.
PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
import ksparse, numpy as np
from designs import PUBLIC

def answer(fit):
    return [fit.support.tolist(), fit.objective, fit.n_refits]

answers = {}
for name in sys.argv[2].split():
    design = PUBLIC[name]()
    X, y, k, settings = design.X, design.y, design.k, design.settings
    other = np.random.default_rng(0).permutation(y)  # company with another way to go
    alone = ksparse.fit(X, y, k, **settings)
    batches = [ksparse.fit_many(X, y[:, None], k, n_jobs=1, **settings)[0]]
    for threads in (1, 2):
        batch = ksparse.fit_many(X, np.column_stack([other, y, other, y]), k, n_jobs=threads, **settings)
        batches.append(batch[3])
        assert answer(batch[1]) == answer(batch[3])
    by_rows = ksparse.fit(np.ascontiguousarray(X), y, k, **settings)
    answers[name] = [answer(fit) for fit in (alone, by_rows, *batches)]
print(json.dumps([ksparse.build_info()["instruction_set"], answers]))
"""


def names() -> list[str]:
    """Names of the public designs that fit a laptop."""
    sys.path.insert(0, str(DESIGNS))
    from designs import PUBLIC

    return [name for name in PUBLIC if name not in TOO_LARGE]


@functools.cache
def answers(instruction_set: str) -> dict[str, list[list]]:
    """Support, objective and number of refits by design and way, computed by one process."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(DESIGNS), " ".join(names())],
        env={**os.environ, "KSPARSE_ISA": instruction_set},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    used, by_design = json.loads(done.stdout)
    assert used == instruction_set
    return by_design


@pytest.mark.parametrize("instruction_set", RUNNABLE)
def test_threads_and_batches_change_nothing(instruction_set):
    """Not a bit: a problem's arithmetic does not depend on its company. X by rows is summed in another order."""
    for name, ways in answers(instruction_set).items():
        alone = ways[0]
        for way, found in zip(WAYS, ways, strict=True):
            assert found[0] == alone[0], (name, way)
            if way == "rows":
                assert found[1] == pytest.approx(alone[1], rel=1e-12), (name, way)
            else:
                assert found == alone, (name, way)


@pytest.mark.parametrize("instruction_set", RUNNABLE[1:])
def test_instruction_sets_agree(instruction_set):
    """The same support, and the objective to twelve digits, though sums are taken in another order."""
    best = answers(RUNNABLE[0])
    for name, ways in answers(instruction_set).items():
        assert ways[0][0] == best[name][0][0], name
        assert ways[0][1] == pytest.approx(best[name][0][1], rel=1e-12), name
