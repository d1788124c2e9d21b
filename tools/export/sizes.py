"""Sizes as a user writes them."""

from realtime.errors import UserInputError

LEAST = 32


def parse(words: str | None) -> tuple[int, int] | None:
    """Height and width from "480x640", or None for None. Raises UserInputError for anything else."""
    if words is None:
        return None
    try:
        height, width = (int(word) for word in words.lower().split("x"))
    except ValueError:
        raise UserInputError(f"--size takes HEIGHTxWIDTH, such as 480x640, not '{words}'.") from None
    if min(height, width) < LEAST:
        raise UserInputError(f"--size needs at least {LEAST}x{LEAST}.")
    return height, width
