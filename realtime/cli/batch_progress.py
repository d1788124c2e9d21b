"""The progress bar of `batch`: recordings, rate, time left, and what is at work."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from realtime.batch.run import Watch


class Rate:
    """How fast recordings are finished, and how long the rest takes. Recordings done before this start do not count.

    Attributes:
        total, finished: recordings.
        video: seconds of video measured since the start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = self.finished = 0
        self.video = 0.0
        self._clock = clock
        self._started = clock()
        self._before = 0
        self._under_way: dict[str, float] = {}

    def begin(self, total: int, finished: int) -> None:
        """So many recordings there are, and so many were finished before.

        Args:
            total: recordings.
            finished: of them, before this run.
        """
        self.total, self.finished, self._before = total, finished, finished
        self._started = self._clock()

    def progress(self, name: str, seconds: float) -> None:
        """A recording is measured up to here.

        Args:
            name: of the recording.
            seconds: of its video that are measured.
        """
        self.video += max(0.0, seconds - self._under_way.get(name, 0.0))
        self._under_way[name] = seconds

    def finish(self, name: str) -> None:
        """A recording is finished."""
        self._under_way.pop(name, None)
        self.finished += 1

    @property
    def speed(self) -> float | None:
        """Seconds of video measured in a second; None while nothing is known."""
        gone = self._clock() - self._started
        return self.video / gone if gone > 0 and self.video > 0 else None

    @property
    def left(self) -> float | None:
        """Seconds until the end, as far as the recordings so far tell; None while nothing is known."""
        made = self.finished - self._before
        if made <= 0:
            return None
        return (self._clock() - self._started) / made * (self.total - self.finished)


class ProgressBar:
    """Shows it on stderr, and prints what is said above it."""

    def __init__(self) -> None:
        self._rate = Rate()
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            BarColumn(bar_width=28),
            _Figures(self._rate),
            TimeElapsedColumn(),
            TextColumn("{task.description}", style="dim"),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=1)
        self._names: dict[str, float] = {}

    def start(self) -> None:
        """Show it."""
        self._progress.start()

    def stop(self) -> None:
        """Take it away."""
        self._progress.stop()

    @property
    def watch(self) -> Watch:
        """What `work` tells it."""
        return Watch(self._begun, self._moved, self._finished, self._said)

    def _begun(self, total: int, finished: int) -> None:
        self._rate.begin(total, finished)
        self._progress.update(self._task, total=total, completed=finished)

    def _moved(self, name: str, _frames: int, seconds: float) -> None:
        self._rate.progress(name, seconds)
        self._names[name] = seconds
        self._describe()

    def _finished(self, name: str, _outcome: str, _content: Mapping[str, Any]) -> None:
        self._rate.finish(name)
        self._names.pop(name, None)
        self._progress.update(self._task, completed=self._rate.finished)
        self._describe()

    def _said(self, sentence: str) -> None:
        self._console.print(f"facemirror-live: {sentence}", markup=False, highlight=False)

    def _describe(self) -> None:
        shown = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in sorted(self._names.items())[:4])
        self._progress.update(self._task, description=shown)


class _Figures(ProgressColumn):
    """Rate and time left."""

    def __init__(self, rate: Rate) -> None:
        super().__init__()
        self._rate = rate

    def render(self, task: Task) -> Text:  # noqa: ARG002  rich's signature
        """As text."""
        speed, left = self._rate.speed, self._rate.left
        words = [] if speed is None else [f"{speed:.1f} x real time"]
        if left is not None:
            minutes, seconds = divmod(round(left), 60)
            hours, minutes = divmod(minutes, 60)
            words.append(f"{hours}:{minutes:02d}:{seconds:02d} left")
        return Text("  ".join(words))
