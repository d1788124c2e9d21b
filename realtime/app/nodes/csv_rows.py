"""News of every frame, on its way to frames.csv."""

from collections.abc import Iterable
from typing import Any

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
    """Listener for drops, so that every frame's row says what became of it.

    What is dropped behind the picture's or the analysis' last node was made all the same, and is written from here: a
    stop or a full queue on the way to the rows loses nothing.

    Connections as `Graph.connect` returned them; drops on others do not concern the rows.

    Args:
        csv: The rows.
        picture: Where a frame that is dropped will not be shown.
        analysis: Where a frame that is dropped will not be measured.
        shown: The connection to `ShownRows`.
        measured: Behind the node that measures, up to `MeasuredRows`.
    """

    def __init__(
        self,
        csv: FramesCsv,
        *,
        picture: Iterable[Connection],
        analysis: Iterable[Connection],
        shown: Connection,
        measured: Iterable[Connection],
    ) -> None:
        self._csv = csv
        self._picture = frozenset(picture)
        self._analysis = frozenset(analysis)
        self._shown = shown
        self._measured = frozenset(measured)

    def __call__(self, connection: Connection, reason: DropReason, envelope: Envelope[Any]) -> None:
        """A frame was lost on some edge."""
        if connection is self._shown:
            self._csv.shown(envelope.sequence, envelope.payload.result_age)
        elif connection in self._measured:
            self._csv.measured(envelope.payload.analysis)
        elif connection in self._picture:
            self._csv.dropped(envelope.sequence, str(reason))
        elif connection in self._analysis:
            self._csv.not_measured(envelope.sequence, str(reason))
