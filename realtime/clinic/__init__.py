"""The guided examination of facial movement: lengths in millimetres, repetitions of movements, scores and their noise.

Nothing here opens a camera, a window or a page: the program feeds it frames' analyses and shows what it asks for.
Names are imported when they are first used, so that the settings need no compiler.
"""

from typing import TYPE_CHECKING

from realtime.lazy import lazy_names

if TYPE_CHECKING:
    from realtime.clinic.frontal import Frontal, seen_from_front
    from realtime.clinic.lengths import measure_lengths
    from realtime.clinic.meter import LengthMeter, ScaleChoice
    from realtime.clinic.ruler import Ruler
    from realtime.clinic.scale import HeadSize, Scale
    from realtime.clinic.scores import Scores, score_examination
    from realtime.clinic.store import read_examination, write_examination
    from realtime.clinic.types import Affected, Examination, Movement, Repetition, Snapshot

__all__ = [
    "Affected",
    "Examination",
    "Frontal",
    "HeadSize",
    "LengthMeter",
    "Movement",
    "Repetition",
    "Ruler",
    "Scale",
    "ScaleChoice",
    "Scores",
    "Snapshot",
    "measure_lengths",
    "read_examination",
    "score_examination",
    "seen_from_front",
    "write_examination",
]

_HOMES = {
    "Affected": "realtime.clinic.types",
    "Examination": "realtime.clinic.types",
    "Frontal": "realtime.clinic.frontal",
    "HeadSize": "realtime.clinic.scale",
    "LengthMeter": "realtime.clinic.meter",
    "Movement": "realtime.clinic.types",
    "Repetition": "realtime.clinic.types",
    "Ruler": "realtime.clinic.ruler",
    "Scale": "realtime.clinic.scale",
    "ScaleChoice": "realtime.clinic.meter",
    "Scores": "realtime.clinic.scores",
    "Snapshot": "realtime.clinic.types",
    "measure_lengths": "realtime.clinic.lengths",
    "read_examination": "realtime.clinic.store",
    "score_examination": "realtime.clinic.scores",
    "seen_from_front": "realtime.clinic.frontal",
    "write_examination": "realtime.clinic.store",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
