"""How a file is damaged: bytes changed, cut off, left out, emptied; and how often it is tried."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from realtime.errors import FacemirrorError

EXAMPLES = int(os.environ.get("FACEMIRROR_FUZZ", "0"))
"""Inputs of each kind, from the long command; 0: the suite's few, the same each time."""


def bounded(few: int) -> settings:
    """Hypothesis's settings for one fuzzer: `few` inputs in the suite."""
    return settings(
        max_examples=EXAMPLES or few,
        deadline=None,
        derandomize=not EXAMPLES,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


Change = tuple[str, float, int, int]
"""(kind, place as a fraction of the file, length, value)."""

changes = st.lists(
    st.tuples(
        st.sampled_from(["byte", "head", "cut", "omit", "zero", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(1, 200),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=12,
)


def damaged(content: bytes, how: Sequence[Change]) -> bytes:
    """`content` after every change in turn."""
    data = bytearray(content)
    for kind, fraction, length, value in how:
        place = int(fraction * len(data))
        if not data:
            break
        if kind == "byte":
            data[place] = value
        elif kind == "head":
            data[int(fraction * min(200, len(data)))] = value
        elif kind == "cut":
            del data[place:]
        elif kind == "omit":
            del data[place : place + length]
        elif kind == "zero":
            data[place : place + length] = bytes(len(data[place : place + length]))
        else:
            data[place:place] = data[place : place + length]
    return bytes(data)


def sentence_of(command: Callable[[], object]) -> str:
    """What a command is refused with; empty where it gives a result."""
    try:
        command()
    except FacemirrorError as error:
        return str(error) or "refused\nwithout a word"
    return ""


def put_cell(table: Path, line: float, column: float, cell: str) -> None:
    """Put a text into a cell of a comma-separated table.

    Args:
        table: its file.
        line: the cell's, as a fraction of all.
        column: likewise.
        cell: the text; ÿ makes a file that is not UTF-8.
    """
    lines = table.read_text(encoding="utf-8").split("\n")
    at = int(line * (len(lines) - 1))
    cells = lines[at].split(",")
    cells[int(column * (len(cells) - 1))] = cell
    lines[at] = ",".join(cells)
    table.write_text("\n".join(lines), encoding="latin-1" if cell == "\xff" else "utf-8")
