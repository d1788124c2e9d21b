"""What became of the recordings: bundles in their place and what they were made from, failures and why."""

import contextlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.batch.claims import Claim
from realtime.batch.ledger_files import LedgerFiles, now, sync_folder
from realtime.files import write_json

_LARGEST = 1e15


@dataclass(frozen=True, slots=True)
class Identity:
    """A file as it was when it was measured.

    Attributes:
        path: absolute.
        size: bytes.
        modified: nanoseconds.
        sha256: of the content; empty where it could not be read.
    """

    path: str
    size: int
    modified: int
    sha256: str = ""

    @classmethod
    def of(cls, path: Path) -> "Identity":
        """Without the checksum. What cannot be looked up has the size -1."""
        try:
            found = path.stat()
        except OSError:
            return cls(str(path), -1, 0)
        return cls(str(path), found.st_size, found.st_mtime_ns)

    def as_json(self) -> dict[str, Any]:
        """For the ledger; `from_json` reads it."""
        return {"path": self.path, "bytes": self.size, "modified_ns": self.modified, "sha256": self.sha256}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Identity":
        """Raises KeyError, TypeError, ValueError: `content` is none."""
        return cls(str(content["path"]), int(content["bytes"]), int(content["modified_ns"]), str(content["sha256"]))

    def looks_like(self, other: "Identity") -> bool:
        """The same file by name, size and time, without reading it."""
        return (self.path, self.size, self.modified) == (other.path, other.size, other.modified)


class Results:
    """The finished and the failed recordings of one ledger.

    Args:
        files: of the ledger.
        recordings: the folder of the bundles.
    """

    def __init__(self, files: LedgerFiles, recordings: Path) -> None:
        self._files = files
        self._recordings = recordings

    def is_done(self, name: str) -> bool:
        """Whether the bundle is there and finished."""
        return os.path.lexists(self._files.path("done", name)) and (self._recordings / name).is_dir()

    def has_failed(self, name: str) -> bool:
        """Whether it was found that it cannot be measured."""
        return os.path.lexists(self._files.path("failed", name))

    def all_done(self) -> set[str]:
        """Every recording that is done, from one look at each folder."""
        there = {entry.name for entry in os.scandir(self._recordings)} if self._recordings.is_dir() else set()
        return there & set(self._files.names("done"))

    def commit(
        self, claim: Claim, part: Path, fingerprint: str, identity: Identity, columns: str, figures: Mapping[str, Any]
    ) -> None:
        """Put a finished bundle in its place.

        Args:
            claim: whose it is.
            part: the folder that holds it, brought to disk.
            fingerprint: hash of program, models and settings.
            identity: of the input.
            columns: digest of what the list said about it.
            figures: of the recording, for tables and --status.

        Raises:
            OSError: it cannot be moved.
        """
        target, old = self._recordings / claim.name, self._files.folder / "parts" / f"old.{claim.nonce}"
        if target.exists():
            # Of an earlier fingerprint, or of a process that was killed before it could note that it was done.
            self._files.remove(self._files.path("done", claim.name))
            with contextlib.suppress(FileNotFoundError):
                target.rename(old)
        part.rename(target)
        sync_folder(self._recordings)
        shutil.rmtree(old, ignore_errors=True)
        content = {
            "fingerprint": fingerprint,
            "input": identity.as_json(),
            "columns": columns,
            "at": now(),
            "figures": dict(figures),
        }
        write_json(self._files.path("done", claim.name), content)

    def done(self, name: str) -> Mapping[str, Any] | None:
        """What done/ says; None: nothing that can be read."""
        return self._files.read(self._files.path("done", name))

    def figures(self, name: str) -> Mapping[str, Any]:
        """The figures of a recording that is done; empty where its note is damaged."""
        found = (self.done(name) or {}).get("figures")
        if not isinstance(found, dict):
            return {}
        numbers = [found.get(key, 0) for key in ("seconds", "frames", "face_frames")]
        units, notices = found.get("action_units", {}), found.get("notices", [])
        if not isinstance(units, dict) or not isinstance(notices, list):
            return {}
        numbers += [value for value in units.values() if value is not None]
        right = all(isinstance(number, int | float) and abs(number) < _LARGEST for number in numbers)
        return found if right and all(isinstance(notice, str) for notice in notices) else {}

    def note_identity(self, name: str, identity: Identity) -> None:
        """The same content lies elsewhere, or was touched: next time it is known without reading it.

        Args:
            name: of the recording.
            identity: of the file as it lies now.
        """
        content = self.done(name)
        if content is not None:
            write_json(self._files.path("done", name), {**content, "input": identity.as_json()})

    def fail(self, name: str, sentence: str, identity: Identity) -> None:
        """Note that a recording cannot be measured, and why.

        Args:
            name: of the recording.
            sentence: why.
            identity: of the file.

        Raises:
            DeviceError: it cannot be written.
        """
        content = {"sentence": sentence, "input": identity.as_json(), "at": now()}
        write_json(self._files.path("failed", name), content)

    def failure(self, name: str) -> tuple[str, Identity] | None:
        """(sentence, the file as it was then); None: it did not fail."""
        content = self._files.read(self._files.path("failed", name))
        if content is None:
            return None
        try:
            return str(content["sentence"]), Identity.from_json(content["input"])
        except (KeyError, TypeError, ValueError):
            return f"{name}: its file in the ledger is damaged.", Identity("", -1, 0)

    def forget(self, name: str) -> None:
        """The bundle is to be made again; it stays until then."""
        self._files.remove(self._files.path("done", name))

    def forget_failure(self, name: str) -> None:
        """The recording is tried again."""
        self._files.remove(self._files.path("failed", name))
