"""The networks of one person's face, opened and warm: what a live run and a replay have in common."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from realtime.action_units import ActionUnitEstimator
from realtime.action_units.baseline import Baseline
from realtime.action_units.model import FEATURES
from realtime.app.memory import release_start_up
from realtime.app.networks import action_units, face_detector, landmark_model, landmark_tiers, registry_of
from realtime.config import Config
from realtime.face.contract import detector_input
from realtime.face.detector import FaceDetector
from realtime.face.kernel_cache import prepare
from realtime.face.tracker import Tracker
from realtime.face.warm_up import warm_up
from realtime.models import ModelSession, ModelSpec
from realtime.models.open_model import open_model
from realtime.models.tiers import ModelLadder
from realtime.openface3.multitask import Multitask
from realtime.types import Detection, Detections, Frame


@dataclass(frozen=True, slots=True)
class FacePath:
    """detector looks at the picture, coarse at a smaller one. models: what was opened, detector and best landmarks first.

    tiers: the landmark network's, best first. multitask: OpenFace 3.0's, where that family was asked for.
    """

    detector: FaceDetector
    coarse: FaceDetector
    tracker: Tracker
    measures: ActionUnitEstimator
    models: list[ModelSpec]
    tiers: ModelLadder | None = None
    multitask: Multitask | None = None


def open_face_path(
    config: Config,
    height: int,
    width: int,
    own_neutral: Baseline | None = None,
    compiling: Callable[[str, float], None] | None = None,
) -> FacePath:
    """Open and warm up. height, width: of the pictures to come. own_neutral: a stored calibration.

    compiling: told what is compiled (a model for an accelerator, the kernels) and the seconds gone by, the first time.

    Raises:
        ModelFileError: a model is missing, damaged or of another kind.
    """
    registry = registry_of(config)
    detector_spec = registry.manifest.find("detector", config.models.detector)
    landmark_specs = landmark_tiers(registry.manifest, config.models.landmarks)
    multitask_spec = registry.manifest.find("multitask") if config.models.family == "openface3" else None
    unit_spec = next(iter(registry.manifest.tiers("action-units")), None)
    providers, threads = config.models.providers, config.models.threads
    shape = (1, 3, *detector_input(detector_spec, config.detector).size(height, width, region=False))

    prepare(compiling)
    # Loading the kernels takes the most memory of all, so it comes before the models do.
    release_start_up()
    warm_up(config.face)

    def opened(spec: ModelSpec, shape: tuple[int, ...] | None = None) -> ModelSession:
        return open_model(registry, spec, shape=shape, providers=providers, threads=threads, progress=compiling)

    detector = opened(detector_spec, shape)
    tiers = ModelLadder([opened(spec) for spec in landmark_specs])
    landmarks = landmark_model(tiers)
    multitask = Multitask(opened(multitask_spec)) if multitask_spec is not None else None
    units = action_units(open_model(registry, unit_spec, shape=(2, FEATURES))) if unit_spec is not None else None
    whole, coarse = (face_detector(detector, config.detector, coarser) for coarser in (1.0, 0.67))
    release_start_up()
    rehearse(Tracker(landmarks, config.face), [whole, coarse], height, width)
    return FacePath(
        whole,
        coarse,
        Tracker(landmarks, config.face),
        ActionUnitEstimator(units, own_neutral, named=config.person is not None),
        [spec for spec in (detector_spec, *landmark_specs, unit_spec, multitask_spec) if spec is not None],
        tiers,
        multitask,
    )


def rehearse(tracker: Tracker, detectors: list[FaceDetector], height: int, width: int) -> None:
    """Run the detectors and the tracker on a made-up picture of this size, then make the tracker forget it."""
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
