"""When and where the detector runs next. Pure policy: the tracker reports what happened and reads the next detection pass.

While tracking is sure the interval grows; a doubt brings it down to every frame. A lost face is searched first near where it
was (cheap, and at a larger scale), then in the whole picture.
"""

import math
import threading
from dataclasses import dataclass

from realtime.face.settings import CadenceSettings
from realtime.types import F32, Region


@dataclass(frozen=True, slots=True)
class DetectionPass:
    """A planned run of the detector.

    Args:
        due: sequence of the first frame it may run on.
        every: frames until the next run while no answer has come.
        region: where to search, in frame pixels; None: the whole picture.
    """

    due: int
    every: int
    region: Region | None = None


class Cadence:
    """Plans the next detection pass from what tracking reports.

    Args:
        settings: how often a pass is due.
    """

    def __init__(self, settings: CadenceSettings = CadenceSettings()) -> None:  # noqa: B008  frozen
        self._settings = settings
        self._interval = float(settings.shortest)
        self._agreements = 0
        self._near: F32 | None = None
        self._near_passes_left = 0
        self.next_pass = DetectionPass(0, settings.searching)

    @property
    def interval(self) -> int:
        """Frames between detection passes while tracking is sure."""
        return round(self._interval)

    def found(self, sequence: int) -> None:
        """A face was found on frame `sequence`: start with the shortest interval."""
        self._interval = float(self._settings.shortest)
        self._near, self._agreements = None, 0
        self.next_pass = DetectionPass(sequence + self.interval, self.interval)

    def agreed(self, sequence: int, box: F32, height: int, width: int, *, everywhere: bool = False) -> None:
        """The detector confirmed the tracked face: lengthen the interval.

        Args:
            sequence: of the frame.
            box: (4,) the tracked face.
            height: of the picture.
            width: of the picture.
            everywhere: search the whole picture; otherwise every n-th pass does.
        """
        self._interval = min(self._interval * self._settings.growth, float(self._settings.longest))
        self._agreements += 1
        everywhere = everywhere or self._agreements % self._settings.whole_every == 0
        self.next_pass = DetectionPass(
            sequence + self.interval, self.interval, None if everywhere else self.region(box, height, width)
        )

    def doubtful(self, sequence: int, box: F32 | None, height: int, width: int) -> None:
        """Tracking is in doubt: run on the next frame, near `box`, or in the whole picture where it is None.

        Args:
            sequence: of this frame.
            box: (4,) of the face, or None.
            height: of the picture, pixels.
            width: likewise.
        """
        self._interval = float(self._settings.shortest)
        region = None if box is None else self.region(box, height, width)
        self.next_pass = DetectionPass(sequence, self._settings.unsure, region)

    def lost(self, sequence: int, box: F32 | None, height: int, width: int) -> None:
        """No face is tracked any more; `box` is where it was last, None where it may be anywhere (scene cut).

        Args:
            sequence: of this frame.
            box: (4,) or None.
            height: of the picture, pixels.
            width: likewise.
        """
        self._interval = float(self._settings.shortest)
        self._near = box
        self._near_passes_left = 0 if box is None else self._settings.near_looks
        self.search(sequence, height, width)

    def searched(self, sequence: int, height: int, width: int) -> None:
        """A detection pass found nothing.

        Args:
            sequence: of the frame that was searched.
            height: of the picture, pixels.
            width: likewise.
        """
        self._near_passes_left = max(0, self._near_passes_left - 1)
        self.search(sequence, height, width)

    def search(self, sequence: int, height: int, width: int) -> None:
        """Plan the next pass for a face that is not tracked.

        Args:
            sequence: of this frame.
            height: of the picture, pixels.
            width: likewise.
        """
        near = self._near is not None and self._near_passes_left > 0
        region = self.region(self._near, height, width) if near and self._near is not None else None
        self.next_pass = DetectionPass(sequence, self._settings.searching, region)

    def region(self, box: F32, height: int, width: int) -> Region | None:
        """The square around a face box, inside the picture; None where it would be most of the picture anyway.

        Args:
            box: (4,) of the face.
            height: of the picture, pixels.
            width: likewise.
        """
        side = self._settings.near_size * max(float(box[2] - box[0]), float(box[3] - box[1]))
        x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
        x0, y0 = max(0, math.floor(x - side / 2)), max(0, math.floor(y - side / 2))
        x1, y1 = min(width, math.ceil(x + side / 2)), min(height, math.ceil(y + side / 2))
        if x1 - x0 < 16 or y1 - y0 < 16 or (x1 - x0) * (y1 - y0) > 0.6 * width * height:
            return None
        return x0, y0, x1, y1


class DetectionSchedule:
    """The planned pass, and which frames were claimed for it. Every method may be called from any thread."""

    def __init__(self, planned: DetectionPass) -> None:
        self._lock = threading.Lock()
        self._planned = planned
        self._claimed = -1

    def plan(self, planned: DetectionPass) -> None:
        """Replace the plan. Frames that were claimed stay claimed.

        Args:
            planned: the next pass.
        """
        with self._lock:
            self._planned = planned

    def restart(self, planned: DetectionPass) -> None:
        """Replace the plan for a stream that begins again: no frame is claimed.

        Args:
            planned: the next pass.
        """
        with self._lock:
            self._planned, self._claimed = planned, -1

    def try_claim(self, sequence: int) -> bool:
        """Claim this frame for the detector.

        Args:
            sequence: of a frame.

        Returns:
            Whether the frame should go to the detector. After True the next claim succeeds one interval later.
        """
        with self._lock:
            if not self._is_free(sequence):
                return False
            self._claimed = sequence
            return True

    def takes(self, sequence: int) -> bool:
        """Whether the detector has this frame, or would be given it if it were asked about now.

        Args:
            sequence: of a frame.
        """
        with self._lock:
            return self._claimed == sequence or self._is_free(sequence)

    def _is_free(self, sequence: int) -> bool:
        planned = self._planned
        waits = self._claimed >= planned.due and sequence < self._claimed + planned.every
        return sequence >= planned.due and not waits

    @property
    def every(self) -> int:
        """Frames between two passes, as planned now."""
        return self._planned.every

    @property
    def region(self) -> Region | None:
        """Where the detector should search now; None: the whole picture."""
        return self._planned.region
