"""Small clips of every kind, made by PyAV where a test needs them, and the clock that tests share."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from realtime.graph import StopToken


class FakeClock:
    """Time that moves only when somebody sleeps or a test says so."""

    def __init__(self, start: float = 1000.0) -> None:
        self.now = start
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Stop(StopToken):
    """A stop token; `after` looks at it, it is set."""

    def __init__(self, after: int | None = None) -> None:
        super().__init__()
        self.looks = 0
        self.after = after
        self.value = False

    def is_set(self) -> bool:
        self.looks += 1
        return self.value or (self.after is not None and self.looks > self.after)


def numbered(index: int, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """A BGR picture whose brightness tells its number, coarsely enough to survive coding."""
    return np.full((height, width, 3), 16 + (index * 8) % 224, np.uint8)


def number_of(image: NDArray[np.uint8]) -> int:
    """The number of a `numbered` picture (modulo 28)."""
    return round((float(np.median(image)) - 16) / 8)


def quadrants(width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """Blue top left, green top right, red bottom left, grey bottom right (BGR)."""
    image = np.empty((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    image[:top, :left], image[:top, left:] = (220, 30, 30), (30, 200, 30)
    image[top:, :left], image[top:, left:] = (30, 30, 220), (128, 128, 128)
    return image


def write_clip(
    path: Path,
    images: Sequence[NDArray[np.uint8]],
    *,
    times: Sequence[float] | None = None,
    fps: int = 30,
    codec: str = "mpeg4",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    pixel_aspect: Fraction | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Encode BGR images; `times` in seconds make the rate variable."""
    with av.open(str(path), "w", options=container_options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=fps, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = Fraction(1, fps * 100)
        stream.bit_rate = 4_000_000
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            seconds = index / fps if times is None else times[index]
            frame.pts, frame.time_base = round(seconds * fps * 100), Fraction(1, fps * 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        for index in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48000, index * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def rotate_mp4(path: Path, degrees_clockwise: int) -> Path:
    """Write a display matrix into an MP4's track header: players turn the picture clockwise by this much."""
    turns = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
    return set_display_matrix(path, *turns[degrees_clockwise])


def set_display_matrix(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Write a display matrix into an MP4's track header: a pixel at (x, y) is shown at (a x + c y, b x + d y)."""
    data = bytearray(path.read_bytes())
    header = data.index(b"tkhd") + 4
    matrix = header + (40 if data[header] == 0 else 52)
    values = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    data[matrix : matrix + 36] = struct.pack(">9i", *values)
    path.write_bytes(bytes(data))
    return path
