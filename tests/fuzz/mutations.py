"""How a file is damaged: bytes changed, cut off, left out, emptied; and how often it is tried."""

import os
from collections.abc import Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

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
