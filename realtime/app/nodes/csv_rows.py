"""News of every frame, on its way to frames.csv."""

from collections.abc import Iterable

from realtime.graph import Connection, DropReason, Envelope
from realtime.session.frames_csv import FramesCsv
from realtime.types import RenderedFrame, TrackedFrame


class ShownRows:
    """Sink behind the picture path."""

    def __init__(self, csv: FramesCsv) -> None:
        self._csv = csv

    def process(self, shown: RenderedFrame) -> None:
        """The frame was shown."""
        self._csv.shown(shown.sequence, shown.result_age)


class MeasuredRows:
    """Sink behind the analysis path."""

    def __init__(self, csv: FramesCsv) -> None:
        self._csv = csv

    def process(self, analysed: TrackedFrame) -> None:
        """The frame was analysed."""
        self._csv.measured(analysed.analysis)


class DropRows:
    """Listener for drops.

    picture, analysis: the connections of either path, as `Graph.connect` returned them. Drops elsewhere are no matter of
    the rows.
    """

    def __init__(self, csv: FramesCsv, picture: Iterable[Connection], analysis: Iterable[Connection]) -> None:
        self._csv = csv
        self._picture = frozenset(picture)
        self._analysis = frozenset(analysis)

    def __call__(self, connection: Connection, reason: DropReason, envelope: Envelope) -> None:
        """A frame was lost on some edge."""
        if connection in self._picture:
            self._csv.dropped(envelope.sequence, str(reason))
        elif connection in self._analysis:
            self._csv.not_measured(envelope.sequence, str(reason))
