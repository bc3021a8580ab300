"""Settings are listed once, in settings.hpp: C, C++ and Python offer the same ones, with the same defaults."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import ksparse
import pytest
from ksparse import _core
from ksparse._input.request import Settings

INCLUDE = Path(__file__).parents[2] / "cpp" / "include" / "ksparse"

# Of the core's settings, those that Python's functions have no argument for, and why.
NOT_IN_PYTHON = {
    "pairs_tried": "cross-validation sets it itself",
    "pairs_tried_last": "cross-validation sets it itself",
    "cold_starts": "of paths; cross-validation sets it itself",
    "path_sweeps": "of paths; cross-validation sets it itself",
}

pytestmark = pytest.mark.skipif(not INCLUDE.is_dir(), reason="the sources are not here")


def names_in_core() -> set[str]:
    """Return the settings of the core, which are those of C++."""
    return {name for name in dir(_core.Options()) if not name.startswith("_")}


def listed() -> dict[str, str]:
    """Return the list's numbers with their defaults as they are written."""
    text = (INCLUDE / "settings.hpp").read_text(encoding="utf-8")
    return dict(re.findall(r"SETTING\([\w:]+, (\w+), ([\w:.-]+),", text))


def test_the_c_struct_has_the_settings_of_the_core():
    """A member of another name, or a setting that is missing, would not compile in ksparse.cpp; nor may there be more."""
    header = (INCLUDE / "ksparse.h").read_text(encoding="utf-8")
    struct = re.search(r"typedef struct ksparse_options \{(.*?)\} ksparse_options;", header, re.DOTALL)[1]
    members = re.findall(r"(\w+);", re.sub(r"/\*.*?\*/", "", struct, flags=re.DOTALL))
    of_the_fit = members[members.index("size") + 1 : members.index("loss")]
    assert {name for name in of_the_fit if not name.endswith("_count")} == names_in_core()


def test_the_list_has_the_settings_of_the_core():
    """The core's attributes are made from the list, with its defaults."""
    options, numbers = _core.Options(), listed()
    lists = {"always_in", "never_in", "start", "lower", "upper", "groups"}
    assert set(numbers) | lists == names_in_core()
    words = {"true": True, "false": False, "Effort::automatic": "auto"}
    for name, default in numbers.items():
        assert getattr(options, name) == (words[default] if default in words else float(default)), name
    for name in lists:
        assert len(getattr(options, name)) == 0


def test_python_offers_the_settings_of_the_core_with_their_defaults():
    """A default of None in Python means that there is no limit, or no list, which the core has as 0 and an empty list."""
    options = _core.Options()
    arguments = {name: parameter.default for name, parameter in inspect.signature(ksparse.fit).parameters.items()}
    assert "bounds" in arguments
    offered = (set(arguments) & names_in_core()) | {"lower", "upper"}
    assert offered | set(NOT_IN_PYTHON) == names_in_core()
    assert offered & set(NOT_IN_PYTHON) == set()
    for name in offered - {"lower", "upper", "k"}:
        default = getattr(options, name)
        if arguments[name] is None:
            assert not default, name
        else:
            assert arguments[name] == default, name
    for name, default in vars(Settings()).items():
        assert arguments[name] == default, name
