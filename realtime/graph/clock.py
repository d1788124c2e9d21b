"""Time as the graph sees it: the machine's monotonic clock, or a virtual one that jumps to the next deadline.

`VirtualClock.run` drives a coroutine on an event loop whose time is the clock's. Whenever every task is blocked the
loop would sleep; here it moves the clock forward by just that sleep instead. `asyncio.sleep`, `wait_for`, `timeout` and
`call_later` therefore work unchanged, exactly, and take no real time.
"""

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """Seconds that never go back."""

    def now(self) -> float:
        """The present, in seconds; the zero is arbitrary."""
        ...


class RealClock:
    """`time.monotonic`, the clock that asyncio's loop and `time.sleep` agree on."""

    now = staticmethod(time.monotonic)


class VirtualClock:
    """A clock that moves only when nothing is left to do at the present time. Threads do not exist on it.

    Args:
        start: the time at the beginning, seconds.
        rounds: of the event loop after which `run` gives up, so that a program that never ends fails instead of spinning.
    """

    def __init__(self, start: float = 0.0, rounds: int = 20_000_000) -> None:
        self._now = start
        self.rounds = rounds

    def now(self) -> float:
        """Seconds; as far as the clock has moved."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`; never back.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError("a clock does not go back")
        self._now += seconds

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end on this clock.

        Args:
            main: the coroutine.

        Returns:
            What `main` returns.

        Raises:
            RuntimeError: every task waits for something that never comes, or `main` does not end.
        """
        with asyncio.Runner(loop_factory=lambda: _VirtualLoop(self)) as runner:
            return runner.run(main)


class _JumpingSelector(selectors.DefaultSelector):
    """Never sleeps: a time-out is spent by moving the clock."""

    clock: VirtualClock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.clock.rounds -= 1
        if self.clock.rounds < 0:
            raise RuntimeError(
                f"no end on the virtual clock: still at work at {self.clock.now()!r}, next wait {timeout!r}"
            )
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("deadlock on the virtual clock: every task waits, and no deadline is left to jump to")
        if timeout > 0:
            self.clock.advance(timeout)
        return []


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        selector = _JumpingSelector()
        selector.clock = clock
        self._clock = clock
        super().__init__(selector)

    def time(self) -> float:
        return self._clock.now()
