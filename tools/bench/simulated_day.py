"""A day of the whole graph on the virtual clock: one second of pictures every five minutes, and nothing in between.

The real wiring, nodes and networks; rows are written. What a day leaves behind (memory, slower frames, frames that nobody accounts
for) is seen in minutes. Threads do not exist on that clock, so what grows in threads alone is for `soak`.
"""

import csv
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
import psutil

from realtime.app.pipeline import Outputs, build
from realtime.config import Config
from realtime.graph import RealClock, StopToken, VirtualClock
from realtime.media.demux_options import demo_clip
from realtime.media.stream_info import StreamInfo
from realtime.media.video_source import VideoSource
from realtime.session.frames_csv import FramesCsv
from realtime.types import U8, Frame

_FPS = 30
_SIZE = (640, 360)
_MEMORY = 1.1
_SLOWER = 1.5

Figure = tuple[str, float, str, str, bool]
"""Name, value, unit, bound, and whether it is met."""


class BurstCamera:
    """A live camera that shows one second of the demo, then nothing until the next.

    Args:
        hours: after which it ends.
        every: seconds from one burst to the next.

    Attributes:
        marks: (hour, processor time, resident bytes) at the beginning of each burst.
    """

    def __init__(self, hours: float, every: float) -> None:
        width, height = _SIZE
        self.stream_info = StreamInfo("day", "day", "raw", "bgr24", width, height, _FPS, 0, True, None)
        self.marks: list[tuple[float, float, int]] = []
        self._pictures = _pictures()
        self._frames = self._all(hours, every)

    def _all(self, hours: float, every: float) -> Iterator[Frame]:
        process, number = psutil.Process(), 0
        for burst in range(round(hours * 3600 / every)):
            begin = burst * every
            self.marks.append((begin / 3600, time.process_time(), process.memory_info().rss))
            for k in range(_FPS):
                image = self._pictures[k % len(self._pictures)].copy()
                image.flags.writeable = False
                yield Frame(image, number, begin + k / _FPS)
                number += 1

    def read(self, stop: StopToken) -> Frame | None:
        """The next frame; None at the end of the day."""
        return None if stop.is_set() else next(self._frames, None)

    def close(self) -> None:
        """Nothing is held."""


def _pictures() -> list[U8]:
    found: list[U8] = []
    with av.open(str(demo_clip())) as file:
        for frame in file.decode(video=0):
            found.append(cast("U8", cv2.resize(frame.to_ndarray(format="bgr24"), _SIZE)))
            if len(found) == _FPS:
                break
    return found


def simulate_day(hours: float = 24.0, every: float = 300.0) -> list[Figure]:
    """Run it.

    Args:
        hours: of the virtual clock.
        every: seconds from one burst to the next.

    Returns:
        The figures, with what should hold between the second hour and the last.
    """
    clock, camera = VirtualClock(rounds=2_000_000_000), BurstCamera(hours, every)
    with tempfile.TemporaryDirectory() as folder:
        rows = FramesCsv(Path(folder) / "frames.csv", clock.now)
        outputs = Outputs(csv=rows, captured=[lambda frame: rows.captured(frame.sequence, frame.capture_time)])
        config = Config(source="camera:0", headless=True)
        app = build(config, cast("VideoSource", camera), outputs, cast("RealClock", clock))
        report = clock.run(app.graph.run())
        rows.close()
        with (Path(folder) / "frames.csv").open(newline="") as file:
            count = sum(1 for _ in csv.reader(file)) - 1
    path = report.paths[app.output]
    captured = report.sources["camera"].captured
    lost = captured - path.delivered - sum(path.dropped.values())
    # Caches fill in the first twelfth of the day, so it is the second that the last is held against.
    bursts = len(camera.marks) - 1
    share = max(1, bursts // 12)
    first, last = (_bursts(camera, range(begin, begin + share)) for begin in (share, bursts - share))
    return [
        ("hours", hours, "h", "", True),
        ("captured", float(captured), "frames", "", True),
        ("dropped", float(sum(path.dropped.values())), "frames", "", True),
        ("captured and not accounted for", float(lost), "frames", "0", lost == 0),
        ("rows less captured", float(count - captured), "rows", "0", count == captured),
        ("begin: processor time a frame", first[0], "ms", "", True),
        ("end: processor time a frame", last[0], "ms", f"<= {_SLOWER} x begin", last[0] <= _SLOWER * first[0]),
        ("begin: memory", first[1], "MB", "", True),
        ("end: memory", last[1], "MB", f"<= {_MEMORY} x begin", last[1] <= _MEMORY * first[1]),
    ]


def _bursts(camera: BurstCamera, places: range) -> tuple[float, float]:
    """Median milliseconds a frame and megabytes over these bursts."""
    costs = [1e3 * (camera.marks[k + 1][1] - camera.marks[k][1]) / _FPS for k in places]
    return float(np.median(costs)), float(np.median([camera.marks[k][2] for k in places])) / 1e6
