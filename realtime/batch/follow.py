"""Who is on the frames of a recording: one face, or several people who are told apart."""

from collections.abc import Callable
from dataclasses import dataclass

from realtime.analyze.models import FaceModels
from realtime.config import Config
from realtime.face.detector import FaceDetector
from realtime.face.people import Observed, PeopleTracker
from realtime.face.tracker import Tracker
from realtime.types import Frame


@dataclass(slots=True)
class Networks:
    """What one process needs for one recording after another.

    Attributes:
        models: open and warm.
        detector: RetinaFace.
        config: the settings.
    """

    models: FaceModels
    detector: FaceDetector
    config: Config

    @property
    def landmarks(self) -> str:
        """Checksum of the landmark network."""
        return next(spec.sha256 for spec in self.models.specs if spec.role == "landmarks")


Follow = Callable[[Frame], Observed]
"""Who is on a frame."""


def follow_one(networks: Networks) -> Follow:
    """One face, which is the patient's.

    Args:
        networks: open.
    """
    tracker, detector = Tracker(networks.models.landmarks, networks.config.face), networks.detector

    def follow(frame: Frame) -> Observed:
        claimed = tracker.try_claim_detection(frame.sequence)
        seen = detector.detect(frame, tracker.region) if claimed else None
        return Observed(tracker.update(frame, seen))

    return follow


def follow_several(networks: Networks) -> Follow:
    """Everybody on every frame, as many as the settings say.

    Args:
        networks: open.
    """
    config, detector = networks.config, networks.detector
    tracker = PeopleTracker(networks.models.landmarks, config.face, most=config.people, rule=config.patient_rule)

    def follow(frame: Frame) -> Observed:
        seen = detector.detect(frame) if tracker.try_claim_detection(frame.sequence) else None
        return tracker.update(frame, seen)

    return follow
