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
import os
from pathlib import Path
from typing import Literal

from realtime.batch.claims import DEATHS, Claims
from realtime.batch.fingerprint import Fingerprint
from realtime.batch.inputs import Input
from realtime.batch.ledger_files import HEAD, LedgerFiles
from realtime.batch.liveness import Heartbeats
from realtime.batch.options import Options
from realtime.batch.results import Results
from realtime.config import Config
from realtime.errors import DeviceError, UserInputError
from realtime.files import private_folder, reason, write_json
from realtime.session.folder import OF_THE_SYSTEM
from realtime.session.manifest import read_json

FORMAT = 1
_OWN = frozenset({"ledger", "recordings"}) | OF_THE_SYSTEM

State = Literal["done", "failed", "aside", "claimed", "waiting"]


class Ledger:
    """One batch's files.

    Args:
        out: the folder given with --out.
        heartbeats: of this process.

    Attributes:
        out: the folder given with --out.
        folder: the ledger's.
        recordings: the folder of the bundles.
        claims: who works on which recording.
        results: what became of them.
    """

    def __init__(self, out: Path, heartbeats: Heartbeats | None = None) -> None:
        self.out = out
        self.folder = out / "ledger"
        self.recordings = out / "recordings"
        self._files = LedgerFiles(self.folder)
        self.claims = Claims(self._files, heartbeats or Heartbeats(self.folder / "workers"))
        self.results = Results(self._files, self.recordings)

    @property
    def exists(self) -> bool:
        """Whether there is a ledger."""
        return os.path.lexists(self._head)

    @property
    def _head(self) -> Path:
        return self.folder / HEAD

    @property
    def _other_out(self) -> str:
        """What to do where the ledger's head cannot be read."""
        return f"This batch cannot go on; choose another --out. What was measured stays in {self.recordings}."

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
            private_folder(self.recordings)
            self._files.create()
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

    def clean(self) -> None:
        """Make folders that are gone again, and delete what dead processes have left.

        Raises:
            DeviceError: a folder cannot be used.
        """
        try:
            self._files.create()
            self.claims.clean()
        except OSError as error:
            raise DeviceError(f"{self.folder} cannot be used ({reason(error)}).") from None

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
        try:
            content = read_json(self._head)
        except UserInputError as error:
            raise UserInputError(f"{error} {self._other_out}") from None
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
            raise UserInputError(f"{self._head} is damaged: its content is not a batch's. {self._other_out}") from None

    def add(self, one: Input) -> None:
        """Make a recording part of the batch, with these columns. Raises DeviceError."""
        path = self._files.path("inputs", one.name)
        if self._files.read(path) != (content := one.as_json()):
            write_json(path, content)

    def inputs(self) -> list[Input]:
        """Every recording of the batch, by name."""
        names = self._files.names("inputs")
        return sorted((one for name in names if (one := self.input(name)) is not None), key=lambda one: one.name)

    def input(self, name: str) -> Input | None:
        """One recording; None: it is no part of the batch, or its file is damaged."""
        with contextlib.suppress(ValueError):
            found = Input.from_json(self._files.read(self._files.path("inputs", name)) or {})
            return found if found.name == name else None
        return None

    def state(self, name: str) -> State:
        """What is known of a recording. `claimed` says nothing of whether the worker lives."""
        if self.results.is_done(name):
            return "done"
        if self.results.has_failed(name):
            return "failed"
        if self.claims.deaths(name) >= DEATHS:
            return "aside"
        return "claimed" if self.claims.exists(name) else "waiting"

    def states(self) -> dict[str, State]:
        """Of every recording, from one look at each folder."""
        done, deaths = self.results.all_done(), self.claims.deaths_of_all()
        failed, claimed = set(self._files.names("failed")), set(self._files.names("claims"))
        found: dict[str, State] = {}
        for name in self._files.names("inputs"):
            if name in done:
                found[name] = "done"
            elif name in failed:
                found[name] = "failed"
            elif deaths.get(name, 0) >= DEATHS:
                found[name] = "aside"
            else:
                found[name] = "claimed" if name in claimed else "waiting"
        return found

    def log(self, name: str) -> Path:
        """What the recording's workers wrote."""
        return self._files.path("logs", name, ".log")

    def retry(self, name: str) -> None:
        """Forget failures and deaths: the recording waits again."""
        self.results.forget_failure(name)
        self.claims.forget_deaths(name)
