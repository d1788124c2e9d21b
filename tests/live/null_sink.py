"""A PulseAudio server of one's own with one null sink: what is played there is heard by its monitor, and by nobody else."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.live.waiting import eventually

RATE = 48_000
PROGRAMS = ("pulseaudio", "pactl", "parec", "pacat")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]


@dataclass(frozen=True, slots=True)
class NullSink:
    """environment: of programs that are to use this server only."""

    environment: dict[str, str]

    @contextlib.contextmanager
    def played(self, samples: NDArray[np.float32]) -> Iterator[None]:
        """samples (N,) over and over, while the block lasts."""
        words = ["pacat", "--raw", "--format=float32le", f"--rate={RATE}", "--channels=1", "--latency-msec=50"]
        program = subprocess.Popen(words, stdin=subprocess.PIPE, env=self.environment, stderr=subprocess.DEVNULL)
        feeder = _Feeder(program, samples.astype("<f4").tobytes())
        try:
            yield
        finally:
            program.kill()
            feeder.join()
            program.wait(10)

    @contextlib.contextmanager
    def heard(self, path: Path) -> Iterator[None]:
        """What the sink is given goes to `path` (float32, mono) while the block lasts."""
        words = ["parec", "--raw", "--format=float32le", f"--rate={RATE}", "--channels=1", "--latency-msec=20"]
        with path.open("wb") as file:
            program = subprocess.Popen([*words, "--device=test.monitor"], stdout=file, env=self.environment)
            try:
                eventually(lambda: path.stat().st_size > 0, 15, "the monitor gives sound")
                yield
            finally:
                program.terminate()
                program.wait(10)


class _Feeder:
    def __init__(self, program: "subprocess.Popen[bytes]", chunk: bytes) -> None:
        import threading

        def feed() -> None:
            assert program.stdin is not None
            with contextlib.suppress(OSError, ValueError):
                while program.poll() is None:
                    program.stdin.write(chunk)
            with contextlib.suppress(OSError):
                program.stdin.close()

        self._thread = threading.Thread(target=feed, daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(10)


@contextlib.contextmanager
def null_sink() -> Iterator[NullSink]:
    """The server, while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="fm") as folder:  # short: a socket's path has little room
        environment = {**os.environ, "XDG_RUNTIME_DIR": folder, "PULSE_SERVER": f"unix:{folder}/native", "HOME": folder}
        server = subprocess.Popen(
            [
                "pulseaudio",
                *("-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
                *("-L", f"module-native-protocol-unix socket={folder}/native"),
                *("-L", "module-null-sink sink_name=test rate=48000"),
            ],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: _default(environment) == "test.monitor", 20, "the sound server answers")
            yield NullSink(environment)
        finally:
            server.terminate()
            server.wait(10)


def _default(environment: dict[str, str]) -> str:
    said = subprocess.run(["pactl", "info"], capture_output=True, text=True, env=environment, timeout=10, check=False)
    lines = [line for line in said.stdout.splitlines() if line.startswith("Default Source: ")]
    return lines[0].removeprefix("Default Source: ") if lines else ""
