"""The virtual camera: what the program sends to v4l2loopback, read back by others."""

import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from realtime.media.virtual_camera import VirtualCamera
from realtime.types import U8
from tests.live.vm.checks import PATIENCE, Checks, figures, load, program, running
from tests.live.vm.counting import FPS, HEIGHT, WIDTH, colour_error, counted, number_in
from tests.live.waiting import eventually

DEVICE = "/dev/video0"
DEMO = Path("/vm/counted.mp4")
"""The demo with numbers; see `write_counted_demo`."""
_SENT = ("run", "--source", str(DEMO), "--virtual-camera", DEVICE, "--headless", "--duration", "3")


@contextlib.contextmanager
def sending(seconds: float) -> Iterator[dict[int, float]]:
    """The program's own virtual camera, fed with counted pictures for a time. Gives when each number was sent."""
    sent: dict[int, float] = {}
    stop = threading.Event()
    camera = VirtualCamera(FPS, DEVICE)
    camera.open(WIDTH, HEIGHT)

    def send() -> None:
        begun = time.monotonic()
        while not stop.is_set() and time.monotonic() - begun < seconds:
            number = len(sent)
            sent[number] = time.monotonic()
            camera.send(counted(number))
            stop.wait(max(0.0, begun + (number + 1) / FPS - time.monotonic()))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        eventually(lambda: len(sent) >= FPS, 60, "pictures are sent")
        yield sent
    finally:
        stop.set()
        thread.join()
        camera.close()


def read_with_pyav(count: int) -> list[tuple[int, float, U8]]:
    """(number, when it was read, picture) of some frames."""
    found = []
    with av.open(DEVICE, format="v4l2") as container:
        for frame in itertools.islice(container.decode(video=0), count):
            image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            found.append((number_in(image), time.monotonic(), image))
    return found


def read_with_opencv(count: int) -> list[tuple[int, float, U8]]:
    """The same by OpenCV."""
    capture = cv2.VideoCapture(0, cv2.CAP_V4L2)
    found = []
    try:
        for _ in range(count):
            ok, image = capture.read()
            assert ok, "OpenCV reads nothing"
            found.append((number_in(np.asarray(image, np.uint8)), time.monotonic(), np.asarray(image, np.uint8)))
    finally:
        capture.release()
    return found


def judged(read: Callable[[int], list[tuple[int, float, U8]]]) -> str:
    """Order, rate, age, size and colours of what a reader gets."""
    with sending(120) as sent:
        found = read(40)
    numbers = [number for number, _, _ in found]
    assert found[0][2].shape == (HEIGHT, WIDTH, 3), found[0][2].shape
    assert all(a <= b for a, b in itertools.pairwise(numbers)), f"out of order: {numbers}"
    assert len(set(numbers)) > 30, f"too few different pictures: {numbers}"
    ages = [1e3 * (when - sent[number]) for number, when, _ in found[5:]]
    errors = max(colour_error(image) for _, _, image in found[5:])
    assert errors <= 3, f"colours differ by {errors:.1f} grey levels"
    rate = (len(numbers) - 6) / (found[-1][1] - found[5][1])
    return (
        f"{WIDTH}x{HEIGHT}, {len(set(numbers))} of {len(numbers)} pictures different, {rate:.1f} a second, "
        f"age median {np.median(ages):.0f} ms, worst {max(ages):.0f} ms, colours within {errors:.1f} grey levels"
    )


def two_readers() -> str:
    """Both get pictures; one that stops reading does not stop the other, nor the sender."""
    with sending(120) as sent:
        lazy = av.open(DEVICE, format="v4l2")
        try:
            next(lazy.decode(video=0))
            before = len(sent)
            found = read_with_opencv(20)
            assert len(sent) - before >= 15, "the sender waits for the reader that stopped"
            numbers = [number for number, _, _ in found]
            assert len(set(numbers)) >= 15, numbers
            return f"one reader stopped after a picture; the other got {len(set(numbers))} different ones"
        finally:
            lazy.close()


