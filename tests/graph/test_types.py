"""A type checker sees that a node gets what the one before it gives."""

import os
import textwrap
from pathlib import Path

import pytest

api = pytest.importorskip("mypy.api", reason="needs mypy")

GRAPH = """
from realtime.graph import Envelope, Graph, Hold, Item, Latest, Side, StopToken

class Camera:
    def read(self, stop: StopToken) -> Item[int] | None: ...

class Square:
    def process(self, number: int, hint: Side[str] | None = None) -> float | None: ...

def show(value: float) -> None: ...
def name(value: str) -> None: ...
def keep(envelope: Envelope[float]) -> None: ...

graph = Graph("typed")
camera = graph.source("camera", Camera())
numbers = graph.source("numbers", [1, 2, 3])
words = graph.source("words", ["a"])
square = graph.transform("square", Square(), run_on="thread")
graph.connect(camera, square, Latest())
graph.connect(numbers, square, Latest())
graph.connect(words, square, Latest(), as_side="hint", join=Hold(1.0))
graph.connect(square, graph.sink("show", show), Latest())
graph.connect(square, graph.sink("keep", keep, pass_envelope=True), Latest())
graph.connect(square, graph.sink("any", lambda value: None), Latest())
graph.connect(square, graph.sink("name", name), Latest())  # wrong: a float for a str
graph.connect(words, square, Latest())  # wrong: a str for an int
"""


@pytest.mark.timeout(300)
def test_a_wrong_connection_is_a_type_error_and_a_right_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "typed.py"
    path.write_text(textwrap.dedent(GRAPH))
    config = tmp_path / "mypy.ini"
    # NumPy's stubs take longer to read than all of the graph, and so does the rest of the package, which its `__init__` names: no
    # type of this file comes from them.
    config.write_text(
        "[mypy]\ndisable_error_code = empty-body\nfollow_imports = silent\nignore_missing_imports = True\n"
        "[mypy-numpy.*,realtime.analyze.*]\nfollow_imports = skip\nfollow_imports_for_stubs = True\n"
    )
    out, _, _ = api.run([f"--config-file={config}", f"--cache-dir={os.devnull}", str(path)])
    wrong = [number for number, line in enumerate(path.read_text().splitlines(), 1) if "# wrong" in line]
    found = {int(line.split(":")[1]) for line in out.splitlines() if ": error:" in line}
    assert found == set(wrong), out
