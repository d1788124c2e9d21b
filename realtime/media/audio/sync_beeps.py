"""The beeps of `doctor --av-sync`, and its result, which is kept for sessions to come."""

import json
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.files import data_folder, private_folder, write_json
from realtime.media.audio.av_offset import Offset

PERIOD = 1.0
"""Seconds between beeps."""
_BEEP_SECONDS = 0.05
_HERTZ = 1000.0
_LEVEL = 0.2
_STEADY_SECONDS = 0.02
_FEWEST = 3


class Beeps:
    """A beep at every whole period after `begin` (seconds on the program's clock), at its time to the sample.

    Args:
        begin: seconds on the program's clock.
        rate: samples per second.
    """

    def __init__(self, begin: float, rate: int) -> None:
        self._begin = begin
        self._rate = rate

    def samples(self, count: int, heard: float) -> NDArray[np.float32]:
        """(count,) samples, the first of which is heard at `heard`.

        Args:
            count: of samples.
            heard: when the first is heard, seconds.
        """
        since = heard + np.arange(count) / self._rate - self._begin
        on = (since >= 0) & (since % PERIOD < _BEEP_SECONDS)
        return np.where(on, _LEVEL * np.cos(2 * np.pi * _HERTZ * (since % PERIOD)), 0.0).astype(np.float32)


def stored_measurement() -> dict[str, Any] | None:
    """What `doctor --av-sync` found on this machine when it was last run; None: never."""
    try:
        found = json.loads(_place().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def keep(found: dict[str, Any]) -> None:
    """Store a measurement for sessions to come.

    Args:
        found: the measurement, plain values.

    Raises:
        OSError: the folder cannot be written.
        DeviceError: the file cannot be written.
    """
    private_folder(_place().parent)
    write_json(_place(), found)


def are_steady(offsets: list[Offset]) -> bool:
    """Whether most beeps keep one distance from their flashes; otherwise sound was lost while it was measured."""
    middle = median(offset.seconds for offset in offsets)
    near = sum(abs(offset.seconds - middle) <= _STEADY_SECONDS for offset in offsets)
    return near >= _FEWEST and near > 0.6 * len(offsets)


def summary(offsets: list[Offset]) -> dict[str, Any]:
    """Of several offsets: the median, and the largest distance between two (milliseconds; > 0: sound is late)."""
    values = [1e3 * offset.seconds for offset in offsets]
    return {
        "offset_ms": round(median(values), 1),
        "spread_ms": round(max(values) - min(values), 1),
        "beeps": len(values),
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _place() -> Path:
    return data_folder() / "av_sync.json"
