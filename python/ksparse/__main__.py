"""Command line: ``python -m ksparse demo`` and ``python -m ksparse info``."""

from __future__ import annotations

import argparse
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m ksparse", description="Best-subset classification.")
    commands = parser.add_subparsers(dest="command", metavar="command")
    demo = commands.add_parser("demo", help="fit an imbalanced medical data set with both losses and draw a picture")
    demo.add_argument("--output", type=Path, default=Path("ksparse-demo.png"), help="where the picture goes")
    commands.add_parser("info", help="say which variant of the compiled core is in use")
    chosen = parser.parse_args(arguments)
    if chosen.command == "demo":
        from ._demo import run_demo

        run_demo(chosen.output)
    elif chosen.command == "info":
        from ._build_info import build_info

        for name, value in build_info().items():
            print(f"{name:16s} {', '.join(value) if isinstance(value, list) else value}")
    else:
        parser.print_help()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
