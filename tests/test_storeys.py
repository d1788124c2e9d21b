"""The house's order: imports never run upward, no circle joins two rooms, every room says what it holds."""

import ast
import importlib
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "realtime"
GROUND = frozenset(
    {
        "types",
        "files",
        "errors",
        "privacy",
        "jit",
        "lazy",
        "entry_points",
        "strict_json",
        "strict_toml",
        "spreadsheet",
        "table_text",
        "file_locks",
    }
)
LIBRARY = frozenset(
    {
        "graph",
        "media",
        "models",
        "face",
        "action_units",
        "clinic",
        "exchange",
        "render",
        "session",
        "streams",
        "openface2",
        "openface3",
    }
)
FACE = frozenset({"__init__", "__main__", "analyze"})
"""The public face: it may use everything below the program."""


def storey(room: str) -> int:
    """0 ground, 1 library, 2 public face, 3 program."""
    if room in GROUND:
        return 0
    if room in LIBRARY:
        return 1
    return 2 if room == "analyze" else 3


def imports(path: Path) -> set[str]:
    """Rooms that a file imports from, deferred imports included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [node.module or ""]
            if node.module == "realtime":
                names = [f"realtime.{alias.name}" for alias in node.names if alias.name != "__version__"]
        found |= {name.split(".")[1] for name in names if name.startswith("realtime.")}
        assert not any(name.split(".")[0] in ("tools", "tests") for name in names), f"{path} imports {names}"
    return found


@cache
def rooms() -> dict[str, set[str]]:
    """Which rooms each room imports from."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if room not in FACE - {"analyze"}:
            found[room] |= imports(path) - {room}
    return found


def test_no_import_runs_upward() -> None:
    upward = {
        f"{room} imports {other}"
        for room, others in rooms().items()
        for other in others
        if storey(other) > storey(room)
    }
    assert not upward


def test_no_circle_joins_two_rooms() -> None:
    uses = rooms()

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            waiting += (new := uses[waiting.pop()] - seen)
            seen |= new
        return seen

    assert not {room for room in list(uses) if room in reached(room)}


def test_the_graph_knows_nothing_of_faces() -> None:
    assert rooms()["graph"] == set()


@pytest.mark.parametrize(
    "room", sorted(path.parent.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("__init__.py"))
)
def test_every_room_says_what_it_holds_and_exports_what_it_names(room: str) -> None:
    module = importlib.import_module(room.replace("/", "."))
    assert (module.__doc__ or "").strip(), f"{room}/__init__.py says nothing"
    names = getattr(module, "__all__", [])
    assert list(names) == sorted(set(names))
    for name in names:
        exported = getattr(module, name)
        if isinstance(exported, type):
            assert exported.__module__.startswith("realtime."), name
