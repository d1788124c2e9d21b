"""The face path: detection, schedule, landmarks, tracking, smoothing, flow, alignment, mirroring, head pose.

Pure functions and small objects with `update()`: no clock, no files, no networks of their own (those are handed in as callables).
"""

from typing import Any

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
    "Aligner": "alignment",
    "FaceDetector": "detector",
    "FaceSettings": "settings",
    "LandmarkModel": "landmarks",
    "Locator": "locator",
    "Mirror": "mirroring",
    "Patient": "patient",
    "PointFlow": "point_flow",
    "Tracker": "tracker",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
