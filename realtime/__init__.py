"""facemirror-live: live Action Units, landmarks and mirrored half-faces from a camera, with a bounded latency.

    from realtime import FaceAnalyzer, FaceTracker

    for face in FaceAnalyzer()(image):  # (H, W, 3) uint8 BGR
        print(face.pose, face.action_units.left[12], face.action_units.right[12])

    with FaceTracker("clip.mp4") as tracker:
        for frame, face in tracker:
            ...

Importing the package loads neither OpenCV nor Numba; models open with the first picture.
"""

from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