def demo_in_the_camera() -> str:
    """The whole program's picture, read back from the device while it runs: order, numbers, faces."""
    words = ("run", "--source", str(DEMO), "--virtual-camera", DEVICE, "--headless", "--panel", "right")
    read, picture = Path("/tmp/read.json"), Path("/vm/demo.png")
    with running(*words, "--duration", "60", "--summary", "/tmp/demo.json") as one:
        # In a process of its own: reading from a device whose writer has gone blocks for ever.
        code = f"from tests.live.vm.virtual_camera import keep; keep({str(read)!r}, {str(picture)!r})"
        subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE, capture_output=True)
        exit_code, said = one.ended()
    assert exit_code == 0, said
    numbers, bare = json.loads(read.read_text("utf-8")), figures("/tmp/demo.json")
    sent = bare["nodes"]["virtual-camera"]["processed"]
    assert all(a <= b for a, b in itertools.pairwise(numbers)), f"out of order: {numbers}"
    assert len(set(numbers)) >= 8, numbers
    assert bare["face_frames"] > 100, bare["frames"]
    return (
        f"{WIDTH}x{HEIGHT}, {sent} of {bare['frames']['captured']} pictures sent in {bare['seconds']:.0f} s, faces in "
        f"{bare['face_frames']}; read in order: {numbers[0]} to {numbers[-1]}, {len(set(numbers))} different; exit 0"
    )


def keep(read: str, picture: str) -> None:
    """Read ten pictures of another process; keep their numbers and the last one."""
    found = read_with_pyav(10)
    Path(read).write_text(json.dumps([number for number, _, _ in found]), "utf-8")
    cv2.imwrite(picture, found[-1][2])


def taken_away_and_back() -> str:
    """The kernel keeps the module while the program sends; without it a run is refused, and with it again it works."""
    with running(*_SENT[:-1], "20") as one:
        done = subprocess.run(["rmmod", "v4l2loopback"], check=False, capture_output=True, text=True)
        assert done.returncode != 0, "the module went away under the program"
        code, said = one.ended()
    assert code == 0, said
    subprocess.run(["rmmod", "v4l2loopback"], check=True)
    without, refused = program(*_SENT)
    assert without == 3, refused
    assert "v4l2loopback" in refused, refused
    load_loopback()
    code, said = program(*_SENT)
    assert code == 0, said
    return f"while it sends: {done.stderr.strip()}; without the module: exit 3; with it again: exit 0"


def second_program_is_refused() -> str:
    """Two programs on one virtual camera: the second says so in a sentence."""
    with sending(PATIENCE):
        code, said = program(*_SENT)
    assert code == 3, said
    assert "Another program sends to it" in said, said
    return f"exit {code}: {said[-240:]}"


def no_permission() -> str:
    """A user without rights on the device gets a sentence."""
    device = Path(DEVICE)
    os.chown(device, 65534, 65534)
    device.chmod(0o600)
    try:
        code, said = program(*_SENT, powerless=True)
    finally:
        device.chmod(0o666)
    assert code == 3, said
    return f"exit {code}: {said[-240:]}"


def no_module() -> str:
    """Without the module the program says how to get one."""
    code, said = program(*_SENT)
    assert code == 3, said
    assert "v4l2loopback" in said, said
    return f"exit {code}: {said[-240:]}"


def load_loopback() -> None:
    """v4l2loopback as README loads it, as /dev/video0."""
    load("v4l2loopback.ko", "exclusive_caps=1", "card_label=FaceMirror", "devices=1", "video_nr=0")


def look(check: Checks) -> None:
    """Every check of this half."""
    check("virtual: no module", no_module)
    load_loopback()
    check("virtual: read by PyAV", lambda: judged(read_with_pyav))
    check("virtual: read by OpenCV", lambda: judged(read_with_opencv))
    check("virtual: two readers, one of which stops", two_readers)
    check("virtual: the demo in the camera", demo_in_the_camera)
    check("virtual: a second program on it", second_program_is_refused)
    check("virtual: no permission", no_permission)
    check("virtual: taken away and back", taken_away_and_back)
