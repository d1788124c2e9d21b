"""Real, hand-labelled photographs: the Face Research Lab London Set and the Canada set, as far as they are shared.

Credit: DeBruine, L. and Jones, B. (2017), Face Research Lab London Set, figshare 5047666, and Young Adult White Faces, figshare
4220517; both CC BY 4.0. A folder holds neutral/ID.jpg with ID.tem (189 hand-placed points), smiling/ID.jpg without points,
canada/ID.jpg with ID.tem, and info.csv. About half of the people are for training, the others only for figures.
"""

import csv
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

HAND_POINTS = {
    **dict(zip(range(60, 68), (18, 19, 20, 21, 22, 30, 29, 28), strict=True)),
    **dict(zip(range(68, 76), (23, 24, 25, 26, 27, 33, 32, 31), strict=True)),
    **dict(zip(range(76, 88), (87, 88, 89, 90, 91, 92, 93, 108, 107, 106, 105, 104), strict=True)),
    96: 0,
    97: 1,
    16: 129,
}
"""WFLW point -> the hand-placed point that means the same place."""
IRIS_RINGS = (range(2, 10), range(10, 18))
"""Hand-placed points around the iris on the image's left and right."""
SIDE_POINTS = (2, 6)
"""Of a ring's eight points, those at the sides, which no lid covers. The upper ones lie on the lid wherever it covers the iris, so that
the mean of the ring is 7 % too small: with it pupils would stand 66 mm apart, with the sides 62 (population: 62 to 63)."""
IRIS_MM = 11.77
"""Mean horizontal diameter of a human iris, millimetres: the ruler in a photograph."""
LONGEST = 720
"""Longest side to which a photograph is reduced, pixels."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """One photograph. person: "london/001" or "canada/003f". smiling: without hand-placed points. training: may be learnt from.

    picture: (H, W, 3) BGR. hand: (98, 2) pixels, NaN where no point was placed by hand; None on a smiling picture.
    mm: millimetres of a pixel at the eyes by the iris rings; None without them.
    """

    person: str
    ethnicity: str
    smiling: bool
    training: bool
    picture: U8
    hand: F32 | None
    mm: float | None


def for_training(person: str) -> bool:
    """Whether a person's pictures may be learnt from: about half of them, by a checksum of the name."""
    return zlib.crc32(person.encode()) % 2 == 0


def read_template(file: Path) -> F32:
    """The hand-placed points (N, 2) of a .tem file: their number, then x and y one a line.

    Raises:
        UserInputError: the file is not of that form.
    """
    try:
        lines = file.read_text(encoding="ascii").split("\n")
        rows = [line.split() for line in lines[1 : int(lines[0]) + 1]]
        return np.array([(float(x), float(y)) for x, y in rows], np.float32)
    except (ValueError, UnicodeDecodeError) as error:
        raise UserInputError(f"{file} is not a template of hand-placed points.") from error


def as_wflw(template: F32) -> F32:
    """(98, 2) WFLW points of a template's points (189, 2); NaN where the template has none."""
    out = np.full((98, 2), np.nan, np.float32)
    out[list(HAND_POINTS)] = template[list(HAND_POINTS.values())]
    return out


def ring_sides(ring: F32) -> tuple[F32, float]:
    """Centre (2,) and horizontal diameter of the iris by its ring (8, 2)."""
    one, other = ring[SIDE_POINTS[0]], ring[SIDE_POINTS[1]]
    return ((one + other) / 2).astype(np.float32), float(np.hypot(*(one - other)))


def iris_diameter(template: F32) -> float:
    """Mean horizontal diameter of both irises in the template's pixels, by their rings."""
    return float(np.mean([ring_sides(template[list(ring)])[1] for ring in IRIS_RINGS]))


def portraits(folder: Path) -> list[Portrait]:
    """Every picture of the folder, by person.

    Raises:
        UserInputError: it holds none.
    """
    table = folder / "info.csv"
    groups: dict[str, str] = {}
    if table.is_file():
        with table.open(encoding="utf-8", newline="") as file:
            groups = {row["face_id"]: row["face_eth"] for row in csv.DictReader(file)}
    out = []
    for kind in ("neutral", "smiling", "canada"):
        for path in sorted((folder / kind).glob("*.jpg")):
            picture = cv2.imread(str(path))
            if picture is None:
                raise UserInputError(f"{path} cannot be read as a picture.")
            scale = min(1.0, LONGEST / max(picture.shape[:2]))
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            person = f"{'canada' if kind == 'canada' else 'london'}/{path.stem}"
            template = path.with_suffix(".tem")
            hand, mm = None, None
            if template.is_file():
                placed = (read_template(template) + 0.5) * scale - 0.5
                hand, mm = as_wflw(placed), IRIS_MM / iris_diameter(placed)
            group = "white" if kind == "canada" else groups.get(path.stem, "unknown")
            out.append(Portrait(person, group, kind == "smiling", for_training(person), picture, hand, mm))
    if not out:
        raise UserInputError(f"{folder} holds no neutral, smiling or canada pictures.")
    return out
