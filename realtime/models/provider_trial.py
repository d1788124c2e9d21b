"""Tries a provider in a child process before the program trusts it.

Compiling a model for an accelerator for the first time takes up to minutes, can hang and can take the process with it.
A child pays for that (`SubprocessSession`): it creates the session, runs it a few times and is ended. The result is remembered
per model file, provider and ONNX Runtime version.
"""

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort

from realtime.errors import DeviceError
from realtime.files import private_folder, write_json
from realtime.models.manifest import ModelSpec
from realtime.models.onnx_session import SessionLostError
from realtime.models.subprocess_session import DEFAULT_FACTORY, SubprocessSession

_PROGRESS_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a trial found.

    Attributes:
        ok: the provider can be used for this model.
        reason: why or why not, to stand after "because".
        seconds: how long the trial took.
        remembered: it was made by an earlier run of the program.
    """

    ok: bool
    reason: str
    seconds: float
    remembered: bool = False


def try_provider(
    spec: ModelSpec,
    path: Path,
    provider: str,
    cache: Path,
    *,
    bound: float = 300.0,
    factory: str = DEFAULT_FACTORY,
    progress: Callable[[float], None] | None = None,
) -> ProbeResult:
    """Find out whether a provider is safe for a model on this machine.

    Args:
        spec: the model's entry.
        path: its file.
        provider: ONNX Runtime's name of the provider.
        cache: where results are remembered.
        bound: seconds after which the child is killed.
        factory: what opens the session in the child, as `SubprocessSession` takes it.
        progress: called about twice a second with the seconds gone by.
    """
    note = _note(cache, spec, provider, factory)
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        return ProbeResult(bool(known["ok"]), str(known["reason"]), float(known["seconds"]), remembered=True)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    result = _try(spec, path, provider, factory, bound, progress)
    with contextlib.suppress(OSError, DeviceError):  # without the note the next start tries the provider again
        private_folder(note.parent)
        write_json(note, {"ok": result.ok, "reason": result.reason, "seconds": result.seconds})
    return result


def _note(cache: Path, spec: ModelSpec, provider: str, factory: str) -> Path:
    key = f"{spec.sha256} {provider} {ort.__version__} {factory}"
    return cache / "trials" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def _try(
    spec: ModelSpec, path: Path, provider: str, factory: str, bound: float, progress: Callable[[float], None] | None
) -> ProbeResult:
    started = time.monotonic()
    shape = (1, 3, spec.input.height or 256, spec.input.width or 256)
    session = SubprocessSession(spec, path, provider, shape, factory)
    failures: list[str] = []
    opened = threading.Event()

    def open_session() -> None:
        try:
            session.open()
        except SessionLostError as error:
            failures.append(f"in a trial {error}")
        except Exception as error:  # noqa: BLE001  whatever it is, the provider is not used
            failures.append(f"a trial failed ({error})")
        opened.set()

    threading.Thread(target=open_session, name=f"{spec.name}-trial", daemon=True).start()
    try:
        while not opened.wait(min(_PROGRESS_SECONDS, bound)):
            seconds = time.monotonic() - started
            if progress is not None:
                progress(seconds)
            if seconds >= bound:
                return ProbeResult(False, f"it did not come up within {bound:g} s in a trial", seconds)
    finally:
        session.end()
    seconds = time.monotonic() - started
    return ProbeResult(not failures, failures[0] if failures else f"it came up in {seconds:.1f} s", seconds)
