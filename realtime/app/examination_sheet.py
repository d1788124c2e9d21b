"""A session's examination as a sheet: its pictures or drawn faces, and the method's own error from mirrored pictures."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from realtime.app.examinations import before, open_examination
from realtime.app.replay import Pictures
from realtime.clinic import Examination, Movement, Ruler, ScaleChoice, Snapshot
from realtime.clinic.noise_floor import errors_at_peaks, noise_floor
from realtime.clinic.sheet import SheetContent, sheet_page
from realtime.clinic.types import MOVEMENTS
from realtime.errors import DeviceError, UserInputError
from realtime.files import open_regular, reason, write_atomically
from realtime.media import lossless
from realtime.render.landmarks import draw_landmarks
from realtime.session import decision_log
from realtime.session.decision_log import read_decisions
from realtime.session.folder import FRAMES
from realtime.session.schema import POINTS
from realtime.types import F32, U8, Millimetres

_SIDE = 240
_MARGIN = 0.28
_NO_RAW = (
    "There are no raw frames to read, so the faces are drawn from their points and the method's own error is not known."
)


class _Row(NamedTuple):
    """points: (98, 2) pixels. mm_per_pixel: NaN where there were no millimetres."""

    points: F32
    mm_per_pixel: float


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which frames a sheet shows and measures, by their numbers."""

    shown: Mapping[Movement, int]
    rests: tuple[int, ...]

    @property
    def every(self) -> frozenset[int]:
        return frozenset((*self.shown.values(), *self.rests))


def write_sheet(session: Path, target: Path, *, landmarks_only: bool = False, weights: Path | None = None) -> Path:
    """Write the page of a session's examination.

    Args:
        session: the session's folder.
        target: the page's file; one that exists is replaced.
        landmarks_only: draw faces instead of showing pictures.
        weights: another folder of models.

    Returns:
        `target`.

    Raises:
        UserInputError: there is no examination, or the session is damaged.
        DeviceError: the page cannot be written.
    """
    examination = open_examination(session)
    wanted = _wanted(examination)
    rows = _rows(session / FRAMES, wanted.every)
    frames = _frames(session, wanted.every)
    shown = {} if landmarks_only else frames
    pictures = {
        movement: _encoded(
            _crop(shown[number], rows[number].points) if number in shown else _drawn(rows[number].points)
        )
        for movement, number in wanted.shown.items()
        if number in rows
    }
    known = {number: (frames[number], rows[number]) for number in wanted.every if number in frames and number in rows}
    floor = _floor(
        [known[number] for number in wanted.rests if number in known],
        {movement: known[number][0] for movement, number in wanted.shown.items() if number in known},
        weights,
    )
    remarks = [] if frames else [_NO_RAW]
    content = SheetContent(examination, before(session, examination), pictures, floor, remarks)
    try:
        with write_atomically(target) as file:
            file.write(sheet_page(content).encode("utf-8", "replace"))
    except OSError as error:
        raise DeviceError(f"{target} cannot be written ({reason(error)}).") from None
    return target


def _wanted(examination: Examination) -> _Wanted:
    shown: dict[Movement, int] = {}
    for movement in MOVEMENTS:
        for one in examination.counted(movement):
            found: Snapshot | None = one.rest if movement == "rest" else one.at_peak
            # Repetitions taken over from a session that was broken off have no frames here.
            if found is not None and found.sequence >= 0:
                shown.setdefault(movement, found.sequence)
    rests = tuple(one.rest.sequence for one in examination.counted("rest") if one.rest and one.rest.sequence >= 0)
    return _Wanted(shown, rests)


def _rows(path: Path, numbers: frozenset[int]) -> dict[int, _Row]:
    """Points and scale of these frames, where they were measured."""
    found = {}
    try:
        with open_regular(path) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                number = int(row["sequence"] or -1)
                if number in numbers and row.get("wflw_x_0"):
                    places = [[float(row[f"wflw_{axis}_{i}"]) for axis in "xy"] for i in range(POINTS)]
                    found[number] = _Row(np.array(places, np.float32), float(row.get("mm_scale") or "nan"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise UserInputError(f"{path} is damaged ({error}).") from None
    return found


def _frames(session: Path, numbers: frozenset[int]) -> dict[int, U8]:
    """Raw frames by number; empty where none were recorded, or a kill left none that can be read."""
    if not numbers or not (session / lossless.NAME).is_file():
        return {}
    try:
        decisions = list(read_decisions(session / decision_log.NAME))
        pictures = Pictures(decisions, lossless.read_raw(session / lossless.NAME))
    except UserInputError:
        return {}
    return {frame.sequence: frame.image for frame in pictures.up_to(max(numbers)) if frame.sequence in numbers}


def _square(points: F32) -> tuple[float, float, float]:
    """Left, top and side of a square round a face, with room above for the forehead."""
    low, high = points.min(axis=0), points.max(axis=0)
    side = float(max(high - low)) * (1 + 2 * _MARGIN)
    middle = (low + high) / 2 - np.array([0.0, 0.12 * side])
    return float(middle[0] - side / 2), float(middle[1] - side / 2), side


def _crop(picture: U8, points: F32) -> U8:
    left, top, side = _square(points)
    matrix = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top]]) * (_SIDE / side)
    cut = cv2.warpAffine(picture, matrix, (_SIDE, _SIDE), flags=cv2.INTER_AREA, borderValue=(255, 255, 255))
    return np.asarray(cut, np.uint8)


def _drawn(points: F32) -> U8:
    """A face drawn from its points, on white."""
    left, top, side = _square(points)
    page = np.full((2 * _SIDE, 2 * _SIDE, 3), 255, np.uint8)
    draw_landmarks(page, ((points - (left, top)) * (2 * _SIDE / side)).astype(np.float32), thickness=2)
    return page


def _encoded(picture: U8) -> bytes:
    drawn = picture.shape[0] > _SIDE
    kind, options = (".png", []) if drawn else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 88])
    return cv2.imencode(kind, picture, options)[1].tobytes()


def _floor(rests: list[tuple[U8, _Row]], peaks: Mapping[Movement, U8], weights: Path | None) -> Mapping[str, float]:
    """The method's own left minus right, from pictures at rest and at the peaks, and their mirror images."""
    known = [(picture, row.mm_per_pixel) for picture, row in rests if np.isfinite(row.mm_per_pixel)]
    if not known:
        return {}
    from realtime.analyze import FaceAnalyzer

    scale = float(np.median([mm for _, mm in known]))
    ruler = Ruler(100 * scale, (0.0, 0.0), (100.0, 0.0))
    # An average with the mirror image would hide the very difference that is looked for.
    analyzer = FaceAnalyzer(
        weights=weights, mirror_average=False, crop_average=1, millimetres=ScaleChoice("ruler", ruler=ruler)
    )

    def measured(picture: U8) -> Millimetres | None:
        faces = analyzer(picture)
        return faces[0].millimetres if faces else None

    rest = noise_floor((picture for picture, _ in known), measured)
    at_peaks: dict[Movement, Mapping[str, float]] = {
        one: noise_floor([picture], measured) for one, picture in peaks.items() if one != "rest"
    }
    return {**rest, **errors_at_peaks(rest, at_peaks)}


def sheet_beside(session: Path, out: Path | None) -> Path:
    """Where the sheet goes: beside the session's folder, or beside the report where that was named.

    Args:
        session: folder of the session.
        out: the report, or None.
    """
    if out is not None:
        return out.with_name(f"{out.stem}-examination{out.suffix or '.html'}")
    session = session.resolve()
    return session.with_name(f"{session.name}-examination.html")
