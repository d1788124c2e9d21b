"""The guided examination of facial movement: lengths in millimetres, repetitions of movements, scores and their noise.

Nothing here opens a camera, a window or a page: the program feeds it frames' analyses and shows what it asks for.
"""

from realtime.clinic.frontal import Frontal, seen_from_front
from realtime.clinic.lengths import measure_lengths
from realtime.clinic.scale import HeadSize, Scale
from realtime.clinic.scores import Scores, score_examination
from realtime.clinic.store import read_examination, write_examination
from realtime.clinic.types import (
    Affected,
    Examination,
    Movement,
    Repetition,
    Snapshot,
)

__all__ = [
    "Affected",
    "Examination",
    "Frontal",
    "HeadSize",
    "Movement",
    "Repetition",
    "Scale",
    "Scores",
    "Snapshot",
    "measure_lengths",
    "read_examination",
    "score_examination",
    "seen_from_front",
    "write_examination",
]
