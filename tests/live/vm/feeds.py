"""Pictures of the demo's person for the machine's cameras, coded outside: inside there is one core, which the program needs."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from realtime.media.demux_options import demo_clip
from realtime.types import U8
from tests.live.vm.usb_camera import SIZES
from tests.live.vm.usb_descriptors import MJPEG
from tests.live.vm.usb_pictures import NUMBER, picture_file

_SECONDS = 4


@dataclass(frozen=True)
class Feed:
    """What ffmpeg sends to the loopback device.

    Attributes:
        codec: "mjpeg" or "rawvideo" (YUYV).
        width: pixels.
        height: likewise.
        fps: pictures a second.
    """

    codec: str
    width: int
    height: int
    fps: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{'MJPEG' if self.codec == 'mjpeg' else 'YUYV'} {self.width}x{self.height} at {self.fps}"

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"feed_{self.width}x{self.height}_{self.fps}.{'mjpeg' if self.codec == 'mjpeg' else 'yuyv'}"

    def read(self, folder: Path) -> tuple[str, ...]:
        """ffmpeg's words that read the file over and over at its rate.

        Args:
            folder: of the files.
        """
        again, rate = ("-re", "-stream_loop", "-1"), ("-framerate", str(self.fps))
        if self.codec == "mjpeg":
            return (*again, "-f", "mjpeg", *rate, "-i", str(folder / self.file))
        size = ("-pixel_format", "yuyv422", "-video_size", f"{self.width}x{self.height}")
        return (*again, "-f", "rawvideo", *size, *rate, "-i", str(folder / self.file))


FEEDS = (
    Feed("rawvideo", 640, 480, 15),
    Feed("rawvideo", 1280, 720, 5),
    Feed("mjpeg", 640, 480, 15),
    Feed("mjpeg", 1280, 720, 10),
)


def write_feeds(folder: Path) -> None:
    """Make the files of `FEEDS`.

    Args:
        folder: gets them.
    """
    for feed in FEEDS:
        coded = ("-c:v", "mjpeg", "-pix_fmt", "yuvj422p", "-q:v", "5") if feed.codec == "mjpeg" else ()
        raw = () if coded else ("-c:v", "rawvideo", "-pix_fmt", "yuyv422")
        filters = f"fps={feed.fps},crop=ih*4/3:ih,scale={feed.width}:{feed.height}"
        subprocess.run(
            [
                *("ffmpeg", "-v", "error", "-y", "-nostdin", "-i", str(demo_clip()), "-t", str(_SECONDS)),
                *("-vf", filters, *coded, *raw, "-f", "mjpeg" if coded else "rawvideo", str(folder / feed.file)),
            ],
            check=True,
        )


def write_usb_pictures(folder: Path) -> None:
    """Code the first pictures of the demo in every size of the USB camera.

    Args:
        folder: gets a file for each.
    """
    folder.mkdir(exist_ok=True)
    capture = cv2.VideoCapture(str(demo_clip()))
    for number in range(NUMBER):
        image = np.asarray(capture.read()[1], np.uint8)
        for size in SIZES:
            picture_file(folder, size, number).write_bytes(
                _coded(np.asarray(cv2.resize(image, (size.width, size.height)), np.uint8), size.format)
            )
    capture.release()


def _coded(image: U8, kind: int) -> bytes:
    """A BGR picture as motion JPEG or YUYV."""
    if kind == MJPEG:
        return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])
    return bytes(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_YUY2))
