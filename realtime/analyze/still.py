"""Faces of a still picture."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from realtime.analyze.arguments import checked_scale, checked_width, checked_yes_or_no, weights_folder
from realtime.analyze.results import Face, Faces
from realtime.errors import UserInputError
from realtime.types import U8, FaceObservation, check_picture

if TYPE_CHECKING:
    from realtime.action_units.model import ActionUnits
    from realtime.clinic import ScaleChoice
    from realtime.face.detector import FaceDetector
    from realtime.face.locator import Located
    from realtime.face.settings import FaceSettings
    from realtime.types import Detection, Millimetres

# A still may show many small faces, and there is no frame rate to keep: twice the live width.
_WIDTH = 640
_SAME_FACE = 0.5
CROPS = 3
"""Crops of a face whose points are averaged: no frame rate is to be kept."""


class FaceAnalyzer:
    """Finds and measures every face of a still picture.

    Each call stands alone: nothing of an earlier picture enters a later one. The models open with the first call (the very
    first on a machine also compiles, some 15 s). Calls may come from any thread, one is served at a time.

        with FaceAnalyzer() as analyze:
            for face in analyze(image):
                print(face.action_units.left[12], face.action_units.right[12])

    Args:
        weights: a folder with manifest.toml; None: the embedded models.
        width: pixels across which the detector sees the picture; a face should span 16 of them or more.
        settings: parameters of the face path; None: the defaults.
        millimetres: measure lengths, with this scale; None: none are measured. On a still the scale rests on one look and is
            provisional.
        mirror_average: points are the mean of those of the picture and of its mirror image: nearer to the truth, the same for
            both sides, and twice the landmark network's work.
        crop_average: points are the mean of those of so many crops of the face (1 to 3): steadier, and as many times the work.

    Raises:
        UserInputError: an argument is none of what it may be.
    """

    def __init__(
        self,
        *,
        weights: Path | str | None = None,
        width: int = _WIDTH,
        settings: "FaceSettings | None" = None,
        millimetres: "ScaleChoice | None" = None,
        mirror_average: bool = True,
        crop_average: int = CROPS,
    ) -> None:
        from realtime.face.settings import checked_crop_average

        self._mirror_average = checked_yes_or_no("mirror_average", mirror_average)
        self._crop_average: int = checked_crop_average(crop_average)
        self._millimetres = checked_scale(millimetres)
        self._weights = weights_folder(weights)
        self._width = checked_width(width)
        self._settings = settings
        self._lock = threading.Lock()
        self._parts: _Parts | None = None
        self._closed = False

    def __call__(self, image: U8) -> Faces:
        """Every face of the picture, the surest first.

        Args:
            image: (H, W, 3) uint8 BGR (as `cv2.imread` gives it), C-contiguous.

        Raises:
            PictureError: the picture is of another kind.
            ModelFileError: a model is missing, damaged or of another kind.
        """
        check_picture(image)
        with self._lock:
            if self._closed:
                raise UserInputError("This FaceAnalyzer is closed; make a new one.")
            if self._parts is None:
                self._parts = _Parts(
                    self._weights,
                    self._width,
                    self._settings,
                    self._millimetres,
                    self._mirror_average,
                    self._crop_average,
                )
            return self._parts.analyze(image)

    def close(self) -> None:
        """Let go of the models. Safe to call twice."""
        with self._lock:
            self._parts, self._closed = None, True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Parts:
    """What an open analyzer consists of."""

    def __init__(
        self,
        weights: Path | None,
        width: int,
        settings: "FaceSettings | None",
        millimetres: "ScaleChoice | None",
        mirror_average: bool,
        crop_average: int,
    ) -> None:
        from realtime.analyze.models import open_face_models
        from realtime.face.locator import Locator
        from realtime.face.settings import FaceSettings
        from realtime.models import Registry

        chosen = settings or FaceSettings()
        models = open_face_models(
            Registry(weights),
            settings=chosen.detector,
            irises=millimetres is not None,
            mirror_average="some" if mirror_average else "off",
            crop_average=crop_average,
        )
        self._scale, self._irises = millimetres, models.irises
        self._lips = None if millimetres is None else models.lips
        self._settings = chosen.tracker
        self._detector: FaceDetector = models.face_detector(chosen.detector.model_copy(update={"width": width}))
        self._locator: Locator = Locator(models.landmarks, chosen.tracker.second_look)
        self._units: ActionUnits | None = models.action_units

    def analyze(self, image: U8) -> Faces:
        """Every face of a checked picture."""
        from realtime.analyze.still_search import searches, whole_faces

        # Captured frames are read-only, and compiled code is kept for one kind of array.
        image = image.view()
        image.flags.writeable = False
        least = self._settings.candidate_score
        measured = (self._measured(image, places) for places in searches(self._detector, image, least))
        found = next(filter(None, measured), [])
        return Faces(replace(face, face_id=number) for number, face in enumerate(whole_faces(found), 1))

    def _measured(self, image: U8, places: Sequence["Detection"]) -> list[Face]:
        """The faces that the landmark model sees there, each once."""
        from realtime.face.geometry import iou

        found: list[Face] = []
        for face in places:
            measured = self._measure(image, face, len(found) + 1)
            if measured is not None and all(iou(measured.box, other.box) < _SAME_FACE for other in found):
                found.append(measured)
        return found

    def _measure(self, image: U8, face: "Detection", number: int) -> Face | None:
        """The face in a detector's box; None where the landmark model sees none."""
        from realtime.action_units import ActionUnitEstimator

        located = self._locator.at_any_roll(image, face)
        if located.presence < self._settings.start_presence:
            return None
        observation = _observation(located, number)
        # An estimator of its own: no person's rest may enter another's values.
        estimator = ActionUnitEstimator(self._units)
        units = estimator.update(observation, image)
        return Face.of(observation, units, estimator.neutral_state, self._lengths(observation, image))

    def _lengths(self, observation: FaceObservation, image: U8) -> "Millimetres | None":
        """Of one face; None where they were not asked for."""
        if self._scale is None:
            return None
        from realtime.clinic import LengthMeter

        return LengthMeter(self._scale, self._irises, self._lips).update(observation, image, 0.0)


def _observation(located: "Located", number: int) -> FaceObservation:
    from realtime.face.matching import face_box
    from realtime.face.pose import facing_angles

    landmarks = located.landmarks
    return FaceObservation(
        face_id=number,
        box=face_box(landmarks.points),
        points=landmarks.points,
        raw_points=landmarks.points,
        confidence=located.confidence,
        detected=True,
        covariance=landmarks.covariance,
        pose=None if located.pose is None else facing_angles(located.pose.angles),
        estimated=landmarks.presence is None,
        hidden=located.visibility.hidden,
        hidden_known=located.visibility.known,
    )
