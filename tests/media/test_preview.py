import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import DeviceError
from realtime.media.preview import NEEDS_MAIN_THREAD, Preview
from realtime.media.window import no_window_reason
from tests.media.clips import Stop


class FakeWindow:
    """A window whose user presses the given keys, one a turn."""

    def __init__(self, keys: str = "", refuse: bool = False) -> None:
        self.keys = [ord(key) for key in keys]
        self.refuse = refuse
        self.titles: list[tuple[str, int, int]] = []
        self.images: list[np.ndarray] = []
        self.opened = False
        self.threads: set[int] = set()

    def open(self, title: str, width: int, height: int) -> None:
        if self.refuse:
            raise DeviceError("The preview window cannot be opened.")
        self.titles.append((title, width, height))
        self.opened = True

    def show(self, image: np.ndarray) -> None:
        self.threads.add(threading.get_ident())
        self.images.append(image)

    def poll(self) -> int:
        self.threads.add(threading.get_ident())
        return self.keys.pop(0) if self.keys else -1

    def is_open(self) -> bool:
        return self.opened

    def close(self) -> None:
        self.opened = False


def picture(value: int = 0) -> np.ndarray:
    return np.full((48, 64, 3), value, np.uint8)


def test_the_newest_picture_is_shown_and_the_overwritten_ones_are_counted() -> None:
    fake, calls = FakeWindow(), []
    preview = Preview(lambda: calls.append("stop"), window=fake)
    for value in (1, 2, 3):
        preview.put(picture(value))
    preview.step(0)
    preview.step(0)
    assert [int(image[0, 0, 0]) for image in fake.images] == [3]
    assert (preview.shown, preview.replaced, calls) == (1, 2, [])
    assert fake.titles == [("FaceMirror Live", 64, 48)]


def test_only_pictures_that_are_shown_are_finished() -> None:
    fake, finished = FakeWindow(), []

    def finish(image: np.ndarray) -> np.ndarray:
        finished.append(int(image[0, 0, 0]))
        return picture(9)

    preview = Preview(lambda: None, finish=finish, window=fake)
    for value in (1, 2):
        preview.put(picture(value))
    preview.step(0)
    preview.step(0)
    assert finished == [2]
    assert [int(image[0, 0, 0]) for image in fake.images] == [9]


@pytest.mark.parametrize("key", ["q", "Q", "\x1b"])
def test_q_and_escape_ask_to_stop_and_close_the_window(key: str) -> None:
    fake, stops = FakeWindow("x" + key), []
    preview = Preview(lambda: stops.append(1), window=fake)
    preview.put(picture())
    preview.run(Stop(after=50))
    assert stops == [1]
    assert not fake.opened


def test_other_keys_are_passed_on_in_lower_case() -> None:
    fake = FakeWindow("rMv ")
    keys: list[str] = []
    preview = Preview(lambda: None, keys.append, window=fake)
    for _ in range(4):
        preview.put(picture())
        preview.step(0)
    assert keys == ["r", "m", "v", " "]


def test_closing_the_window_with_the_mouse_asks_to_stop_once() -> None:
    fake, stops = FakeWindow(), []
    preview = Preview(lambda: stops.append(1), window=fake)
    preview.put(picture())
    preview.step(0)
    fake.opened = False
    preview.run(Stop(after=50))
    assert stops == [1]


def test_the_stop_token_ends_it_without_a_picture() -> None:
    fake, stops = FakeWindow(), []
    stop = Stop()
    stop.value = True
    Preview(lambda: stops.append(1), window=fake).run(stop)
    assert (stops, fake.titles) == ([], [])


@pytest.mark.skipif(NEEDS_MAIN_THREAD, reason="macOS shows windows on the main thread only")
def test_on_a_thread_of_its_own_every_call_comes_from_that_thread() -> None:
    fake, closed = FakeWindow("..q"), threading.Event()
    preview = Preview(closed.set, window=fake)
    thread = preview.start(Stop())
    while not closed.is_set():
        preview.put(picture())
    thread.join(10)
    assert fake.threads == {thread.ident}
    assert preview.failure is None


@pytest.mark.skipif(NEEDS_MAIN_THREAD, reason="macOS shows windows on the main thread only")
def test_a_window_that_cannot_be_opened_is_kept_as_one_sentence() -> None:
    preview = Preview(lambda: None, window=FakeWindow(refuse=True))
    preview.put(picture())
    preview.start(Stop()).join(10)
    assert isinstance(preview.failure, DeviceError)


def test_a_headless_opencv_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cv2.currentUIFramework", lambda: "")
    reason = no_window_reason()
    assert reason is not None
    assert "opencv-python-headless" in reason


@pytest.mark.skipif(sys.platform != "linux", reason="displays are named by DISPLAY on Linux")
@pytest.mark.parametrize(
    ("environment", "says"),
    [({}, "no display"), ({"WAYLAND_DISPLAY": "wayland-0"}, "Wayland"), ({"DISPLAY": ":976"}, ":976")],
)
def test_a_missing_display_is_told_and_kills_nothing(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], says: str
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    reason = no_window_reason()
    assert reason is not None
    assert says in reason
    assert "\n" not in reason


REAL = """
import numpy as np
from realtime.media.preview import Preview
from realtime.media.window import CvWindow, no_window_reason
assert no_window_reason() is None, no_window_reason()
window = CvWindow()
preview = Preview(lambda: None, window=window)
for value in (0, 120, 250):
    preview.put(np.full((360, 640, 3), value, np.uint8))
    preview.step(0)
assert preview.shown == 3 and window.is_open()
window.close()
assert not window.is_open()
preview.put(np.zeros((360, 640, 3), np.uint8))
print("shown", preview.shown)
"""


@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="xvfb-run is not installed")
def test_a_real_window_on_a_virtual_display() -> None:
    root = Path(__file__).parents[2]
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    result = subprocess.run(
        ["xvfb-run", "-a", sys.executable, "-c", REAL],
        capture_output=True,
        text=True,
        cwd=root,
        env=environment,
        check=False,
        timeout=50,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "shown 3"
    assert "QFontDatabase" not in result.stderr
