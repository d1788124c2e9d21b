"""Rows in capture order, although a drop is known at once and a result only when it is ready. Pure: time is given."""

from collections import OrderedDict, deque
from typing import NamedTuple

from realtime.session.schema import FrameRow
from realtime.types import Analysis

PENDING = "pending"
"""The cause in a row that had to be written before it was known what becomes of its frame."""


class _Held(NamedTuple):
    row: FrameRow
    announced: float  # when its capture was announced, seconds


class RowSorter:
    """Holds each captured frame's row until it is complete, and gives rows out in capture order.

    A row is complete when the picture path has shown or dropped the frame, and the analysis path has either analysed it
    or passed it (dropped it, analysed a later one, or advanced its watermark). However late that is, it gets into the row:
    no measurement is lost because it took long. Rows that wait for longer than `max_wait` can be copied meanwhile, with
    what is known (`overdue`), so that the file on disk is not far behind.

    Args:
        max_wait: Seconds after its capture was announced from which an incomplete row is overdue.
        most_held: Rows held at most. Only a part that never comes back lets so many wait; then the oldest goes out as it
            is, and a result for it that comes later still is counted in `late`.
    """

    def __init__(self, max_wait: float = 0.8, most_held: int = 10_000) -> None:
        self._max_wait = max_wait
        self._most_held = most_held
        self._rows: OrderedDict[int, _Held] = OrderedDict()
        self._not_copied: deque[_Held] = deque()
        self._face_id: int | None = None  # of the newest analysis that had one
        self.late = 0

    def __len__(self) -> int:
        return len(self._rows)

    def captured(self, sequence: int, capture_time: float, now: float) -> None:
        """A frame came from the source; sequences rise. Both times in seconds, not necessarily on the same clock.

        Args:
            sequence: of the frame.
            capture_time: seconds.
            now: seconds, not necessarily on the same clock.
        """
        if sequence not in self._rows:
            self._rows[sequence] = held = _Held(FrameRow(sequence, capture_time), now)
            self._not_copied.append(held)

    def shown(self, sequence: int, result_age: float | None = None) -> None:
        """The frame left the picture path.

        Args:
            sequence: of the frame.
            result_age: seconds between it and the result drawn on it.
        """
        held = self._rows.get(sequence)
        if held is not None:
            held.row.shown, held.row.result_age = True, result_age

    def dropped(self, sequence: int, cause: str) -> None:
        """The frame was dropped on the picture path.

        Args:
            sequence: of the frame.
            cause: why.
        """
        held = self._rows.get(sequence)
        if held is not None:
            # What `measured` said stays: the frame has both.
            held.row.shown, held.row.cause = False, _joined(cause, held.row.cause if held.row.analysis else "")

    def measured(self, analysis: Analysis) -> None:
        """The analysis of one frame; frames before it will get none of their own. Analyses come in capture order.

        Where it is another face than before, the row's cause says so.
        """
        change = self._face_change(analysis)
        held = self._rows.get(analysis.sequence)
        if held is None:
            self.late += 1
        else:
            held.row.analysis, held.row.analysis_final = analysis, True
            held.row.cause = _joined(held.row.cause, change)
        self.advance_watermark(analysis.sequence - 1)

    def _face_change(self, analysis: Analysis) -> str:
        """In words; empty where it is the same face, the first one, or none."""
        if analysis.face is None:
            return ""
        before, self._face_id = self._face_id, analysis.face.face_id
        return "" if before in (None, self._face_id) else f"another face: {self._face_id} after {before}"

    def not_measured(self, sequence: int, cause: str = "") -> None:
        """The analysis path dropped this frame, for `cause`.

        Args:
            sequence: of the frame.
            cause: why.
        """
        held = self._rows.get(sequence)
        if held is not None and held.row.analysis is None:
            held.row.analysis_final = True
            held.row.cause = held.row.cause or cause

    def advance_watermark(self, sequence: int) -> None:
        """No frame up to and including `sequence` will be analysed any more."""
        for number, held in self._rows.items():
            if number > sequence:
                break
            held.row.analysis_final = True

    def take_complete(self) -> list[FrameRow]:
        """Take out, in order, the rows to which nothing will be added."""
        out = []
        while self._rows:
            first = next(iter(self._rows.values())).row
            complete = first.shown is not None and first.analysis_final
            if not complete and len(self._rows) <= self._most_held:
                break
            out.append(self._take(first, PENDING))
        return out

    def overdue(self, now: float) -> list[FrameRow]:
        """The rows, in order, that have become overdue since the last call. They stay here.

        Args:
            now: seconds.
        """
        out = []
        while self._not_copied and now - self._not_copied[0].announced > self._max_wait:
            out.append(self._not_copied.popleft().row)
        return out

    def forget_copies(self) -> None:
        """The copies are gone: `overdue` gives all rows that are overdue, once more."""
        self._not_copied = deque(self._rows.values())

    def take_all(self) -> list[FrameRow]:
        """Take out everything, at the end of the session."""
        return [self._take(held.row, "session ended") for held in list(self._rows.values())]

    def _take(self, row: FrameRow, cause: str) -> FrameRow:
        del self._rows[row.sequence]
        if self._not_copied and self._not_copied[0].row is row:
            self._not_copied.popleft()
        if row.shown is None:
            row.cause = unsettled(row, cause)
        return row


def unsettled(row: FrameRow, cause: str) -> str:
    """The cause for a row of which it is not known whether its frame was shown.

    Args:
        row: of the frame.
        cause: known so far.
    """
    # With an analysis the row's own cause can only tell of another face, which explains nothing.
    return _joined(cause, row.cause) if row.analysis is not None else row.cause or cause


def _joined(first: str, second: str) -> str:
    return "; ".join(filter(None, (first, second)))
