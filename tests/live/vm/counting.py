"""Pictures that carry a number and known colours, so that order, age and colours can be told after any way they took."""

from pathlib import Path

import av
import cv2
import numpy as np

from realtime.media.demux_options import demo_clip
from realtime.types import U8

WIDTH, HEIGHT, FPS = 640, 360, 10.0
BITS, CELL = 16, 16
COLOURS = np.array(
    [
        [255, 255, 255],
        [0, 255, 255],
        [255, 255, 0],
        [0, 255, 0],
        [255, 0, 255],
        [0, 0, 255],
        [255, 0, 0],
        [32, 64, 128],
    ],
    np.uint8,
)


def counted(number: int) -> U8:
    """Eight colour bars with `number` as 16 black and white cells at the top left."""
    bars = np.repeat(np.repeat(COLOURS[None], WIDTH // 8, axis=1), HEIGHT, axis=0)
    return with_number(np.ascontiguousarray(bars), number)


def with_number(image: U8, number: int) -> U8:
    """Draw the number into a picture."""
    for bit in range(BITS):
        image[:CELL, bit * CELL : (bit + 1) * CELL] = 255 if number >> bit & 1 else 0
    return image


def number_in(image: U8) -> int:
    """The number in a picture."""
    cells = image[CELL // 2, CELL // 2 : BITS * CELL : CELL].mean(axis=-1) > 128
    return int(sum(1 << bit for bit, lit in enumerate(cells) if lit))


def colour_error(image: U8) -> float:
    """The greatest difference of a bar's middle from what was sent, in grey levels."""
    x = (np.arange(8) * 2 + 1) * WIDTH // 16
    patches = np.stack([image[HEIGHT // 2 : HEIGHT // 2 + 20, a - 10 : a + 10].mean(axis=(0, 1)) for a in x])
    return float(np.abs(patches - COLOURS).max())


def write_counted_demo(path: Path, seconds: int) -> None:
    """The demo clip at 640x360 and 10 a second, over and over, with a number in each picture.

    Args:
        path: of the film.
        seconds: its length.
    """
    pictures: list[U8] = []
    with av.open(str(demo_clip())) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 3 == 0:
                image = frame.to_ndarray(format="bgr24")
                pictures.append(np.asarray(cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8))
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mpeg4", rate=int(FPS))
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 4_000_000
        for number in range(int(seconds * FPS)):
            image = with_number(pictures[number % len(pictures)].copy(), number)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        film.mux(stream.encode(None))
