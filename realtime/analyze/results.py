"""What the public face returns, and how it turns into plain values and data frames."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from realtime.errors import UserInputError
from realtime.session.hidden_column import HIDDEN, words_of
from realtime.types import F32, FaceObservation, FacePart, Frame, Millimetres, RestState, Sides

if TYPE_CHECKING:
    import pandas as pd

Baseline = Literal["none", "running", "calibrated"]


@dataclass(frozen=True, slots=True)
class Face:
    """One face on one picture. Points are pixels, x right, y down, pixel centres at integers.

    Args:
        face_id: in a still the face's place in the result, from 1; in a video the same for as long as it is the same face.
        box: (4,) x1, y1, x2, y2, pixels.
        points: (98, 2) WFLW order, pixels; in a video smoothed with low lag.
        covariance: (98, 2, 2) pixels squared; None where the landmark model gives none.
        pose: yaw, pitch, roll in degrees (yaw > 0: the patient turns to the patient's left; pitch > 0: looks up; roll > 0:
            head tilts to the patient's left); None when it could not be measured.
        presence: 0..1, how surely this is a face that can be measured; falls with size, blur and occlusion.
        action_units: intensity 0..5 by Action Unit for the patient's left and right; NaN where it cannot be seen.
        baseline: what the intensities are measured against: none (the mean face), the running median of this face, or a
            calibration.
        detected: the detector saw the face on this picture; otherwise it was followed from the picture before.
        rest: how well the person's rest is known, in a video; empty in a still and while nothing is known.
        rest_share: share of the newest baseline in the intensities; below 1 a change of it is being blended in.
        millimetres: lengths of the face; None where they were not asked for.
        hidden: parts that are covered, outside the picture or too small: their points are a guess, their Action Units NaN; None: the
            landmark model does not tell.
    """

    face_id: int
    box: F32
    points: F32
    covariance: F32 | None
    pose: tuple[float, float, float] | None
    presence: float
    action_units: Sides[Mapping[int, float]]
    baseline: Baseline = "none"
    detected: bool = True
    millimetres: Millimetres | None = None
    rest: RestState = ""
    rest_share: float = 1.0
    hidden: tuple[FacePart, ...] | None = None

    @classmethod
    def of(
        cls,
        found: FaceObservation,
        units: Sides[dict[int, float]],
        baseline: Baseline,
        millimetres: Millimetres | None = None,
    ) -> "Face":
        """From a tracked face, its Action Units and its lengths.

        Args:
            found: the tracked face.
            units: its Action Units by side.
            baseline: how they were told from rest.
            millimetres: its lengths, or None.
        """
        return cls(
            face_id=found.face_id,
            box=found.box,
            points=found.points,
            covariance=found.covariance,
            pose=found.pose,
            presence=found.confidence,
            action_units=Sides(units.left, units.right),
            baseline=baseline,
            detected=found.detected,
            millimetres=millimetres,
            hidden=found.told_hidden,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON. What was not measured is None."""
        left, right = ({unit: _plain(value) for unit, value in side.items()} for side in self.action_units)
        return {
            "face_id": self.face_id,
            "box": self.box.tolist(),
            "points": self.points.tolist(),
            "covariance": None if self.covariance is None else self.covariance.tolist(),
            "pose": None if self.pose is None else dict(zip(("yaw", "pitch", "roll"), self.pose, strict=True)),
            "presence": self.presence,
            "action_units": {"left": left, "right": right},
            "baseline": self.baseline,
            "detected": self.detected,
            "rest": self.rest,
            "rest_share": self.rest_share,
            "hidden": None if self.hidden is None else list(self.hidden),
            **({} if self.millimetres is None else {"millimetres": _lengths(self.millimetres)}),
        }

    def to_row(self) -> dict[str, Any]:
        """One flat row, with the column names of a session's frames.csv. What was not measured is None."""
        row: dict[str, Any] = {"face_id": self.face_id, "confidence": self.presence}
        row["found_by"] = "detected" if self.detected else "tracked"
        row |= zip(("box_x1", "box_y1", "box_x2", "box_y2"), self.box.tolist(), strict=True)
        row |= zip(("yaw", "pitch", "roll"), self.pose or (None, None, None), strict=True)
        row["neutral"] = self.baseline
        for axis, name in enumerate("xy"):
            row |= {f"wflw_{name}_{i}": value for i, value in enumerate(self.points[:, axis].tolist())}
        for unit in self.action_units.left:
            for side, values in zip(("left", "right"), self.action_units, strict=True):
                row[f"AU{unit:02d}_{side}"] = _plain(values.get(unit, math.nan))
        row["rest"], row["rest_share"] = self.rest or None, self.rest_share if self.rest else None
        if self.millimetres is not None:
            row |= {f"mm_{name}": value for name, value in _lengths(self.millimetres).items()}
        row[HIDDEN] = None if self.hidden is None else words_of(self.hidden)
        return row


class TrackedFace(NamedTuple):
    """A frame of a video and the face that is followed on it.

    Args:
        frame: with its sequence number and capture time.
        face: None where no face is tracked.
    """

    frame: Frame
    face: Face | None

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON (without the picture)."""
        face = None if self.face is None else self.face.to_dict()
        return {"sequence": self.frame.sequence, "capture_time": self.frame.capture_time, "face": face}

    def to_row(self) -> dict[str, Any]:
        """One flat row, with the column names of a session's frames.csv."""
        row: dict[str, Any] = {"sequence": self.frame.sequence, "capture_time": self.frame.capture_time}
        return row if self.face is None else row | self.face.to_row()


class Faces(tuple[Face, ...]):
    """Every face of a still, best first."""

    __slots__ = ()

    def to_dict(self) -> list[dict[str, Any]]:
        """One dictionary of plain values for each face."""
        return [face.to_dict() for face in self]

    def to_pandas(self) -> "pd.DataFrame":
        """One row for each face. Needs pandas."""
        return data_frame(face.to_row() for face in self)


def data_frame(rows: Iterable[Mapping[str, Any]]) -> "pd.DataFrame":
    """A data frame of flat rows.

    Args:
        rows: as `to_row` gives them.

    Raises:
        UserInputError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise UserInputError("to_pandas() needs pandas: install it with pip install pandas.") from None
    return pd.DataFrame.from_records(list(rows))


def _lengths(found: Millimetres) -> dict[str, Any]:
    """By the names of the columns in a session's frames.csv, without their mm_."""
    from realtime.clinic.measures import every_length, length_names

    scale = _plain(found.mm_per_pixel)
    words = {"source": found.source, "state": None if scale is None else found.scale_state, "withheld": found.withheld}
    values = zip(length_names(), map(_plain, every_length(found)), strict=True)
    return {"scale": scale, **words, **dict(values)}


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
