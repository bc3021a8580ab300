"""Optional packages."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["require"]


def require(module: str, purpose: str, extra: str) -> Any:
    """Import a module, or raise an error that says what needs it and how to install it.

    Parameters
    ----------
    module : str
        Name of the module, e.g. ``matplotlib.pyplot``.
    purpose : str
        What needs the module, as the subject of a sentence.
    extra : str
        The argument for ``pip install``.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{purpose} needs {module.split('.')[0]}, which is not installed: pip install {extra}", name=error.name
        ) from error
