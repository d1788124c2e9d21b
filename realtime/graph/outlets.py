"""Where a node or a source hands its results on."""

from collections import deque

from realtime.graph.edge_ends import Sender
from realtime.graph.messages import Envelope, Reset


class Outlets:
    """The sending ends of a node. Keeps what a full `Block` edge did not take yet."""

    def __init__(self) -> None:
        self.senders: list[Sender] = []
        self._unsent: deque[tuple[Sender, Envelope]] = deque()
        self._bound = -1

    def flush(self, now: float) -> bool:
        """Offer the unsent again. True when nothing is left."""
        while self._unsent:
            sender, envelope = self._unsent[0]
            if not sender.put_nowait(envelope, now):
                return False
            self._unsent.popleft()
        return True

    def put(self, envelope: Envelope, now: float) -> None:
        """Offer the envelope to every edge; `flush` must have returned True before."""
        self._bound = max(self._bound, envelope.sequence)
        for sender in self.senders:
            if not sender.put_nowait(envelope, now, wake=False):
                self._unsent.append((sender, envelope))
        for sender in self.senders:
            sender.wake()

    def no_result_up_to(self, sequence: int) -> None:
        if sequence > self._bound:
            self._bound = sequence
            for sender in self.senders:
                sender.no_result_up_to(sequence)

    def no_result_at(self, sequence: int) -> None:
        if sequence > self._bound:
            for sender in self.senders:
                sender.no_result_at(sequence)

    def reset(self, message: Reset) -> None:
        for sender in self.senders:
            sender.reset(message)

    def end(self) -> None:
        for sender in self.senders:
            sender.end()
