"""frames.csv: one row per captured frame, in capture order, at most a second behind on disk."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from realtime.errors import DeviceError
from realtime.files import open_private, reason
from realtime.session.row_assembler import RowSorter
from realtime.session.schema import AUS, FrameRow, RowFormat, column_names
from realtime.types import Analysis

# With the sorter's longest wait this keeps the file less than a second behind.
_FLUSH_SECONDS = 0.15


class FramesCsv:
    """Takes news of frames from any thread, in any order between paths, and writes their rows.

    clock: monotonic seconds, for flushing several times a second. max_wait: see RowSorter. on_row: told of every row.
    None of the news methods raises on a full or failed disk: `notices` gets one sentence, `failed` is set, and later
    rows are counted in `rows_lost`.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        *,
        aus: Sequence[int] = AUS,
        max_wait: float = 0.8,
        on_row: Callable[[FrameRow], None] | None = None,
    ) -> None:
        """Create the file with its header. Raises DeviceError when it cannot be created."""
        self.path = path
        self.notices: list[str] = []
        self.failed = False
        self.rows = 0
        self.rows_lost = 0
        self._clock = clock
        self._on_row = on_row
        self._format = RowFormat(aus)
        self._sorter = RowSorter(max_wait)
        self._lock = threading.Lock()
        self._file: IO[str] | None = None
        try:
            self._file = open_private(path, "x", newline="")
            self._file.write(",".join(column_names(aus)) + "\n")
            self._file.flush()
        except OSError as error:
            self._drop_file()
            raise DeviceError(f"{path} cannot be written ({reason(error)}).") from None
        self._flushed = clock()

    def captured(self, sequence: int, capture_time: float) -> None:
        with self._lock:
            self._sorter.captured(sequence, capture_time)
            self._write(self._sorter.ready())

    def shown(self, sequence: int, result_age: float | None = None) -> None:
        """result_age: seconds between the frame and the result drawn on it; None: nothing drawn."""
        with self._lock:
            self._sorter.shown(sequence, result_age)
            self._write(self._sorter.ready())

    def dropped(self, sequence: int, cause: str) -> None:
        with self._lock:
            self._sorter.dropped(sequence, cause)
            self._write(self._sorter.ready())

    def measured(self, analysis: Analysis) -> None:
        with self._lock:
            self._sorter.measured(analysis)
            self._write(self._sorter.ready())

    def not_measured(self, sequence: int, cause: str = "") -> None:
        with self._lock:
            self._sorter.not_measured(sequence, cause)
            self._write(self._sorter.ready())

    def no_result_up_to(self, sequence: int) -> None:
        with self._lock:
            self._sorter.no_result_up_to(sequence)
            self._write(self._sorter.ready())

    def close(self) -> None:
        """Write what is still held and close. Safe to call twice."""
        with self._lock:
            self._write(self._sorter.rest())
            if self._file is not None:
                try:
                    self._file.close()
                except OSError as error:
                    self._fail(error, 0)
                self._file = None

    def _write(self, rows: list[FrameRow]) -> None:
        if self._file is None:
            self.rows_lost += len(rows)
            return
        try:
            for row in rows:
                if self._on_row is not None:
                    self._on_row(row)
                self._file.write(self._format.line(row))
            now = self._clock()
            if now - self._flushed >= _FLUSH_SECONDS:
                self._file.flush()
                self._flushed = now
        except OSError as error:
            self._fail(error, len(rows))
            return
        self.rows += len(rows)

    def _fail(self, error: OSError, rows: int) -> None:
        self.failed = True
        self.rows_lost += rows
        self.notices.append(f"Writing {self.path} stopped ({reason(error)}); the session goes on without it.")
        self._drop_file()

    def _drop_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            # What could not be written a moment ago cannot be flushed by closing either, and has been told.
            with contextlib.suppress(OSError):
                file.close()
