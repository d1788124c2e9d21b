"""The settings. A field's description gives its meaning and unit; its bounds are its range."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from realtime.config.options import Option
from realtime.config.values import (
    Actions,
    Hidden,
    Named,
    Names,
    Recording,
    RulerText,
    Size,
    WrittenMirrorAverage,
)
from realtime.face.patient_choice import PatientRule
from realtime.face.settings import (
    CadenceSettings,
    DetectorSettings,
    FaceSettings,
    FlowSettings,
    IdentitySettings,
    MirrorSettings,
    PatientSettings,
    SmoothingSettings,
    TrackerSettings,
)
from realtime.obs.rules import Rule, read_rule
from realtime.types import PanelMode, View


class Section(BaseModel):
    """A group of settings; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Latency(Section):
    """What keeps the latency bounded."""

    result_max_age_ms: float = Field(500, gt=0, le=10_000, description="an analysis older than this is not drawn (ms)")
    wait_for_result_ms: float = Field(
        12,
        ge=0,
        le=100,
        description="how long a picture may wait for its own analysis before the last one is drawn (ms)",
    )
    stall_seconds: float = Field(
        5.0, gt=0, le=600, description="a stage busy with one frame for longer is bypassed until it is back (s)"
    )
    adapt: bool = Field(True, description="step down in quality when the measured age exceeds the bound")
    result_bound_ms: float = Field(150, gt=0, description="result age above which quality steps down (ms)")


class Models(Section):
    """Which networks, and on what they run."""

    family: Annotated[Literal["own", "openface3"], Option(flag="--models")] = Field(
        "own", description="whose networks: the program's own, or OpenFace 3.0's (after `models pull openface3`)"
    )
    detector: str | None = Field(None, description="name of the detector in the manifest; default: the best")
    landmarks: str | None = Field(None, description="name of the landmark model in the manifest; default: the best")
    mirror_average: Annotated[
        WrittenMirrorAverage,
        Option(flag="--mirror-average", bare="every", off="off"),
    ] = Field(
        "off",
        description="landmarks are averaged with those of the mirror image, the same for both sides: off; on every frame (nearer "
        "to the truth, twice the landmark network's work; `examine` does so); on some: every eighth, the others moved accordingly",
    )
    crop_average: Annotated[int, Option(flag="--crop-average", metavar="N")] = Field(
        1,
        ge=1,
        le=3,
        description="landmarks are the mean of those of this many crops of the face, a little nearer and farther (1 to 3): "
        "steadier, and as many times the landmark network's work; `examine` takes 3",
    )
    providers: Names = Field(("cpu",), description="execution providers in order of wish: coreml, cuda, cpu")
    threads: int = Field(1, ge=1, le=64, description="threads per network; a second one gained nothing on small nets")
    landmark_delay_ms: float = Field(
        0, ge=0, le=5000, description="slows the landmark stage, to test behaviour under load (ms)"
    )


class Millimetres(Section):
    """Lengths of the face in millimetres, and where their scale comes from."""

    scale: Annotated[
        Literal["off", "iris", "pupils", "ruler", "population"], Option(flag="--millimetres", bare="iris", off="off")
    ] = Field(
        "off",
        description="measure lengths in millimetres, with the scale of the iris, of an entered pupil distance, of a ruler in the "
        "picture, or of the population's mean pupil distance (a guess)",
    )
    age_group: Annotated[Literal["adult", "child"], Option(flag="--age-group")] = Field(
        "adult", description="assumed diameter of the iris: 11.77 mm (adult) or 11.22 mm (child of 5 to 18)"
    )
    pupil_distance: Annotated[float | None, Option(flag="--pupil-distance", metavar="MM")] = Field(
        None, ge=40, le=85, description="for --millimetres pupils: this person's pupil distance (mm)"
    )
    ruler: Annotated[RulerText | None, Option(flag="--ruler", metavar="MM:X1,Y1,X2,Y2")] = Field(
        None,
        description="for --millimetres ruler: a length held beside the face at the beginning (mm) and its ends in the picture (pixels)",
    )
    every: int = Field(
        10, ge=1, le=600, description="once the scale is settled, it is measured every n-th frame (count)"
    )


class Tone(Section):
    """The biofeedback tone."""

    low_hz: float = Field(220, ge=50, le=4000, description="pitch when only the patient's right side moves (Hz)")
    high_hz: float = Field(880, ge=50, le=4000, description="pitch when only the patient's left side moves (Hz)")
    dead_band: float = Field(0.15, ge=0, lt=1, description="sides that differ by a smaller share are silence (0..1)")
    volume: float = Field(0.1, ge=0, le=0.25, description="share of full scale; 0.25 is a hard ceiling (0..0.25)")
    output: str = Field("", description="sound output, by number or part of its name; '': the default")


