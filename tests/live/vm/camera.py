"""The program reads a camera: v4l2loopback fed by ffmpeg, and a USB camera of software that can be unplugged."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import av

from realtime.media.cameras import list_cameras
from realtime.media.loopback import free_stuck_devices
from tests.live.vm.checks import LOGS, Checks, figures, load, program, running
from tests.live.vm.feeds import FEEDS, Feed
from tests.live.vm.virtual_camera import DEVICE
from tests.live.waiting import eventually

SUMMARY = "/tmp/camera.json"
NAME = "Pretend Camera"
MODES = (
    "1280x720 at up to 15 fps (mjpeg)",
    "640x480 at up to 15 fps (mjpeg)",
    "320x240 at up to 15 fps (mjpeg)",
    "1280x720 at up to 2 fps (yuyv422)",
    "640x480 at up to 10 fps (yuyv422)",
    "320x240 at up to 15 fps (yuyv422)",
)


@contextlib.contextmanager
def fed(feed: Feed) -> Iterator[None]:
    """The loopback device as a camera of this mode: ffmpeg sends the demo's person to it."""
    # ffmpeg leaves v4l2loopback 0.12.7 as pyvirtualcam does: refusing whoever writes next, with "invalid argument".
    free_stuck_devices()
    log = LOGS / "ffmpeg.log"
    feeder = subprocess.Popen(
        ["ffmpeg", "-hide_banner", "-nostdin", *feed.read(LOGS), "-c", "copy", "-f", "v4l2", DEVICE],
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
    )

    def sends() -> bool:
        assert feeder.poll() is None, log.read_text("utf-8", "replace")[-600:]
        return any(camera.address == DEVICE for camera in list_cameras())

    try:
        eventually(sends, 120, "ffmpeg sends")
        yield
    finally:
        feeder.kill()
        feeder.wait()


def loopback_camera(source: str, feed: Feed) -> str:
    """The program on a device of this mode."""
    assert not any(camera.address == DEVICE for camera in list_cameras()), "a camera to which nobody sends"
    with fed(feed):
        code, said = program("run", "--source", source, "--headless", "--duration", "15", "--summary", SUMMARY)
    assert code == 0, said
    found = figures(SUMMARY)
    stream, captured = found["negotiated"], found["frames"]["captured"]
    assert (stream["width"], stream["height"], stream["codec"]) == (feed.width, feed.height, feed.codec), stream
    assert captured > 10, found["frames"]
    assert found["face_frames"] > 0, said
    return (
        f"{stream['source']}: {feed.name}, {captured} frames in {found['seconds']:.0f} s, a face in "
        f"{found['face_frames']}, exit 0"
    )


