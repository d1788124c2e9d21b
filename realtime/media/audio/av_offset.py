"""How far sound and picture are apart in a file that shows flashes and sounds beeps."""

from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from av.video.frame import VideoFrame

from realtime.errors import UserInputError

_PAIR_SECONDS = 0.5
_WINDOW = 48
_REST_SECONDS = 0.3


class Offset(NamedTuple):
    """One flash with its beep.

    Attributes:
        at: the flash's time in the file.
        seconds: how much later than the flash the beep begins.
    """

    at: float
    seconds: float


def av_offsets(path: Path) -> list[Offset]:
    """Find every flash (the picture's mean rises past half its range) with the nearest beep within half a second.

    A flash is as exact as its picture's time stamp; a beep is found to about a millisecond.

    Args:
        path: of the recording.

    Raises:
        UserInputError: it cannot be read, or holds no picture or no sound.
    """
    times: list[float] = []
    light: list[float] = []
    chunks: list[tuple[float, np.ndarray]] = []
    rate = 48_000
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video or not container.streams.audio:
                raise UserInputError(f"{path} does not hold both a picture and a sound track.")
            for frame in container.decode(container.streams.video[0], container.streams.audio[0]):
                if isinstance(frame, VideoFrame):
                    times.append(float(frame.time or 0.0))
                    light.append(float(frame.to_ndarray(format="gray", threads=1)[::4, ::4].mean()))
                elif isinstance(frame, AudioFrame):
                    rate = frame.sample_rate
                    peaks = np.abs(frame.to_ndarray().astype(np.float32)).reshape(-1, frame.samples).mean(0)
                    chunks.append((float(frame.time or 0.0), peaks))
    except (FFmpegError, OSError) as error:
        raise UserInputError(f"{path} cannot be read as a video ({error}).") from None
    flashes, beeps = _rises(np.array(times), np.array(light), 0.0), _beeps(chunks, rate)
    found = []
    for flash in flashes:
        nearest = beeps[np.argmin(np.abs(beeps - flash))] if len(beeps) else np.inf
        if abs(nearest - flash) <= _PAIR_SECONDS:
            found.append(Offset(float(flash), float(nearest - flash)))
    return found


def _beeps(chunks: list[tuple[float, np.ndarray]], rate: int) -> np.ndarray:
    if not chunks:
        return np.zeros(0)
    at = np.concatenate([start + np.arange(len(values)) / rate for start, values in chunks])
    level = np.concatenate([values for _, values in chunks])
    window = max(1, _WINDOW * rate // 48_000)
    count = len(level) // window
    envelope = level[: count * window].reshape(count, window).max(1)
    return _rises(at[: count * window : window], envelope, _REST_SECONDS)


def _rises(times: np.ndarray, level: np.ndarray, rest: float) -> np.ndarray:
    """Where `level` rises past the middle of its range, at least `rest` seconds after it was last above it."""
    if len(level) < 2 or np.ptp(level) < 1e-3:
        return np.zeros(0)
    above = level > (level.min() + level.max()) / 2
    found, last = [], -np.inf
    for time, high, before in zip(times[1:], above[1:], above[:-1], strict=True):
        if high and not before and time - last > rest:
            found.append(time)
        if high:
            last = time
    return np.array(found)
