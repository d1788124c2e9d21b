"""Tries a provider in a child process before the program trusts it.

Compiling a model for an accelerator for the first time takes up to minutes, can hang and can take the process with it.
A child pays for that: it creates the session, runs it a few times and exits. The verdict is remembered per model file, provider
and ONNX Runtime version. Run as `python -m realtime.models.provider_trial`; started afresh, never forked.
"""

import contextlib
import hashlib
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort

from realtime.errors import DeviceError
from realtime.files import private_folder, write_json
from realtime.models.manifest import ModelSpec
from realtime.models.onnx_session import ModelSession
from realtime.models.subprocess_session import open_accelerated

DEFAULT_FACTORY = "realtime.models.provider_trial:open_session"


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """ok, and the sentence that says why or why not. remembered: from an earlier trial."""

    ok: bool
    reason: str
    seconds: float
    remembered: bool = False


def open_session(spec: ModelSpec, path: Path, provider: str) -> ModelSession:
    """What a trial does in the child: open and warm up, as the program will, so that it finds the compiled model cached."""
    shape = (1, 3, spec.input.height or 256, spec.input.width or 256)
    return open_accelerated(spec, path, provider, shape)


def _note(cache: Path, spec: ModelSpec, provider: str, factory: str) -> Path:
    key = f"{spec.sha256} {provider} {ort.__version__} {factory}"
    return cache / "trials" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


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
    """Is this provider safe for this model on this machine?

    bound: seconds after which the child is killed. progress: called about twice a second with the seconds gone by.
    """
    note = _note(cache, spec, provider, factory)
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        return ProbeResult(bool(known["ok"]), str(known["reason"]), float(known["seconds"]), remembered=True)
    except (OSError, ValueError, KeyError):
        pass
    started = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "realtime.models.provider_trial", factory, str(path), provider, spec.model_dump_json()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    verdict = _watch(child, bound, started, progress)
    with contextlib.suppress(OSError, DeviceError):  # without the note the next start tries the provider again
        private_folder(note.parent)
        write_json(note, {"ok": verdict.ok, "reason": verdict.reason, "seconds": verdict.seconds})
    return verdict


def _watch(
    child: "subprocess.Popen[bytes]", bound: float, started: float, progress: Callable[[float], None] | None
) -> ProbeResult:
    while True:
        gone = time.monotonic() - started
        try:
            _, complaint = child.communicate(timeout=min(0.5, max(bound - gone, 0.01)))
            break
        except subprocess.TimeoutExpired:
            gone = time.monotonic() - started
            if progress is not None:
                progress(gone)
            if gone >= bound:
                child.kill()
                child.communicate()
                return ProbeResult(False, f"it did not come up within {bound:g} s in a trial", gone)
    seconds = time.monotonic() - started
    if child.returncode == 0:
        return ProbeResult(True, f"it came up in {seconds:.1f} s", seconds)
    lines = complaint.decode(errors="replace").strip().splitlines()
    how = f"with signal {-child.returncode}" if child.returncode < 0 else f"with exit code {child.returncode}"
    return ProbeResult(False, f"the trial process ended {how}" + (f": {lines[-1][:200]}" if lines else ""), seconds)


def main() -> None:
    """The child's side."""
    factory, path, provider, spec = sys.argv[1:5]
    module, name = factory.split(":")
    getattr(importlib.import_module(module), name)(ModelSpec.model_validate_json(spec), Path(path), provider)


if __name__ == "__main__":
    main()
