"""`doctor --av-sync`: flashes and beeps through microphone, clock matching and recorder, and what the file says of them."""

import json
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.errors import DeviceError, FacemirrorError
from realtime.graph import RealClock
from realtime.media.recorder import VideoRecorder
from realtime.media.sound.microphone import open_microphone
from realtime.media.sound.player import Player
from realtime.media.sound.sync import Offset, av_offsets
from realtime.session.folder import write_json
from realtime.session.people import user_folder

_FPS = 30
_SECONDS = 6.0
_SETTLE_SECONDS = 3.0
_PERIOD = 1.0
_BEEP_SECONDS = 0.05
_HERTZ = 1000.0
_LEVEL = 0.2


class Beeps:
    """A beep at every whole period after `begin` (seconds on the program's clock), at its time to the sample."""

    def __init__(self, begin: float, rate: int) -> None:
        self._begin = begin
        self._rate = rate

    def samples(self, count: int, heard: float) -> NDArray[np.float32]:
        """(count,) samples, the first of which is heard at `heard`."""
        since = heard + np.arange(count) / self._rate - self._begin
        on = (since >= 0) & (since % _PERIOD < _BEEP_SECONDS)
        return np.where(on, _LEVEL * np.cos(2 * np.pi * _HERTZ * (since % _PERIOD)), 0.0).astype(np.float32)


def stored_measurement() -> dict[str, Any] | None:
    """What `doctor --av-sync` found on this machine when it was last run; None: never."""
    try:
        found = json.loads(_place().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def measure(microphone: str = "", output: str = "") -> dict[str, Any]:
    """Play, hear, record and compare for ten seconds; the result is kept for sessions to come.

    Flashes are taken at the moment when their beeps leave the sound output by PortAudio's account. The camera's own delay
    is not in it. Raises DeviceError with the reason where it cannot be measured.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "av-sync.mp4"
        _record(path, microphone, output)
        offsets = av_offsets(path)
    if len(offsets) < 3:
        raise DeviceError(
            "The microphone does not hear the beeps: put it near the loudspeaker, or record the output's monitor."
        )
    found = summary(offsets)
    try:
        _place().parent.mkdir(parents=True, exist_ok=True)
        write_json(_place(), found)
    except (OSError, FacemirrorError):
        found["kept"] = False
    return found


def summary(offsets: list[Offset]) -> dict[str, Any]:
    """Of several offsets: the median, and the largest distance between two (milliseconds; > 0: sound is late)."""
    values = [1e3 * offset.seconds for offset in offsets]
    return {
        "offset_ms": round(median(values), 1),
        "spread_ms": round(max(values) - min(values), 1),
        "beeps": len(values),
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _record(path: Path, microphone: str, output: str) -> None:
    clock = RealClock()
    heard = open_microphone(microphone, clock.now)
    player = None
    try:
        # Both clocks are followed for a while first: a card's first second is its most uneven.
        begin = clock.now() + _SETTLE_SECONDS + 1.0
        player = Player(output, clock.now, lambda rate: Beeps(begin, rate).samples)
        recorder = VideoRecorder(path, fps=_FPS, sound=heard)
        dark, bright = np.zeros((96, 128, 3), np.uint8), np.full((96, 128, 3), 255, np.uint8)
        waiting = threading.Event()
        # The pictures' due times meet the beeps' exactly: a period is a whole number of pictures.
        first = begin - 1.0
        for number in range(int(_SECONDS * _FPS)):
            due = first + number / _FPS
            waiting.wait(max(0.0, due - clock.now()))
            lit = number >= _FPS and number % round(_PERIOD * _FPS) < 2
            recorder.write(bright if lit else dark, due)
        waiting.wait(0.2)
        heard.close()
        recorder.close()
    finally:
        heard.close()
        if player is not None:
            player.close()


def _place() -> Path:
    return user_folder().parent / "av_sync.json"
