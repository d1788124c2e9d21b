"""What the first pass over a recording keeps for the second: points and small grey windows of every face, on disk.

Two scratch files of fixed-size records in the folder that becomes the bundle, so that memory does not grow with the length of
a recording: about 12 KB a frame (210 MB for ten minutes at 30 a second), deleted when the bundle is finished.
"""

import struct
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self, get_args

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.descriptor import Descriptor
from realtime.action_units.rest_frame import EYE, LOWER, MOUTH, Windows
from realtime.files import open_private
from realtime.types import U8, FaceObservation, FacePart

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
_KNOWN = 1 << len(_PARTS)
"""The bit behind those of the hidden parts: every part was judged."""
_FIRST, _SECOND, _ANGLES = struct.Struct("<qdq"), struct.Struct("<d??dddB"), struct.Struct("<ddd")
_NO_ANGLES, _NO_SHAPE = (0.0, 0.0, 0.0), bytes(98 * 2 * 4)
_SHAPES = (EYE, EYE, MOUTH, LOWER)
_ENDS = tuple(accumulate(height * width for height, width in _SHAPES))
_BYTES = _ENDS[-1]
_CUT = np.dtype(("u1", (_BYTES,)))
_NO_WINDOWS = bytes(_BYTES)
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
        self._files[0].write(_face_record(sequence, time, face, found))
        self._files[1].write(_NO_WINDOWS if windows is None else _packed(windows))
        self.records += 1

    def finish(self) -> None:
        """Nothing more is added. Raises OSError."""
        for file in self._files:
            file.close()

    def faces(self) -> Iterator[Seen]:
        """Every record in its order."""
        for start, rows in _chunks(self._paths[0], _FACE):
            yield from _all_seen(start, rows)

    def with_windows(self) -> Iterator[tuple[Seen, Windows]]:
        """Every record with its windows."""
        for (start, rows), (_, cut) in zip(_chunks(self._paths[0], _FACE), _chunks(self._paths[1], _CUT), strict=True):
            yield from zip(_all_seen(start, rows), map(_windows, cut), strict=True)

    def windows_of(self, place: int) -> Windows:
        """The windows of one record."""
        return _windows(np.fromfile(self._paths[1], np.uint8, _BYTES, offset=place * _BYTES))

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


def _face_record(sequence: int, time: float, face: FaceObservation | None, found: Descriptor | None) -> bytes:
    """One record of `_FACE`, whose fields follow each other without gaps. NumPy takes four times as long to set them one by one."""
    if face is None:
        return _FIRST.pack(sequence, time, _NOBODY) + bytes(_FACE.itemsize - _FIRST.size)
    hidden = sum(1 << _PARTS.index(part) for part in face.hidden) | (_KNOWN if face.hidden_known else 0)
    return b"".join(
        (
            _FIRST.pack(sequence, time, face.face_id),
            face.box.astype("<f4").tobytes(),
            _SECOND.pack(face.confidence, face.detected, face.pose is not None, *(face.pose or _NO_ANGLES), hidden),
            face.points.astype("<f4").tobytes(),
            bytes((found is not None,)),
            _NO_SHAPE if found is None else found.shape.astype("<f4").tobytes(),
            _ANGLES.pack(*(_NO_ANGLES if found is None else found.pose)),
        )
    )


def _chunks(path: Path, kind: np.dtype[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    start = 0
    with path.open("rb") as file:
        while len(rows := np.fromfile(file, kind, _AT_ONCE)):
            yield start, rows
            start += len(rows)


def _all_seen(start: int, rows: NDArray[Any]) -> Iterator[Seen]:
    """Of a stretch of records: column by column, because single cells of NumPy's records take as long as whole columns.

    The arrays are views of the stretch's own copies: nobody writes into them.
    """
    boxes, points, shapes = (np.array(rows[name]) for name in ("box", "points", "shape"))
    words = ("sequence", "time", "face_id", "confidence", "detected", "posed", "pose", "hidden", "described", "angles")
    columns = [rows[name].tolist() for name in words]
    for index, cells in enumerate(zip(*columns, strict=True)):
        sequence, time, face_id, confidence, detected, posed, pose, hidden, described, angles = cells
        if face_id == _NOBODY:
            yield Seen(start + index, sequence, time, None, None)
            continue
        face = FaceObservation(
            face_id=face_id,
            box=boxes[index],
            points=points[index],
            raw_points=points[index],
            confidence=confidence,
            detected=detected,
            pose=tuple(pose) if posed else None,
            hidden=tuple(part for bit, part in enumerate(_PARTS) if hidden >> bit & 1),
            hidden_known=bool(hidden & _KNOWN),
        )
        found = Descriptor(shapes[index], tuple(angles)) if described else None
        yield Seen(start + index, sequence, time, face, found)


def _packed(windows: Windows) -> bytes:
    return b"".join(window.tobytes() for window in windows)


def _windows(row: U8) -> Windows:
    starts = (0, *_ENDS[:-1])
    left, right, mouth, lower = (
        row[start:end].reshape(shape) for start, end, shape in zip(starts, _ENDS, _SHAPES, strict=True)
    )
    return left, right, mouth, lower
