"""What runs inside the virtual machine: each check writes its finding at once, so that a hang loses only the rest."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from realtime.media.cameras import list_cameras
from realtime.media.virtual_camera import VirtualCamera
from realtime.types import U8

RESULTS = Path(sys.argv[1] if len(sys.argv) > 1 else "results.json")
WANTED = os.environ.get("LIVE_CHECK", "")
"""Only the checks with this word in their name; empty: all."""
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
_found: list[dict[str, Any]] = []


def check(name: str, look: Callable[[], str]) -> None:
    """Run one check; what it gives, or raises, is its detail."""
    if WANTED and WANTED not in name:
        return
    begun = time.monotonic()
    try:
        ok, detail = True, look()
    except Exception as error:  # noqa: BLE001  the others go on
        ok, detail = False, f"{type(error).__name__}: {error}"
    seconds = round(time.monotonic() - begun, 1)
    _found.append({"name": name, "ok": ok, "detail": detail, "seconds": seconds})
    print(name, ok, detail, seconds, flush=True)
    part = RESULTS.with_suffix(".part")
    part.write_text(json.dumps(_found, indent=1), "utf-8")
    part.rename(RESULTS)


def counted(number: int) -> U8:
    """A picture of eight colour bars, with `number` as 16 black and white cells at the top left."""
    image = np.repeat(np.repeat(COLOURS[None], WIDTH // 8, axis=1), HEIGHT, axis=0)
    for bit in range(BITS):
        image[:CELL, bit * CELL : (bit + 1) * CELL] = 255 if number >> bit & 1 else 0
    return np.ascontiguousarray(image)


def number_in(image: U8) -> int:
    """The number in a picture of `counted`."""
    cells = image[CELL // 2, CELL // 2 : BITS * CELL : CELL].mean(axis=-1) > 128
    return int(sum(1 << bit for bit, lit in enumerate(cells) if lit))


def colour_error(image: U8) -> float:
    """The greatest difference of a bar's middle from what was sent, in grey levels."""
    x = (np.arange(8) * 2 + 1) * WIDTH // 16
    patches = np.stack([image[HEIGHT // 2 : HEIGHT // 2 + 20, a - 10 : a + 10].mean(axis=(0, 1)) for a in x])
    return float(np.abs(patches - COLOURS).max())


@contextlib.contextmanager
def sending(seconds: float) -> Iterator[dict[int, float]]:
    """The program's own virtual camera, fed with counted pictures for a time. Gives when each number was sent."""
    sent: dict[int, float] = {}
    stop = threading.Event()
    camera = VirtualCamera(FPS, "/dev/video0")
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
        yield sent
    finally:
        stop.set()
        thread.join()
        camera.close()


def read_with_pyav(count: int) -> list[tuple[int, float, U8]]:
    """(number, when it was read, picture) of some frames."""
    found = []
    with av.open("/dev/video0", format="v4l2") as container:
        for frame in container.decode(video=0):
            image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            found.append((number_in(image), time.monotonic(), image))
            if len(found) >= count:
                break
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
        _until(lambda: len(sent) >= FPS, 60, "pictures are sent")
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
        _until(lambda: len(sent) >= FPS, 60, "pictures are sent")
        lazy = av.open("/dev/video0", format="v4l2")
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


def program(*words: str, seconds: float = 600.0) -> tuple[int, str]:
    """Run the program to its end: exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "realtime", *words], capture_output=True, text=True, timeout=seconds, check=False
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def demo_in_the_camera() -> str:
    """The whole program's picture, read back from the device while it runs."""
    words = (
        "run",
        "--source",
        "demo",
        "--virtual-camera",
        "/dev/video0",
        "--headless",
        "--view",
        "raw",
        "--duration",
        "60",
    )
    summary, log, picture = "/tmp/demo.json", Path("/vm/demo.log"), Path("/vm/demo.png")
    picture.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "realtime", *words, "--summary", summary],
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
    )
    # In a process of its own: reading from a device whose writer has gone blocks for ever.
    reader = (
        "import av, cv2, time\n"
        "container = av.open('/dev/video0', format='v4l2')\n"
        "for number, frame in enumerate(container.decode(video=0)):\n"
        "    if number == 9:\n"
        f"        cv2.imwrite({str(picture)!r}, frame.to_ndarray(format='bgr24'))\n"
        "        break\n"
    )
    try:
        _until(lambda: "running" in log.read_text("utf-8", "replace") or process.poll() is not None, 600, "frames flow")
        assert process.poll() is None, log.read_text("utf-8", "replace")[-800:]
        subprocess.run([sys.executable, "-c", reader], check=True, timeout=120, capture_output=True)
        last = cv2.imread(str(picture))
        assert last is not None
        assert last.std() > 20, "an even picture"
        process.wait(600)
        assert process.returncode == 0, log.read_text("utf-8", "replace")[-800:]
        figures = json.loads(Path(summary).read_text("utf-8"))
        sent = figures["nodes"]["virtual-camera"]["processed"]
        assert sent > 10, figures["frames"]
        return f"{last.shape[1]}x{last.shape[0]}; {sent} pictures sent in {figures['seconds']:.0f} s, exit 0"
    finally:
        process.kill()
        process.wait()


def second_program_is_refused() -> str:
    """Two programs on one virtual camera: the second says so in a sentence."""
    with sending(120):
        code, said = program(
            "run", "--source", "demo", "--virtual-camera", "/dev/video0", "--headless", "--duration", "3"
        )
    assert code != 0, said
    assert "Traceback" not in said, said
    return f"exit {code}: {said[-240:]}"


def no_permission() -> str:
    """A user without rights on the device gets a sentence."""
    device = Path("/dev/video0")
    os.chown(device, 65534, 65534)
    device.chmod(0o600)
    # Python's own files are root's here: root without its powers stands for a user.
    powerless = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    words = ("run", "--source", "demo", "--virtual-camera", "/dev/video0", "--headless", "--duration", "3")
    done = subprocess.run(
        [*powerless, sys.executable, "-m", "realtime", *words], capture_output=True, text=True, timeout=600, check=False
    )
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0, said
    assert "Traceback" not in said, said
    return f"exit {done.returncode}: {said[-240:]}"


def no_module() -> str:
    """Without the module the program says how to get one."""
    code, said = program("run", "--source", "demo", "--virtual-camera", "--headless", "--duration", "3")
    assert code != 0, said
    assert "v4l2loopback" in said, said
    return f"exit {code}: {said[-240:]}"


def load(name: str, *options: str) -> None:
    """Load a module of the image, with what it needs."""
    subprocess.run(["insmod", f"/modules/{name}", *options], check=True, capture_output=True)


def load_vivid() -> None:
    """The kernel's test camera: two of them, with several sizes."""
    for path in sorted(Path("/modules").glob("*-*.ko")):
        subprocess.run(["insmod", str(path)], check=False, capture_output=True)


@contextlib.contextmanager
def fed(device: str, codec: str, pixels: str, width: int, height: int, fps: int) -> Iterator[None]:
    """A loopback device fed by another process, as a camera of this mode."""
    code = (
        "import av, numpy as np, sys, time\n"
        f"c = av.open({device!r}, 'w', format='v4l2')\n"
        f"s = c.add_stream({codec!r}, rate={fps})\n"
        f"s.width, s.height, s.pix_fmt = {width}, {height}, {pixels!r}\n"
        "n = 0\nt = time.monotonic()\n"
        "while True:\n"
        f"    image = np.full(({height}, {width}, 3), 60, np.uint8)\n"
        f"    x = n * 8 % {width - 40}\n"
        "    image[40:80, x:x+40] = (200, 120, 40)\n"
        "    frame = av.VideoFrame.from_ndarray(image, format='bgr24')\n"
        "    for packet in s.encode(frame): c.mux(packet)\n"
        "    n += 1\n"
        f"    time.sleep(max(0.0, t + n / {fps} - time.monotonic()))\n"
    )
    log = Path("/tmp/feeder.log")
    feeder = subprocess.Popen([sys.executable, "-c", code], stderr=log.open("wb"))
    time.sleep(12)
    try:
        assert feeder.poll() is None, log.read_text("utf-8", "replace")[-600:]
        yield
    finally:
        feeder.kill()
        feeder.wait()


def loopback_camera(codec: str, pixels: str, width: int, height: int, fps: int) -> str:
    """`--source camera:0` on a device of this mode."""
    with fed("/dev/video0", codec, pixels, width, height, fps):
        cameras = "; ".join(f"{one.label}" for one in list_cameras())
        code, said = program(
            *("run", "--source", "camera:0", "--headless", "--duration", "15", "--summary", "/tmp/c.json", "--quiet")
        )
    assert code == 0, said
    figures = json.loads(Path("/tmp/c.json").read_text("utf-8"))
    captured, stream = figures["frames"]["captured"], figures["negotiated"]
    assert captured > 10, figures["frames"]
    assert (stream["width"], stream["height"]) == (width, height), stream
    return f"{cameras}: {stream['width']}x{stream['height']}, {captured} frames in {figures['seconds']:.0f} s, exit 0"


def listed_modes() -> str:
    """`cameras` and `doctor` on the kernel's test camera."""
    code, said = program("cameras")
    assert code == 0, said
    assert "vivid" in said.lower(), said
    _, doctor = program("doctor")
    assert "vivid" in doctor.lower() or "camera" in doctor.lower(), doctor
    return said[:400]


def a_mode_it_does_not_have() -> str:
    """A size the camera lacks is answered with those that it has, or the nearest is taken and said."""
    code, said = program(
        *("run", "--source", "camera:vivid", "--size", "1234x567", "--headless", "--duration", "4"), seconds=900
    )
    assert "Traceback" not in said, said
    return f"exit {code}: {said[:300]}"


def busy_camera() -> str:
    """A camera that another program holds is one sentence."""
    index = _vivid_node()
    with av.open(f"/dev/video{index}", format="v4l2") as held:
        next(held.decode(video=0))
        code, said = program("run", "--source", f"camera:{index}", "--headless", "--duration", "4")
    assert code != 0, said
    assert "Traceback" not in said, said
    return f"exit {code}: {said[-300:]}"


def unplugged_and_back() -> str:
    """The camera goes while the program runs and comes back: the run goes on with it."""
    index = _vivid_node()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "realtime", "run", "--source", f"camera:{index}", "--headless"),
            *("--duration", "90", "--summary", "/tmp/u.json"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: said.extend(process.stdout or []), daemon=True)
    reader.start()
    _until(lambda: any("running" in line for line in said), 600, "frames flow")
    time.sleep(5)
    driver = Path("/sys/bus/platform/drivers/vivid")
    (driver / "unbind").write_text("vivid.0")
    time.sleep(8)
    (driver / "bind").write_text("vivid.0")
    process.wait(900)
    figures = json.loads(Path("/tmp/u.json").read_text("utf-8"))
    text = " ".join(" ".join(said).split())
    assert "Traceback" not in text, text
    return f"exit {process.returncode}; {figures['frames']['captured']} frames; {text[-400:]}"


