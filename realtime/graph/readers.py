"""Readers made of what a program has at hand: any iterable, and any async iterable."""

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, Generic, TypeVar

from realtime.graph.clock import Clock, VirtualClock
from realtime.graph.messages import GraphError, Item
from realtime.graph.protocols import StopToken

T = TypeVar("T")
_STOP_SECONDS = 0.05  # how soon a wait for an async iterable notices that it is to end


class IterableReader(Generic[T]):
    """Gives the values of an iterable, numbered from 0; values that are an `Item` already stay as they are.

    It iterates on the source's own thread, so a generator may block. A value's capture time is when it came.

    Args:
        values: the iterable.
    """

    def __init__(self, values: "Iterable[Item[T] | T]") -> None:
        self._values = values
        self._iterator: Iterator[Item[T] | T] | None = None
        self._count = 0

    def open(self) -> None:
        """Begin to iterate. After a failure it goes on where it was."""
        if self._iterator is None:
            self._iterator = iter(self._values)

    def read(self, stop: StopToken) -> Item[T] | None:  # noqa: ARG002 - nothing here can be interrupted
        """The next value; None at the end.

        Args:
            stop: not looked at, as the iterable may block.
        """
        assert self._iterator is not None
        try:
            value = next(self._iterator)
        except StopIteration:
            return None
        return self._item(value)

    def close(self) -> None:
        """Close a generator, so that its `finally` runs."""
        close = getattr(self._iterator, "close", None)
        if close is not None:
            close()

    def _item(self, value: Item[T] | T) -> Item[T]:
        self._count += 1
        return value if isinstance(value, Item) else Item(value, self._count - 1)


class AsyncIterableReader(Generic[T]):
    """Gives the values of an async iterable, which runs on the event loop of `Graph.run`. Otherwise as `IterableReader`.

    Args:
        values: the async iterable.
    """

    def __init__(self, values: "AsyncIterable[Item[T] | T]") -> None:
        self._values = values
        self._iterator: AsyncIterator[Item[T] | T] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._count = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the loop on which the iterable runs; before `open`."""
        self._loop = loop

    def open(self) -> None:
        """Begin to iterate. After a failure it goes on where it was."""
        if self._iterator is None:
            self._iterator = aiter(self._values)

    def read(self, stop: StopToken) -> Item[T] | None:
        """The next value; None at the end, or soon after `stop` is set."""
        assert self._iterator is not None
        assert self._loop is not None
        future = asyncio.run_coroutine_threadsafe(_next(self._iterator), self._loop)
        while True:
            try:
                found = future.result(_STOP_SECONDS)
            except TimeoutError:
                if future.done():
                    raise  # the iterable's own
                if stop.is_set():
                    future.cancel()
                    return None
                continue
            if not found:
                return None
            self._count += 1
            (value,) = found
            return value if isinstance(value, Item) else Item(value, self._count - 1)

    def close(self) -> None:
        """Close an async generator, so that its `finally` runs."""
        close = getattr(self._iterator, "aclose", None)
        if close is not None and self._loop is not None:
            with contextlib.suppress(Exception):  # it may be at work still, and ends with the loop then
                asyncio.run_coroutine_threadsafe(close(), self._loop).result(1.0)


async def _next(iterator: AsyncIterator[T]) -> tuple[T] | None:
    async for value in iterator:
        return (value,)
    return None


def reader_of(name: str, source: Any, clock: Clock) -> Any:
    """What `Graph.source` was given, as a reader.

    Args:
        name: for messages.
        source: an object as `Reader` describes it, an iterable or an async iterable.
        clock: the graph's.

    Raises:
        GraphError: It is neither a reader nor iterable, or async on a virtual clock.
    """
    if hasattr(source, "read"):
        return source
    if hasattr(source, "__aiter__"):
        if isinstance(clock, VirtualClock):
            raise GraphError(
                f"{name}: an async iterable needs a RealClock; give the virtual clock an iterable of Items"
            )
        return AsyncIterableReader(source)
    if hasattr(source, "__iter__"):
        return IterableReader(source)
    raise GraphError(f"{name}: a source needs a method read(stop), or has to be an iterable or async iterable")
