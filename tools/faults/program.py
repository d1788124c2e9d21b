"""The program as a process that something is done to, and what came of it."""

import csv
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realtime.errors import FacemirrorError
from realtime.media.demux_options import demo_clip
from realtime.session.verify import verify

FPS = 15
SOURCE = f"lavfi:movie={demo_clip()}:loop=0,scale=640:-2,fps={FPS},setpts=N/({FPS}*TB)"
"""The embedded clip, over and over."""
_START_SECONDS = 120.0
_END_SECONDS = 60.0
_TOLD = ("running; Ctrl-C", "compiling", "session:", "Dashboard:", "OBS overlay:")
_SHORT = 180


@dataclass(slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        code: exit code; None: it had to be killed.
        said: the sentences on stderr that tell of a fault.
        traceback: the last line of one, where there was one.
        summary: the program's own figures; None: there are none.
        rows: of frames.csv.
        right: `verify` finds everything as the session left it.
        problems: what `verify` found, in words.
        wrong: what should not be, in words; empty: the run ended as it should.
    """

    code: int | None
    said: Sequence[str]
    traceback: str | None
    summary: Mapping[str, Any] | None
    rows: int
    right: bool
    problems: Sequence[str]
    wrong: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """One line for the table."""
        told = self.said[-1] if self.said else "nothing was said"
        ended = "killed after it hung" if self.code is None else f"exit {self.code}"
        return f"{ended}, {self.rows} rows, {'sealed' if self.right else 'not whole'}: {told[:_SHORT]}"


class Program:
    """`facemirror-live run` with a session and a summary.

    Args:
        folder: for the session and the summary.
        words: added to the command line.
        limit: called in the new process before the program.
        environment: variables in addition to this process's.
        source: the program's `--source`.
    """

    def __init__(
        self,
        folder: Path,
        words: Sequence[str] = (),
        *,
        limit: Callable[[], None] | None = None,
        environment: Mapping[str, str] | None = None,
        source: str = SOURCE,
    ) -> None:
        self.session, self.summary_file = folder / "session", folder / "summary.json"
        command = [sys.executable, "-m", "realtime", "run", "--source", source, "--headless", "--quiet", "--record"]
        self.process = subprocess.Popen(
            [*command, "--session", str(self.session), "--summary", str(self.summary_file), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
            preexec_fn=limit,
        )
        self._deleted = False
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line.decode("utf-8", "replace").rstrip())

    def wait_for_rows(self, count: int) -> bool:
        """Wait until so many rows are written. Gives whether the program is still there."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if rows_in(self.session) >= count:
                return True
            time.sleep(0.05)
        return self.process.poll() is None

    def delete_session(self) -> None:
        """Delete the session's folder with all that was written."""
        self._deleted = True
        shutil.rmtree(self.session)

    def move_session(self) -> None:
        """Rename the session's folder; what is left is looked for there."""
        self.session = self.session.rename(self.session.with_name("elsewhere"))

    def outcome(self, seconds: float = _END_SECONDS) -> Outcome:
        """Wait for the end and look at what is left.

        Args:
            seconds: until it is taken to hang, and is killed.
        """
        try:
            code: int | None = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
            self.process.kill()
            self.process.wait()
        self._reader.join(5.0)
        ours = [line for line in self._lines if line.startswith("facemirror-live: ")]
        traceback = None
        if any("Traceback" in line for line in self._lines):
            raised = [line for line in self._lines if line and line[0] != " " and line not in ours]
            traceback = raised[-1] if raised else "?"
        said = [line.removeprefix("facemirror-live: ") for line in ours if not any(word in line for word in _TOLD)]
        return judge(self.session, self.summary_file, code, said, traceback, rows_lost=self._deleted)


def rows_in(session: Path) -> int:
    """How many rows frames.csv has; 0 where there is none."""
    try:
        with (session / "frames.csv").open(newline="", encoding="utf-8") as file:
            return max(0, sum(1 for _ in csv.reader(file)) - 1)
    except OSError:
        return 0


def judge(
    session: Path,
    summary_file: Path,
    code: int | None,
    said: Sequence[str],
    traceback: str | None,
    *,
    rows_lost: bool = False,
) -> Outcome:
    """Look at what a run has left.

    Wrong are a run that hangs, a traceback, a failure that is not told, figures that do not agree with the rows, and files
    that `verify` does not find as the manifest has them.

    Args:
        session: the folder, where it lies now.
        summary_file: of the run.
        code: exit code; None: it had to be killed.
        said: the sentences on stderr that tell of a fault.
        traceback: the last line of one, where there was one.
        rows_lost: the fault took the rows that were written, so that they cannot be counted.
    """
    try:
        summary = json.loads(summary_file.read_text("utf-8"))
    except (OSError, ValueError):
        summary = None
    rows, right, problems, finished = rows_in(session), False, list[str](), False
    try:
        verdict = verify(session)
        right, finished = verdict.right, verdict.finished
        problems = [f"{file} {sentence}" for file, _, sentence in verdict.problems]
        hidden = [problem for problem in verdict.problems if finished and problem.fault != "incomplete"]
    except FacemirrorError as error:
        problems, hidden = [str(error)], []
    found = Outcome(code, said, traceback, summary, rows, right, problems)
    if code is None:
        found.wrong.append("it hung")
    elif code not in (0, 2, 3, 130) and code >= 0:
        found.wrong.append(f"exit {code}")
    if traceback is not None:
        found.wrong.append(f"a traceback: {traceback}")
    if code in (2, 3) and not said:
        found.wrong.append("it failed without a word")
    if code in (0, 130) and session.exists() and not right:
        found.wrong.append(f"exit {code}, although {'; '.join(problems) or 'the session was not finished'}")
    found.wrong += [f"{problem.file} {problem.sentence}" for problem in hidden]
    captured = summary["frames"]["captured"] if summary else None
    rows_failed = summary is not None and "frames.csv" in summary["failures"]
    if captured is not None and rows != captured and not rows_failed and not rows_lost:
        found.wrong.append(f"{rows} rows of {captured} captured pictures")
    return found
