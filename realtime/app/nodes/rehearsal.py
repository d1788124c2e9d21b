"""One pass through the face path before going live: whatever compiles or allocates on first use does so now."""

import numpy as np

from realtime.face.detector import FaceDetector
from realtime.face.tracker import Tracker
from realtime.media.frame import Frame
from realtime.types import Detection, Detections


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
