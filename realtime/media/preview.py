"""The preview window: the newest picture, and keys.

Any thread hands pictures in by `put`, which never waits; one thread owns the window and runs `run`. On Linux and
Windows that may be a thread of its own (`start`). On macOS it must be the process's main thread: there the graph runs
on another thread and the main thread calls `run`, which returns when the stop token is set or the user closes up.
"""

import sys
import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from realtime.errors import DeviceError
from realtime.graph import StopToken
from realtime.media.window import CvWindow, Window

NEEDS_MAIN_THREAD = sys.platform == "darwin"

_ESCAPE = 27
_POLL_SECONDS = 0.03


class Preview:
    """A window titled `title`.

    Args:
        on_stop: called once when the user presses q or Esc or closes the window.
        on_key: called with every other key as one lower-case character.
        finish: gives what is shown instead of a picture; does not write to it. All three are called on the window's thread. `shown`
            and `replaced` count pictures drawn and pictures overwritten by newer ones before they could be.
        title: of the window.
        window: the library that shows it.
    """

    def __init__(
        self,
        on_stop: Callable[[], object],
        on_key: Callable[[str], object] | None = None,
        *,
        finish: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
        title: str = "FaceMirror Live",
        window: Window | None = None,
    ) -> None:
        self.shown = 0
        self.replaced = 0
        self.failure: DeviceError | None = None
        self._on_stop = on_stop
        self._on_key = on_key
        self._finish = finish
        self._title = title
        self._window = window or CvWindow()
        self._changed = threading.Condition()
        self._image: NDArray[np.uint8] | None = None
        self._open = False
        self._closed_by_user = False

    def put(self, image: NDArray[np.uint8]) -> None:
        """Show this (H, W, 3) uint8 BGR picture next; it must not be written to any more.

        Args:
            image: the picture.
        """
        with self._changed:
            self.replaced += self._image is not None
            self._image = image
            self._changed.notify()

    def run(self, stop: StopToken) -> None:
        """Own the window until `stop` is set or the user closes it.

        Raises:
            DeviceError: it cannot be opened.
        """
        try:
            while not stop.is_set() and not self._closed_by_user:
                self.step(_POLL_SECONDS)
        finally:
            if self._open:
                self._window.close()
                self._open = False

    def start(self, stop: StopToken) -> threading.Thread:
        """`run` on a thread of its own; a failure to open is kept in `failure`. Not on macOS.

        Args:
            stop: ends it.
        """
        if NEEDS_MAIN_THREAD:
            raise RuntimeError("macOS shows windows on the main thread only: call run() there")
        thread = threading.Thread(target=self._run_quietly, args=(stop,), name="preview", daemon=True)
        thread.start()
        return thread

    def step(self, wait: float) -> None:
        """One turn: wait at most `wait` seconds for a picture, draw it, handle keys."""
        with self._changed:
            if self._image is None and wait > 0:
                self._changed.wait(wait)
            image, self._image = self._image, None
        if image is not None:
            if not self._open:
                self._window.open(self._title, image.shape[1], image.shape[0])
                self._open = True
            self._window.show(image if self._finish is None else self._finish(image))
            self.shown += 1
        if self._open:
            self._handle(self._window.poll())

    def _handle(self, code: int) -> None:
        key = code & 0xFF if code >= 0 else -1
        if key in (_ESCAPE, ord("q"), ord("Q")) or not self._window.is_open():
            self._closed_by_user = True
            self._on_stop()
        elif key > 0 and self._on_key is not None:
            self._on_key(chr(key).lower())

    def _run_quietly(self, stop: StopToken) -> None:
        try:
            self.run(stop)
        except DeviceError as error:
            self.failure = error
