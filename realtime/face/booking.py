"""Which frames go to the detector, and where on them it looks: planned on the tracker's thread, asked on another."""

import threading

from realtime.face.detection_schedule import Look
from realtime.types import Region


class Booking:
    """The plan in force, and the frame that was given away last. Every method may be called from any thread."""

    def __init__(self, look: Look) -> None:
        self._lock = threading.Lock()
        self._look = look
        self._asked = -1

    def plan(self, look: Look) -> None:
        """This is the plan from now on; what was booked stays booked."""
        with self._lock:
            self._look = look

    def anew(self, look: Look) -> None:
        """The same, for a stream that begins again: nothing is booked."""
        with self._lock:
            self._look, self._asked = look, -1

    def wants(self, sequence: int) -> bool:
        """Should this frame go to the detector? Asking with the answer yes books it: the next yes is an interval away."""
        with self._lock:
            look = self._look
            if sequence < look.due or (self._asked >= look.due and sequence < self._asked + look.every):
                return False
            self._asked = sequence
            return True

    @property
    def region(self) -> Region | None:
        """Where the detector should look now; None: the whole picture."""
        return self._look.region
