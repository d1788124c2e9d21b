"""Asks whether left and right were mixed up when the affected side was entered."""

from collections.abc import Sequence

from realtime.clinic.sheet_rows import Measure
from realtime.clinic.types import Examination

_JUDGED = (
    "brow_raise.elevation",
    "open_smile.commissure",
    "closed_smile.commissure",
    "pucker.commissure",
    "eee.lower_lip",
)
_FARTHER_MM = 1.5
"""The method's own asymmetry stays below 1 mm."""
_TIMES = 1.5
_FEWEST = 2


def mixed_up_sides(examination: Examination, rows: Sequence[Measure]) -> str:
    """Compare what was entered with what moved.

    Args:
        examination: the examination.
        rows: its measures.

    Returns:
        A question, where the side that was called affected moves clearly farther in two movements or more, and the other one in
        none; else nothing.
    """
    if examination.affected not in ("left", "right"):
        return ""
    farther = [row for row in rows if row.name in _JUDGED and _leads(row, examination.affected)]
    other = "right" if examination.affected == "left" else "left"
    if len(farther) < _FEWEST or any(_leads(row, other) for row in rows if row.name in _JUDGED):
        return ""
    told = ", ".join(row.words for row in farther)
    return (
        f"The {examination.affected} side was called affected, but moves farther than the {other} one ({told}): were the sides "
        "mixed up?"
    )


def _leads(row: Measure, side: str) -> bool:
    """Does a side move farther than the other by more than noise and the method's own asymmetry explain?"""
    left, right = row.sides
    if left is None or right is None:
        return False
    more, less = (left.mean, right.mean) if side == "left" else (right.mean, left.mean)
    # A limit that is unknown (NaN) lets nothing through.
    return more - less > _FARTHER_MM and more > _TIMES * less and more - less > row.sdc
