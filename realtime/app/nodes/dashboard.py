"""What is shown, on its way to the browsers. Knows nothing of the server but where to put messages."""

import json
from collections.abc import Callable
from typing import Protocol

from realtime.dashboard.messages import encode_picture, state_message
from realtime.dashboard.status_feed import Told
from realtime.types import RenderedFrame

PICTURE_WIDTH = 640
PICTURE_SECONDS = 1 / 15
_EARLY = 0.008  # capture times waver; a picture this little early is on time


class Audience(Protocol):
    """Who listens. Counts of open pages, and of those that want the picture."""

    watchers: int
    picture_watchers: int

    def publish(self, kind: str, message: str | bytes) -> None:
        """Hand on the newest message of its kind; never waits."""
        ...


class Web:
    """Tells the pages about every frame; sends the picture 15 times a second. Without a page it costs nothing."""

    def __init__(self, audience: Audience, told: Told, clock: Callable[[], float]) -> None:
        self._audience = audience
        self._told = told
        self._clock = clock
        self._pictured = -1.0

    def process(self, shown: RenderedFrame) -> None:
        """Publish one frame's state, and its picture when one is due."""
        self._told.newest = (shown.capture_time, shown.sequence)
        if not self._audience.watchers:
            return
        message = state_message(shown, self._clock(), self._told.units)
        self._audience.publish("state", json.dumps(message, allow_nan=False))
        if self._audience.picture_watchers and shown.capture_time - self._pictured >= PICTURE_SECONDS - _EARLY:
            self._pictured = shown.capture_time
            picture = encode_picture(shown.image, shown.capture_time, shown.sequence, PICTURE_WIDTH)
            self._audience.publish("picture", picture)

    def reset(self, reason: str) -> None:  # noqa: ARG002  the graph's contract
        """Capture times may begin anew."""
        self._pictured = -1.0
