"""Value types that several rooms share: frames, detections, faces, and what travels between the nodes.

Points are pixels of the full frame, x right, y down, pixel centres at integers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Generic, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime.errors import PictureError

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
T = TypeVar("T")
Neutral = Literal["none", "running", "recording", "calibrated"]
"""What Action Units are measured against: nothing known, the face's median so far, its rest over the whole recording, a
calibration."""
RestState = Literal["", "provisional", "settled", "calibrated"]
"""How well a person's rest is known; empty where that is not asked."""


class Sides(NamedTuple, Generic[T]):
    """One value for each of the patient's own sides, whatever mirror view is shown. Left comes first.

    Attributes:
        left: of the patient's left side.
        right: of the patient's right side.
    """

    left: T
    right: T


def check_picture(image: object) -> None:
    """Refuse an array that the face path would misread. Costs about a microsecond.

    Args:
        image: what should be an (H, W, 3) uint8 BGR picture, C-contiguous, with at least one pixel.

    Raises:
        PictureError: it is something else; the sentence says what, and how to convert it.
    """
    if not isinstance(image, np.ndarray):
        hint = " (which cv2.imread gives for a file that it cannot read)" if image is None else ""
        hint = "; read a file with cv2.imread" if isinstance(image, str | PurePath) else hint
        raise PictureError(
            "A picture should be a NumPy array of shape (height, width, 3), uint8, in BGR order, "
            f"not {type(image).__name__}{hint}."
        )
    if image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8 and image.size and image.flags.c_contiguous:
        return
    raise PictureError(_picture_problem(image))


def _picture_problem(image: NDArray[np.generic]) -> str:
    """What is wrong with an array that `check_picture` refuses, and what to do about it."""
    wanted = "a picture should be (height, width, 3), uint8, in BGR order"
    if image.size == 0:
        return f"The picture is empty (shape {image.shape}); {wanted}."
    if image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 1):
        return f"The picture is grey (shape {image.shape}); {wanted}: convert it with cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)."
    if image.ndim == 3 and image.shape[2] == 4:
        return f"The picture has four channels; {wanted}: convert it with cv2.cvtColor(image, cv2.COLOR_BGRA2BGR)."
    if image.ndim != 3 or image.shape[2] != 3:
        return f"The array of shape {image.shape} is no picture; {wanted}."
    if image.dtype != np.uint8:
        return f"The picture's values are {image.dtype}; {wanted}: scale them to 0..255 and convert with .astype(numpy.uint8)."
    return f"The picture is not contiguous in memory; {wanted}: copy it with numpy.ascontiguousarray(image)."


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture as it came from the source, upright and not mirrored.

    Attributes:
        image: (H, W, 3) uint8 BGR, C-contiguous, never written to after capture (draw on a copy).
        sequence: 0, 1, 2, ... in capture order, gaps mean frames the source itself lost.
        capture_time: seconds on the graph's clock when the picture was taken (or, for a paced file, was due).
        pts: the source's own presentation time in seconds from its first frame, or None where it has none.

    Raises:
        PictureError: `image` is of another kind (float, grey, four channels, not contiguous, empty).
    """

    image: NDArray[np.uint8]
    sequence: int
    capture_time: float
    pts: float | None = None

    def __post_init__(self) -> None:
        check_picture(self.image)


Region = tuple[int, int, int, int]
"""x1, y1, x2, y2 in frame pixels, x2 and y2 excluded, inside the frame."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One face as the detector saw it.

    Attributes:
        box: (4,) x1, y1, x2, y2.
        score: 0..1.
        points: (5, 2) eyes (image left, image right), nose, mouth corners (same order).
    """

    box: F32
    score: float
    points: F32


@dataclass(frozen=True, slots=True)
class Detections:
    """Every face of one frame, best first; an empty tuple means: looked, found none.

    Attributes:
        sequence: of the frame.
        capture_time: of the frame, seconds.
        faces: best first.
        region: the part that was looked at; None: all of it.
    """

    sequence: int
    capture_time: float
    faces: tuple[Detection, ...]
    region: Region | None = None


FacePart = Literal["left brow", "right brow", "left eye", "right eye", "mouth"]
"""A part of a face on which something can be measured; left and right are the patient's own."""


