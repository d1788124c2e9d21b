"""The ledger: files on disk that say what is to be done, who does what, and what is done. It alone is the truth.

No database, so that it works on a network drive, and no state in any process, so that any of them may be killed:

    ledger/ledger.json        format, fingerprint (program, models, settings), options
    ledger/inputs/NAME.json   a recording that belongs to the batch
    ledger/claims/NAME.json   who works on it now (made in one step that fails where it exists)
    ledger/deaths/NAME.*.json a worker that died over it
    ledger/done/NAME.json     its bundle is in recordings/NAME, made from what
    ledger/failed/NAME.json   why it cannot be measured
    ledger/workers/*.json     heartbeats
    ledger/logs/NAME.log      what its worker wrote
    ledger/parts/             bundles that are being written

A bundle is written in parts/, brought to disk, and moved to recordings/ in one step; then done/ gets its file. Whatever
moment a process is killed at, the next one finds either nothing or all of it. Two workers on one recording (which only a
machine that stood still for a minute can bring about) do no harm: they write the same bytes, and one of them moves first.
"""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from realtime.batch.fingerprint import Fingerprint
from realtime.batch.inputs import Input
from realtime.batch.liveness import Heartbeats, Process
from realtime.batch.options import Options
from realtime.config import Config
from realtime.errors import DeviceError, UserInputError
from realtime.files import open_private, private_folder, reason, write_json
from realtime.session.folder import OF_THE_SYSTEM
from realtime.session.manifest import read_json

FORMAT = 1
DEATHS = 3
"""Workers that may die over a recording before it is put aside."""
_FOLDERS = ("inputs", "claims", "deaths", "done", "failed", "workers", "logs", "parts")

_OWN = frozenset({"ledger", "recordings"}) | OF_THE_SYSTEM

State = Literal["done", "failed", "aside", "claimed", "waiting"]


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


