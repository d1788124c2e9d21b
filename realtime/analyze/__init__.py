"""The public face: `FaceAnalyzer` for stills, `FaceTracker` for videos, cameras and frames that are fed in.

Nothing heavy is imported before the first picture, and nothing is changed in the caller's process.
"""

from typing import TYPE_CHECKING

from realtime.lazy import lazy_names

if TYPE_CHECKING:
    from realtime.analyze.results import Face, Faces, TrackedFace
    from realtime.analyze.still import FaceAnalyzer
    from realtime.analyze.tracking import FaceTracker

__all__ = ["Face", "FaceAnalyzer", "FaceTracker", "Faces", "TrackedFace"]

_HOMES = {
    "Face": "realtime.analyze.results",
    "FaceAnalyzer": "realtime.analyze.still",
    "FaceTracker": "realtime.analyze.tracking",
    "Faces": "realtime.analyze.results",
    "TrackedFace": "realtime.analyze.results",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
