"""What the user of a graph gives for a node."""

import threading
from typing import Any, Protocol

from realtime.graph.messages import Side


class StopToken:
    """Set once, from any thread. A `read` that waits should wait on this, or check it between short waits."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def is_set(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        self._event.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep for at most `timeout` seconds; True as soon as the token is set."""
        return self._event.wait(timeout)


class Processor(Protocol):
    """What a transform or sink is made of. Only `process` is required; the rest is used where it exists.

    open() and close() run on the node's own thread, as `process` does: a session is used on the thread it was made on.
    reset(reason) is called between two frames when the stream was interrupted.
    accepts(envelope) -> bool is a cheap gate, asked before the frame is queued for the node, on the producer's thread
    and possibly while `process` runs: read plain attributes in it, no more. A refused frame counts as skipped.
    """

    def process(self, payload: Any, **sides: Side | None) -> Any:
        """The result for this frame, or None for "no result". May raise: the frame is lost, the node goes on."""
        ...


def call_where_there(target: Any, method: str, *arguments: Any) -> None:
    """Call one of a processor's optional methods."""
    function = getattr(target, method, None)
    if function is not None:
        function(*arguments)
