"""The process that measures: one recording after another, one thread, told what to do by lines on its standard input.

Started as `python -m realtime.batch.worker OUT`. A line in is a recording's name; a line out is JSON. When its standard
input ends, whoever started it is gone, and it ends too. What it writes to standard error, and where it crashed, is in the
recording's log.
"""

import contextlib
import errno
import faulthandler
import itertools
import json
import os
import queue
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import psutil

from realtime.batch.claims import Claim
from realtime.batch.fingerprint import Fingerprint, digest
from realtime.batch.inputs import Input
from realtime.batch.ledger import Ledger
from realtime.batch.ledger_files import sync_tree
from realtime.batch.liveness import Process
from realtime.batch.options import Options
from realtime.batch.results import Identity
from realtime.batch.stored_face import stored_face
from realtime.config import Config
from realtime.errors import DeviceError, FacemirrorError, UserInputError
from realtime.files import one_line, open_private, private_folder, reason
from realtime.privacy import restrict_new_files

if TYPE_CHECKING:
    from realtime.batch.follow import Networks

Outcome = Literal["done", "failed", "busy", "full", "version", "unusable"]
Answer = Mapping[str, Any]
"""A recording's name, its outcome, and what there is to say of it: a line to whoever started the worker."""

_BEAT_SECONDS = 2.0
_TOLD_EVERY = 15
_LEAST_FREE = 2**20
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", -1))

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "OPENCV_FOR_THREADS_NUM",
    ),
    "1",
)
"""Environment of a worker: libraries read it when they are loaded, so it is set before the process starts."""


def columns_digest(one: Input, config: Config) -> str:
    """Of what is known of a recording besides its file: what the list said of it, and the stored face of its person.

    Args:
        one: the recording.
        config: of the batch.
    """
    known: dict[str, Any] = {"columns": dict(one.columns), "calibration": one.calibration}
    if config.patient_rule == "person":
        with contextlib.suppress(UserInputError):  # the recording itself will say so
            known["face"] = stored_face(one, config).sha256
    return digest(known)


