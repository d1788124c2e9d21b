"""`doctor --av-sync`: flashes and beeps through the whole program, and what the recording says of them.

The flashes come from a source like any other and pass through the graph as a live run wires it: capture, detection, tracking,
composing, recording. The beeps leave the sound output at the flashes' capture times and come back through the microphone.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.app.pipeline import Outputs, build
from realtime.config import Config
from realtime.errors import DeviceError, FacemirrorError
from realtime.face.kernel_cache import prepare
from realtime.graph import RealClock
from realtime.media.audio.av_offset import av_offsets
from realtime.media.audio.microphone import open_microphone
from realtime.media.audio.player import Player
from realtime.media.audio.sync_beeps import PERIOD, Beeps, are_steady, keep, summary
from realtime.media.recorder import VideoRecorder
from realtime.media.source_spec import parse_source
from realtime.media.video_source import VideoSource
from realtime.types import Frame

_FPS = 30
_SETTLE = 4
_SECONDS = 12.5
# Two pictures of white at every whole second, once both sound clocks have been followed for a while: a card's first second
# is its most uneven.
_FLASHES = (
    f"lavfi:color=c=black:s=640x360:r={_FPS},"
    f"drawbox=t=fill:c=white:enable='gte(t,{_SETTLE})*lt(mod(t+0.001,{PERIOD:g}),{2 / _FPS:.4f})'"
)


class BeepSchedule:
    """Takes from the source's frames when flashes are captured, so that the beeps are due at the same times."""

    def __init__(self) -> None:
        self.beeps: Beeps | None = None
        self._rate = 0

    def captured(self, frame: Frame) -> None:
        """A frame came from the source."""
        if self.beeps is None and frame.pts is not None and self._rate:
            self.beeps = Beeps(frame.capture_time - frame.pts + _SETTLE, self._rate)

    def synthesiser(self, rate: int) -> Any:
        """For the player: silence until the first frame has come."""
        self._rate = rate

        def samples(count: int, heard: float) -> NDArray[np.float32]:
            return np.zeros(count, np.float32) if self.beeps is None else self.beeps.samples(count, heard)

        return samples


def measure(microphone: str = "", output: str = "", weights: Path | None = None) -> dict[str, Any]:
    """Play, hear, record and compare for about twelve seconds; the result is stored for later sessions.

    The camera's own delay is not in it.

    Args:
        microphone: number or a part of the device's name; '': the default.
        output: likewise.
        weights: folder with other models.

    Returns:
        The measurement, plain values.

    Raises:
        DeviceError: it cannot be measured; the sentence says why.
        ModelFileError: the graph has no models.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "av-sync.mp4"
        _record(path, microphone, output, weights)
        offsets = av_offsets(path)
    if len(offsets) < 3:
        raise DeviceError(
            "The microphone does not hear the beeps: put it near the loudspeaker, or record the output's monitor."
        )
    if not are_steady(offsets):
        apart = summary(offsets)["spread_ms"]
        raise DeviceError(
            f"The beeps do not keep one distance from the flashes ({apart:.0f} ms apart at most), because sound was lost while it "
            "was measured: close other programs and measure again."
        )
    found = summary(offsets)
    try:
        keep(found)
    except (OSError, FacemirrorError):
        found["kept"] = False
    return found


def _record(path: Path, microphone: str, output: str, weights: Path | None) -> None:
    clock, schedule = RealClock(), BeepSchedule()
    prepare()  # compiling would take the processor from the sound
    config = Config(source=_FLASHES, headless=True, view="raw", max_age_ms=5000, weights=weights)
    heard = open_microphone(microphone, clock.now)
    player = source = None
    try:
        player = Player(output, clock.now, schedule.synthesiser)
        source = VideoSource(parse_source(config.source), clock.now)
        source.open()
        outputs = Outputs(recorder=VideoRecorder(path, fps=_FPS, sound=heard), captured=[schedule.captured])
        app = build(config, source, outputs, clock)
        report = asyncio.run(app.graph.run(duration=_SECONDS, handle_signals=False))
        if report.failures:
            raise DeviceError(next(iter(report.failures.values())))
    finally:
        heard.close()
        if source is not None:
            source.close()
        if player is not None:
            player.close()
