"""What a session keeps so that its Action Units can be predicted again: per frame and model two numbers, not 4702.

A `.parts` file: one line of JSON (format, face, Action Units, cutoffs, which model is which), then fixed-size records,
little endian: int64 frame, float64 timestamp in s, uint8 settled (the neutral had come to rest), then float32 values: what
the frame says per model, then what the neutral took from it. NaN: not measured. Records are appended, so a killed session
loses at most its last flush.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError
from realtime.files import AppendedFile, open_regular, reason
from realtime.openface2.assets import Assets
from realtime.openface2.pipeline import Face, Measurement
from realtime.openface2.postprocess import Session
from realtime.types import F64

FORMAT = "facemirror-live openface2 parts 1"


def parts_name(face: Face, stem: str = "openface2") -> str:
    """File name beside the face's CSV.

    Args:
        face: whole or a half.
        stem: what the name begins with.
    """
    return f"{stem}.parts" if face is Face.WHOLE else f"{stem}_{face.value}.parts"


def _record(models: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("frame", "<i8"),
            ("time", "<f8"),
            ("settled", "u1"),
            ("predicted", "<f4", (models,)),
            ("neutral", "<f4", (models,)),
        ]
    )


class PartsFile:
    """Appends one record per frame.

    Args:
        path: of a file that does not exist.
        assets: the models whose predictions are recorded.
        face: which face they are made on.

    Raises:
        DeviceError: it cannot be created.
    """

    def __init__(self, path: Path, assets: Assets, face: Face) -> None:
        intensity, occurrence = assets.intensity, assets.occurrence
        classes = [] if occurrence is None else [list(pair) for pair in occurrence.class_values]
        header = {
            "format": FORMAT,
            "face": face.value,
            "intensity": list(intensity.aus),
            "cutoffs": intensity.cutoffs.tolist(),
            "occurrence": [] if occurrence is None else list(occurrence.aus),
            "classes": classes,
        }
        self._models = len(intensity.aus) + len(classes)
        self._dtype = _record(self._models)
        self.path = path
        self._file = AppendedFile(path, json.dumps(header).encode() + b"\n")

    def write(self, frame: int, time: float, measurement: Measurement) -> None:
        """Append one frame.

        Args:
            frame: its number, as in the CSV.
            time: seconds.
            measurement: of that frame; NaN is recorded where nothing was measured.

        Raises:
            DeviceError: the disk does not take it.
        """
        record = np.zeros((), self._dtype)
        record["frame"], record["time"], record["settled"] = frame, time, measurement.settled
        record["predicted"] = np.nan if measurement.frame_parts is None else measurement.frame_parts
        record["neutral"] = np.nan if measurement.neutral_parts is None else measurement.neutral_parts
        self._file.write(record.tobytes())

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Parts:
    """A read `.parts` file. occurrence is None without classifiers.

    Attributes:
        face: whole or a half.
        frames: (n,) numbers as in the CSV.
        times: (n,) s.
        settled: (n,) the live neutral had come to rest.
        intensity_aus: (a,) numbers.
        cutoffs: (a,) of the dynamic models, or -1.
        intensity: (n, a) parts of the predictions.
        occurrence_aus: (b,) numbers; None without classifiers.
        class_values: (b, 2).
        occurrence: (n, b) parts of the predictions.
    """

    face: Face
    frames: NDArray[np.int64]
    times: F64
    settled: NDArray[np.bool_]
    intensity_aus: tuple[int, ...]
    cutoffs: F64
    intensity: Session
    occurrence_aus: tuple[int, ...]
    class_values: F64
    occurrence: Session | None


def read_parts(path: Path) -> Parts:
    """Read a `.parts` file; an unfinished last record is left out.

    Raises:
        UserInputError: it is missing, cannot be read or is no such file.
    """
    try:
        with open_regular(path) as file:
            line, _, body = file.read().partition(b"\n")
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    try:
        header = json.loads(line)
        if header["format"] != FORMAT:
            raise ValueError(f"format {header['format']!r}")
        face = Face(header["face"])
        intensity_aus = tuple(int(au) for au in header["intensity"])
        occurrence_aus = tuple(int(au) for au in header["occurrence"])
        cutoffs = np.array(header["cutoffs"], np.float64)
        class_values = np.array(header["classes"], np.float64).reshape(-1, 2)
        if len(cutoffs) != len(intensity_aus) or len(class_values) != len(occurrence_aus):
            raise ValueError("its lists do not match")
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UserInputError(f"{path.name} is not a record of Action Unit predictions ({error}).") from None
    dtype = _record(len(intensity_aus) + len(occurrence_aus))
    records = np.frombuffer(body[: len(body) // dtype.itemsize * dtype.itemsize], dtype)
    predicted, neutral = records["predicted"].astype(np.float64), records["neutral"].astype(np.float64)
    cut = len(intensity_aus)
    occurrence = Session(predicted[:, cut:], neutral[:, cut:]) if occurrence_aus else None
    return Parts(
        face,
        records["frame"].astype(np.int64),
        records["time"].astype(np.float64),
        records["settled"].astype(np.bool_),
        intensity_aus,
        cutoffs,
        Session(predicted[:, :cut], neutral[:, :cut]),
        occurrence_aus,
        class_values,
        occurrence,
    )
