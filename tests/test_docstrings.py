"""Docstrings in the Google convention: every public name says what it is, what goes in, and which of our errors come out."""

import ast
import re
from collections.abc import Iterator

import pytest

import realtime.errors
from realtime.graph import GraphError
from tests.conftest import ROOT

PACKAGE = ROOT / "realtime"
ERRORS = frozenset(name for name, kind in vars(realtime.errors).items() if isinstance(kind, type)) | {
    GraphError.__name__
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def sections(docstring: str) -> dict[str, str]:
    """The text of Args, Attributes, Returns and Raises."""
    found: dict[str, str] = {}
    current = ""
    for line in docstring.split("\n"):
        heading = re.fullmatch(r"(Args|Attributes|Returns|Yields|Raises):", line)
        if heading:
            current = heading[1]
            found[current] = ""
        elif current and (not line or line.startswith("    ")):
            found[current] += line + "\n"
        else:
            current = ""
    return found


def missing(names: list[str], text: str) -> list[str]:
    """The names without an entry. One alone needs none: the summary speaks of it."""
    if len(names) < 2:
        return []
    told = {
        name for entry in re.findall(r"^    ([\w*, ]+): ", text, re.MULTILINE) for name in re.findall(r"\w+", entry)
    }
    return [name for name in names if name not in told]


def parameters(function: Function) -> list[str]:
    """Those that a caller gives."""
    arguments = function.args
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    names = [argument.arg for argument in listed if argument is not None]
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


def raised(function: Function) -> set[str]:
    """Our errors that its own body raises."""
    found, waiting = set(), list[ast.AST](function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            found.add(node.exc.func.id)
        waiting.extend(ast.iter_child_nodes(node))
    return found & ERRORS


def function_gaps(function: Function) -> Iterator[str]:
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    stub = isinstance(function.body[-1], ast.Expr) and ast.unparse(function.body[-1]) == "..."
    if "overload" in decorators or any(name.endswith(".setter") for name in decorators):
        return
    docstring = ast.get_docstring(function)
    if docstring is None:
        if not stub:  # a protocol's docstring may speak for its methods
            yield "no docstring"
        return
    told = sections(docstring)
    yield from (f"Args: {name}" for name in missing(parameters(function), told.get("Args", "")))
    yield from (f"Raises: {name}" for name in raised(function) if name not in told.get("Raises", ""))


def class_gaps(node: ast.ClassDef) -> Iterator[str]:
    docstring = ast.get_docstring(node)
    if docstring is None:
        yield "no docstring"
        return
    told = sections(docstring)
    init = next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"), None)
    if init is not None:
        own = sections(ast.get_docstring(init) or "").get("Args", "")
        yield from (f"Args: {name}" for name in missing(parameters(init), told.get("Args", "") + own))
        return
    is_record = any("dataclass" in ast.unparse(item) for item in node.decorator_list) or any(
        ast.unparse(base) == "NamedTuple" for base in node.bases
    )
    fields = [
        item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    ]
    public = [name for name in fields if not name.startswith("_")]
    if is_record:
        text = told.get("Attributes", "") + told.get("Args", "")
        yield from (f"Attributes: {name}" for name in missing(public, text))


def gaps(body: list[ast.stmt], before: str = "") -> Iterator[str]:
    """What the public names in a module or class do not say."""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        name = before + node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{name}: {gap}" for gap in class_gaps(node))
            yield from gaps(node.body, f"{name}.")
        else:
            yield from (f"{name}: {gap}" for gap in function_gaps(node))


@pytest.mark.parametrize("room", sorted({path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")}))
def test_every_public_name_says_what_it_takes_and_raises(room: str) -> None:
    place = PACKAGE / room
    paths = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    found = []
    for path in paths:
        tree = ast.parse(path.read_text("utf-8"))
        if tree.body and ast.get_docstring(tree) is None:
            found.append(f"{path.relative_to(ROOT)}: no docstring")
        found += [f"{path.relative_to(ROOT)} {gap}" for gap in gaps(tree.body)]
    assert found == []


def test_the_check_finds_what_is_missing() -> None:
    source = '''
def read(path, size, *, fast=False):
    """Read.

    Args:
        path: of the file.
        size: bytes.

    Raises:
        DeviceError: the disk fails.
    """
    if not size:
        raise UserInputError("no")
    raise DeviceError("no")


class Pair:
    def __init__(self, left, right):
        """Build."""


class Named(NamedTuple):
    """A record.

    Attributes:
        a: one.
    """

    a: int
    b: int

    def both(self):
        return self.a + self.b
'''
    assert list(gaps(ast.parse(source).body)) == [
        "read: Args: fast",
        "read: Raises: UserInputError",
        "Pair: no docstring",
        "Named: Attributes: b",
        "Named.both: no docstring",
    ]
