"""X larger than memory: 8 GB on disk under a limit of 2 GB (RLIMIT_AS), beside what `cat` reaches on that disk.

    python benchmarks/out_of_core.py --gigabytes 8 --limit 2 --columns 1000

prints the support, the objective, the number of passes, the bytes read, the time, and the time that ``cat`` needs for as many
bytes. With ``--check`` the same rows are fitted in memory as well.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import time
from pathlib import Path

import ksparse
import numpy as np
from ksparse._blocks import local


def write(path: Path, rows: int, columns: int, seed: int) -> np.ndarray:
    """Write X by blocks, and return y."""
    draw = np.random.default_rng(seed)
    y = np.empty(rows)
    with path.open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (rows, columns)}
        np.lib.format.write_array_header_2_0(file, header)
        step = max(1, 2**23 // columns)
        for first in range(0, rows, step):
            X = draw.standard_normal((min(step, rows - first), columns))
            for j in range(1, columns):
                X[:, j] += 0.5 * X[:, j - 1]
            eta = X[:, :: columns // 10][:, :10] @ np.linspace(1, 0.1, 10)
            y[first : first + len(X)] = draw.random(len(X)) < 1 / (1 + np.exp(-eta))
            file.write(X.tobytes())
    return y


def in_memory(path: Path, y: np.ndarray, k: int) -> tuple[list[int], float]:
    """Return the support and the objective of a fit of all rows; X is freed, since its addresses would count towards the limit."""
    result = ksparse.fit(np.load(path), y, k)
    return result.support.tolist(), result.objective


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=8)
    parser.add_argument("--limit", type=float, default=2, help="address space in GB")
    parser.add_argument("--columns", type=int, default=1000)
    parser.add_argument("--features", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--path", type=Path, default=Path("/tmp/ksparse_out_of_core.npy"))
    parser.add_argument("--check", action="store_true", help="fit the rows in memory as well, without the limit")
    arguments = parser.parse_args()
    rows = int(arguments.gigabytes * 2**30 / 8 / arguments.columns)
    y = write(arguments.path, rows, arguments.columns, arguments.seed)
    expected = in_memory(arguments.path, y, arguments.features) if arguments.check else None
    start = time.perf_counter()
    subprocess.run(["cat", arguments.path], stdout=subprocess.DEVNULL, check=True)
    cat = time.perf_counter() - start
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (int(arguments.limit * 2**30), before[1]))
    sources = []
    make = local.BlocksInTurn.__init__

    def noted(self, *given, **named):
        make(self, *given, **named)
        sources.append(self)

    local.BlocksInTurn.__init__ = noted
    start, processor = time.perf_counter(), time.process_time()
    result = ksparse.fit(ksparse.RowBlocks.from_npy(arguments.path), y, arguments.features, n_jobs=arguments.jobs)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    read = sources[0].bytes_read
    size = arguments.path.stat().st_size
    print(f"{rows} x {arguments.columns}, {size / 2**30:.1f} GB, limit {arguments.limit} GB: {result.status}")
    print(f"support {result.support.tolist()}, objective {result.objective:.12f}")
    print(f"{result.n_scans} passes, {read / 2**30:.1f} GB read, {seconds:.1f} s, of which the processor {processor:.1f} s")
    print(f"cat: {cat:.1f} s a pass, {cat * read / size:.1f} s for as many bytes")
    if expected is not None:
        same = expected[0] == result.support.tolist()
        print(f"in memory: same support {same}, objective differs by {abs(result.objective / expected[1] - 1):.1e}")
    arguments.path.unlink()


if __name__ == "__main__":
    main()
