"""Rows in capture order, although a drop is known at once and a result only when it is ready. Pure."""

from collections import OrderedDict

from realtime.session.schema import FrameRow
from realtime.types import Analysis


class RowSorter:
    """Holds each captured frame's row until its fate is settled, and lets rows out in capture order.

    A row is settled when the picture path has shown or dropped the frame, and the analysis path has either analysed it
    or passed it by (a result of a later frame, or word that there is none). max_wait: seconds of capture time after
    which an unsettled row goes out with what is known; a result that comes later still is counted in `late`.
    """

    def __init__(self, max_wait: float = 0.8) -> None:
        self._max_wait = max_wait
        self._rows: OrderedDict[int, FrameRow] = OrderedDict()
        self._newest = float("-inf")
        self.late = 0

    def __len__(self) -> int:
        return len(self._rows)

    def captured(self, sequence: int, capture_time: float) -> None:
        """A frame came from the source; sequences rise. A frame nobody announced is taken in by its first news."""
        if sequence not in self._rows:
            self._rows[sequence] = FrameRow(sequence, capture_time)
            self._newest = max(self._newest, capture_time)

    def shown(self, sequence: int, result_age: float | None = None) -> None:
        """The frame left the picture path. result_age: seconds between it and the result drawn on it."""
        row = self._rows.get(sequence)
        if row is not None:
            row.shown, row.result_age = True, result_age

    def dropped(self, sequence: int, cause: str) -> None:
        """The frame was dropped on the picture path."""
        row = self._rows.get(sequence)
        if row is not None:
            row.shown, row.cause = False, cause

    def measured(self, analysis: Analysis) -> None:
        """The analysis of one frame; frames before it will get none of their own."""
        row = self._rows.get(analysis.sequence)
        if row is None:
            self.late += 1
        else:
            row.analysis, row.analysis_settled = analysis, True
        self._pass_by(analysis.sequence, "")

    def not_measured(self, sequence: int, cause: str = "") -> None:
        """The analysis path dropped this frame, for `cause`."""
        row = self._rows.get(sequence)
        if row is not None and row.analysis is None:
            row.analysis_settled = True
            row.cause = row.cause or cause

    def no_result_up_to(self, sequence: int) -> None:
        """No frame up to and including `sequence` will be analysed any more."""
        self._pass_by(sequence + 1, "")

    def ready(self) -> list[FrameRow]:
        """Take out, in order, the rows that are settled or have waited too long."""
        out = []
        while self._rows:
            first = next(iter(self._rows.values()))
            settled = first.shown is not None and first.analysis_settled
            if not settled and self._newest - first.capture_time <= self._max_wait:
                break
            out.append(self._leave(first, "not settled in time"))
        return out

    def rest(self) -> list[FrameRow]:
        """Take out everything, at the end of the session."""
        return [self._leave(row, "session ended") for row in list(self._rows.values())]

    def _leave(self, row: FrameRow, cause: str) -> FrameRow:
        del self._rows[row.sequence]
        if row.shown is None and row.analysis is None:
            row.cause = row.cause or cause
        return row

    def _pass_by(self, before: int, cause: str) -> None:
        for sequence, row in self._rows.items():
            if sequence >= before:
                break
            row.analysis_settled = True
            row.cause = row.cause or cause