class UsbCamera:
    """The camera of `usb_camera` on a port of the virtual hub."""

    def __init__(self) -> None:
        self._log = (LOGS / "usb.log").open("w+b")
        self._process: subprocess.Popen[bytes] | None = None

    def plug_in(self) -> None:
        """Plug it in and wait until the kernel has it."""
        command = [sys.executable, "-m", "tests.live.vm.usb_camera", "0", NAME, str(LOGS / "usb")]
        process = self._process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)

        def there() -> bool:
            assert process.poll() is None, self.said[-800:]
            return self.camera() is not None

        eventually(there, 300, "the kernel has the camera")

    def unplug(self) -> None:
        """Pull the plug."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        eventually(lambda: self.camera() is None, 120, "the kernel noticed")

    @property
    def said(self) -> str:
        """What the camera printed: a line whenever somebody starts its stream."""
        return (LOGS / "usb.log").read_text("utf-8", "replace")

    @staticmethod
    def camera() -> int | None:
        """Its number."""
        return next((camera.index for camera in list_cameras() if NAME in camera.name), None)


def listed(_camera: UsbCamera) -> str:
    """`cameras` with modes and rates."""
    code, said = program("cameras")
    assert code == 0, said
    missing = [mode for mode in MODES if mode not in said]
    assert not missing, f"{missing} not in: {said}"
    assert said.count("/dev/video") == 1, said  # neither the metadata node nor the loopback device
    return said[:400]


def told_by_doctor(camera: UsbCamera) -> str:
    """`doctor` with the camera and the virtual camera, and without both."""
    _, said = program("doctor")
    assert f"Cameras: {camera.camera()} ({NAME}" in said, said
    assert f"Virtual camera: {DEVICE}." in said, said
    camera.unplug()
    subprocess.run(["rmmod", "v4l2loopback"], check=True)
    _, without = program("doctor")
    assert "No camera was found." in without, without
    assert "sudo modprobe v4l2loopback" in without, without
    camera.plug_in()
    return (
        f"Cameras: {NAME}; Virtual camera: {DEVICE}; both missing once they are unplugged and unloaded, with what to do"
    )


def read_by_name(_camera: UsbCamera) -> str:
    """`camera:NAME` with a mode that it has; a face is found in its picture."""
    words = ("run", "--source", f"camera:{NAME}", "--size", "320x240", "--fps", "5", "--headless", "--quiet")
    code, said = program(*words, "--duration", "30", "--summary", SUMMARY)
    assert code == 0, said
    assert "instead of" not in said, said
    found = figures(SUMMARY)
    stream = found["negotiated"]
    assert (stream["width"], stream["height"], stream["fps"], stream["codec"]) == (320, 240, 5, "mjpeg"), stream
    assert found["face_frames"] > 0, found["frames"]
    return (
        f"{stream['source']}: {stream['codec']} 320x240 at 5, {found['frames']['captured']} frames in "
        f"{found['seconds']:.0f} s, a face in {found['face_frames']}"
    )


def a_mode_it_does_not_have(camera: UsbCamera) -> str:
    """The nearest is taken, and said."""
    words = (
        "run",
        "--source",
        f"camera:{camera.camera()}",
        "--size",
        "1234x567",
        "--fps",
        "60",
        "--headless",
        "--quiet",
    )
    code, said = program(*words, "--duration", "3")
    assert code == 0, said
    assert "instead of 1234x567 and" in said, said
    assert "`facemirror-live cameras`" in said, said
    return f"exit {code}: {said[:300]}"


def no_such_camera(_camera: UsbCamera) -> str:
    """A number and a name that are not there."""
    numbered, by_number = program("run", "--source", "camera:9", "--headless")
    named, by_name = program("run", "--source", "camera:Nobody", "--headless")
    assert (numbered, named) == (3, 2), by_number + by_name
    assert NAME in by_number, by_number
    assert NAME in by_name, by_name
    return f"exit 3: {by_number[-160:]} exit 2: {by_name[-160:]}"


def busy(camera: UsbCamera) -> str:
    """A camera that another program holds is one sentence."""
    index = camera.camera()
    with av.open(f"/dev/video{index}", format="v4l2", options={"video_size": "320x240"}) as held:
        next(held.decode(video=0))
        code, said = program("run", "--source", f"camera:{index}", "--headless", "--duration", "4")
    assert code == 3, said
    assert "in use by another program" in said, said
    return f"exit {code}: {said[-200:]}"


def unplugged_and_back(camera: UsbCamera) -> str:
    """The camera goes while the program runs and comes back: the run goes on with it."""
    words = ("run", "--source", "camera", "--size", "320x240", "--fps", "5", "--headless", "--quiet")
    before = camera.camera()
    with running(*[word for word in words if word != "--quiet"], "--summary", SUMMARY) as one:
        assert one.process.pid is not None
        camera.unplug()
        one.says("unplugged?")
        begun = camera.said.count("stream")
        camera.plug_in()
        one.says("The source gives pictures again.")
        eventually(lambda: camera.said.count("stream") > begun, 300, f"it reads again: {one.said[-400:]}")
        eventually(lambda: camera.said.count("pictures") > begun, 300, "pictures flow again")
        os.kill(one.process.pid, signal.SIGINT)
        code, said = one.ended()
    assert code == 130, said
    found = figures(SUMMARY)
    assert found["failures"] == {}, found["failures"]
    return f"number {before}, then {camera.camera()}; {found['frames']['captured']} frames: {said[:500]}"


def look(check: Checks) -> None:
    """Every check of this half; the loopback device is there, and nobody sends to it."""
    for source, feed in zip(("camera:0", "camera:FaceMirror", "camera", "camera:0"), FEEDS, strict=True):
        check(f"loopback: {feed.name}", lambda args=(source, feed): loopback_camera(*args))  # type: ignore[misc]
    load("usb")
    camera = UsbCamera()
    check("usb: plugged in", lambda: (camera.plug_in(), f"/dev/video{camera.camera()}")[1])
    check("usb: listed with its modes", lambda: listed(camera))
    check("usb: not there", lambda: no_such_camera(camera))
    check("usb: read by its name", lambda: read_by_name(camera))
    check("usb: a mode it does not have", lambda: a_mode_it_does_not_have(camera))
    check("usb: busy", lambda: busy(camera))
    check("usb: unplugged and back", lambda: unplugged_and_back(camera))
    check("usb: doctor", lambda: told_by_doctor(camera))
