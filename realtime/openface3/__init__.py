"""OpenFace 3.0, all of it in this room: its networks are downloaded with their licence (`download`, `install`), measured
(`multitask`: Action Units 0..1, emotion, gaze) and drawn (`panel`). Landmarks come from its STAR network through `models`.

The licence allows academic use only, and the project ships none of the files. Names are imported when they are first used,
so that a run without `--models openface3` pays nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime.openface3.multitask import Multitask
    from realtime.openface3.panel import ExpressionPanel

__all__ = ["ExpressionPanel", "Multitask"]

_HOMES = {
    "ExpressionPanel": "realtime.openface3.panel",
    "Multitask": "realtime.openface3.multitask",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
