"""OBS on the page: one button that puts the overlay into OBS's scene, and what the connection is doing."""

import threading
from typing import TYPE_CHECKING

from realtime.dashboard.buttons import ButtonCommand

if TYPE_CHECKING:
    from realtime.obs.client import ObsClient


class ObsControl:
    """The page's button for OBS.

    Args:
        client: the connection.
        overlay: the overlay page's address, with its token.
    """

    def __init__(self, client: "ObsClient", overlay: str) -> None:
        self._client = client
        self._overlay = overlay
        self._lock = threading.Lock()
        self._done = ""

    def command(self) -> ButtonCommand:
        """Give the page's command."""
        return ButtonCommand("Show the overlay in OBS", self.show, self.note, self.obstacle)

    def show(self) -> None:
        """Put the overlay into OBS's scene of now, or load it anew there.

        Raises:
            DeviceError: OBS is not there, or has no browser source.
        """
        done = self._client.show_overlay(self._overlay)
        with self._lock:
            self._done = done

    def note(self) -> str:
        """Tell what was done last, what the rules sent, and how old their frames were when OBS answered."""
        figures = self._client.figures()
        requests, age = figures["requests"], figures["age_ms"]
        sent = f"{requests['answered']} of {requests['sent']} requests done" if requests["sent"] else ""
        ages = f"{age['p50']:.0f} ms after the frame (p95 {age['p95']:.0f} ms)" if age["count"] else ""
        with self._lock:
            return "; ".join(part for part in (self._done.rstrip("."), sent, ages) if part)

    def obstacle(self) -> str | None:
        """Tell why nothing can be sent now."""
        if self._client.state == "connected":
            return None
        return self._client.reason or f"OBS at {self._client.url} is being looked for."
