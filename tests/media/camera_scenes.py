"""What the program does with cameras, told as JSON; run with `pretend_v4l2.c` preloaded: python -m tests.media.camera_scenes FOLDER."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime.errors import FacemirrorError
from realtime.graph import StopToken
from realtime.media import cameras, probes
from realtime.media.decoder import Decoder
from realtime.media.decoder_thread import wait_for_readers
from realtime.media.demux_options import plan
from realtime.media.source_spec import parse_source
from realtime.media.video_source import VideoSource

BGR = (40, 120, 200)
WEBCAM = (
    "name Webcam: Webcam",
    "MJPG 640 360 60 30",
    "MJPG 320 240 60",
    "YUYV 640 360 5",
    "YUYV 320 240 60 30",
)
PLAIN = ("name Old Camera", "YUYV 320 240 60 30", "YUYV 160 120 60")


class Devices:
    """The devices in a folder that `pretend_v4l2.c` reads.

    Args:
        folder: PRETEND_V4L2.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("dev", "sys", "frames"):
            (folder / name).mkdir()

    def plug_in(self, number: int, lines: tuple[str, ...]) -> None:
        """A device appears, or answers otherwise from now on."""
        node = self._folder / "sys" / f"video{number}"
        node.mkdir(exist_ok=True)
        (node / "name").write_text(lines[0].removeprefix("name "), "utf-8")
        (node / "index").write_text("0", "ascii")
        for line in lines:
            code, *size = line.split()[:3]
            if code in ("MJPG", "YUYV"):
                self._write_frame(code, int(size[0]), int(size[1]))
        part = self._folder / f"video{number}.part"
        part.write_text("\n".join(lines), "utf-8")
        part.rename(self._folder / "dev" / f"video{number}")

    def unplug(self, number: int) -> None:
        """It is gone, also for whoever reads from it."""
        (self._folder / "dev" / f"video{number}").unlink()
        for path in (self._folder / "sys" / f"video{number}").iterdir():
            path.unlink()
        (self._folder / "sys" / f"video{number}").rmdir()

    def _write_frame(self, code: str, width: int, height: int) -> None:
        image = np.full((height, width, 3), BGR, np.uint8)
        coded = cv2.imencode(".jpg", image)[1] if code == "MJPG" else cv2.cvtColor(image, cv2.COLOR_BGR2YUV_YUY2)
        (self._folder / "frames" / f"{code}_{width}x{height}").write_bytes(coded.tobytes())


def refusal(action: Callable[[], object]) -> str:
    """The sentence with which it is refused; empty: it is not."""
    try:
        action()
    except FacemirrorError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def source(word: str, size: tuple[int, int] | None = None, fps: float | None = None) -> VideoSource:
    """Of a word, with time-outs for a test."""
    return VideoSource(parse_source(word), time.monotonic, size=size, fps=fps, stall_timeout=2.0)


def read(one: VideoSource, count: int = 3) -> dict[str, Any]:
    """Some frames of an opened source: what it says, their size, colour error and sequence numbers."""
    assert one.stream_info is not None
    frames = [one.read(StopToken()) for _ in range(count)]
    assert all(frame is not None for frame in frames)
    images = [frame.image for frame in frames if frame is not None]
    return {
        "stream": str(one.stream_info),
        "source": one.stream_info.source,
        "shape": images[0].shape,
        "colour_error": max(float(np.abs(image.astype(int) - BGR).max()) for image in images),
        "sequence": [frame.sequence for frame in frames if frame is not None],
        "age_ms": max(1e3 * (time.monotonic() - frame.capture_time) for frame in frames[-1:] if frame is not None),
        "notices": list(one.notices),
    }


def opened(word: str, size: tuple[int, int] | None = None, fps: float | None = None) -> dict[str, Any]:
    """Open, read, close."""
    one = source(word, size, fps)
    one.open()
    try:
        return read(one)
    finally:
        one.close()


def main(folder: Path) -> dict[str, Any]:
    """Every scene, in order."""
    cameras._SYSFS = folder / "sys"  # the list of devices is no call that can be answered
    found: dict[str, Any] = {"nothing": refusal(source("camera").open), "doctor without": probes.cameras()}
    devices = Devices(folder)
    devices.plug_in(0, ("name FaceMirror", "output"))
    found["only an output"] = [camera.label for camera in cameras.list_cameras()]
    devices.plug_in(2, WEBCAM)
    devices.plug_in(4, PLAIN)
    known = cameras.list_cameras()
    found["known"] = [camera.label for camera in known]
    found["doctor"] = probes.cameras()
    found["modes"] = [[str(mode) for mode in cameras.camera_modes(camera)] for camera in known]
    found["first"] = opened("camera", (640, 360), 30)
    found["by number"] = opened("camera:4", (320, 240), 30)
    found["by name"] = opened("camera:old cam", (160, 120), 60)
    found["another mode"] = opened("camera:2", (500, 300), 120)
    found["the output"] = refusal(source("camera:0").open)
    found["unknown"] = refusal(source("camera:Nobody").open)
    found["pictures of a closed device"] = outlive()
    devices.plug_in(2, (*WEBCAM, "busy"))
    found["busy"] = refusal(source("camera").open)
    devices.plug_in(2, WEBCAM)
    found["unplugged"] = unplugged(devices)
    return found


def outlive() -> list[float]:
    """The colour errors of pictures that are looked at when their device is closed; in the driver's memory they would be gone."""
    decoder = Decoder(plan(parse_source("camera:4"), (320, 240), 30), time.monotonic)
    decoder.open()
    pictures = [decoder.next() for _ in range(3)]
    decoder.close()
    images = [one.picture.to_ndarray(format="bgr24").astype(int) for one in pictures if one is not None]
    return [float(np.abs(image - BGR).max()) for image in images]


def unplugged(devices: Devices) -> dict[str, Any]:
    """The first camera goes while it is read, another one is there, and it comes back under another number."""
    one = source("camera", (320, 240), 60)
    one.open()
    try:
        before = read(one)
        devices.unplug(2)

        def until_it_fails() -> None:
            while one.read(StopToken()) is not None:
                pass

        gone = refusal(until_it_fails)
        waiting = refusal(one.open)
        devices.plug_in(5, WEBCAM)
        one.open()
        return {"before": before, "gone": gone, "waiting": waiting, "after": read(one)}
    finally:
        one.close()


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
    assert wait_for_readers(10.0), "a thread still reads"