class Worker:
    """Measures recordings of one ledger.

    Read the ledger's settings.

    Args:
        ledger: there is one.
        answers: where lines go.
        parent: who started this process.
        networks: open already; None: they are opened with the first recording.

    Raises:
        FacemirrorError: the ledger cannot be read, or is of another program.
    """

    def __init__(self, ledger: Ledger, answers: IO[str], parent: Process, networks: "Networks | None" = None) -> None:
        self._ledger = ledger
        self._answers = answers
        self._parent = parent
        self._lock = threading.Lock()
        self._claim: Claim | None = None
        self._progress = (0, 0.0)
        wanted, self._config, self._options = ledger.head()
        self._fingerprint = own_fingerprint(self._config, self._options)
        self.refusal = ""
        if self._fingerprint.hash != wanted.hash:
            what = self._fingerprint.differences(wanted)
            self.refusal = (
                f"A worker is of another version than the batch: {what}. Install the same version everywhere."
            )
        self._networks = networks

    def work(self, name: str) -> None:
        """Measure one recording, and answer: by then it is nobody's any more, and whoever hears it may end this process."""
        if self.refusal:
            self._write(_answer(name, "version", sentence=self.refusal))
            return
        try:
            claim = self._ledger.claims.take(name, self._parent)
        except OSError as error:
            sentence = f"{self._ledger.folder} cannot be written ({reason(error)})."
            self._write(_answer(name, _outcome_of(error), sentence=sentence))
            return
        if claim is None:
            self._write(_answer(name, "busy"))
            return
        with self._lock:
            self._claim, self._progress = claim, (0, 0.0)
        try:
            answer = self._measure(claim)
        finally:
            with self._lock:
                self._give_back()
        self._write(answer)

    def _give_back(self) -> None:
        """Leave the recording to others. The lock is held: `abandon` must not end the process halfway."""
        if self._claim is not None:
            shutil.rmtree(self._ledger.claims.part(self._claim), ignore_errors=True)
            self._ledger.claims.release(self._claim)
            self._claim = None

    def _measure(self, claim: Claim) -> Answer:
        one = self._ledger.input(claim.name)
        if one is None or self._ledger.state(claim.name) == "done":
            return _answer(claim.name, "busy")
        identity = Identity.of(one.path)
        try:
            with log_to(self._ledger.log(claim.name)):
                figures = self._bundle(one, claim)
                sync_tree(self._ledger.claims.part(claim))
            kept = Identity(identity.path, identity.size, identity.modified, str(figures.pop("sha256")))
            if not Identity.of(one.path).looks_like(identity):
                sentence = f"{one.path} was changed while it was read; say --retry when it is finished."
                return self._fail(one, identity, sentence)
            self._ledger.results.commit(
                claim,
                self._ledger.claims.part(claim),
                self._fingerprint.hash,
                kept,
                columns_digest(one, self._config),
                figures,
            )
        except OSError as error:
            return self._failed_on_disk(one, identity, error)
        except FacemirrorError as error:
            if self._is_full(error):
                return _answer(one.name, "full", sentence=str(error))
            return self._fail(one, identity, str(error))
        except Exception as error:  # noqa: BLE001  one recording's fault is not the others'
            what = f"{one.path}: {type(error).__name__}: {one_line(error)}; see {self._ledger.log(one.name)}."
            return self._fail(one, identity, what)
        return _answer(one.name, "done", figures=figures)

    def _bundle(self, one: Input, claim: Claim) -> dict[str, Any]:
        # Imported and opened here: a worker of another version says so before it loads anything.
        from realtime.batch.measure import measure_recording, open_networks

        if self._networks is None:
            self._networks = open_networks(self._config)
        if not one.path.exists():
            raise MissingInputError(f"{one.path}: there is no such file.")
        folder = private_folder(self._ledger.claims.part(claim))
        measured = measure_recording(one, folder, self._networks, self._fingerprint, self._options, self._told)
        return {**measured.figures, "sha256": measured.sha256, "host": claim.worker.host.partition("/")[0]}

    def _is_full(self, error: FacemirrorError) -> bool:
        """Whether a full disk is behind a sentence: no recording could help that."""
        cause = error.__context__
        if isinstance(cause, OSError):
            return cause.errno in _FULL
        return isinstance(error, DeviceError) and shutil.disk_usage(self._ledger.folder).free < _LEAST_FREE

    def _failed_on_disk(self, one: Input, identity: Identity, error: OSError) -> Answer:
        """A full disk is nothing that the recording could help."""
        where = one.path if str(error.filename) == str(one.path) else self._ledger.out
        sentence = f"{where} cannot be {'read' if where == one.path else 'written'} ({reason(error)})."
        if where == one.path:
            return self._fail(one, identity, sentence)
        return _answer(one.name, _outcome_of(error), sentence=sentence)

    def _fail(self, one: Input, identity: Identity, sentence: str) -> Answer:
        try:
            self._ledger.results.fail(one.name, sentence, identity)
        except FacemirrorError as error:
            return _answer(one.name, "full", sentence=str(error))
        return _answer(one.name, "failed", sentence=sentence)

    def _told(self, frames: int, seconds: float) -> None:
        self._progress = frames, seconds
        if frames % _TOLD_EVERY == 0:
            self._write({"name": self._claim.name if self._claim else "", "frames": frames, "seconds": seconds})

    def _write(self, content: Mapping[str, Any]) -> None:
        try:
            self._answers.write(json.dumps(content) + "\n")
            self._answers.flush()
        except (OSError, ValueError):
            self.abandon()

    def beat(self, number: int) -> None:
        """Write the heartbeat: for --status, and for other machines."""
        with self._lock:
            claim = self._claim
        frames, seconds = self._progress
        content = {
            "beat": number,
            "recording": claim.name if claim else "",
            "frames": frames,
            "seconds": round(seconds, 2),
            "memory_mb": round(psutil.Process().memory_info().rss / 1e6),
            "worker": Process.this().as_json(),
        }
        path = self._ledger.folder / "workers" / f"{Process.this().name}.json"
        scratch = path.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk: the work itself will say so
            scratch.write_text(json.dumps(content), "utf-8")
            scratch.replace(path)

    def abandon(self) -> None:
        """Whoever started this process is gone: leave the recording as it was found, and end at once."""
        with self._lock:
            self._give_back()
            self.leave()
            os._exit(0)

    def leave(self) -> None:
        """Take the heartbeat away."""
        (self._ledger.folder / "workers" / f"{Process.this().name}.json").unlink(missing_ok=True)


class MissingInputError(DeviceError):
    """The file is not there."""


@contextlib.contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Everything that the process writes to standard error meanwhile goes to a file; an empty one is deleted."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open_private(path, "wb") as file:
        os.dup2(file.fileno(), 2)
    faulthandler.enable(2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        with contextlib.suppress(OSError):
            if not path.stat().st_size:
                path.unlink()


def own_fingerprint(config: Config, options: Options) -> Fingerprint:
    """What this process's results depend on, with these settings.

    Args:
        config: of the run.
        options: of the batch.

    Raises:
        ModelFileError: a model is missing.
        UserInputError: a setting means nothing here.
    """
    from realtime.batch.measure import specs_of

    return Fingerprint.of(config, options, specs_of(config))


def _answer(name: str, outcome: Outcome, **more: Any) -> Answer:
    return {"name": name, "outcome": outcome, **more}


def _outcome_of(error: OSError) -> Outcome:
    return "full" if error.errno in _FULL else "unusable"


def main() -> int:
    """Work until standard input ends. Returns only where nothing can be done."""
    restrict_new_files()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a library that prints must not disturb the answers
    names: queue.SimpleQueue[str] = queue.SimpleQueue()
    ledger = Ledger(Path(sys.argv[1]))
    try:
        worker = Worker(ledger, answers, Process.of(os.getppid()))
    except FacemirrorError as error:
        answers.write(json.dumps({"name": "", "outcome": "version", "sentence": str(error)}) + "\n")
        answers.flush()
        return 3

    def listen() -> None:
        for line in sys.stdin:
            names.put(line.strip())
        # Closed in order, when nothing is left to do, or because whoever started this process is gone.
        worker.abandon()

    def beat() -> None:
        for number in itertools.count():
            worker.beat(number)
            time.sleep(_BEAT_SECONDS)

    for target in (listen, beat):
        threading.Thread(target=target, name=target.__name__, daemon=True).start()
    while True:
        worker.work(names.get())


if __name__ == "__main__":
    sys.exit(main())
