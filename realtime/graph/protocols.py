"""What the user of a graph gives for a node."""

import threading
from collections.abc import Callable
from typing import Any, Concatenate, Protocol, TypeVar


class StopToken:
    """Set once, from any thread. A `read` that waits should wait on this, or check it between short waits."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._event.is_set()

    def set(self) -> None:
        """Set it; it stays so."""
        self._event.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep for at most `timeout` seconds; True as soon as the token is set."""
        return self._event.wait(timeout)


In = TypeVar("In")
Out = TypeVar("Out")
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)


class Processor(Protocol[In_contra, Out_co]):
    """What a transform or sink is made of. Only `process` is required; the rest is used where it exists.

    open() and close() run on the node's own thread, as `process` does: a session is used on the thread it was made on.
    reset(reason) is called between two frames when the stream was interrupted.
    accepts(envelope) -> bool is a cheap gate, asked before the frame is queued for the node, on the producer's thread
    and possibly while `process` runs: read plain attributes in it, no more. A refused frame counts as skipped.
    """

    @property
    def process(self) -> Callable[Concatenate[In_contra, ...], Out_co | None]:
        """A method: process(payload, **sides) gives the result for this frame, or None for "no result".

        Each side input comes by its keyword, as a `Side` or None. It may raise: the frame is lost, the node goes on.
        """
        ...


Process = Callable[[In], Out | None] | Callable[Concatenate[In, ...], Out | None] | Processor[In, Out]
"""What `Graph.transform` and `Graph.sink` take: a function, or an object with a method `process`."""


def call_where_there(target: Any, method: str, *arguments: Any) -> None:
    """Call one of a processor's optional methods.

    Args:
        target: the processor.
        method: its name.
        arguments: of the call.
    """
    function = getattr(target, method, None)
    if function is not None:
        function(*arguments)
