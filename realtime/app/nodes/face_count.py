"""How many people are in front of the camera, from the detector's searches of the whole picture."""

from realtime.types import Detections

_SCORE = 0.7
_SIZE = 0.4
"""A face of less than this share of the largest one's width is somebody in the background, or a picture on the wall."""


class FaceCount:
    """Remembers the newest search of the whole picture; searches of a part of it say nothing of the rest."""

    def __init__(self) -> None:
        self._count: int | None = None

    def update(self, found: Detections | None) -> int | None:
        """Take the detections that entered with a frame, if any.

        Returns:
            How many faces of about the largest one's size there are; None: no search was made yet.
        """
        if found is not None and found.region is None:
            widths = [float(face.box[2] - face.box[0]) for face in found.faces if face.score >= _SCORE]
            self._count = sum(width >= _SIZE * max(widths) for width in widths)
        return self._count

    def forget(self) -> None:
        """The stream was interrupted."""
        self._count = None
