"""markers.csv: texts that were set at moments of the session. A marker's row in frames.csv is the one with the same sequence."""

import contextlib
import csv
import io
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from realtime.errors import DeviceError, UserInputError
from realtime.files import AppendedFile, open_regular, reason
from realtime.session.schema import LATEST
from realtime.spreadsheet import as_typed, guarded

NAME = "markers.csv"
COLUMNS = {
    "sequence": "the newest frame when the marker was set (or the frame the person saw): its row in frames.csv",
    "capture_time": "seconds on the session's clock",
    "wall_time": "date and time, ISO 8601 with its offset from UTC",
    "text": "the marker's text; may be empty; an apostrophe before =, +, -, @, a tab or a line end keeps spreadsheets from running it",
    "source": "who set it: key, dashboard, http",
}
LONGEST = 500
"""Characters in a marker's text, wherever it is set."""


class Mark(NamedTuple):
    """One marker, as it stands in the file.

    Attributes:
        sequence: of the newest frame then.
        capture_time: seconds.
        wall_time: ISO 8601.
        text: what was typed.
        source: key, http or another.
    """

    sequence: int
    capture_time: float
    wall_time: str
    text: str
    source: str


class SessionMarkers:
    """Takes markers from any thread and has each on disk when `add` returns.

    Args:
        path: of a file that does not exist; None: markers are given to the listeners only.
        clock: the capture times' seconds.
        wall: the wall clock.

    Attributes:
        count: markers so far.
        listeners: called with each marker.

    Raises:
        DeviceError: the file cannot be created.
    """

    def __init__(
        self,
        path: Path | None,
        clock: Callable[[], float],
        wall: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone(),
    ) -> None:
        self.count = 0
        self.listeners: list[Callable[[Mark], None]] = []
        self._path = path
        self._clock = clock
        self._wall = wall
        self._lock = threading.Lock()
        self._newest = -1
        self._file: AppendedFile | None = None
        if path is not None:
            self._file = AppendedFile(path, (",".join(COLUMNS) + "\n").encode())
            self._file.flush()

    @property
    def newest(self) -> int:
        """The newest frame's number; -1 before the first."""
        return self._newest

    def captured(self, sequence: int) -> None:
        """Take the newest frame's number: markers set from now on belong to it.

        Args:
            sequence: of the frame.
        """
        self._newest = sequence

    def add(self, text: str, source: str, *, capture_time: float | None = None, sequence: int | None = None) -> Mark:
        """Set a marker.

        Args:
            text: at most LONGEST characters; blanks around it are left out.
            source: who sets it: key, dashboard, http.
            capture_time: of the frame that the person saw, seconds; None: now.
            sequence: of the frame that the person saw; None: the newest.

        Returns:
            The marker as it was written.

        Raises:
            UserInputError: the text is too long or holds control characters.
            DeviceError: the marker cannot be written, or the session has ended.
        """
        checked = text.strip()
        if len(checked) > LONGEST:
            raise UserInputError(f"A marker's text has at most {LONGEST:,} characters; this one has {len(checked):,}.")
        if any(ord(sign) < 32 and sign not in "\n\t" for sign in checked) or "\x7f" in checked:
            raise UserInputError("A marker's text holds no control characters.")
        with self._lock:
            mark = Mark(
                self._newest if sequence is None else sequence,
                self._clock() if capture_time is None else capture_time,
                self._wall().isoformat(timespec="milliseconds"),
                checked,
                source,
            )
            self._write(mark)
            self.count += 1
        for listener in self.listeners:
            listener(mark)
        return mark

    def mark(self, text: str, *, capture_time: float, sequence: int, origin: str) -> None:
        """Set a marker as the dashboard names its parts; see `add`.

        Args:
            text: what was typed.
            capture_time: seconds.
            sequence: of the frame that was shown.
            origin: key, http or another.
        """
        self.add(text, origin, capture_time=capture_time, sequence=sequence)

    def close(self) -> None:
        """Close the file; no marker can be set any more. Safe to call twice."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                with contextlib.suppress(DeviceError):  # every marker was flushed when it was set
                    file.close()

    def _write(self, mark: Mark) -> None:
        if self._path is None:
            return
        if self._file is None:
            raise DeviceError("The session has ended: no marker can be set any more.")
        line = io.StringIO()
        cells = (mark.sequence, f"{mark.capture_time:.6f}", mark.wall_time, guarded(mark.text), mark.source)
        csv.writer(line, lineterminator="\n").writerow(cells)
        self._file.write(line.getvalue().encode(), flush=True)


def read_markers(path: Path) -> list[Mark]:
    """Read a session's markers, with their texts as they were typed.

    A last row cut short by a kill is left out.

    Args:
        path: of the file.

    Returns:
        In the order in which they were set; none where there is no file.

    Raises:
        UserInputError: the file cannot be read or is damaged.
    """
    marks: list[Mark] = []
    try:
        with open_regular(path) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if None in row.values():
                    break
                marks.append(_mark(row))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    except (ValueError, KeyError, csv.Error) as error:
        raise UserInputError(f"{path} is damaged after {len(marks)} markers ({error}).") from None
    return marks


def _mark(row: dict[str, str]) -> Mark:
    """Raises KeyError or ValueError."""
    if None in row:
        raise ValueError("a row has too many cells")
    time = float(row["capture_time"])
    if not abs(time) < LATEST:
        raise ValueError(f"{row['capture_time']} is no capture time")
    if any("\x00" in cell for cell in row.values()):
        raise ValueError("a row holds a NUL")
    return Mark(int(row["sequence"]), time, row["wall_time"], as_typed(row["text"]), row["source"])