class Ledger:
    """One batch's files.

    Args:
        out: the folder given with --out.
        heartbeats: of this process.

    Attributes:
        out: the folder given with --out.
        folder: the ledger's.
        recordings: the folder of the bundles.
    """

    def __init__(self, out: Path, heartbeats: Heartbeats | None = None) -> None:
        self.out = out
        self.folder = out / "ledger"
        self.recordings = out / "recordings"
        self.heartbeats = heartbeats or Heartbeats(self.folder / "workers")

    # --- the batch as a whole ---

    @property
    def exists(self) -> bool:
        """Whether there is a ledger."""
        return os.path.lexists(self._head)

    @property
    def _head(self) -> Path:
        return self.folder / "ledger.json"

    def create(self, fingerprint: Fingerprint, config: Config, options: Options) -> None:
        """Begin a ledger, or put another fingerprint into the one there is.

        Args:
            fingerprint: what results depend on.
            config: of the run.
            options: of the batch.

        Raises:
            UserInputError: the folder holds something else.
            DeviceError: it cannot be written.
        """
        try:
            if not self.exists and self.out.exists():
                self._refuse_content()
            for folder in (self.recordings, *(self.folder / name for name in _FOLDERS)):
                private_folder(folder)
        except OSError as error:
            raise DeviceError(f"{self.out} cannot be used ({reason(error)}); choose another --out.") from None
        write_json(
            self._head,
            {
                "format": FORMAT,
                "fingerprint": fingerprint.as_json(),
                "configuration": config.model_dump(mode="json"),
                "options": options.as_json(),
            },
        )

    def _refuse_content(self) -> None:
        if not self.out.is_dir():
            raise UserInputError(f"--out {self.out} is no folder.")
        # A start that was killed before its first file may have left empty folders.
        held = sorted(path.name for path in self.out.iterdir() if path.name not in _OWN)
        if held or any(path.is_file() for path in self.folder.rglob("*")):
            shown = ", ".join(held[:3]) or "ledger"
            raise UserInputError(f"--out {self.out} holds other files ({shown}); choose a new or an empty folder.")

    def head(self) -> tuple[Fingerprint, Config, Options]:
        """The fingerprint, settings and options that the batch was begun with.

        Raises:
            UserInputError: there is no batch, or its ledger is damaged.
            DeviceError: a newer program wrote it.
        """
        if not self.exists:
            raise UserInputError(f"{self.out} holds no batch: there is no {self._head.relative_to(self.out)}.")
        content = read_json(self._head)
        found = content.get("format")
        if isinstance(found, int) and found > FORMAT:
            raise DeviceError(
                f"The ledger in {self.out} was written by a newer program (its format is {found}, this program knows {FORMAT}): "
                "update this program, or choose another --out."
            )
        try:
            if found != FORMAT:
                raise ValueError
            return (
                Fingerprint.from_json(content["fingerprint"]),
                Config.model_validate(content["configuration"]),
                Options.from_json(content["options"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UserInputError(f"{self._head} is damaged, so what is in {self.out} cannot be gone on with.") from None

    def add(self, one: Input) -> None:
        """Make a recording part of the batch, with these columns. Raises DeviceError."""
        path = self._file("inputs", one.name)
        if self._read(path) != (content := one.as_json()):
            write_json(path, content)

    def inputs(self) -> list[Input]:
        """Every recording of the batch, by name."""
        names = (path.name.removesuffix(".json") for path in self._files("inputs"))
        return sorted((one for name in names if (one := self.input(name)) is not None), key=lambda one: one.name)

    def input(self, name: str) -> Input | None:
        """One recording; None: it is no part of the batch, or its file is damaged."""
        with contextlib.suppress(KeyError, TypeError, ValueError):
            return Input.from_json(self._read(self._file("inputs", name)) or {})
        return None

    # --- one recording ---

    def state(self, name: str) -> State:
        """What is known of it. `claimed` says nothing of whether the worker lives."""
        if os.path.lexists(self._file("done", name)) and (self.recordings / name).is_dir():
            return "done"
        if os.path.lexists(self._file("failed", name)):
            return "failed"
        if self.deaths(name) >= DEATHS:
            return "aside"
        return "claimed" if os.path.lexists(self._file("claims", name)) else "waiting"

    def states(self) -> dict[str, State]:
        """Of every recording, from one look at each folder."""
        done, failed, claimed = ({path.stem for path in self._files(kind)} for kind in ("done", "failed", "claims"))
        there = {entry.name for entry in os.scandir(self.recordings)} if self.recordings.is_dir() else set()
        deaths: dict[str, int] = {}
        for path in self._files("deaths"):
            name = path.stem.rpartition(".")[0]
            deaths[name] = deaths.get(name, 0) + 1
        found: dict[str, State] = {}
        for path in self._files("inputs"):
            name = path.name.removesuffix(".json")
            if name in done and name in there:
                found[name] = "done"
            elif name in failed:
                found[name] = "failed"
            elif deaths.get(name, 0) >= DEATHS:
                found[name] = "aside"
            else:
                found[name] = "claimed" if name in claimed else "waiting"
        return found

    def claim(self, name: str, parent: Process) -> Claim | None:
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
        path = self._file("claims", name)
        content = {
            "nonce": claim.nonce,
            "worker": claim.worker.as_json(),
            "parent": parent.as_json(),
            "at": _now(),
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
        content = self._read(self._file("claims", name))
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
            self._file("claims", claim.name).unlink(missing_ok=True)

    def break_dead_claim(self, name: str) -> bool:
        """Take a claim away from a worker that is dead.

        A worker whose parent lives died over the recording, and that is noted; where both are gone (a kill of the whole
        batch, a power cut), nobody knows, and nothing is held against the recording.

        Returns:
            Whether the recording is free now.
        """
        held = self.holder(name)
        if held is None:
            return self._break_unreadable(name)
        if self.heartbeats.alive(held.worker):
            return False
        witnessed = self.heartbeats.alive(held.parent) if held.parent.here else not held.worker.here
        self.bury(held, witnessed=witnessed, why="its process ended")
        return True

    def bury(self, claim: Claim, *, witnessed: bool, why: str) -> None:
        """Take a dead worker's claim away.

        Args:
            claim: that is left.
            witnessed: note the death.
            why: what is known of it.
        """
        path = self._file("claims", claim.name)
        grave = self.folder / "parts" / f"claim.{claim.nonce}.{uuid.uuid4().hex[:8]}"
        try:
            path.rename(grave)
        except OSError:
            return  # somebody else was quicker
        if (self._read(grave) or {}).get("nonce") != claim.nonce:
            # Between the look and the move another one buried it and claimed the recording: that claim goes back.
            with contextlib.suppress(OSError):
                if not path.exists():
                    grave.rename(path)
            return
        if witnessed:
            died = {"at": _now(), "worker": claim.worker.as_json(), "why": why}
            write_json(self.folder / "deaths" / f"{claim.name}.{claim.nonce}.json", died)
        shutil.rmtree(self.part(claim), ignore_errors=True)
        grave.unlink(missing_ok=True)

    def _break_unreadable(self, name: str) -> bool:
        """A claim that is empty belongs to whoever is just writing it, or to a process that was killed while it did."""
        path = self._file("claims", name)
        try:
            age = datetime.now(UTC).timestamp() - path.stat().st_mtime
        except OSError:
            return True
        if age < 5.0:
            return False
        path.unlink(missing_ok=True)
        return True

    def part(self, claim: Claim) -> Path:
        """Where the claim's bundle is written."""
        return self.folder / "parts" / f"{claim.name}.{claim.nonce}"

    def log(self, name: str) -> Path:
        """What the recording's workers wrote."""
        return self._file("logs", name, ".log")

    def commit(
        self, claim: Claim, fingerprint: str, identity: Identity, columns: str, figures: Mapping[str, Any]
    ) -> None:
        """Put a finished bundle in its place.

        Args:
            claim: whose part folder holds it, brought to disk.
            fingerprint: hash of program, models and settings.
            identity: of the input.
            columns: digest of what the list said about it.
            figures: of the recording, for tables and --status.

        Raises:
            OSError: it cannot be moved.
        """
        target, old = self.recordings / claim.name, self.folder / "parts" / f"old.{claim.nonce}"
        if target.exists():
            # Of an earlier fingerprint, or of a process that was killed before it could note that it was done.
            self._file("done", claim.name).unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                target.rename(old)
        self.part(claim).rename(target)
        sync_folder(self.recordings)
        shutil.rmtree(old, ignore_errors=True)
        content = {
            "fingerprint": fingerprint,
            "input": identity.as_json(),
            "columns": columns,
            "at": _now(),
            "figures": dict(figures),
        }
        write_json(self._file("done", claim.name), content)

    def done(self, name: str) -> Mapping[str, Any] | None:
        """What done/ says; None: nothing that can be read."""
        return self._read(self._file("done", name))

    def note_identity(self, name: str, identity: Identity) -> None:
        """The same content lies elsewhere, or was touched: next time it is known without reading it.

        Args:
            name: of the recording.
            identity: of the file as it lies now.
        """
        content = self.done(name)
        if content is not None:
            write_json(self._file("done", name), {**content, "input": identity.as_json()})

    def fail(self, name: str, sentence: str, identity: Identity) -> None:
        """Note that a recording cannot be measured, and why.

        Args:
            name: of the recording.
            sentence: why.
            identity: of the file.

        Raises:
            DeviceError: it cannot be written.
        """
        content = {"sentence": sentence, "input": identity.as_json(), "at": _now()}
        write_json(self._file("failed", name), content)

    def failure(self, name: str) -> tuple[str, Identity] | None:
        """(sentence, the file as it was then); None: it did not fail."""
        content = self._read(self._file("failed", name))
        if content is None:
            return None
        try:
            return str(content["sentence"]), Identity.from_json(content["input"])
        except (KeyError, TypeError, ValueError):
            return f"{name}: its file in the ledger is damaged.", Identity("", -1, 0)

    def deaths(self, name: str) -> int:
        """How many workers died over it."""
        return sum(1 for _ in self._deaths(name))

    def _deaths(self, name: str) -> Iterator[Path]:
        return (path for path in self._files("deaths") if path.stem.rpartition(".")[0] == name)

    def retry(self, name: str) -> None:
        """Forget failures and deaths: the recording waits again."""
        self._file("failed", name).unlink(missing_ok=True)
        for path in self._deaths(name):
            path.unlink(missing_ok=True)

    def forget_done(self, name: str) -> None:
        """The bundle is to be made again; it stays until then."""
        self._file("done", name).unlink(missing_ok=True)

    def clean(self) -> None:
        """Delete parts that no claim stands for, and heartbeats of processes that are gone."""
        for path in self._files("workers"):
            with contextlib.suppress(KeyError, TypeError, ValueError):
                process = Process.from_json((self._read(path) or {})["worker"])
                if process.here and not process.runs():
                    path.unlink(missing_ok=True)
        # What is there is listed before the claims are: a part that somebody begins meanwhile is not among it.
        parts = list((self.folder / "parts").iterdir())
        names = (path.name.removesuffix(".json") for path in self._files("claims"))
        held = {holder.nonce for name in names if (holder := self.holder(name)) is not None}
        for path in parts:
            if path.name.rpartition(".")[2] not in held:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    def _file(self, kind: str, name: str, ending: str = ".json") -> Path:
        return self.folder / kind / f"{name}{ending}"

    def _files(self, kind: str) -> list[Path]:
        with contextlib.suppress(FileNotFoundError):
            return [
                path
                for path in sorted((self.folder / kind).iterdir())
                if path.suffix == ".json" and not path.name.startswith(".")
            ]
        return []

    def _read(self, path: Path) -> dict[str, Any] | None:
        """None: there is none, or half of one (some network drives show a file before its content)."""
        try:
            content = json.loads(path.read_text("utf-8"))
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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
