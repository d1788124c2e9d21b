"""Arrays for the page in one piece: a length, a JSON header that lists them, then their bytes, each on a multiple of 8."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_KINDS = {"<f4": "float32", "<f8": "float64", "<i4": "int32", "|u1": "uint8"}


def pack(arrays: Mapping[str, NDArray[Any]], **more: Any) -> bytes:
    """The bytes.

    Args:
        arrays: float32, float64, int32 or uint8, of any shape, by name.
        more: further entries of the header.
    """
    listed, parts, at = {}, [], 0
    for name, values in arrays.items():
        little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        listed[name] = {"kind": _KINDS[little.dtype.str], "at": at, "length": little.size}
        content = little.tobytes()
        content += b"\0" * (-len(content) % 8)
        parts.append(content)
        at += len(content)
    header = json.dumps({**more, "arrays": listed}, allow_nan=False).encode()
    header += b" " * (-(len(header) + 4) % 8)
    return b"".join([struct.pack("<I", len(header)), header, *parts])
