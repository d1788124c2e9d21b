"""Who works on which recording: claims, the deaths of those who held one, and the parts they leave.

A claim is a file that is made in one step, which fails where it exists. Whether its holder lives is asked of the system on
the same machine and of heartbeats on another one; a recording over which `DEATHS` workers died is put aside.
"""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from realtime.batch.ledger_files import LedgerFiles, now
from realtime.batch.liveness import Heartbeats, Process
from realtime.files import open_private, write_json

DEATHS = 3
"""Workers that may die over a recording before it is put aside."""
_WRITTEN_WITHIN = 5.0  # seconds in which a claim has its content


class Claim(NamedTuple):
    """A recording that a process works on.

    Attributes:
        name: the recording's.
        nonce: of this claim alone.
        worker: who works on it.
        parent: who started the worker, and sees it die.
    """

    name: str
    nonce: str
    worker: Process
    parent: Process


class Claims:
    """The claims of one ledger.

    Args:
        files: of the ledger.
        heartbeats: of this process.
    """

    def __init__(self, files: LedgerFiles, heartbeats: Heartbeats) -> None:
        self._files = files
        self._heartbeats = heartbeats

    def exists(self, name: str) -> bool:
        """Whether somebody holds the recording, dead or alive."""
        return os.path.lexists(self._files.path("claims", name))

    def take(self, name: str, parent: Process) -> Claim | None:
        """Claim a recording for this process: of several that try, one succeeds.

        Args:
            name: of the recording.
            parent: this process.

        Returns:
            None where somebody else has it.

        Raises:
            OSError: the claim cannot be written.
        """
        claim = Claim(name, uuid.uuid4().hex[:16], Process.this(), parent)
        path = self._files.path("claims", name)
        content = {
            "nonce": claim.nonce,
            "worker": claim.worker.as_json(),
            "parent": parent.as_json(),
            "at": now(),
        }
        try:
            with open_private(path, "xb") as file:
                file.write(json.dumps(content).encode())
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            return None
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return claim

    def holder(self, name: str) -> Claim | None:
        """Whose the recording is now; None: nobody's, or a claim that is being written."""
        content = self._files.read(self._files.path("claims", name))
        try:
            assert content is not None
            return Claim(
                name,
                str(content["nonce"]),
                Process.from_json(content["worker"]),
                Process.from_json(content["parent"]),
            )
        except (AssertionError, KeyError, TypeError, ValueError):
            return None

    def release(self, claim: Claim) -> None:
        """Give a claim back, unless somebody took it away."""
        held = self.holder(claim.name)
        if held is not None and held.nonce == claim.nonce:
            self._files.path("claims", claim.name).unlink(missing_ok=True)

    def break_dead(self, name: str) -> bool:
        """Take a claim away from a worker that is dead.

        A worker whose parent lives died over the recording, and that is noted; where both are gone (a kill of the whole
        batch, a power cut), nobody knows, and nothing is held against the recording.

        Returns:
            Whether the recording is free now.
        """
        held = self.holder(name)
        if held is None:
            return self._break_unreadable(name)
        if self._heartbeats.alive(held.worker):
            return False
        witnessed = self._heartbeats.alive(held.parent) if held.parent.here else not held.worker.here
        self.revoke(held, witnessed=witnessed, why="its process ended")
        return True

    def revoke(self, claim: Claim, *, witnessed: bool, why: str) -> None:
        """Take a dead worker's claim away.

        Args:
            claim: that is left.
            witnessed: note the death.
            why: what is known of it.
        """
        path = self._files.path("claims", claim.name)
        revoked = self._files.folder / "parts" / f"claim.{claim.nonce}.{uuid.uuid4().hex[:8]}"
        try:
            path.rename(revoked)
        except OSError:
            return  # somebody else was quicker
        if (self._files.read(revoked) or {}).get("nonce") != claim.nonce:
            # Between the look and the move another one revoked it and claimed the recording: that claim goes back.
            with contextlib.suppress(OSError):
                if not path.exists():
                    revoked.rename(path)
            return
        if witnessed:
            died = {"at": now(), "worker": claim.worker.as_json(), "why": why}
            write_json(self._files.folder / "deaths" / f"{claim.name}.{claim.nonce}.json", died)
        shutil.rmtree(self.part(claim), ignore_errors=True)
        revoked.unlink(missing_ok=True)

    def _break_unreadable(self, name: str) -> bool:
        """A claim that is empty belongs to whoever is just writing it, or to a process that was killed while it did."""
        path = self._files.path("claims", name)
        try:
            age = datetime.now(UTC).timestamp() - path.stat().st_mtime
        except OSError:
            return True
        if age < _WRITTEN_WITHIN:
            return False
        self._files.remove(path)
        return True

    def part(self, claim: Claim) -> Path:
        """Where the claim's bundle is written."""
        return self._files.folder / "parts" / f"{claim.name}.{claim.nonce}"

    def deaths(self, name: str) -> int:
        """How many workers died over it."""
        return sum(1 for _ in self._deaths(name))

    def _deaths(self, name: str) -> Iterator[Path]:
        return (path for path in self._files.listed("deaths") if path.stem.rpartition(".")[0] == name)

    def deaths_of_all(self) -> dict[str, int]:
        """The same for every recording over which one died."""
        found: dict[str, int] = {}
        for path in self._files.listed("deaths"):
            name = path.stem.rpartition(".")[0]
            found[name] = found.get(name, 0) + 1
        return found

    def forget_deaths(self, name: str) -> None:
        """The recording is given to workers again."""
        for path in self._deaths(name):
            self._files.remove(path)

    def clean(self) -> None:
        """Delete parts that no claim stands for, and heartbeats of processes that are gone. Raises OSError."""
        for path in self._files.listed("workers"):
            with contextlib.suppress(KeyError, TypeError, ValueError):
                process = Process.from_json((self._files.read(path) or {})["worker"])
                if process.here and not process.runs():
                    self._files.remove(path)
        # What is there is listed before the claims are: a part that somebody begins meanwhile is not among it.
        parts = list((self._files.folder / "parts").iterdir())
        names = self._files.names("claims")
        held = {holder.nonce for name in names if (holder := self.holder(name)) is not None}
        for path in parts:
            if path.name.rpartition(".")[2] not in held:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
