"""The networks of one person's face, opened and warm: what a live run and a replay have in common."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.config import Config
from realtime.face.detector import FaceDetector
from realtime.face.tracker import Tracker
from realtime.face.warm_up import warm_up
from realtime.measure import FaceMeasures
from realtime.measure.action_units import FEATURES
from realtime.models import ModelSpec, Registry
from realtime.models.accelerate import open_model
from realtime.networks import action_units, detector_input, face_detector, landmark_model
from realtime.nodes.rehearsal import rehearse


@dataclass(frozen=True, slots=True)
class FacePath:
    """detector looks at the picture, coarse at a smaller one. models: what was opened."""

    detector: FaceDetector
    coarse: FaceDetector
    tracker: Tracker
    measures: FaceMeasures
    models: list[ModelSpec]


def open_face_path(config: Config, height: int, width: int, own_neutral: NDArray[np.float32] | None = None) -> FacePath:
    """Open and warm up. height, width: of the pictures to come. own_neutral: (98, 2) a stored calibration.

    Raises:
        ModelFileError: a model is missing, damaged or of another kind.
    """
    registry = Registry(config.weights)
    detector_spec = registry.manifest.find("detector", config.models.detector)
    landmark_spec = registry.manifest.find("landmarks", config.models.landmarks)
    unit_spec = next(iter(registry.manifest.tiers("action-units")), None)
    providers, threads = config.models.providers, config.models.threads
    shape = (1, 3, *detector_input(detector_spec, config.detector).size(height, width, region=False))
    detector = open_model(registry, detector_spec, shape=shape, providers=providers, threads=threads)
    landmarks = landmark_model(open_model(registry, landmark_spec, providers=providers, threads=threads))
    units = action_units(open_model(registry, unit_spec, shape=(2, FEATURES))) if unit_spec is not None else None
    warm_up(config.face)
    whole, coarse = (face_detector(detector, config.detector, coarser) for coarser in (1.0, 0.67))
    rehearse(Tracker(landmarks, config.face), [whole, coarse], height, width)
    return FacePath(
        whole,
        coarse,
        Tracker(landmarks, config.face),
        FaceMeasures(units, own_neutral, named=config.person is not None),
        [spec for spec in (detector_spec, landmark_spec, unit_spec) if spec is not None],
    )
