"""A session in a process of its own: whatever the accelerator does to its process, the program goes on.

A provider's crash cannot be caught and its hang cannot be cancelled; only its process can be ended. So an accelerated session
runs in a child, and pictures and results go through its standard streams as NumPy arrays (0.8 MB take about a millisecond,
little beside a network worth an accelerator). When the program ends, however it ends, the child's input closes and it goes, too.
Run as `python -m realtime.models.subprocess_session`; started afresh, never forked.
"""

import contextlib
import importlib
import io
import json
import os
import queue
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from realtime.files import cache_folder
from realtime.models.manifest import ModelSpec
from realtime.models.onnx_session import ModelSession, OnnxSession, SessionLostError, SessionSettings
from realtime.models.providers import provider_options

DEFAULT_FACTORY = "realtime.models.subprocess_session:open_accelerated"
END_SECONDS = 0.5
"""Seconds that a killed process may take to be gone."""
_LENGTH = struct.Struct("<Q")
_READY, _ERROR = "ready", "error"
Arrays = dict[str, NDArray[Any]]


def open_accelerated(spec: ModelSpec, path: Path, provider: str, shape: tuple[int, ...] | None) -> ModelSession:
    """Open a session on a provider and warm it up, in the child process. The provider finds what its trial compiled.

    Args:
        spec: the model's entry.
        path: its file.
        provider: ONNX Runtime's name of the provider.
        shape: of the input; None: the manifest's.
    """
    options = provider_options(provider, cache_folder())
    session = OnnxSession(spec, path, SessionSettings(), provider=provider, provider_options=options)
    session.warm_up(shape, runs=3)
    return session


class SubprocessSession:
    """A `ModelSession` whose network lives in a child process. `open` waits for it; `end` may be called from any thread.

    Args:
        spec: the model's entry.
        path: its file.
        provider: ONNX Runtime's name of the provider.
        shape: of the input; None: the manifest's.
        factory: "module:function" that opens the session in the child, called like `open_accelerated`.
    """

    def __init__(
        self,
        spec: ModelSpec,
        path: Path,
        provider: str,
        shape: tuple[int, ...] | None = None,
        factory: str = DEFAULT_FACTORY,
    ) -> None:
        self.spec, self.provider = spec, provider
        self._turn = threading.Lock()
        self._error_output = tempfile.TemporaryFile()  # noqa: SIM115  closed with the session
        arguments = [factory, str(path), provider, json.dumps(shape), spec.model_dump_json()]
        self._child = subprocess.Popen(
            [sys.executable, "-m", "realtime.models.subprocess_session", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._error_output,
        )

    def open(self) -> "SubprocessSession":
        """Wait until the child's session is up.

        Raises:
            RuntimeError: it could not be opened.
            SessionLostError: the process is gone.
        """
        with self._turn:
            self._answer()
        return self

    def run(self, image: NDArray[np.float32]) -> Arrays:
        """Run the network; see `ModelSession.run`.

        Args:
            image: the input, batch first.

        Raises:
            RuntimeError: the run failed.
            SessionLostError: the process is gone.
        """
        with self._turn:
            try:
                send(_stream(self._child.stdin), {"image": image})
            except (OSError, ValueError) as error:
                raise self._lost() from error
            return self._answer()

    def end(self) -> None:
        """Kill the child, whatever it is doing; never waits for long."""
        with contextlib.suppress(OSError):
            self._child.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(END_SECONDS)
        # A run that still waits for the child sees the end of its stream now and lets go.
        if self._turn.acquire(timeout=END_SECONDS):
            with contextlib.suppress(OSError):
                for stream in (self._child.stdin, self._child.stdout, self._error_output):
                    _stream(stream).close()
            self._turn.release()

    def _answer(self) -> Arrays:
        try:
            answer = receive(_stream(self._child.stdout))
        except (OSError, EOFError, ValueError) as error:
            raise self._lost() from error
        if _ERROR in answer:
            raise RuntimeError(answer[_ERROR].tobytes().decode(errors="replace"))
        answer.pop(_READY, None)
        return answer

    def _lost(self) -> SessionLostError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(END_SECONDS)
        code = self._child.returncode
        how = "" if code is None else f" with signal {-code}" if code < 0 else f" with exit code {code}"
        with contextlib.suppress(OSError, ValueError):
            self._error_output.seek(0)
            lines = self._error_output.read().decode(errors="replace").strip().splitlines()
            how += f": {lines[-1][:200]}" if lines else ""
        return SessionLostError(f"its process ended{how}")


def _stream(pipe: Any) -> BinaryIO:
    """A pipe that was asked for when the child was started."""
    stream: BinaryIO = pipe
    return stream


def send(stream: BinaryIO, arrays: Arrays) -> None:
    """Write named arrays: the length of the rest, then for each its name and itself in NumPy's own format.

    Args:
        stream: to the other process.
        arrays: by name.
    """
    packed = io.BytesIO()
    for name, array in arrays.items():
        raw = name.encode()
        packed.write(bytes([len(raw)]) + raw)
        npy.write_array(packed, np.ascontiguousarray(array), allow_pickle=False)
    stream.write(_LENGTH.pack(packed.tell()))
    stream.write(packed.getbuffer())
    stream.flush()


def receive(stream: BinaryIO) -> Arrays:
    """Read what `send` wrote.

    Raises:
        EOFError: the stream ends.
        ValueError: it is no such thing.
    """
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    packed = io.BytesIO(_exactly(stream, length))
    arrays: Arrays = {}
    while packed.tell() < length:
        name = packed.read(packed.read(1)[0]).decode()
        arrays[name] = npy.read_array(packed, allow_pickle=False)
    return arrays


def _exactly(stream: BinaryIO, count: int) -> bytes:
    found = stream.read(count)
    if len(found) < count:
        raise EOFError
    return found


def _serve(session: ModelSession, pictures: "queue.SimpleQueue[Arrays]", out: BinaryIO) -> None:
    while True:
        image = pictures.get()["image"]
        try:
            answer = session.run(image)
        except Exception as error:  # noqa: BLE001  the parent decides what to do about it
            answer = {_ERROR: _text(error)}
        send(out, answer)


def _text(error: Exception) -> NDArray[np.uint8]:
    return np.frombuffer((str(error) or type(error).__name__).encode()[:2000], np.uint8)


def main() -> None:
    """The child's side. The session is created and used on the main thread; another one waits for pictures and for the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program, which then closes our input
    factory, path, provider, shape, spec = sys.argv[1:6]
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a provider prints must not come between the results
    pictures: queue.SimpleQueue[Arrays] = queue.SimpleQueue()

    def read() -> None:
        with contextlib.suppress(EOFError, ValueError, OSError):
            while True:
                pictures.put(receive(sys.stdin.buffer))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    module, name = factory.split(":")
    size = json.loads(shape)
    opener = getattr(importlib.import_module(module), name)
    try:
        session = opener(ModelSpec.model_validate_json(spec), Path(path), provider, tuple(size) if size else None)
    except Exception as error:  # noqa: BLE001  sent to the parent, which falls back
        send(out, {_ERROR: _text(error)})
        return
    send(out, {_READY: np.zeros(0, np.uint8)})
    _serve(session, pictures, out)


if __name__ == "__main__":
    main()
