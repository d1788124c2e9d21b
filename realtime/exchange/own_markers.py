"""The markers that were set while a session ran, as annotations."""

from pathlib import Path

from realtime.exchange.annotations import Point
from realtime.exchange.notes import Gathering, Imported
from realtime.exchange.timeline import first_capture_time
from realtime.session.folder import FRAMES
from realtime.session.markers import read_markers


def read(path: Path) -> Imported:
    """Read a session's markers.csv; who set a marker becomes its comment.

    Args:
        path: of the file, in the session's folder.

    Raises:
        UserInputError: it is damaged, a marker lies before the first row, or the session has no rows.
    """
    gathering, start = Gathering(), first_capture_time(path.with_name(FRAMES))
    for mark in read_markers(path):
        at = round(1000 * (mark.capture_time - start))
        gathering.points.append(Point(at, gathering.text(mark.text), f"set by {mark.source}"))
    return gathering.finish()
