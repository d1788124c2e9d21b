"""Interruption by the user or the system, on every platform that has it."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def interrupts(call: Callable[[], None]) -> Iterator[None]:
    """While inside, SIGINT and SIGTERM call `call` (in the main thread, between two bytecodes). Main thread only.

    `signal.signal` and not the loop's own handlers, because Windows has only the former.
    """

    def handler(_number: int, _frame: FrameType | None) -> None:
        call()

    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
