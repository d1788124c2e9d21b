"""The word to stop, as a source's `read` sees it."""

import threading


class StopToken:
    """Set once, from any thread. A `read` that waits should wait on this, or look at it between short waits."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def is_set(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        self._event.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep for at most `timeout` seconds; True as soon as the token is set."""
        return self._event.wait(timeout)