@dataclass(frozen=True, slots=True)
class FaceObservation:
    """The tracked face on one frame.

    Attributes:
        face_id: counts from 1; a face that comes back soon keeps its own.
        box: (4,) x1, y1, x2, y2 in frame pixels.
        points: (98, 2) WFLW order, smoothed with low lag.
        raw_points: the same before smoothing.
        confidence: the landmark model's presence score, 0..1, less where the face is small or blurred; where the model has no
            presence, a plausibility from geometry (`estimated` is then true): the points look like a face, which does not prove
            that the picture shows one.
        detected: a detector result entered this observation; otherwise the face was tracked.
        covariance: (98, 2, 2) pixels squared, or None where the landmark model gives none.
        pose: yaw, pitch, roll in degrees (yaw > 0: the patient turns to the patient's left; pitch > 0: looks up; roll > 0: head
            tilts to the patient's left), or None when not measured.
        estimated: `confidence` is a plausibility.
        hidden: parts on which nothing is measured: they are covered, outside the picture, too small or blurred; all, where the face is.
        hidden_known: every part was judged; otherwise the landmark network does not tell what is covered.
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
    hidden: tuple[FacePart, ...] = ()
    hidden_known: bool = False

    @property
    def told_hidden(self) -> tuple[FacePart, ...] | None:
        """The hidden parts, as far as they are told; None: the landmark network does not tell."""
        return self.hidden if self.hidden or self.hidden_known else None


ScaleSource = Literal["iris", "pupil distance", "ruler", "population mean"]
"""What gave the millimetres of a pixel; the population mean of the pupil distance is a guess and is called one."""
NOT_MEASURED = Sides(float("nan"), float("nan"))


ScaleState = Literal["provisional", "measured", "held"]
"""How good a scale is: from too few frames yet, from lately measured ones, or from earlier ones of the same face."""


@dataclass(frozen=True, slots=True)
class Millimetres:
    """Lengths of one face on one frame, in millimetres of the patient's own left and right. NaN: not measured.

    They are taken on the face as seen from the front: see `realtime.clinic.frontal`. Axes: x' runs through both eyes' centres (the
    middles of their corners, which neither follow the gaze nor vanish in a shut eye) towards the patient's left, y' is perpendicular
    at their middle, up positive.

    Attributes:
        mm_per_pixel: the scale, what it comes from and how good it is.
        source: likewise.
        withheld: why nothing was measured, in a few words; else empty.
        scale_state: likewise.
        brow_height: eye's centre to the brow's upper edge, along y'.
        fissure_height: gap between the lid margins at mid-lid, along y'.
        fissure_area: mm2 inside the lid margins.
        mrd1: pupil centre to the upper and to the lower lid margin, along y'; not measured in a shut eye.
        mrd2: likewise.
        commissure: from where the lower lip's outer edge crosses x' = 0 to the mouth corner.
        smile_angle: degrees, 90 + asin(h / commissure), h how far the corner lies above that crossing, along y'.
        corner_height: y' of the mouth corner (negative: below the eyes); not measured beyond 15 degrees of pitch.
        lower_lip_height: the lower lip's inner edge beside its middle to the chin below it, along y'.
        dental_show: height of the gap between the lips midway to the corner.
        interlabial_area: mm2 of the gap, cut at x' = 0.
        philtrum_deviation: x' of the upper lip's midpoint.
        fai: inner eye corner to mouth corner, left - right; its size is the published facial asymmetry index.
    """

    mm_per_pixel: float
    source: ScaleSource
    withheld: str = ""
    scale_state: ScaleState = "measured"
    brow_height: Sides[float] = NOT_MEASURED
    fissure_height: Sides[float] = NOT_MEASURED
    fissure_area: Sides[float] = NOT_MEASURED
    mrd1: Sides[float] = NOT_MEASURED
    mrd2: Sides[float] = NOT_MEASURED
    commissure: Sides[float] = NOT_MEASURED
    smile_angle: Sides[float] = NOT_MEASURED
    corner_height: Sides[float] = NOT_MEASURED
    lower_lip_height: Sides[float] = NOT_MEASURED
    dental_show: Sides[float] = NOT_MEASURED
    interlabial_area: Sides[float] = NOT_MEASURED
    philtrum_deviation: float = float("nan")
    fai: float = float("nan")


@dataclass(frozen=True, slots=True)
class Analysis:
    """The measured result of one frame. `face` is None when the frame was looked at and shows no tracked face.

    Attributes:
        sequence: of the frame.
        capture_time: of the frame, seconds.
        face: that is followed, or None.
        au_left: intensity 0..5 by AU number of the patient's own left. NaN or absent: not measured.
        au_right: likewise of the right.
        neutral: what they were measured against: none, the running median of this face, its rest over the whole recording, or a
            calibration.
        rest: how well that is known.
        rest_share: share of the newest baseline in them; below 1 a change is being blended in.
        millimetres: lengths of the face; None where they were not asked for or no face is there.
        faces: how many faces of about this one's size the newest search of the whole picture showed; None: none was made yet.
        others: with several people, everybody else who was looked at on this frame, in order of their face ids; `face` is the
            patient's then.
        sure: nothing on this frame speaks against `face` being the patient's.
    """

    sequence: int
    capture_time: float
    face: FaceObservation | None
    au_left: dict[int, float] = field(default_factory=dict)
    au_right: dict[int, float] = field(default_factory=dict)
    neutral: Neutral = "none"
    rest: RestState = ""
    rest_share: float = 1.0
    millimetres: Millimetres | None = None
    faces: int | None = None
    others: tuple["Analysis", ...] = ()
    sure: bool = True


PRESENT = 0.5
"""The network's threshold between an Action Unit that is there and one that is not."""


