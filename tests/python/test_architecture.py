"""Includes and imports run one way: docs/figures/rooms.py has the floors, and the documentation's picture is drawn from it."""

from __future__ import annotations

import ast
import re
import runpy
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = runpy.run_path(str(ROOT / "docs" / "figures" / "rooms.py"))
PARTS = [pytest.param(ROOMS["CPP"], id="C++"), pytest.param(ROOMS["PYTHON"], id="Python")]

pytestmark = pytest.mark.skipif(not (ROOT / "cpp").is_dir(), reason="the sources are not here")


def included_by(path: Path, root: Path) -> set[Path]:
    """Return the files of ksparse that a header includes."""
    names = re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    assert all((path.parent / name).is_file() for name in names), path
    own = re.findall(r"^\s*#\s*include\s+<ksparse/([^>]+)>", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {(path.parent / name).resolve() for name in names} | {root / name for name in own}


def imported_by(path: Path, root: Path) -> set[Path]:
    """Return the files of ksparse that a module imports, at its top, inside functions or for type checkers alone."""
    files = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not any(name.name.split(".")[0] == "ksparse" for name in node.names), f"{path}: imports must be relative"
        if not isinstance(node, ast.ImportFrom) or node.level == 0:
            continue
        folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
        for name in node.names:
            inside = [folder / f"{name.name}.py", folder / name.name / "__init__.py"]
            itself = [folder.with_suffix(".py"), folder.with_suffix(".pyi"), folder / "__init__.py"]  # .pyi: a compiled module
            found = next((file for file in inside + itself if file.is_file() and root in file.parents), None)
            assert found is not None, f"{path}: cannot find {name.name}"
            files.add(found)
    return files


def uses_of(part: dict) -> dict[Path, set[Path]]:
    """Return what each file of a part uses."""
    root = ROOT / part["root"]
    uses = included_by if part is ROOMS["CPP"] else imported_by
    suffixes = (".hpp",) if part is ROOMS["CPP"] else (".py",)
    return {path: uses(path, root) for path in sorted(root.rglob("*")) if path.suffix in suffixes}


def place_of(path: Path, part: dict) -> tuple[int, str]:
    """Return the floor, counted from the top, and the room of a file."""
    relative = path.relative_to(ROOT / part["root"])
    places = [
        (floor, name)
        for floor, rooms in enumerate(part["floors"])
        for name, patterns, _ in rooms
        if any(
            relative == Path(pattern) or (relative.match(pattern) and len(relative.parts) == pattern.count("/") + 1)
            for pattern in patterns
        )
    ]
    assert len(places) == 1, f"{relative} must stand in one room of docs/figures/rooms.py, but stands in {places}"
    return places[0]


@pytest.mark.parametrize("part", PARTS)
def test_a_file_uses_its_own_room_and_the_floors_below(part):
    """So that a room can be read, tested and changed with what stands below it alone."""
    wrong = []
    for path, used in uses_of(part).items():
        floor, room = place_of(path, part)
        for other in used:
            other_floor, other_room = place_of(other, part)
            if other_floor <= floor and other_room != room:
                wrong.append(f"{path.relative_to(ROOT)} ({room}) uses {other.relative_to(ROOT)} ({other_room})")
    assert wrong == []


@pytest.mark.parametrize("part", PARTS)
def test_there_is_no_circle(part):
    """Nor within a room; an import inside a function, or for type checkers alone, counts as well."""
    uses = uses_of(part)
    packages = {path for path in uses if path.name == "__init__.py"}
    try:
        tuple(TopologicalSorter({path: used - packages for path, used in uses.items()}).static_order())
    except CycleError as error:
        pytest.fail(" uses ".join(str(path.relative_to(ROOT)) for path in error.args[1]))


def test_no_room_is_empty():
    """A pattern that matches nothing is a room that has moved."""
    for part in (ROOMS["CPP"], ROOMS["PYTHON"]):
        for _, patterns, _ in (room for floor in part["floors"] for room in floor):
            for pattern in patterns:
                assert list((ROOT / part["root"]).glob(pattern)), pattern