class ObsRule(Section):
    """What OBS is asked for when a measure of the face says so; see docs/pages/obs.md for the words."""

    name: str = Field("", max_length=100, description="for messages; default: its place in the list")
    when: str = Field("", max_length=500, description="the condition; '': always, for text sources")
    until: str = Field("", max_length=500, description="what ends it; '': `when` with hysteresis is no longer met")
    then: Actions = Field(description="what to ask OBS for when the condition is met")
    otherwise: Actions = Field((), description="what to ask OBS for when it is over")
    release_seconds: float = Field(0.2, ge=0, le=60, description="how long it must be over before it ends (s)")
    at_most_every: float = Field(0.5, ge=0.1, le=3600, description="least time between two starts or texts (s)")

    @model_validator(mode="after")
    def _readable(self) -> "ObsRule":
        self.read("")
        return self

    def read(self, name: str) -> Rule:
        """Give the rule as the engine needs it.

        Args:
            name: where it has none of its own.
        """
        return read_rule(
            self.name or name,
            self.when,
            self.until,
            self.then,
            self.otherwise,
            self.release_seconds,
            self.at_most_every,
        )


class Obs(Section):
    """Steering OBS by obs-websocket 5."""

    url: Annotated[str | None, Option(flag="--obs", metavar="URL", bare="ws://127.0.0.1:4455")] = Field(
        None,
        description="steer the OBS at this address by the rules and from the dashboard; its password comes from "
        "FACEMIRROR_OBS_PASSWORD, OBS's own settings or a prompt",
    )
    rules: tuple[ObsRule, ...] = Field((), description="what turns a measure into a request; only in a file")


class ExaminationSettings(Section):
    """The guided examination."""

    guided: bool = Field(False, description="the run is an examination, which begins when a face is well placed")
    protocol: Annotated[str, Option(flag="--protocol", metavar="NAME|FILE")] = Field(
        "full", description="examination: full, sunnybrook, eface, or a TOML file that lists movements"
    )
    affected: Annotated[Literal["left", "right", "both", "none"], Option(flag="--affected")] = Field(
        "none",
        description="the patient's own side that is affected: of an examination, and for shares of the healthy side",
    )
    language: Annotated[Literal["en", "de", "es"], Option(flag="--language")] = Field(
        "en", description="examination: the language that the person reads and hears"
    )
    resume: Annotated[str | None, Option(flag="--resume", metavar="DIR", bare="")] = Field(
        None,
        description="examination: go on with the one that was broken off in this session's folder; without a folder: with "
        "this person's last",
    )
    sounds: bool = Field(True, description="short sounds with the window's instructions")
    voice: bool = Field(True, description="the window's instructions are read out, where the system has a voice")


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"\s*[+-]?\d+(\.\d*)?\s*", value) is not None
    return isinstance(value, int | float)


