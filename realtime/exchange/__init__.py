"""What a laboratory exchanges: annotations of a session and their file, and the formats of other programs (ELAN, BORIS, BIDS,
OpenFace, Parquet, XDF).

Names are imported when they are first used.
"""

from typing import TYPE_CHECKING

from realtime.lazy import lazy_names

if TYPE_CHECKING:
    from realtime.exchange.annotations import Annotations, Code, Exclusion, Label, Point
    from realtime.exchange.store import (
        Stored,
        annotation_files,
        annotations_file,
        annotations_of,
        as_json,
        read_annotations,
        write_annotations,
    )

__all__ = [
    "Annotations",
    "Code",
    "Exclusion",
    "Label",
    "Point",
    "Stored",
    "annotation_files",
    "annotations_file",
    "annotations_of",
    "as_json",
    "read_annotations",
    "write_annotations",
]

_HOMES = {
    "Annotations": "realtime.exchange.annotations",
    "Code": "realtime.exchange.annotations",
    "Exclusion": "realtime.exchange.annotations",
    "Label": "realtime.exchange.annotations",
    "Point": "realtime.exchange.annotations",
    "Stored": "realtime.exchange.store",
    "annotation_files": "realtime.exchange.store",
    "annotations_file": "realtime.exchange.store",
    "annotations_of": "realtime.exchange.store",
    "as_json": "realtime.exchange.store",
    "read_annotations": "realtime.exchange.store",
    "write_annotations": "realtime.exchange.store",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
