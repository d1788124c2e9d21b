"""The public face: `FaceAnalyzer` for stills, `FaceTracker` for videos, cameras and frames that are fed in.

Nothing heavy is imported before the first picture, and nothing is changed in the caller's process.
"""

from typing import Any

__all__ = ["Face", "FaceAnalyzer", "FaceTracker", "Faces", "TrackedFace"]

_HOMES = {
    "Face": "realtime.analyze.results",
    "FaceAnalyzer": "realtime.analyze.still",
    "FaceTracker": "realtime.analyze.tracking",
    "Faces": "realtime.analyze.results",
    "TrackedFace": "realtime.analyze.results",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
