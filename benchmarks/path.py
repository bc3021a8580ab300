"""A path over k = 1..20 on 2000 x 1000 beside abess's own path and beside single fits: time, and who is worse where.

    python benchmarks/path.py [--repeats 7]

One thread each, times in alternation. abess is optional: pip install abess.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec

import common
import designs
import ksparse
import numpy as np

KS = list(range(1, 21))


def abess_supports(X: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """Supports of single abess fits at each k: what its path holds at each k (its path object keeps only the best)."""
    from abess import LogisticRegression

    return [np.flatnonzero(LogisticRegression(support_size=k, thread=1).fit(X, y).coef_.ravel()) for k in KS]


def abess_path(X: np.ndarray, y: np.ndarray) -> None:
    """Run abess's own path."""
    from abess import LogisticRegression

    LogisticRegression(support_size=KS, ic_type="gic", thread=1).fit(X, y)


def compare(name: str, X: np.ndarray, y: np.ndarray, repeats: int) -> None:
    """Print the lines of one design."""

    def path(cold: bool) -> ksparse.PathResult:
        return ksparse.fit_path(X, y, KS, cold_starts=cold)

    def singles() -> list[float]:
        return [ksparse.fit(X, y, k, search="fast").objective for k in KS]

    unit = common.median_seconds(common.one_pass(X), 20)
    alone = np.array(singles())
    rivals = None
    if find_spec("abess"):
        rivals = np.array([common.refit_objectives(X, y, support[None])[0] for support in abess_supports(X, y)])
    for cold in (True, False):
        F = path(cold).objectives
        seconds = common.median_seconds(lambda cold=cold: path(cold), repeats)
        ratio = common.paired_ratio(singles, lambda cold=cold: path(cold), repeats)
        line = f"{name:8} cold_starts={cold!s:5} {1e3 * seconds:6.1f} ms {seconds / unit:5.0f} t_pass"
        line += f"  singles take {ratio[1]:.1f} times as long, worse than them at {np.sum(alone * (1 + 1e-9) < F)} k,"
        line += f" better at {np.sum(alone * (1 - 1e-9) > F)}"
        if rivals is not None:
            ratio = common.paired_ratio(lambda: abess_path(X, y), lambda cold=cold: path(cold), repeats)
            line += f"; abess's path takes {ratio[1]:.1f} times as long ({ratio[0]:.1f} to {ratio[2]:.1f}), worse than its"
            line += f" single fits at {np.sum(rivals + 1e-8 < F)} k, better at {np.sum(rivals - 1e-8 > F)}"
        print(line, flush=True)


def main() -> None:
    """Compare on designs of 2000 x 1000."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    if not find_spec("abess"):
        print("abess is not installed (pip install abess): compared with single fits only")
    for rho in (0.0, 0.5, 0.9):
        design = designs.autoregressive(2000, 1000, 10, rho)
        compare(f"ar{rho}", design.X, design.y.astype(float), repeats)
    design = designs.PUBLIC["rare5%-2000x1000-k10"]()
    compare("rare5%", design.X, design.y.astype(float), repeats)


if __name__ == "__main__":
    main()
