"""Compile time of a translation unit that includes ``ksparse/ksparse.hpp`` and calls one ``fit``, by each compiler that is there.

Beside it: Eigen's headers alone, and the include without a call. "Compiled" is for programs that link the target ksparse::compiled. Seconds are of the processor, so that other work on the machine
counts little; the least of the repeats.

python benchmarks/compile_time.py [--trace]    --trace: where clang++ spends it
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = 5.0  # seconds at -O2, one fit
FIT = """
ksparse::FitResult answer(const Eigen::MatrixXd& X, const Eigen::VectorXd& y, const ksparse::Options& options) {
  return ksparse::fit(ksparse::ColumnView(X), y, ksparse::Logistic{}, options);
}
"""
SOURCES = {
    "Eigen": "#include <Eigen/Cholesky>\n#include <Eigen/SparseCore>\n",
    "include, headers alone": "#include <ksparse/ksparse.hpp>\n",
    "one fit, headers alone": "#include <ksparse/ksparse.hpp>\n" + FIT,
    "include, compiled": "#define KSPARSE_COMPILED\n#include <ksparse/ksparse.hpp>\n",
    "one fit, compiled": "#define KSPARSE_COMPILED\n#include <ksparse/ksparse.hpp>\n" + FIT,
}


def eigen_flags() -> list[str]:
    """Return the flag that finds Eigen: that of pkg-config, or of the package cmeel-eigen on this interpreter's path."""
    for path in sys.path:
        headers = Path(path, "cmeel.prefix", "include", "eigen3")
        if headers.exists():
            return ["-isystem", str(headers)]
    answer = subprocess.run(["pkg-config", "--cflags", "eigen3"], capture_output=True, text=True, check=True)
    return answer.stdout.split()


def seconds(command: list[str], repeats: int) -> float:
    """Least processor time of a command."""
    times = []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(times)


def heaviest(trace: Path, kind: str, count: int) -> list[tuple[float, str]]:
    """Return what took clang longest, of a kind of event, in seconds; instances of one template together."""
    total: dict[str, float] = defaultdict(float)
    for event in json.loads(trace.read_text())["traceEvents"]:
        if event.get("name") == kind and "dur" in event:
            detail = event.get("args", {}).get("detail", kind)
            name = detail.split("<")[0] if kind.startswith("Instantiate") else detail
            total[name] += event["dur"] / 1e6
    return sorted(((time, name) for name, time in total.items()), reverse=True)[:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--trace", action="store_true")
    arguments = parser.parse_args()
    flags = ["-std=c++17", "-O2", f"-I{ROOT / 'cpp' / 'include'}", *eigen_flags(), "-c"]
    compilers = [name for name in ("g++", "clang++") if shutil.which(name)]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "unit.cpp"), Path(folder, "unit.o")
        for compiler in compilers:
            version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
            print(version)
            for name, text in SOURCES.items():
                source.write_text(text)
                took = seconds([compiler, *flags, str(source), "-o", str(target)], arguments.repeats)
                judged = f"   {'ok' if took <= TARGET else 'ABOVE'} (target {TARGET:.0f} s)" if "fit" in name else ""
                print(f"  {name:22s} {took:5.1f} s{judged}", flush=True)
        if arguments.trace:
            source.write_text(SOURCES["one fit, headers alone"])
            subprocess.run(["clang++", *flags, "-ftime-trace", str(source), "-o", str(target)], check=True, env=os.environ)
            for kind in ("Frontend", "Backend", "Source", "InstantiateClass", "InstantiateFunction", "OptFunction"):
                print(kind)
                for took, name in heaviest(target.with_suffix(".json"), kind, 12):
                    print(f"  {took:6.2f} s  {name[:140]}")


if __name__ == "__main__":
    main()
