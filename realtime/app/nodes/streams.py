"""Measurements on their way to other programs."""

from collections.abc import Callable, Sequence
from typing import Protocol

from realtime.app.nodes.openface3 import ExpressionResult
from realtime.config import Config
from realtime.session.markers import SessionMarkers
from realtime.streams.lsl import LslStreams, source_identity
from realtime.streams.osc import OscStream, parse_address
from realtime.types import Analysis, Expression, TrackedFrame


class Stream(Protocol):
    """Takes analyses and gives them away."""

    def frame(self, analysis: Analysis) -> None: ...

    def open_expression(self, units: Sequence[int], emotions: Sequence[str]) -> None: ...

    def expression(self, found: Expression | None, sequence: int, capture_time: float) -> None: ...

    def close(self) -> None: ...


class SendStream:
    """Sink behind the analysis path, on a thread of its own."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def process(self, analysed: TrackedFrame) -> None:
        """Send one frame's values."""
        self._stream.frame(analysed.analysis)

    def close(self) -> None:
        """End the stream."""
        self._stream.close()


class SendExpression:
    """Sink behind OpenFace 3.0's multi-task network, on the stream's thread; the stream is closed by its other sink."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def process(self, expressed: ExpressionResult) -> None:
        """Send one frame's values."""
        self._stream.expression(expressed.expression, expressed.sequence, expressed.capture_time)


def streams(
    config: Config, markers: SessionMarkers, clock: Callable[[], float]
) -> dict[str, Callable[[Sequence[int]], Stream]]:
    """What the configuration asks for, by name; each is opened with the Action Units, and gets the markers too.

    Args:
        config: of the run.
        markers: of the session.
        clock: seconds.

    Raises:
        UserInputError: the address is none.
    """
    wanted: dict[str, Callable[[Sequence[int]], Stream]] = {}
    if config.lsl:
        identity = source_identity(config.source, config.person, config.name)

        def lsl(units: Sequence[int]) -> Stream:
            lengths, others = config.millimetres.scale != "off", config.people - 1
            stream = LslStreams(units, clock, identity=identity, name=config.name, millimetres=lengths, others=others)
            markers.listeners.append(stream.marker)
            return stream

        wanted["lsl"] = lsl
    if config.osc is not None:
        host, port = parse_address(config.osc)

        def osc(units: Sequence[int]) -> Stream:
            stream = OscStream(host, port, units)
            markers.listeners.append(stream.marker)
            return stream

        wanted["osc"] = osc
    return wanted
