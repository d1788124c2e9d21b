"""OpenFace 3.0, all of it in this room: its networks are downloaded with their licence (`download`, `install`), measured
(`multitask`: Action Units 0..1, emotion, gaze) and drawn (`panel`). Landmarks come from its STAR network through `models`.

The licence allows academic use only, and the project ships none of the files. Names are imported when they are first used,
so that a run without `--models openface3` pays nothing.
"""

from typing import TYPE_CHECKING

from realtime.lazy import lazy_names

if TYPE_CHECKING:
    from realtime.openface3.multitask import Multitask
    from realtime.openface3.panel import ExpressionPanel

__all__ = ["ExpressionPanel", "Multitask"]

_HOMES = {
    "ExpressionPanel": "realtime.openface3.panel",
    "Multitask": "realtime.openface3.multitask",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
