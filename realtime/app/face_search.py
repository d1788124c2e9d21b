"""Opens the search for faces that are to be hidden."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.app.face_pipeline import registry_of
from realtime.config import Config
from realtime.errors import ModelFileError
from realtime.face.detector import FaceDetector
from realtime.face.settings import DetectorSettings
from realtime.models import ModelSession
from realtime.models.contracts import anchors_of, detector_input
from realtime.models.open_model import open_model
from realtime.render.face_search import Detect, FaceSearch
from realtime.types import Frame

# Measured on composed scenes: of faces more than 40 % inside the picture 0.2 % are missed on a single frame, and 4 in 100
# pictures have a place that is hidden in vain. At the tracker's 0.3 it misses 2.5 %.
_THRESHOLD = 0.1
_MOST = 64
_SLOW = 20.0


def open_face_search(config: Config, fps: float) -> FaceSearch:
    """The search, warm, with a session of its own on the processor.

    Args:
        config: the settings; the detector is theirs.
        fps: of the source. A slow one leaves time for every kind of pass on every picture.

    Raises:
        ModelFileError: the detector is missing, damaged or of another kind.
    """
    registry = registry_of(config)
    spec = registry.manifest.find("detector", config.models.detector)
    search = face_search(open_model(registry, spec, shape=(1, 3, 288, 416), threads=config.models.threads), fps)
    picture = np.zeros((360, 640, 3), np.uint8)
    for number in range(search.period):
        search.find(Frame(picture, number, 0.0))
    if search.failures:
        raise ModelFileError(f"Model {spec.name} cannot search pictures for faces to hide; see the messages above.")
    return search


def face_search(session: ModelSession, fps: float) -> FaceSearch:
    """The search with this network.

    Its threshold lies far below the tracker's: a place that is hidden in vain costs less than a face that is seen.

    Args:
        session: the detector's.
        fps: of the source.
    """
    spec = session.spec

    def run(blob: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        outputs = session.run(blob)
        if not all(np.isfinite(values).all() for values in outputs.values()):
            raise ModelFileError(f"Model {spec.name} gives values that are not numbers.")
        return outputs

    def detector_at(side: int) -> Detect:
        settings = DetectorSettings(threshold=_THRESHOLD, region_side=side, faces=_MOST)
        return FaceDetector(run, settings, anchors=anchors_of(spec), prepare=detector_input(spec, settings)).detect

    return FaceSearch(detector_at, interval=2 if fps > _SLOW else 1)
