"""News of every frame, on its way to frames.csv."""

from realtime.graph import DropReason, Envelope
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
    """Listener for drops: tells the two paths apart by the edge's name."""

    def __init__(self, csv: FramesCsv, picture: set[str], analysis: set[str]) -> None:
        self._csv = csv
        self._picture = picture
        self._analysis = analysis

    def __call__(self, edge: str, cause: DropReason, envelope: Envelope) -> None:
        """A frame was lost on some edge."""
        if edge in self._picture:
            self._csv.dropped(envelope.sequence, str(cause))
        elif edge in self._analysis:
            self._csv.not_measured(envelope.sequence, str(cause))
