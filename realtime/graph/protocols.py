"""What the user of a graph gives for a node."""

from typing import Any, Protocol

from realtime.graph.messages import Side


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
