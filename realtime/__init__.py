"""facemirror-live: live Action Units, landmarks and mirrored half-faces from a camera, with a bounded latency.

    from realtime import FaceAnalyzer, FaceTracker

    for face in FaceAnalyzer()(image):  # (H, W, 3) uint8 BGR
        print(face.pose, face.action_units.left[12], face.action_units.right[12])

    with FaceTracker("clip.mp4") as tracker:
        for frame, face in tracker:
            ...

Importing the package loads neither OpenCV nor Numba; models open with the first picture.
"""

from typing import TYPE_CHECKING

from realtime.lazy import lazy_names
from realtime.privacy import disable_telemetry

if TYPE_CHECKING:
    from realtime.analyze import Face, FaceAnalyzer, FaceTracker
    from realtime.graph import Graph
    from realtime.types import Frame, Sides

__version__ = "0.1.0"

disable_telemetry()

__all__ = ["Face", "FaceAnalyzer", "FaceTracker", "Frame", "Graph", "Sides", "__version__"]

_HOMES = {
    "Face": "realtime.analyze",
    "FaceAnalyzer": "realtime.analyze",
    "FaceTracker": "realtime.analyze",
    "Frame": "realtime.types",
    "Graph": "realtime.graph",
    "Sides": "realtime.types",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
