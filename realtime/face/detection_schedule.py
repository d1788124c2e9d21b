"""When and where the detector looks next. Pure policy: the tracker tells it what happened, it answers with a plan.

While tracking is sure the interval grows; a doubt brings it down to every frame. A lost face is looked for first near where it
was (cheap, and closer up), then in the whole picture.
"""

import math
import threading
from dataclasses import dataclass

from realtime.face.geometry import F32
from realtime.face.settings import CadenceSettings
from realtime.types import Region


@dataclass(frozen=True, slots=True)
class DetectionPass:
    """due: first frame to look at. every: interval until an answer comes (frames). region: where; None: everywhere."""

    due: int
    every: int
    region: Region | None = None


class Cadence:
    """The plan for the next look."""

    def __init__(self, settings: CadenceSettings = CadenceSettings()) -> None:  # noqa: B008  frozen
        self._settings = settings
        self._interval = float(settings.shortest)
        self._local = 0
        self._near: F32 | None = None
        self._looks_left = 0
        self.look = DetectionPass(0, settings.searching)

    @property
    def interval(self) -> int:
        """Frames between looks while tracking is sure."""
        return round(self._interval)

    def found(self, sequence: int) -> None:
        """A face was found on this frame; look again soon."""
        self._interval = float(self._settings.shortest)
        self._near, self._local = None, 0
        self.look = DetectionPass(sequence + self.interval, self.interval)

    def agreed(self, sequence: int, box: F32, height: int, width: int) -> None:
        """The detector saw the tracked face where the tracker has it; look less often."""
        self._interval = min(self._interval * self._settings.growth, float(self._settings.longest))
        self._local += 1
        whole = self._local % self._settings.whole_every == 0
        self.look = DetectionPass(
            sequence + self.interval, self.interval, None if whole else self.region(box, height, width)
        )

    def doubtful(self, sequence: int, box: F32 | None, height: int, width: int) -> None:
        """Tracking is in doubt: look at the next frame, near the face, or everywhere where `box` is None."""
        self._interval = float(self._settings.shortest)
        region = None if box is None else self.region(box, height, width)
        self.look = DetectionPass(sequence, self._settings.unsure, region)

    def lost(self, sequence: int, box: F32 | None, height: int, width: int) -> None:
        """No face is tracked any more; `box` is where it was last, None where it may be anywhere (scene cut)."""
        self._interval = float(self._settings.shortest)
        self._near = box
        self._looks_left = 0 if box is None else self._settings.near_looks
        self.search(sequence, height, width)

    def searched(self, sequence: int, height: int, width: int) -> None:
        """A look found nothing."""
        self._looks_left = max(0, self._looks_left - 1)
        self.search(sequence, height, width)

    def search(self, sequence: int, height: int, width: int) -> None:
        """Plan the next look for a face that is not tracked."""
        near = self._near is not None and self._looks_left > 0
        region = self.region(self._near, height, width) if near and self._near is not None else None
        self.look = DetectionPass(sequence, self._settings.searching, region)

    def region(self, box: F32, height: int, width: int) -> Region | None:
        """The square around a face box, inside the picture; None where it would be most of the picture anyway."""
        side = self._settings.near_size * max(float(box[2] - box[0]), float(box[3] - box[1]))
        x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
        x0, y0 = max(0, math.floor(x - side / 2)), max(0, math.floor(y - side / 2))
        x1, y1 = min(width, math.ceil(x + side / 2)), min(height, math.ceil(y + side / 2))
        if x1 - x0 < 16 or y1 - y0 < 16 or (x1 - x0) * (y1 - y0) > 0.6 * width * height:
            return None
        return x0, y0, x1, y1


class DetectionSchedule:
    """The plan in force, and the frame that was given away last. Every method may be called from any thread."""

    def __init__(self, look: DetectionPass) -> None:
        self._lock = threading.Lock()
        self._look = look
        self._asked = -1

    def plan(self, look: DetectionPass) -> None:
        """This is the plan from now on; what was booked stays booked."""
        with self._lock:
            self._look = look

    def anew(self, look: DetectionPass) -> None:
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
