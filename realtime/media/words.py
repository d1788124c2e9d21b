"""Small words of the user's: sizes."""

import re


def parse_size(value: object) -> object:
    """`1280x720` becomes (1280, 720); anything that is no text passes through for the type check to judge."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d{2,5})\s*[xX]\s*(\d{2,5})\s*", value)
    if not match:
        raise ValueError("a size reads WIDTHxHEIGHT, for example 1280x720")
    return int(match[1]), int(match[2])
