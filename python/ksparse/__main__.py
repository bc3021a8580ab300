"""Command line: ``ksparse fit``, ``ksparse predict``, ``ksparse demo`` and ``ksparse info``.

Exit codes: 0 if all went well, 1 if a file or its data cannot be used, 2 for wrong arguments, 3 if the fit did not converge.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    from ._build_info import __version__
    from ._command_fit import add_commands
    from ._command_table import CommandError

    parser = argparse.ArgumentParser(
        prog="ksparse",
        description="Best-subset classification and regression on tables.",
        epilog="exit codes: 0 all went well, 1 a file or its data cannot be used, 2 wrong arguments, 3 the fit did not converge",
    )
    parser.add_argument("--version", action="version", version=f"ksparse {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    add_commands(commands)
    demo = commands.add_parser("demo", help="fit an imbalanced medical data set with both losses and draw a picture")
    demo.add_argument("--output", type=Path, default=Path("ksparse-demo.png"), help="where the picture goes")
    demo.set_defaults(run=_demo)
    commands.add_parser("info", help="say which variant of the compiled core is in use").set_defaults(run=_info)
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help()
        return 0
    try:
        return int(chosen.run(chosen))
    except (CommandError, ModuleNotFoundError, TypeError, ValueError, OSError) as error:
        print(f"ksparse: error: {error}", file=sys.stderr)
        return 1


def _demo(options: Any) -> int:
    from ._demo import run_demo

    run_demo(options.output)
    return 0


def _info(options: Any) -> int:
    from ._build_info import build_info

    for name, value in build_info().items():
        print(f"{name:16s} {', '.join(value) if isinstance(value, list) else value}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
