"""frames.csv: one row per captured frame, in capture order, at most a second behind on disk."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from realtime.errors import DeviceError
from realtime.file_locks import hold
from realtime.files import open_private, reason
from realtime.session.length_columns import LengthColumns
from realtime.session.row_assembler import PENDING, RowSorter, unsettled
from realtime.session.schema import AUS, FrameRow, RowFormat, column_names
from realtime.types import Analysis


class FramesCsv:
    """Takes news of frames from any thread, in any order between paths, and writes their rows.

    Rows are written when they are complete. What is incomplete for longer than `max_wait` stands at the end of the file
    with what is known, its cause "pending" where nobody knows whether the frame was shown, and is replaced by the
    complete row later. So nothing that was measured is lost, and a kill loses no more than the last second.

    `counts` are the complete rows by status; "not_shown" those whose picture was dropped, whether it was measured or not.

    None of the news methods raises on a full or failed disk: `notices` gets one sentence, `failed` is set, and later
    rows are counted in `rows_lost`.

    Args:
        path: The file.
        clock: Monotonic seconds, by which rows become overdue.
        aus: The Action Units that have columns.
        several: Several people are followed: a frame has a row for each of them (see `RowFormat`).
        millimetres: Lengths have columns, too.
        max_wait: See `RowSorter`.
        on_row: Called with every complete row, in order, once it is written.

    Raises:
        DeviceError: The file cannot be created.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        *,
        aus: Sequence[int] = AUS,
        several: bool = False,
        millimetres: LengthColumns = False,
        max_wait: float = 0.8,
        on_row: Callable[[FrameRow], None] | None = None,
    ) -> None:
        self.path = path
        self.notices: list[str] = []
        self.failed = False
        self.rows = 0
        self.rows_lost = 0
        self.counts = {"measured": 0, "held": 0, "dropped": 0, "not_shown": 0}
        self._clock = clock
        self._on_row = on_row
        self._format = RowFormat(aus, several=several, millimetres=millimetres)
        self._sorter = RowSorter(max_wait)
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        self._end = 0  # where the complete rows end, bytes
        self._copies = False  # incomplete rows stand behind them
        try:
            self._file = open_private(path, "xb", buffering=0)
            hold(self._file)
            self._end = self._put(",".join(column_names(aus, several=several, millimetres=millimetres)) + "\n")
        except OSError as error:
            self._drop_file()
            raise DeviceError(f"{path} cannot be written ({reason(error)}).") from None

    def captured(self, sequence: int, capture_time: float) -> None:
        """A frame came from the source; its row begins.

        Args:
            sequence: of the frame.
            capture_time: seconds.
        """
        with self._lock:
            self._sorter.captured(sequence, capture_time, self._clock())
            self._write()

    def shown(self, sequence: int, result_age: float | None = None) -> None:
        """The frame left the picture path.

        Args:
            sequence: of the frame.
            result_age: seconds between the frame and the result drawn on it; None: nothing drawn.
        """
        with self._lock:
            self._sorter.shown(sequence, result_age)
            self._write()

    def dropped(self, sequence: int, cause: str) -> None:
        """The frame will not be shown.

        Args:
            sequence: of the frame.
            cause: why.
        """
        with self._lock:
            self._sorter.dropped(sequence, cause)
            self._write()

    def measured(self, analysis: Analysis) -> None:
        """The frame's own result is ready.

        Args:
            analysis: the result.
        """
        with self._lock:
            self._sorter.measured(analysis)
            self._write()

    def not_measured(self, sequence: int, cause: str = "") -> None:
        """The frame will get no result of its own.

        Args:
            sequence: of the frame.
            cause: why.
        """
        with self._lock:
            self._sorter.not_measured(sequence, cause)
            self._write()

    def advance_watermark(self, sequence: int) -> None:
        """No frame up to and including `sequence` will get a result any more."""
        with self._lock:
            self._sorter.advance_watermark(sequence)
            self._write()

    def close(self) -> None:
        """Write what is still held and close. Safe to call twice."""
        with self._lock:
            self._write_complete(self._sorter.take_all())
            if self._file is not None:
                try:
                    self._file.close()
                except OSError as error:
                    self._fail(error, 0)
                self._file = None
                if self._sorter.late:
                    self.notices.append(
                        f"{self._sorter.late} measurements came minutes late and are not in {self.path.name}: "
                        "their rows had been written."
                    )

    def _write(self) -> None:
        self._write_complete(self._sorter.take_complete())
        overdue = self._sorter.overdue(self._clock())
        if overdue and self._file is not None:
            try:
                self._copies = True
                self._put("".join(map(self._incomplete, overdue)))
            except OSError as error:
                self._fail(error, 0)

    def _incomplete(self, row: FrameRow) -> str:
        return self._format.line(row if row.shown is not None else replace(row, cause=unsettled(row, PENDING)))

    def _write_complete(self, rows: list[FrameRow]) -> None:
        if not rows:
            return
        if self._file is None:
            self.rows_lost += len(rows)
            return
        try:
            if self._copies:
                # First shorter, then longer: at no moment does the file hold a mixture of an old and a new row.
                self._copies = False
                self._file.truncate(self._end)
                self._file.seek(self._end)
                self._sorter.forget_copies()
            self._end += self._put("".join(map(self._format.line, rows)))
        except OSError as error:
            self._fail(error, len(rows))
            return
        self.rows += len(rows)
        for row in rows:
            self.counts[row.status] += 1
            self.counts["not_shown"] += not row.shown
        if self._on_row is not None:
            for row in rows:
                self._on_row(row)

    def _put(self, text: str) -> int:
        """Write all of it; returns the number of bytes. An unbuffered file may take a part at a time."""
        assert self._file is not None
        content = text.encode()
        left = memoryview(content)
        while left:
            left = left[self._file.write(left) :]
        return len(content)

    def _fail(self, error: OSError, rows: int) -> None:
        self.failed = True
        self.rows_lost += rows
        self.notices.append(f"Writing {self.path} stopped ({reason(error)}); the session goes on without it.")
        self._drop_file()

    def _drop_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            # Only whole rows stay. What failed a moment ago may fail again, and has been reported.
            with contextlib.suppress(OSError):
                file.truncate(self._end)
            with contextlib.suppress(OSError):
                file.close()