@dataclass(frozen=True, slots=True)
class Expression:
    """What the network says of one face.

    Attributes:
        units: 0..1 by Action Unit.
        emotions: probability 0..1 by name, summing to 1.
        gaze: yaw, pitch in radians, in the direction (-cos p sin y, -sin p, -cos p cos y) of the camera's axes (x right in the
            picture, y down, z away from the camera).
    """

    units: Mapping[int, float]
    emotions: Mapping[str, float]
    gaze: tuple[float, float]

    @property
    def emotion(self) -> str:
        """The likeliest emotion."""
        return max(self.emotions, key=lambda name: self.emotions[name])


Status = Literal["measured", "held", "none"]
View = Literal["overlay", "mirrored", "split", "raw"]
"""What is shown: the frame with what was measured, mirrored half-faces, both side by side, the bare frame."""
PanelMode = Literal["off", "auto", "left", "right", "strip"]
"""Where the bars stand: a corner, a strip beside the picture, or auto: a corner without a face, else the strip."""


@dataclass(frozen=True, slots=True)
class TrackedFrame:
    """An analysis and the frame it was made on (needed to move its points to a later picture).

    Attributes:
        analysis: what is known of it.
        frame: the picture.
    """

    analysis: Analysis
    frame: Frame


@dataclass(frozen=True, slots=True)
class OtherFace:
    """A person who is not the patient, as drawn on a picture.

    Attributes:
        face_id: never given again.
        points: (98, 2) pixels of the captured frame.
    """

    face_id: int
    points: F32


@dataclass(frozen=True, slots=True)
class RenderedFrame:
    """A picture ready to be shown.

    Attributes:
        image: (H, W, 3) uint8 BGR, not written to any more.
        sequence: of the frame it was drawn on.
        capture_time: likewise.
        status: measured = the analysis is this very frame's, held = an older one, none = there is none young enough.
        analysis: drawn on it, or None.
        result_age: seconds between the analysed and the shown frame's capture; None without an analysis.
        points: (98, 2) as drawn, in pixels of the captured frame (moved with the picture where the analysis is held).
        frame: the captured picture, with nothing drawn on it.
        faces: (4,) box of every face, where the whole picture was searched for them; None: it was not, or the search failed.
        expression: OpenFace 3.0's values and the seconds between their frame and this one; None without them.
        expression_age: likewise.
        others: with several people, everybody else's face.
    """

    image: NDArray[np.uint8]
    sequence: int
    capture_time: float
    status: Status
    analysis: Analysis | None
    result_age: float | None
    points: F32 | None
    frame: Frame | None = None
    faces: tuple[F32, ...] | None = None
    expression: Expression | None = None
    expression_age: float | None = None
    others: tuple[OtherFace, ...] = ()
