"""A thread of its own for reading a source: a camera, a stream, a file or a generator; each of them may block.

The thread alone touches the container, so that stopping never waits for the source and nothing is closed under a
running read (libav crashes then). A source that never returns keeps only its own daemon thread; the program ends all the
same, see `wait_for_readers`.
"""

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from realtime.errors import DeviceError
from realtime.graph import StopToken
from realtime.media.decoder import Decoded
from realtime.media.libav_errors import stall_error
from realtime.media.stream_info import StreamInfo

_POLL_SECONDS = 0.05
_AHEAD = 4
_LONGEST_STEP = 1.0


_running: "weakref.WeakSet[threading.Thread]" = weakref.WeakSet()


def wait_for_readers(seconds: float) -> bool:
    """Wait until every thread that reads a source has let go of it.

    Args:
        seconds: the longest wait for all of them together.

    Returns:
        False where one is still inside libav. Such a thread would come back from there into an interpreter that is being
        taken down, so that the process should then end at once (`os._exit`).
    """
    end = time.monotonic() + seconds
    for thread in list(_running):
        thread.join(max(0.0, end - time.monotonic()))
    return not any(thread.is_alive() for thread in list(_running))


class PictureDecoder(Protocol):
    """What the thread needs of a `Decoder`."""

    def open(self) -> StreamInfo: ...
    def next(self) -> Decoded | None: ...
    def abandon(self) -> None: ...
    def close(self) -> None: ...


class DecoderThread:
    """Runs a decoder on a thread of its own.

    Live sources keep the newest picture only: one that is overwritten before it was taken is counted in the next one's `lost`.
    Recordings are read `_AHEAD` pictures ahead and none is lost. The thread is woken once half of them are taken, so that it
    decodes two pictures for one change of threads, or when `refill` says that it is a good time.

    Args:
        decoder: opened, read and closed by the thread only.
        name: how errors call the source.
        clock: seconds, for the time-outs; a jump (the machine slept, the process was stopped) counts as one second at most.
        open_timeout: seconds; five more are given to devices that ignore libav's own.
        stall_timeout: seconds without a picture.
        wait: how a waiting taker sleeps; called with the condition and seconds.
    """

    def __init__(
        self,
        decoder: PictureDecoder,
        name: str,
        clock: Callable[[], float],
        *,
        open_timeout: float = 10.0,
        stall_timeout: float = 5.0,
        wait: Callable[[threading.Condition, float], object] = threading.Condition.wait,
    ) -> None:
        self._decoder = decoder
        self._name = name
        self._clock = clock
        self._open_timeout = open_timeout
        self._stall_timeout = stall_timeout
        self._wait = wait
        self._changed = threading.Condition()
        self._pictures: deque[Decoded] = deque()
        self._info: StreamInfo | None = None
        self._error: Exception | None = None
        self._ended = False
        self._closing = False
        self._thread: threading.Thread | None = None

    def open(self, stop: StopToken | None = None) -> StreamInfo | None:
        """Start the thread and wait for the first picture.

        Args:
            stop: ends the wait.

        Returns:
            What the source gives; None if stopped before.

        Raises:
            DeviceError: nothing came in time. Whatever the decoder raises is raised here, too.
        """
        self._thread = threading.Thread(target=self._run, name=f"read {self._name}", daemon=True)
        _running.add(self._thread)
        self._thread.start()
        patience = _Patience(self._clock, self._open_timeout + 5.0)
        with self._changed:
            while self._info is None:
                if self._error is not None:
                    raise self._error
                if stop is not None and stop.is_set():
                    return None
                # libav has its own open time-out; the margin is for devices that ignore it.
                if patience.used_up():
                    raise DeviceError(f"{self._name}: nothing came within {self._open_timeout + 5.0:g} s.")
                self._wait(self._changed, _POLL_SECONDS)
            return self._info

    def take(self, stop: StopToken) -> Decoded | None:
        """Wait for the next picture.

        Args:
            stop: ends the wait.

        Returns:
            The picture; None at the end or when stopped.

        Raises:
            DeviceError: the source stalled or failed.
        """
        patience = _Patience(self._clock, self._stall_timeout)
        with self._changed:
            while not self._pictures:
                if self._error is not None:
                    raise self._error
                if self._ended or stop.is_set():
                    return None
                if patience.used_up():
                    raise stall_error(self._name, self._stall_timeout)
                self._wait(self._changed, _POLL_SECONDS)
            if stop.is_set():
                return None
            picture = self._pictures.popleft()
            if len(self._pictures) <= _AHEAD // 2:
                self._changed.notify_all()
            return picture

    def refill(self) -> None:
        """Have the places of the pictures that were taken filled again."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Ask the thread to close the source; returns at once."""
        self._decoder.abandon()
        with self._changed:
            self._closing = True
            self._pictures.clear()
            self._changed.notify_all()

    def join(self, seconds: float) -> bool:
        """Wait for at most `seconds` until the source is closed; False if it is not."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            info = self._decoder.open()
            with self._changed:
                self._info = info
                self._changed.notify_all()
            while self._put(self._decoder.next(), live=info.live):
                pass
        except Exception as error:  # noqa: BLE001 - handed to the thread that reads, whatever it is
            with self._changed:
                self._error = error
                self._changed.notify_all()
        finally:
            self._decoder.close()

    def _put(self, picture: Decoded | None, *, live: bool) -> bool:
        with self._changed:
            if picture is None:
                self._ended = True
            elif live:
                if self._pictures:
                    overwritten = self._pictures.pop()
                    picture = replace(picture, lost=picture.lost + overwritten.lost + 1)
                self._pictures.append(picture)
            else:
                while len(self._pictures) >= _AHEAD and not self._closing:
                    self._changed.wait(_POLL_SECONDS)
                self._pictures.append(picture)
            self._changed.notify_all()
            return picture is not None and not self._closing


class _Patience:
    """Counts the seconds of a wait in small steps, so that a time in which the whole process stood still hardly counts."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self._last = clock()
        self._waited = 0.0

    def used_up(self) -> bool:
        now = self._clock()
        self._waited += min(now - self._last, _LONGEST_STEP)
        self._last = now
        return self._waited > self._seconds
