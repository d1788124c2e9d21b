"""The face path: detection, schedule, landmarks, tracking, smoothing, flow, alignment, mirroring, head pose.

Pure functions and small objects with `update()`: no clock, no files, no networks of their own (those are handed in as callables).
"""

from typing import TYPE_CHECKING

from realtime.lazy import lazy_names

if TYPE_CHECKING:
    from realtime.face.alignment import Aligner
    from realtime.face.detector import FaceDetector
    from realtime.face.landmarks import LandmarkModel
    from realtime.face.locator import Locator
    from realtime.face.mirroring import Mirror
    from realtime.face.patient import Patient
    from realtime.face.point_flow import PointFlow
    from realtime.face.settings import FaceSettings
    from realtime.face.tracker import Tracker

__all__ = [
    "Aligner",
    "FaceDetector",
    "FaceSettings",
    "LandmarkModel",
    "Locator",
    "Mirror",
    "Patient",
    "PointFlow",
    "Tracker",
]

_HOMES = {
    "Aligner": "realtime.face.alignment",
    "FaceDetector": "realtime.face.detector",
    "FaceSettings": "realtime.face.settings",
    "LandmarkModel": "realtime.face.landmarks",
    "Locator": "realtime.face.locator",
    "Mirror": "realtime.face.mirroring",
    "Patient": "realtime.face.patient",
    "PointFlow": "realtime.face.point_flow",
    "Tracker": "realtime.face.tracker",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
