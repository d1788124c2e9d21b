"""The networks of one person's face, opened and warm: what a live run and a replay have in common."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from realtime.action_units import ActionUnitEstimator
from realtime.action_units.baseline import Baseline
from realtime.analyze.models import FaceModels, open_face_models
from realtime.app.memory import keep_freed_memory, release_start_up, share_arenas
from realtime.clinic import LengthMeter, Ruler, ScaleChoice
from realtime.config import Config
from realtime.errors import ModelFileError
from realtime.face.detector import FaceDetector
from realtime.face.kernel_cache import MirrorKernels, Preparation, begin, prepare_mirror
from realtime.face.landmarks import LandmarkModel
from realtime.face.people import PeopleTracker
from realtime.face.tracker import Tracker
from realtime.face.warm_up import warm_up
from realtime.models import ModelSpec, Registry
from realtime.models.open_model import open_model
from realtime.models.tiers import ModelLadder
from realtime.openface3.multitask import Multitask
from realtime.types import Detection, Detections, Frame, ScaleSource

_SOURCES: dict[str, ScaleSource] = {
    "iris": "iris",
    "pupils": "pupil distance",
    "ruler": "ruler",
    "population": "population mean",
}
"""What the setting `millimetres.scale` calls each source."""


def registry_of(config: Config) -> Registry:
    """The models of the configured family; `--weights` says where else they lie.

    Raises:
        ModelFileError: there are none.
    """
    if config.models.family != "openface3" or config.weights is not None:
        return Registry(config.weights)
    # Imported here: it can fetch files, and no other family needs the network's libraries.
    from realtime.openface3.download import default_folder

    folder = default_folder()
    if not (folder / "manifest.toml").is_file():
        raise ModelFileError(
            "OpenFace 3.0's networks are not installed on this machine: run `facemirror-live models pull openface3` once."
        )
    return Registry(folder)


@dataclass(frozen=True, slots=True)
class FacePath:
    """The open networks and what works with them.

    Attributes:
        detector: RetinaFace on a picture of the configured width.
        coarse: the same network on a smaller picture.
        tracker: of one person's face, or of several.
        measures: the Action Units of that face; of the patient's, where there are several.
        models: what was opened, detector and best landmark network first.
        tiers: the landmark networks, best first.
        multitask: OpenFace 3.0's network, where that family is configured.
        meter: measures lengths in millimetres, where that is configured.
        mirror_ready: whether the mirrored views can be drawn at once; see `MirrorKernels.ready`.
        another: makes an estimator for somebody who is not the patient; it shares the network.
    """

    detector: FaceDetector
    coarse: FaceDetector
    tracker: Tracker | PeopleTracker
    measures: ActionUnitEstimator
    models: list[ModelSpec]
    tiers: ModelLadder | None = None
    multitask: Multitask | None = None
    another: Callable[[], ActionUnitEstimator] = ActionUnitEstimator
    meter: LengthMeter | None = None
    mirror_ready: Callable[[], bool] = lambda: True


def open_for_program(
    config: Config,
    height: int,
    width: int,
    *,
    stored_baseline: Baseline | None = None,
    lighter: Callable[[], bool] = lambda: False,
    compiling: Callable[[str, float], None] | None = None,
    compilation: Preparation | None = None,
) -> FacePath:
    """`open_face_path` as a program wants it: kernels compiled by a child, start-up's memory given back, all rehearsed.

    A library's user gets none of this from `open_face_path`: both concern the whole process.

    Args:
        config: the settings.
        height: of the pictures to come.
        width: of the pictures to come.
        stored_baseline: a stored calibration.
        lighter: see `ModelLadder`.
        compiling: called with what is compiled (a model for an accelerator, the kernels) and the seconds gone by.
        compilation: of the kernels, where it has begun already.

    Raises:
        ModelFileError: a model is missing, damaged or of another kind.
    """
    compilation = begin() if compilation is None else compilation
    share_arenas()
    keep_freed_memory(3 * height * width)
    # What importing touched is given back before the networks need memory of their own: both together would be the peak.
    release_start_up(garbage=False)

    def compiled() -> None:
        compilation.wait(compiling)
        # Loading the kernels takes the most memory of all, so what came before is given back now.
        release_start_up(garbage=False)

    mirror = MirrorKernels()

    def opened() -> None:
        nonlocal mirror
        mirror = prepare_mirror(compiling, now=config.view in ("mirrored", "split"))
        release_start_up()

    try:
        path = open_face_path(
            config,
            height,
            width,
            stored_baseline=stored_baseline,
            lighter=lighter,
            compiling=compiling,
            compiled=compiled,
            opened=opened,
        )
        return replace(path, mirror_ready=mirror.ready)
    finally:
        compilation.end()


def open_face_path(
    config: Config,
    height: int,
    width: int,
    *,
    stored_baseline: Baseline | None = None,
    lighter: Callable[[], bool] = lambda: False,
    compiling: Callable[[str, float], None] | None = None,
    compiled: Callable[[], None] = lambda: None,
    opened: Callable[[], None] = lambda: None,
) -> FacePath:
    """Open the networks, load the compiled kernels, and run all of them on a made-up picture, so that they are warm.

    Args:
        config: the settings.
        height: of the pictures to come.
        width: of the pictures to come.
        stored_baseline: a stored calibration.
        lighter: see `ModelLadder`.
        compiling: called with a model's name and the seconds gone by while an accelerator compiles it for the first time.
        compiled: called before the first compiled kernel is loaded.
        opened: called when all is open, before the made-up picture.

    Raises:
        ModelFileError: a model is missing, damaged or of another kind.
    """
    registry = registry_of(config)
    multitask_spec = registry.manifest.find("multitask") if config.models.family == "openface3" else None
    providers, threads = config.models.providers, config.models.threads

    models = open_face_models(
        registry,
        detector=config.models.detector,
        landmarks=config.models.landmarks,
        settings=config.detector,
        size=(height, width),
        providers=providers,
        threads=threads,
        progress=compiling,
        lighter=lighter,
        irises=config.millimetres.scale == "iris",
        mirror_average=config.models.mirror_average,
        crop_average=config.models.crop_average,
    )
    multitask, specs = None, list(models.specs)
    if multitask_spec is not None:
        multitask = Multitask(
            open_model(registry, multitask_spec, providers=providers, threads=threads, progress=compiling)
        )
        specs.append(multitask_spec)
    whole, coarse = (models.face_detector(config.detector, coarser) for coarser in (1.0, 0.67))
    compiled()
    warm_up(config.face)
    opened()
    tracker = _tracker(config, models.landmarks)
    rehearse(_tracker(config, models.landmarks), [whole, coarse], height, width)
    landmarks = next(spec.sha256 for spec in models.specs if spec.role == "landmarks")
    return FacePath(
        whole,
        coarse,
        tracker,
        ActionUnitEstimator(
            models.action_units,
            stored_baseline,
            named=config.person is not None,
            landmarks=landmarks,
        ),
        specs,
        models.tiers,
        multitask,
        lambda: ActionUnitEstimator(models.action_units, landmarks=landmarks),
        length_meter(config, models),
    )


def length_meter(config: Config, models: FaceModels) -> LengthMeter | None:
    """What measures lengths in millimetres; None where they are off.

    Args:
        config: the settings.
        models: of the face path.

    Raises:
        UserInputError: the iris is to give the scale, and nothing reads it.
    """
    wanted = config.millimetres
    if wanted.scale == "off":
        return None
    choice = ScaleChoice(
        _SOURCES[wanted.scale],
        wanted.age_group,
        wanted.pupil_distance,
        None if wanted.ruler is None else Ruler.parse(wanted.ruler),
        wanted.every,
    )
    return LengthMeter(choice, models.irises, models.lips)


def _tracker(config: Config, landmarks: LandmarkModel) -> Tracker | PeopleTracker:
    """One face is followed as ever; several by a tracker that tells them apart."""
    if config.people == 1:
        return Tracker(landmarks, config.face)
    return PeopleTracker(landmarks, config.face, most=config.people, rule=config.patient_rule)


def rehearse(tracker: Tracker | PeopleTracker, detectors: list[FaceDetector], height: int, width: int) -> None:
    """Run the detectors and the tracker on a made-up picture of this size, then make the tracker forget it.

    Args:
        tracker: forgets what it saw.
        detectors: each is run once.
        height: of the picture, pixels.
        width: likewise.
    """
    image = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    image.flags.writeable = False
    side = min(height, width) / 3
    box = np.array([side, side, 2 * side, 2 * side], np.float32)
    points = np.array([[1.3, 1.4], [1.7, 1.4], [1.5, 1.6], [1.35, 1.8], [1.65, 1.8]], np.float32) * np.float32(side)
    for number in range(2):
        frame = Frame(image, number, number / 30)
        for detector in detectors:
            detector.detect(frame)
        tracker.update(frame, Detections(number, frame.capture_time, (Detection(box, 0.99, points),)))
    tracker.reset()