class Config(Section):
    """Every setting of a run. The first block carries the names of the command line's options."""

    source: Annotated[str, Option(metavar="SOURCE")] = Field(
        "camera", description="camera, camera:0, camera:NAME, a path, a URL, lavfi:GRAPH, plugin:NAME, demo"
    )
    size: Annotated[Size | None, Option(metavar="WxH")] = Field(
        None, description="picture size to ask the camera for, WIDTHxHEIGHT"
    )
    fps: float | None = Field(None, gt=0, le=1000, description="frame rate to ask the camera for (frames per second)")
    rotate: Literal["0", "90", "180", "270", "auto"] = Field(
        "0",
        description="turn every picture clockwise (degrees), for hanging cameras and lying patients; auto: until the face "
        "at the beginning is upright",
    )
    speed: Literal["realtime", "max"] = Field(
        "realtime", description="files: paced by their timestamps, or as fast as possible"
    )
    duration: Annotated[float | None, Option(metavar="SECONDS")] = Field(
        None, gt=0, description="stop after this time; of a file with --speed max: after this much of it (s)"
    )
    headless: bool = Field(False, description="no preview window")
    view: View = Field("overlay", description="what is shown")
    panel: PanelMode = Field(
        "auto",
        description="where the bars stand: a corner, a strip beside the picture, or auto: a corner without a face",
    )
    selfie: Annotated[bool, Option(off=False)] = Field(
        False, description="flip the shown picture like a mirror; the patient's sides stay the patient's"
    )
    virtual_camera: Annotated[str | None, Option(metavar="NAME", bare="")] = Field(
        None, description="send the shown picture to a virtual camera (OBS); without a name to the first one"
    )
    sinks: Names = Field((), description="installed plug-ins (entry points realtime.sinks) that get what is shown")
    dashboard: bool = Field(False, description="serve the browser dashboard and the OBS overlay page")
    port: int = Field(8765, ge=0, le=65535, description="the dashboard's port; 0 takes any free one")
    listen: Annotated[str, Option(metavar="ADDRESS")] = Field(
        "127.0.0.1", description="the dashboard's address; anything but loopback lets other machines in"
    )
    session: Annotated[Named | None, Option(metavar="DIR")] = Field(
        None,
        description="folder for what the session leaves behind; without it nothing is stored, but --record alone makes one below "
        "sessions/",
    )
    record: Annotated[Recording, Option(bare="shown", off="off")] = Field(
        "off",
        description="shown: record what is shown into the session folder; raw: also the captured frames, lossless",
    )
    sound: Annotated[str | None, Option(metavar="DEVICE", bare="")] = Field(
        None,
        description="record this microphone, by number or part of its name, in the recording's file; without a name the default one",
    )
    tone_unit: Annotated[int | None, Option(flag="--tone", metavar="AU")] = Field(
        None, ge=1, le=45, description="biofeedback: a tone that follows this Action Unit's left/right balance (AU)"
    )
    person: Annotated[str | None, Option(metavar="NAME")] = Field(
        None, description="use this person's stored calibration, and store a new one under the name"
    )
    people: Annotated[int, Option(metavar="N")] = Field(
        1, ge=1, le=8, description="how many faces are followed at once; above 1, one of them is the patient (count)"
    )
    patient_rule: Annotated[PatientRule, Option(flag="--patient")] = Field(
        "largest",
        description="with several people, who is the patient until the user chooses another; person: whose face is stored under "
        "--person",
    )
    store_face: bool = Field(
        False,
        description="with --person: also store what the person's face looks like (biometric data), for --patient person",
    )
    people_folder: Annotated[Named | None, Option(metavar="DIR")] = Field(
        None, description="folder of stored calibrations; default: in the user's data folder"
    )
    landmarks_only: bool = Field(False, description="store no picture, only numbers")
    blur_face: Annotated[Hidden, Option(bare="recording")] = Field(
        "off",
        description="recording: hide every face in the recording; everywhere: in window, virtual camera and dashboard too; "
        "others, others-everywhere: the same, but not the patient's (needs --people above 1)",
    )
    parquet: bool = Field(False, description="also write frames.parquet at the end of the session")
    lsl: bool = Field(False, description="send Action Units and markers to Lab Streaming Layer")
    name: Annotated[str | None, Option(metavar="NAME")] = Field(
        None, description="name of this run's LSL streams; default: an id of its own by person, camera and machine"
    )
    osc: Annotated[str | None, Option(metavar="HOST:PORT")] = Field(
        None, description="send Action Units and markers by Open Sound Control to HOST:PORT"
    )
    summary: Annotated[Named | None, Option(metavar="FILE")] = Field(
        None, description="write the run's figures to this JSON file"
    )
    trace: Annotated[Named | None, Option(metavar="FILE")] = Field(
        None, description="write a timeline for Perfetto to this JSON file"
    )
    weights: Annotated[Named | None, Option(metavar="DIR")] = Field(
        None, description="folder with manifest.toml and models; default: the embedded ones"
    )
    max_age_ms: float = Field(
        400, gt=0, le=60_000, description="a frame older than this is dropped wherever it waits (ms)"
    )
    au: Literal["own", "openface2"] = Field(
        "own", description="which Action Units: the program's own, or OpenFace 2.2's models"
    )
    openface2: Annotated[Named | None, Option(metavar="DIR")] = Field(
        None, description="folder with OpenFace 2.2's models; default: where `models pull` puts them"
    )
    pfld68: Annotated[Named | None, Option(metavar="FILE")] = Field(
        None, description="take OpenFace's 68 points from this PFLD network instead of from the 98"
    )
    reconnect_attempts: int = Field(
        20,
        ge=0,
        le=1000,
        description="how often within a minute a camera or stream that vanished is looked for again (count)",
    )
    latency: Latency = Latency()
    models: Models = Models()
    tone: Tone = Tone()
    millimetres: Millimetres = Millimetres()
    obs: Obs = Obs()
    examination: ExaminationSettings = ExaminationSettings()
    detector: DetectorSettings = DetectorSettings()
    cadence: CadenceSettings = CadenceSettings()
    tracker: TrackerSettings = TrackerSettings()
    patient: PatientSettings = PatientSettings()
    identity: IdentitySettings = IdentitySettings()
    smoothing: SmoothingSettings = SmoothingSettings()
    mirror: MirrorSettings = MirrorSettings()
    flow: FlowSettings = FlowSettings()

    @model_validator(mode="before")
    @classmethod
    def _folder_of_earlier_versions(cls, values: Any) -> Any:
        """`people` was the folder of stored calibrations once: words that are no number still are."""
        if not isinstance(values, dict) or "people" not in values or _is_number(values["people"]):
            return values
        folder = values["people"]
        rest = {name: value for name, value in values.items() if name != "people"}
        return rest if folder is None else {"people_folder": folder, **rest}

    @property
    def face(self) -> FaceSettings:
        """The face path's settings together."""
        return FaceSettings(
            detector=self.detector,
            cadence=self.cadence,
            tracker=self.tracker,
            patient=self.patient,
            identity=self.identity,
            smoothing=self.smoothing,
            mirror=self.mirror,
            flow=self.flow,
        )
