"""The ledger's files: where each lies, how one is read, and how they are brought to disk.

Any of them may be half-written or damaged (a kill, a network drive that shows a file before its content): what cannot be read
is as if it were not there.
"""

import contextlib
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from realtime import strict_json
from realtime.files import private_folder

HEAD = "ledger.json"
"""The file that says what the batch is made with; a folder with it in `ledger/` is a batch's."""
KINDS = ("inputs", "claims", "deaths", "done", "failed", "workers", "logs", "parts")


class LedgerFiles:
    """The files below one ledger's folder.

    Args:
        folder: the ledger's.

    Attributes:
        folder: the ledger's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self) -> None:
        """Make the folders. Raises OSError."""
        for kind in KINDS:
            private_folder(self.folder / kind)

    def path(self, kind: str, name: str, ending: str = ".json") -> Path:
        """Where the file of a recording lies.

        Args:
            kind: one of `KINDS`.
            name: the recording's.
            ending: of the file.
        """
        return self.folder / kind / f"{name}{ending}"

    def listed(self, kind: str) -> list[Path]:
        """The files of one kind, by name."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return [
                path
                for path in sorted((self.folder / kind).iterdir())
                if path.suffix == ".json" and not path.name.startswith(".")
            ]
        return []

    def names(self, kind: str) -> list[str]:
        """The recordings that have a file of this kind."""
        return [path.name.removesuffix(".json") for path in self.listed(kind)]

    def remove(self, path: Path) -> None:
        """Delete a file, or what lies in its place. Raises OSError."""
        try:
            path.unlink(missing_ok=True)
        except (IsADirectoryError, PermissionError):  # the latter is what some systems say of a folder
            if not path.is_dir():
                raise
            shutil.rmtree(path)

    def read(self, path: Path) -> dict[str, Any] | None:
        """None: there is none, or half of one (some network drives show a file before its content), or it is damaged."""
        try:
            content = strict_json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else None


def sync_folder(path: Path) -> None:
    """Bring a folder's own entries to disk, where the system can do that."""
    with contextlib.suppress(OSError):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def sync_tree(path: Path) -> None:
    """Bring every file of a folder to disk. Raises OSError."""
    for file in sorted(path.rglob("*")):
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
    sync_folder(path)


def now() -> str:
    """The time in UTC, as the ledger writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
