"""What the camera of `usb_camera` sees: the demo's person."""

import cv2
import numpy as np

from realtime.media.demux_options import demo_clip
from realtime.types import U8
from tests.live.vm.usb_descriptors import MJPEG, Size


class DemoPictures:
    """Pictures of the demo's person, a second of them over and over, coded once for each size."""

    def __init__(self) -> None:
        self._raw: list[U8] = []
        self._coded: dict[Size, list[bytes]] = {}

    def __call__(self, size: Size, number: int) -> bytes:
        """The coded picture."""
        if size not in self._coded:
            self._coded[size] = [
                coded(cv2.resize(one, (size.width, size.height)), size.format) for one in self._pictures()
            ]
        pictures = self._coded[size]
        return pictures[number % len(pictures)]

    def _pictures(self) -> list[U8]:
        if not self._raw:
            capture = cv2.VideoCapture(str(demo_clip()))
            self._raw = [np.asarray(capture.read()[1], np.uint8) for _ in range(8)]
            capture.release()
        return self._raw


def coded(image: U8, kind: int) -> bytes:
    """A BGR picture as motion JPEG or YUYV."""
    if kind == MJPEG:
        return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])
    return bytes(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_YUY2))
