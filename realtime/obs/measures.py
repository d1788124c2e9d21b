"""The measures that a rule may name: one number of a frame each."""

import math
import re
from dataclasses import dataclass, fields

from realtime.action_units.symmetry import symmetry
from realtime.types import Analysis, Millimetres, Sides

_UNIT = re.compile(r"AU0*(\d{1,2})")
_PARTS = ("left", "right", "mean", "larger", "difference", "symmetry")
_ANGLES = ("yaw", "pitch", "roll")
_SCALE = ("mm_per_pixel", "source", "withheld", "scale_state")
_LENGTHS = tuple(f.name for f in fields(Millimetres) if f.name not in _SCALE)
_MIDLINE = ("philtrum_deviation", "fai")


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a frame: `AU12.left`, `yaw`, `confidence`, `mm.fissure_height.right`, `mm.fai`.

    Of an Action Unit and of a length there are left and right (the patient's own), mean, larger, difference (left - right)
    and symmetry (0 one side only, 1 alike).

    Attributes:
        name: as written.
        unit: the Action Unit; None for another measure.
        length: the field of `Millimetres`; empty for another measure.
        part: which of the two sides, or what of both; the angle's name or "confidence" for those.
    """

    name: str
    unit: int | None
    length: str
    part: str

    def value(self, analysis: Analysis) -> float:
        """Give the number, NaN where it was not measured."""
        face = analysis.face
        if face is None:
            return math.nan
        if self.unit is not None:
            left, right = analysis.au_left.get(self.unit, math.nan), analysis.au_right.get(self.unit, math.nan)
            return _of_sides(Sides(left, right), self.part)
        if self.length:
            found = None if analysis.millimetres is None else getattr(analysis.millimetres, self.length)
            if found is None:
                return math.nan
            return _of_sides(found, self.part) if isinstance(found, Sides) else float(found)
        if self.part == "confidence":
            return float(face.confidence)
        return math.nan if face.pose is None else float(face.pose[_ANGLES.index(self.part)])


def parse_measure(text: str) -> Measure:
    """Read a measure's name.

    Raises:
        ValueError: there is no such measure; the sentence names those that there are.
    """
    head, _, rest = text.strip().partition(".")
    unit = _UNIT.fullmatch(head.upper())
    if unit and (rest in _PARTS or not rest):
        if not rest:
            raise ValueError(f"{text!r} needs a side: {text}.left, {text}.right or {text}.{', '.join(_PARTS[2:])}")
        return Measure(text, int(unit[1]), "", rest)
    if not rest and head in (*_ANGLES, "confidence"):
        return Measure(text, None, "", head)
    if head == "mm":
        length, _, part = rest.partition(".")
        if length in _LENGTHS and (part == "" if length in _MIDLINE else part in _PARTS):
            return Measure(text, None, length, part)
    raise ValueError(
        f"there is no measure {text!r}; there are AU12.left (right, mean, larger, difference, symmetry) of each Action Unit, "
        f"yaw, pitch, roll, confidence, and mm.fissure_height.left of each length"
    )


def _of_sides(sides: Sides[float], part: str) -> float:
    left, right = sides
    match part:
        case "left":
            return left
        case "right":
            return right
        case "symmetry":
            found = symmetry(left, right)
            return math.nan if found is None else found
    if not (math.isfinite(left) and math.isfinite(right)):
        return math.nan
    values = {"mean": (left + right) / 2, "larger": max(left, right), "difference": left - right}
    return values[part]
