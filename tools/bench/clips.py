"""Clips made of the embedded one: other sizes, other rates, more faces. Written once, removed with their folder."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np

from realtime.media.demux_options import demo_clip
from realtime.types import U8

DEMO_FRAMES = 438
"""Of the embedded clip."""
DEMO_AWAY = range(377, 425)
"""Frames of it on which its person leaves the picture, is away, or comes back."""
_LATER = 5
"""Frames by which each of a crowd is ahead of the one before."""


def scaled_clip(path: Path, height: int, fps: int, seconds: float) -> Path:
    """The demo at another size and rate, 16:9. Beyond its end it starts again.

    Args:
        path: to be written.
        height: of the pictures.
        fps: frames a second; each picture follows the one before, so a faster clip moves faster.
        seconds: of the clip.
    """
    width = round(height * 16 / 9 / 2) * 2
    pictures = _demo(round(fps * seconds))
    return _write(path, (cv2.resize(picture, (width, height)) for picture in pictures), (width, height), fps)


def crowd_clip(path: Path, faces: int, seconds: float) -> Path:
    """The demo's person several times in one 1280 x 720 picture, each at another moment of the clip.

    Args:
        path: to be written.
        faces: how many, 1 to 8.
        seconds: of the clip.
    """
    columns, rows = _grid(faces)
    width, height = 1280 // columns, 720 // rows
    ring = [_cut(picture, width / height) for picture in _demo(round(30 * seconds) + 40)]

    def pictures() -> Iterator[U8]:
        for number in range(round(30 * seconds)):
            canvas = np.full((720, 1280, 3), 60, np.uint8)
            for face in range(faces):
                left, top = face % columns * width, face // columns * height
                part = ring[number + _LATER * face]
                canvas[top : top + height, left : left + width] = cv2.resize(part, (width, height))
            yield canvas

    return _write(path, pictures(), (1280, 720), 30)


def crowd_place(faces: int, x: float, y: float) -> int:
    """Who of a crowd is at this point of the picture, counted from 0.

    Args:
        faces: how many there are.
        x: pixels from the left.
        y: pixels from the top.
    """
    columns, rows = _grid(faces)
    column, row = int(x * columns / 1280), int(y * rows / 720)
    return min(max(row, 0), rows - 1) * columns + min(max(column, 0), columns - 1)


def is_away(face: int, number: int) -> bool:
    """Whether this one of a crowd is out of the picture, or at its edge, on this frame of the clip.

    Args:
        face: counted from 0.
        number: of the frame, from 0.
    """
    return (number + _LATER * face) % DEMO_FRAMES in DEMO_AWAY


def _grid(faces: int) -> tuple[int, int]:
    """Columns and rows."""
    return {1: (1, 1), 2: (2, 1), 3: (2, 2), 4: (2, 2)}.get(faces, (4, 2))


def _cut(picture: U8, aspect: float) -> U8:
    """The middle of the picture at this ratio of width to height, all of its height."""
    width = min(picture.shape[1], round(picture.shape[0] * aspect))
    left = (picture.shape[1] - width) // 2
    return picture[:, left : left + width]


def _demo(count: int) -> Iterator[U8]:
    given = 0
    while given < count:
        with av.open(str(demo_clip())) as file:
            for frame in file.decode(video=0):
                if given == count:
                    return
                given += 1
                yield cast("U8", frame.to_ndarray(format="bgr24"))


def _write(path: Path, pictures: Iterator[U8], size: tuple[int, int], fps: int) -> Path:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = (*size, "yuv420p")
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path
