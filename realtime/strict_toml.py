"""TOML that a user wrote, or anybody may have damaged: no number beyond what the format promises, no depth without end."""

import re
import tomllib
from typing import Any

_MOST_DOTS = 100
_DEEPEST = 50
_LARGEST = 2**63


def loads(content: bytes) -> dict[str, Any]:
    """Read a TOML file's content.

    Args:
        content: UTF-8; some editors write a byte order mark at its beginning.

    Raises:
        ValueError: it is no UTF-8, no TOML, is nested too deeply, or holds a whole number beyond 64 bits; one sentence without a
            full stop.
    """
    text = content.decode("utf-8-sig")
    if max(part.count(".") for part in re.split(r"[=,{\n]", text)) > _MOST_DOTS:
        raise ValueError("a name has more than a hundred dots")  # the parser would take minutes over thousands
    try:
        found = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _check(found, 0)
    return found


def _check(value: object, depth: int) -> None:
    """Python's integers have no end, and one of thousands of digits cannot even be printed in a sentence."""
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        for inner in value.values():
            _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)
    elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise ValueError("it holds a whole number of more than 64 bits")
