"""The columns of frames.csv for lengths in millimetres: there where a run measures them, and only there."""

from realtime.clinic.measures import MIDLINE, SIDED, every_length
from realtime.session.cells import number, text_cell
from realtime.types import Millimetres

_SCALE = {
    "mm_scale": "millimetres of a pixel on this frame",
    "mm_source": "what the scale comes from: iris, pupil distance, ruler or population mean (a guess)",
    "mm_state": "provisional: from few frames yet; measured: lately; held: from earlier frames of this face",
    "mm_withheld": "why no length was measured on this frame; empty where they were",
}


def length_columns() -> dict[str, str]:
    """The columns' names and meanings, in order."""
    columns = dict(_SCALE)
    for measure in SIDED:
        for side in ("left", "right"):
            columns[f"mm_{measure.name}_{side}"] = f"{measure.unit}; {measure.meaning}, on the patient's {side}"
    for measure in MIDLINE:
        columns[f"mm_{measure.name}"] = f"{measure.unit}; {measure.meaning}"
    return columns


_COUNT = 2 * len(SIDED) + len(MIDLINE)


def length_cells(found: Millimetres | None) -> str:
    """One row's cells, each with a comma before it; empty where nothing was measured."""
    if found is None:
        return "," * (len(_SCALE) + _COUNT)
    scale = number(found.mm_per_pixel, 5)
    words = f",{scale},{found.source},{found.scale_state if scale else ''},{text_cell(found.withheld)}"
    if found.withheld:
        return words + "," * _COUNT
    return words + "".join(f",{number(value, 3)}" for value in every_length(found))
