"""What the face path says about one frame.

Points are pixels of the full frame, x right, y down, pixel centres at integers.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Region = tuple[int, int, int, int]
"""x1, y1, x2, y2 in frame pixels, x2 and y2 excluded, inside the frame."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One face as the detector saw it.

    box: (4,) x1, y1, x2, y2. score: 0..1. points: (5, 2) eyes (image left, image right), nose, mouth corners (same order).
    """

    box: F32
    score: float
    points: F32


@dataclass(frozen=True, slots=True)
class Detections:
    """Every face of one frame, best first; an empty tuple means: looked, found none.

    region: the part that was looked at; None: all of it.
    """

    sequence: int
    capture_time: float
    faces: tuple[Detection, ...]
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class FaceObservation:
    """The tracked face on one frame.

    points: (98, 2) WFLW order, smoothed with low lag; raw_points: the same before smoothing.
    covariance: (98, 2, 2) pixels squared, or None where the landmark model gives none.
    pose: yaw, pitch, roll in degrees (yaw > 0: the patient turns to the patient's left; pitch > 0: looks up;
    roll > 0: head tilts to the patient's left), or None when not measured.
    confidence: the landmark model's presence score, 0..1; where the model has none, a plausibility from geometry
    (`estimated` is then true): the points look like a face, which does not prove that the picture shows one.
    detected: a detector result entered this observation; otherwise the face was tracked.
    """

    face_id: int
    box: F32
    points: F32
    raw_points: F32
    confidence: float
    detected: bool
    covariance: F32 | None = None
    pose: tuple[float, float, float] | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Analysis:
    """The measured result of one frame. `face` is None when the frame was looked at and shows no tracked face.

    au_left, au_right: intensity 0..5 by AU number, the patient's own left and right. NaN or absent: not measured.
    neutral: what they were measured against: none, the running median of this face, or a calibration.
    """

    sequence: int
    capture_time: float
    face: FaceObservation | None
    au_left: dict[int, float] = field(default_factory=dict)
    au_right: dict[int, float] = field(default_factory=dict)
    neutral: Literal["none", "running", "calibrated"] = "none"
