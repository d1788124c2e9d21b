"""The columns of frames.csv for lengths in millimetres: there where a run measures them, and only there."""

from pathlib import Path
from typing import Literal

from realtime.clinic.measures import MIDLINE, SIDED, every_length, share_of_healthy, sides_of
from realtime.session.cells import header_of, number, text_cell
from realtime.types import Millimetres

LengthColumns = bool | Literal["left", "right"]
"""Whether there are columns for lengths; a side: and for that affected side's share of the healthy one."""

_SCALE = {
    "mm_scale": "millimetres of a pixel on this frame",
    "mm_source": "what the scale comes from: iris, pupil distance, ruler or population mean (a guess)",
    "mm_state": "provisional: from few frames yet; measured: lately; held: from earlier frames of this face",
    "mm_withheld": "why no length was measured on this frame; empty where they were",
}


_SHARED = tuple(measure for measure in SIDED if measure.share)


def wanted_columns(scale: str, affected: str) -> LengthColumns:
    """Which columns a run has, by its settings.

    Args:
        scale: what millimetres come from; "off": none are measured.
        affected: the affected side, as it was named before the run.
    """
    if scale == "off":
        return False
    return "left" if affected == "left" else "right" if affected == "right" else True


def columns_in(header: str, affected: str = "left") -> LengthColumns:
    """Which columns a file has.

    Args:
        header: its first line.
        affected: the side whose shares they are.
    """
    if ",mm_scale," not in header:
        return False
    return wanted_columns("any", affected) if ",mm_brow_height_share" in header else True


def columns_of_file(csv: Path, affected: str = "left") -> LengthColumns:
    """Which columns a file of rows has, by its header; none where it cannot be read, which is found out later.

    Args:
        csv: the file.
        affected: the side whose shares they are.
    """
    return columns_in(header_of(csv), affected)


def length_columns(wanted: LengthColumns = True) -> dict[str, str]:
    """The columns' names and meanings, in order.

    Args:
        wanted: which of them.
    """
    if not wanted:
        return {}
    columns = dict(_SCALE)
    for measure in SIDED:
        for side in ("left", "right"):
            columns[f"mm_{measure.name}_{side}"] = f"{measure.unit}; {measure.meaning}, on the patient's {side}"
    for measure in MIDLINE:
        columns[f"mm_{measure.name}"] = f"{measure.unit}; {measure.meaning}"
    if wanted is not True:
        for measure in _SHARED:
            meaning = f"{measure.words}: the affected side's, as --affected named it, over the healthy side's; 1: alike"
            columns[f"mm_{measure.name}_share"] = meaning
    return columns


_COUNT = 2 * len(SIDED) + len(MIDLINE)


def length_cells(found: Millimetres | None, wanted: LengthColumns = True) -> str:
    """One row's cells, each with a comma before it; empty where nothing was measured.

    Args:
        found: lengths of the frame, or None.
        wanted: which columns there are.
    """
    if not wanted:
        return ""
    count = _COUNT + (len(_SHARED) if wanted is not True else 0)
    if found is None:
        return "," * (len(_SCALE) + count)
    scale = number(found.mm_per_pixel, 5)
    words = f",{scale},{found.source},{found.scale_state if scale else ''},{text_cell(found.withheld)}"
    if found.withheld:
        return words + "," * count
    values = every_length(found)
    if wanted is not True:
        values += [share_of_healthy(sides_of(found, measure.name), wanted) for measure in _SHARED]
    return words + "".join(f",{number(value, 3)}" for value in values)
