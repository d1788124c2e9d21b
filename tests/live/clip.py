"""The demo clip with a rest in front of it and a mirrored smile behind it, small enough for a busy machine, played for ever.

The person of the clip rests for a second only; a calibration takes four. So the first second goes to and fro.
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

FPS = 30
WIDTH, HEIGHT = 640, 360
_REST_SECONDS = 7
_SCRIPT_END = 10.5
_SMILE = (4.0, 5.6)


@dataclass(frozen=True, slots=True)
class Clip:
    """frames: how many until it begins anew. movements: (start, end) seconds in it, by what is done."""

    path: Path
    frames: int
    movements: dict[str, tuple[float, float]]

    @property
    def source(self) -> str:
        """For --source."""
        return f"lavfi:movie={self.path}:loop=0,setpts=N/{FPS}/TB"

    def within(self, sequence: int, movement: str, slack: float = 0.0) -> bool:
        """Whether the frame shows it, or did `slack` seconds ago at most."""
        start, end = self.movements[movement]
        return start <= (sequence % self.frames) / FPS <= end + slack


def make_clip(folder: Path) -> Clip:
    """Write it."""
    pictures = _pictures()
    rest = [*pictures[:FPS], *pictures[FPS - 2 : 0 : -1]]
    rest = (rest * (_REST_SECONDS * FPS // len(rest) + 1))[: _REST_SECONDS * FPS]
    script = pictures[: round(_SCRIPT_END * FPS)]
    first, last = (round(at * FPS) for at in _SMILE)
    mirrored = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures[first:last]]
    whole = [*rest, *script, *mirrored]
    path = folder / "clip.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = 6_000_000
        for picture in whole:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        out.mux(stream.encode(None))
    at = len(rest) / FPS
    end = at + len(script) / FPS
    return Clip(
        path,
        len(whole),
        {
            "rest": (1.0, at + 0.8),
            "smile left": (at + 4.65, at + 5.05),
            "full smile": (at + 5.95, at + 6.45),
            "snarl": (at + 7.35, at + 7.65),
            "jaw open": (at + 9.75, at + 10.05),
            "smile right": (end + 4.65 - _SMILE[0], end + 5.05 - _SMILE[0]),
        },
    )


def _pictures() -> list[NDArray[np.uint8]]:
    with av.open(str(files("realtime.media").joinpath("assets", "demo.mp4"))) as container:
        return [
            np.asarray(
                cv2.resize(frame.to_ndarray(format="bgr24"), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8
            )
            for frame in container.decode(video=0)
        ]
