"""What is shown, on its way to the browsers. Knows nothing of the server but where to put messages."""

import json
from collections.abc import Callable, Sequence
from typing import Protocol

from realtime.dashboard.messages import encode_picture, state_message
from realtime.types import RenderedFrame

PICTURE_WIDTH = 640
PICTURE_SECONDS = 1 / 15
_EARLY = 0.008  # capture times waver; a picture this little early is on time


class Audience(Protocol):
    """The open pages: how many there are, and how many of them want the picture."""

    watchers: int
    picture_watchers: int

    def publish(self, kind: str, message: str | bytes) -> None:
        """Hand on the newest message of its kind; never waits.

        Args:
            kind: of the message.
            message: text or bytes.
        """
        ...

    def frame_shown(self, capture_time: float, sequence: int) -> None:
        """Note the newest frame shown; never waits.

        Args:
            capture_time: seconds.
            sequence: of the frame.
        """
        ...


class Web:
    """Publishes every frame's values; the picture 15 times a second. Without a page it costs nothing.

    Args:
        audience: the open pages.
        units: the Action Units to publish, in order.
        clock: the frames' clock, seconds.
    """

    def __init__(self, audience: Audience, units: Sequence[int], clock: Callable[[], float]) -> None:
        self._audience = audience
        self._units = tuple(units)
        self._clock = clock
        self._pictured = -1.0

    def process(self, shown: RenderedFrame) -> None:
        """Publish one frame's state, and its picture when one is due."""
        self._audience.frame_shown(shown.capture_time, shown.sequence)
        if not self._audience.watchers:
            return
        message = state_message(shown, self._clock(), self._units)
        self._audience.publish("state", json.dumps(message, allow_nan=False))
        if self._audience.picture_watchers and shown.capture_time - self._pictured >= PICTURE_SECONDS - _EARLY:
            self._pictured = shown.capture_time
            picture = encode_picture(shown.image, shown.capture_time, shown.sequence, PICTURE_WIDTH)
            self._audience.publish("picture", picture)

    def reset(self, reason: str) -> None:  # noqa: ARG002  the graph's contract
        """The stream was interrupted: capture times may begin from an earlier one."""
        self._pictured = -1.0
