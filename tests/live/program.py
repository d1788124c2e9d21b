"""`facemirror-live run` in a process of its own, and what it said."""

import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.live.waiting import eventually


@dataclass(slots=True)
class Program:
    """said: its lines on stderr, as they come."""

    process: "subprocess.Popen[str]"
    said: list[str] = field(default_factory=list)

    def link(self, name: str = "Dashboard") -> str:
        """The address it printed: "Dashboard" or "OBS overlay"."""

        def look() -> str:
            found = [re.search(rf"{name}: (http://\S+)", line) for line in self.said]
            self.running()
            return next((match[1] for match in found if match), "")

        return eventually(look, 60, f"{name} has a link")

    def begun(self) -> None:
        """Wait until frames flow."""
        eventually(lambda: self.running() and any("running" in line for line in self.said), 120, "frames flow")

    def running(self) -> bool:
        """True; an ended program is a failure, told with what it said."""
        assert self.process.poll() is None, "the program ended: " + " ".join(self.said)
        return True


@contextlib.contextmanager
def program(*words: str, environment: Mapping[str, str] | None = None) -> Iterator[Program]:
    """Start `python -m realtime WORDS`; killed at the end of the block where it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "realtime", *words], stderr=subprocess.PIPE, text=True, env=environment
    )
    started = Program(process)

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            started.said.append(line.rstrip())

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield started
    finally:
        process.kill()
        process.wait(20)
        thread.join(10)
        assert process.stderr is not None
        process.stderr.close()
