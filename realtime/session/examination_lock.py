"""One examination of one person at a time, and the memory of one that was broken off.

The lock is the system's own on an open file, so it ends with the process, however that ends. What the file holds is the
folder of the examination under way; it is emptied when that ends in order.
"""

import contextlib
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import quote

from realtime.errors import DeviceError, UserInputError
from realtime.files import data_folder, open_private, private_folder, reason
from realtime.session.calibration_store import checked_name

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[Any]) -> None:
        """Raises OSError where another process has it."""
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: IO[Any]) -> None:
        """Raises OSError where another process has it."""
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


_LONGEST = 200


class ExaminationLock:
    """Holds a person for this process.

    Take the person.

    Args:
        person: the name.
        people: folder of stored calibrations; None: the one in the user's data folder.

    Attributes:
        broken_off: the session folder of this person's examination that did not end in order; None: there is none.

    Raises:
        UserInputError: another process examines this person now.
        DeviceError: the file cannot be made.
    """

    def __init__(self, person: str, people: Path | None = None) -> None:
        folder = people or data_folder() / "people"
        name = quote(checked_name(person), safe=" ")[:_LONGEST]
        self.broken_off: Path | None = None
        self._path = folder / f"examination-{name}"
        lock, memory = self._path.with_suffix(".lock"), self._path.with_suffix(".folder")
        try:
            private_folder(folder)
            self._file = open_private(lock, "a+b")
        except OSError as error:
            raise DeviceError(
                f"{lock} cannot be made ({reason(error)}); choose another folder with --people."
            ) from None
        try:
            _take(self._file)
        except OSError:
            self._file.close()
            raise UserInputError(
                f"{person} is being examined by another run of this program; end that one, or take another name."
            ) from None
        self._memory = memory
        with contextlib.suppress(OSError, ValueError):
            found = memory.read_text("utf-8").strip()
            self.broken_off = Path(found) if found else None

    def begin(self, folder: Path) -> None:
        """Remember the session folder until `end`.

        Raises:
            DeviceError: it cannot be written.
        """
        try:
            with open_private(self._memory, "w") as file:
                file.write(str(folder.resolve()))
        except OSError as error:
            raise DeviceError(f"{self._memory} cannot be written ({reason(error)}).") from None

    def end(self) -> None:
        """The examination ended in order, or was closed: nothing is left to be gone on with."""
        with contextlib.suppress(OSError):
            self._memory.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the person. Safe to call twice."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()
