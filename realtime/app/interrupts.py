"""The signals that end a run: Ctrl-C, SIGTERM, and the terminal's SIGHUP. However many come, the session is sealed."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Self

INTERRUPTED = 130
"""The exit code of a run that a signal ended."""
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")

Handler = signal.Handlers | int | Callable[[int, FrameType | None], object] | None


class Interrupts:
    """Counts the signals while it is entered, and passes them on where `calling` says so; in between they only count.

    Entered on another thread than the main one it does nothing, since only that one gets signals. A SIGHUP that was
    ignored before stays ignored: that is what nohup is for. Where one came, later ones end the process at once: by then the
    session is sealed.
    """

    def __init__(self) -> None:
        self.count = 0
        self._action: Callable[[int], None] | None = None
        self._before: dict[int, Handler] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
                before = signal.getsignal(number)
                if number == signal.SIGINT or before is not signal.SIG_IGN:
                    self._before[number] = before
                    signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, _leave if self.count else signal.SIG_DFL if before is None else before)

    @contextlib.contextmanager
    def calling(self, action: Callable[[int], None]) -> Iterator[None]:
        """Call `action` with the count so far at every signal, and at once where there was one before.

        It is called in the main thread between two instructions and may raise.
        """
        self._action = action
        try:
            if self.count:
                action(self.count)
            yield
        finally:
            self._action = None

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self._action is not None:
            self._action(self.count)


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


def raise_interrupt(_count: int) -> None:
    """Break off what runs: for start-up, where nothing can be lost."""
    raise KeyboardInterrupt
