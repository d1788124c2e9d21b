"""Every parameter of the face path: default, unit (in the description) and range."""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from realtime.errors import UserInputError
from realtime.files import one_line

MirrorAverage = Literal["off", "some", "every"]
"""On which frames a face's mirror image is looked at as well: on none, on some of them, on every one."""


def as_mirror_average(value: MirrorAverage | bool) -> MirrorAverage:
    """The same, where earlier versions said only whether: every frame or none.

    Args:
        value: what a user or a file says.

    Raises:
        UserInputError: it is none of the words.
    """
    if isinstance(value, bool):
        return "every" if value else "off"
    if value not in get_args(MirrorAverage):
        words = ", ".join(get_args(MirrorAverage))
        raise UserInputError(f"mirror_average is one of {words}, or True or False, not {one_line(repr(value))}.")
    return value


def checked_crop_average(count: int) -> int:
    """The same, if a face can be looked at in so many crops.

    Args:
        count: what a user says.

    Raises:
        UserInputError: it cannot.
    """
    if count not in (1, 2, 3):
        raise UserInputError(f"crop_average is 1, 2 or 3, not {count!r}.")
    return count


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DetectorSettings(_Section):
    """What RetinaFace sees of a picture, and what it reports."""

    width: int = Field(320, ge=96, le=1920, description="width of the whole picture as the network sees it (pixels)")
    region_side: int = Field(160, ge=64, le=640, description="longer side of a region as the network sees it (pixels)")
    threshold: float = Field(0.3, gt=0, lt=1, description="faces scored below this are not reported (0..1)")
    overlap: float = Field(0.4, gt=0, lt=1, description="of two boxes that overlap more, the better stays (IoU, 0..1)")
    faces: int = Field(16, ge=1, le=1000, description="most faces reported for a picture (count)")


class CadenceSettings(_Section):
    """When the detector runs."""

    shortest: int = Field(4, ge=1, le=300, description="interval right after a face was found (frames)")
    longest: int = Field(32, ge=1, le=300, description="interval while tracking is sure (frames)")
    growth: float = Field(
        1.5, gt=1, le=4, description="interval grows by this factor at each agreeing detection (ratio)"
    )
    unsure: int = Field(1, ge=1, le=30, description="interval while tracking is in doubt (frames)")
    searching: int = Field(1, ge=1, le=30, description="interval while no face is tracked (frames)")
    near_looks: int = Field(
        2,
        ge=0,
        le=60,
        description="detection passes near where a lost face was, before the whole picture is searched (count)",
    )
    near_size: float = Field(2.5, ge=1, le=8, description="side of that region, in sizes of the lost face (ratio)")
    whole_every: int = Field(
        3, ge=1, le=100, description="while tracking, every n-th detection pass searches the whole picture (count)"
    )


class TrackerSettings(_Section):
    """When a face counts as found, kept, and lost."""

    start_score: float = Field(0.7, gt=0, le=1, description="a detection this good starts a track at once (0..1)")
    candidate_score: float = Field(
        0.4, gt=0, le=1, description="a weaker detection is checked on further frames from here on (0..1)"
    )
    candidate_looks: int = Field(
        3, ge=1, le=30, description="agreeing detection passes that make a weak detection a face (count)"
    )
    start_presence: float = Field(0.5, ge=0, le=1, description="presence on the landmarks that confirms a start (0..1)")
    keep_presence: float = Field(0.3, ge=0, le=1, description="presence below which the track is in doubt (0..1)")
    lost_presence: float = Field(0.1, ge=0, le=1, description="presence below which the face is gone at once (0..1)")
    doubt_frames: int = Field(
        2, ge=1, le=30, description="frames in doubt, unconfirmed, after which a face is lost (frames)"
    )
    missed_looks: int = Field(
        2, ge=1, le=30, description="detection passes in a row without the face after which it is lost (count)"
    )
    match_overlap: float = Field(
        0.3, gt=0, lt=1, description="overlap by which a detection is the tracked face (IoU, 0..1)"
    )
    drift_eyes: float = Field(
        0.3,
        gt=0,
        le=2,
        description="eyes further than this from the detector's restart the landmarks (inter-ocular distances)",
    )
    inside: float = Field(
        0.5, gt=0, le=1, description="share of points inside the picture below which the face has left (0..1)"
    )
    return_seconds: float = Field(
        1.0, ge=0, le=60, description="a face back within this time, where it was, keeps its id (s)"
    )
    cut_difference: float = Field(
        0.09, gt=0, le=1, description="change of the thumbnail that is a scene cut (0..1 of white)"
    )
    cut_share: float = Field(0.5, gt=0, le=1, description="share of its cells that must have changed (0..1)")
    appearance: float = Field(
        0.45,
        ge=-1,
        le=1,
        description="likeness to the face so far below which the track is in doubt (correlation, -1..1)",
    )
    second_look: float = Field(
        0.12, gt=0, le=1, description="a face this far from its crop's middle is located a second time (crop sides)"
    )
    flow: bool = Field(True, description="follow the picture's motion between frames by sparse flow")
    pose: bool = Field(True, description="measure head pose")


