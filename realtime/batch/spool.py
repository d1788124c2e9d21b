"""What the first pass over a recording keeps for the second: points and small grey windows of every face, on disk.

Two scratch files of fixed-size records in the folder that becomes the bundle, so that memory does not grow with the length of
a recording: about 12 KB a frame (210 MB for ten minutes at 30 a second), deleted when the bundle is finished.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self, get_args

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.descriptor import Descriptor
from realtime.action_units.rest_frame import EYE, LOWER, MOUTH, Windows
from realtime.files import open_private
from realtime.types import F32, FaceObservation, FacePart

_PARTS: tuple[FacePart, ...] = get_args(FacePart)
_FACE = np.dtype(
    [
        ("sequence", "<i8"),
        ("time", "<f8"),
        ("face_id", "<i8"),
        ("box", "<f4", 4),
        ("confidence", "<f8"),
        ("detected", "?"),
        ("posed", "?"),
        ("pose", "<f8", 3),
        ("hidden", "u1"),
        ("points", "<f4", (98, 2)),
        ("described", "?"),
        ("shape", "<f4", (98, 2)),
        ("angles", "<f8", 3),
    ]
)
_WINDOWS = np.dtype([("left", "u1", EYE), ("right", "u1", EYE), ("mouth", "u1", MOUTH), ("lower", "u1", LOWER)])
_NOBODY = -1
_AT_ONCE = 256


class Seen(NamedTuple):
    """One face on one frame, or a frame without a face.

    Attributes:
        place: number of the record.
        sequence: the frame's number.
        time: its capture time, seconds.
        face: as it was tracked, without what only a live run needs; None: nobody.
        found: its descriptor; None where the points are no face, or there is nobody.
    """

    place: int
    sequence: int
    time: float
    face: FaceObservation | None
    found: Descriptor | None


class Spool:
    """The two files. First everything is added, then `finish`, then it is read as often as needed.

    Create the files in `folder`. Raises OSError.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = folder / ".faces.scratch", folder / ".windows.scratch"
        self._files: list[IO[Any]] = [open_private(path, "xb") for path in self._paths]
        self._face = np.zeros(1, _FACE)
        self._window = np.zeros(1, _WINDOWS)
        self.records = 0

    def add(
        self,
        sequence: int,
        time: float,
        face: FaceObservation | None,
        found: Descriptor | None,
        windows: Windows | None,
    ) -> None:
        """Add one face on one frame, or a frame without a face.

        Args:
            sequence: of the frame.
            time: of the frame, seconds.
            face: None: there is none.
            found: its descriptor, or None.
            windows: cut from the frame, or None.

        Raises:
            OSError: the disk does not take it.
        """
        row = self._face
        row[:] = np.zeros(1, _FACE)
        row["sequence"], row["time"], row["face_id"] = sequence, time, _NOBODY
        if face is not None:
            row["face_id"], row["box"], row["confidence"] = face.face_id, face.box, face.confidence
            row["detected"], row["points"] = face.detected, face.points
            if face.pose is not None:
                row["posed"], row["pose"] = True, face.pose
            row["hidden"] = sum(1 << _PARTS.index(part) for part in face.hidden)
        if found is not None:
            row["described"], row["shape"], row["angles"] = True, found.shape, found.pose
        self._window[:] = np.zeros(1, _WINDOWS)
        if windows is not None:
            for name, window in zip(_WINDOWS.names or (), windows, strict=True):
                self._window[name] = window
        self._files[0].write(row.tobytes())
        self._files[1].write(self._window.tobytes())
        self.records += 1

    def finish(self) -> None:
        """Nothing more is added. Raises OSError."""
        for file in self._files:
            file.close()

    def faces(self) -> Iterator[Seen]:
        """Every record in its order."""
        for start, rows in _chunks(self._paths[0], _FACE):
            for index in range(len(rows)):
                yield _seen(start + index, rows[index])

    def with_windows(self) -> Iterator[tuple[Seen, Windows]]:
        """Every record with its windows."""
        for (start, rows), (_, cut) in zip(
            _chunks(self._paths[0], _FACE), _chunks(self._paths[1], _WINDOWS), strict=True
        ):
            for index in range(len(rows)):
                yield _seen(start + index, rows[index]), _windows(cut[index])

    def windows_of(self, place: int) -> Windows:
        """The windows of one record."""
        return _windows(np.fromfile(self._paths[1], _WINDOWS, 1, offset=place * _WINDOWS.itemsize)[0])

    def close(self) -> None:
        """Delete the files. Safe to call twice."""
        for file in self._files:
            file.close()
        for path in self._paths:
            path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _chunks(path: Path, kind: np.dtype[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    start = 0
    with path.open("rb") as file:
        while len(rows := np.fromfile(file, kind, _AT_ONCE)):
            yield start, rows
            start += len(rows)


def _seen(place: int, row: NDArray[Any]) -> Seen:
    sequence, time = int(row["sequence"]), float(row["time"])
    if row["face_id"] == _NOBODY:
        return Seen(place, sequence, time, None, None)
    points: F32 = np.array(row["points"])
    face = FaceObservation(
        face_id=int(row["face_id"]),
        box=np.array(row["box"]),
        points=points,
        raw_points=points,
        confidence=float(row["confidence"]),
        detected=bool(row["detected"]),
        pose=_angles(row["pose"]) if row["posed"] else None,
        hidden=tuple(part for bit, part in enumerate(_PARTS) if int(row["hidden"]) >> bit & 1),
    )
    found = Descriptor(np.array(row["shape"]), _angles(row["angles"])) if row["described"] else None
    return Seen(place, sequence, time, face, found)


def _angles(values: NDArray[np.float64]) -> tuple[float, float, float]:
    yaw, pitch, roll = (float(value) for value in values)
    return yaw, pitch, roll


def _windows(row: NDArray[Any]) -> Windows:
    left, right, mouth, lower = (np.ascontiguousarray(row[name]) for name in _WINDOWS.names or ())
    return left, right, mouth, lower
