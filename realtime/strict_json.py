"""JSON that this program wrote, and anybody may have damaged: no number that no file of ours holds, no depth without end."""

import json
import math
from typing import Any

_LARGEST = 1e19
"""Nanoseconds since 1970 are below it, and its square is a number."""


def loads(text: str | bytes) -> Any:
    """Read a JSON text.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or holds NaN, an infinite number or one beyond 1e19.
    """
    try:
        return json.loads(text, parse_float=_number, parse_constant=_number, parse_int=_whole)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise ValueError(f"{text[:20]} is no number of ours")
    return value


def _whole(text: str) -> int:
    _number(text)
    return int(text)


def number(value: object) -> float:
    """A number of a file; a text such as "inf", which Python would take for one, is none.

    Args:
        value: as `loads` gave it.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{str(value)[:40]!r} is no number")
    return float(value)
