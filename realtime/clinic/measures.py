"""What each length of `realtime.types.Millimetres` is called, what it means and its unit: for columns, pages and reports."""

from typing import Final, Literal, NamedTuple

from realtime.types import Millimetres, Sides


class Measure(NamedTuple):
    """One length, angle or area of the face.

    Attributes:
        name: the field of `Millimetres`.
        words: for people.
        meaning: one sentence.
        unit: mm, mm2 or degrees.
        share: whether the affected side's share of the healthy side says something (of an angle or a place it does not).
    """

    name: str
    words: str
    meaning: str
    unit: str = "mm"
    share: bool = True


SIDED: Final = (
    Measure(
        "brow_height", "brow height", "eye's centre (the middle of its corners) to the upper edge of the brow above it"
    ),
    Measure("fissure_height", "lid gap", "gap between the lid margins at mid-lid (palpebral fissure height)"),
    Measure("fissure_area", "eye area", "area inside the lid margins", "mm2"),
    Measure("mrd1", "pupil to upper lid", "pupil centre to the upper lid margin (MRD1); empty in a shut eye"),
    Measure("mrd2", "pupil to lower lid", "pupil centre to the lower lid margin (MRD2); empty in a shut eye"),
    Measure(
        "commissure",
        "corner of the mouth",
        "where the lower lip's outer edge crosses the midline to the corner of the mouth",
    ),
    Measure(
        "smile_angle", "smile angle", "90 + elevation of that line above the line of the eyes", "degrees", share=False
    ),
    Measure(
        "corner_height",
        "height of the corner",
        "corner of the mouth against the line of the eyes; negative: below; empty beyond 15 degrees of pitch",
        share=False,
    ),
    Measure(
        "lower_lip_height",
        "lower lip height",
        "inner edge of the lower lip beside its middle to the chin below",
    ),
    Measure("dental_show", "gap of the lips", "gap between the lips midway to the corner (dental show)"),
    Measure(
        "interlabial_area", "area of the gap", "area of the gap between the lips on this side of the midline", "mm2"
    ),
)
"""Measured on the patient's left and right, in the order of their columns."""
MIDLINE: Final = (
    Measure(
        "philtrum_deviation", "philtrum", "middle of the upper lip off the midline of the eyes; positive: to the left"
    ),
    Measure(
        "fai",
        "facial asymmetry index",
        "inner eye corner to corner of the mouth, left minus right; its size is the index",
    ),
)
"""Measured once."""


LEAST_HEALTHY = 0.5
"""mm or mm2 of the healthy side below which a share of it says nothing."""


def sides_of(lengths: Millimetres, name: str) -> Sides[float]:
    """Left and right of one of `SIDED`.

    Args:
        lengths: of a face.
        name: the field of `Millimetres`.
    """
    found = getattr(lengths, name)
    assert isinstance(found, Sides)
    return found


def share_of_healthy(values: Sides[float], affected: Literal["left", "right"]) -> float:
    """The affected side's share of the healthy side, 1: alike. NaN where one is not measured, or the healthy one is below 0.5.

    Args:
        values: by side.
        affected: the patient's affected side.
    """
    sick, healthy = (values.left, values.right) if affected == "left" else (values.right, values.left)
    return sick / healthy if abs(healthy) >= LEAST_HEALTHY else float("nan")


def every_length(lengths: Millimetres) -> list[float]:
    """All of them, NaN where not measured: left and right of `SIDED`, then `MIDLINE`."""
    values = [value for measure in SIDED for value in sides_of(lengths, measure.name)]
    return values + [float(getattr(lengths, measure.name)) for measure in MIDLINE]


def length_names() -> list[str]:
    """A name for each value of `every_length`, such as commissure_left."""
    return [f"{measure.name}_{side}" for measure in SIDED for side in ("left", "right")] + [
        measure.name for measure in MIDLINE
    ]