class PatientSettings(_Section):
    """Whose face is followed where several are seen."""

    known_after: float = Field(
        1.0, ge=0, le=60, description="a face followed for this long is the patient, unless another is already (s)"
    )
    like: float = Field(
        0.7, ge=-1, le=1, description="likeness to the patient from which another face seen may be the patient (-1..1)"
    )
    margin: float = Field(
        0.1, ge=0, le=2, description="by which it must be more like the patient than the face followed now (-1..1)"
    )
    same: float = Field(
        0.75, ge=-1, le=1, description="likeness from which a face with a new id is the patient who is back (-1..1)"
    )
    other: float = Field(
        0.55, ge=-1, le=1, description="likeness below which a face where the lost one was is somebody else (-1..1)"
    )
    sightings: int = Field(
        3, ge=1, le=60, description="detection passes in a row that must see the patient before going back (count)"
    )
    forgotten_after: float = Field(
        60.0, ge=1, le=3600, description="a patient away for this long is forgotten: the face followed then counts (s)"
    )
    alive_within: float = Field(
        6.0,
        ge=0,
        le=60,
        description="with several people: a face that has not blinked or spoken for this long gives way to one that has (s)",
    )


class IdentitySettings(_Section):
    """How several people are told apart. Used only where more than one is followed."""

    interval: int = Field(10, ge=1, le=300, description="detector's interval while all are followed surely (frames)")
    open_interval: int = Field(
        5, ge=1, le=300, description="the same while there is room for one more, or somebody is away (frames)"
    )
    same: float = Field(
        0.75, ge=-1, le=1, description="likeness from which a face is a person who was away, wherever it is (-1..1)"
    )
    beside: float = Field(
        0.5, ge=-1, le=1, description="the same for a face near where the person was to be expected (-1..1)"
    )
    partly_hidden: float = Field(
        0.1, ge=-1, le=1, description="the same where another head still hides part of it (-1..1)"
    )
    stranger: float = Field(
        0.4,
        ge=-1,
        le=1,
        description="likeness below which a face in clear view is not the person it was taken for (-1..1)",
    )
    beside_seconds: float = Field(2.0, ge=0, le=60, description="how long a person is expected there (s)")
    beside_nearness: float = Field(
        0.35, ge=0, le=1, description="how near and alike in size that must be (0..1, see `nearness`)"
    )
    margin: float = Field(
        0.15,
        ge=0,
        le=2,
        description="by which two faces must fit better the other way round to change identities (-1..1)",
    )
    late_looks: int = Field(
        45,
        ge=0,
        le=10_000,
        description="clear looks at a new face within which it may be recognised as somebody known (count)",
    )
    remembered: float = Field(300.0, ge=1, le=36000, description="how long a person who went away is remembered (s)")


class SmoothingSettings(_Section):
    """How much of the landmarks' noise is shown. Distances are in inter-ocular distances (iod)."""

    enabled: bool = Field(True, description="smooth the points shown; the raw ones are kept either way")
    noise: float = Field(0.006, gt=0, le=0.2, description="standard deviation of a raw point that is noise (iod)")
    contour_noise: float = Field(2.0, ge=1, le=10, description="the contour's noise against the other points' (ratio)")
    rest_gain: float = Field(
        0.2, gt=0, le=1, description="share of a small innovation that is taken over per frame (0..1)"
    )
    slow_gain: float = Field(0.35, gt=0, le=1, description="the same where no flow follows the picture (0..1)")
    open_at: float = Field(2.0, ge=0, le=10, description="innovation from which the gain rises (noise deviations)")
    full_at: float = Field(
        5.0, gt=0, le=30, description="innovation from which all of it is taken over (noise deviations)"
    )
    head_delay: float = Field(
        0.0167, ge=0, le=0.1, description="delay of the head's motion that steadies it; never above half a frame (s)"
    )
    head_delay_most: float = Field(
        0.04, ge=0, le=10, description="distance by which that delay takes a point back at most (iod)"
    )
    reset_seconds: float = Field(0.5, gt=0, le=10, description="a gap after which smoothing starts again (s)")


class MirrorSettings(_Section):
    """The correction of the points by the face's mirror image, where that is looked at on some frames only."""

    every: int = Field(8, ge=1, le=300, description="the mirror image is looked at on every n-th frame (count)")
    share: float = Field(
        0.1, gt=0, le=1, description="share of a new finding's difference that is taken over per frame (0..1)"
    )


class FlowSettings(_Section):
    """Sparse optical flow on the face."""

    side: int = Field(160, ge=64, le=512, description="side of the grey face crop the flow is found on (pixels)")
    window: int = Field(9, ge=5, le=41, description="window of one point (crop pixels)")
    levels: int = Field(2, ge=0, le=5, description="pyramid levels above the crop itself (count)")
    iterations: int = Field(8, ge=1, le=50, description="steps per level at most (count)")
    difference: float = Field(
        12.0,
        gt=0,
        le=255,
        description="a point's surroundings may differ by this much where it arrives (grey levels of 255)",
    )
    quiet: float = Field(
        0.35, ge=0, le=10, description="own motion of a point, beyond the head's, that is noise (crop pixels)"
    )
    sure: float = Field(
        0.9, gt=0, le=20, description="own motion of a point from which it is believed whole (crop pixels)"
    )
    local: float = Field(
        3.0, gt=0, le=50, description="own motion of a point above which the flow has lost it (crop pixels)"
    )
    enough: float = Field(
        0.4, gt=0, le=1, description="share of points that must be found for the flow to count (0..1)"
    )


class FaceSettings(_Section):
    """The whole face path."""

    detector: DetectorSettings = DetectorSettings()
    cadence: CadenceSettings = CadenceSettings()
    tracker: TrackerSettings = TrackerSettings()
    patient: PatientSettings = PatientSettings()
    identity: IdentitySettings = IdentitySettings()
    smoothing: SmoothingSettings = SmoothingSettings()
    mirror: MirrorSettings = MirrorSettings()
    flow: FlowSettings = FlowSettings()