def _vivid_node() -> int:
    """The number of the test camera's first capture device."""
    for path in sorted(Path("/sys/class/video4linux").glob("video*"), key=lambda p: int(p.name[5:])):
        if "vid-cap" in (path / "name").read_text():
            return int(path.name[5:])
    raise AssertionError("there is no vivid capture device")


def _until(look: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def main() -> None:
    """Every check, in order."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    check("no module", no_module)
    load("v4l2loopback.ko", "exclusive_caps=1", "card_label=FaceMirror", "devices=1", "video_nr=0")
    check("read by PyAV", lambda: judged(read_with_pyav))
    check("read by OpenCV", lambda: judged(read_with_opencv))
    check("two readers, one of which stops", two_readers)
    check("the demo in the camera", demo_in_the_camera)
    check("a second program on it", second_program_is_refused)
    check("no permission", no_permission)
    Path("/dev/video0").chmod(0o666)
    for codec, pixels, width, height, fps in (
        ("rawvideo", "yuyv422", 640, 480, 15),
        ("rawvideo", "yuyv422", 1280, 720, 5),
        ("mjpeg", "yuvj422p", 640, 480, 15),
        ("mjpeg", "yuvj422p", 1280, 720, 10),
    ):
        name = f"camera {'MJPEG' if codec == 'mjpeg' else 'YUYV'} {width}x{height} at {fps}"
        check(name, lambda args=(codec, pixels, width, height, fps): loopback_camera(*args))  # type: ignore[misc]
    load_vivid()
    check("cameras and doctor", listed_modes)
    check("a mode it does not have", a_mode_it_does_not_have)
    check("a busy camera", busy_camera)
    check("unplugged and back", unplugged_and_back)


if __name__ == "__main__":
    main()
