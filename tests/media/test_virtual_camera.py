import sys
from types import SimpleNamespace

import numpy as np
import pytest

from realtime.errors import DeviceError
from realtime.media.virtual_camera import VirtualCamera, how_to_get, open_pyvirtualcam


class FakeBackend:
    device = "/dev/video9"

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []
        self.closed = 0
        self.failure: Exception | None = None

    def send(self, frame: np.ndarray) -> None:
        if self.failure is not None:
            raise self.failure
        self.frames.append(frame)

    def close(self) -> None:
        self.closed += 1


def picture(width: int, height: int, value: int = 100) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_the_first_frame_sets_the_size_and_later_ones_are_fitted_into_it() -> None:
    backend, opened = FakeBackend(), []
    camera = VirtualCamera(25.0, "/dev/video9", lambda *asked: opened.append(asked) or backend)
    assert camera.device is None
    for image in (picture(640, 360), picture(640, 360, 50), picture(100, 300, 200)):
        camera.send(image)
    assert opened == [(640, 360, 25.0, "/dev/video9")]
    assert camera.device == "/dev/video9"
    assert [frame.shape for frame in backend.frames] == [(360, 640, 3)] * 3
    assert backend.frames[2][180, 320].tolist() == [200, 200, 200]
    assert backend.frames[2][180, 10].tolist() == [0, 0, 0]
    camera.close()
    camera.close()
    assert backend.closed == 1


def test_an_odd_picture_gets_an_even_camera() -> None:
    backend, opened = FakeBackend(), []
    camera = VirtualCamera(open_backend=lambda *asked: opened.append(asked) or backend)
    camera.send(picture(641, 361))
    assert opened[0][:2] == (640, 360)
    assert backend.frames[0].shape == (360, 640, 3)


def test_a_device_that_is_lost_is_told_looked_for_every_second_and_told_again_when_it_is_back() -> None:
    first, second = FakeBackend(), FakeBackend()
    first.failure = RuntimeError("device\nvanished")
    answers: list[FakeBackend | None] = [first, None, second]
    asked: list[tuple[int, int]] = []
    said: list[str] = []
    now = 100.0

    def open_backend(width: int, height: int, _fps: float, _device: str | None) -> FakeBackend:
        asked.append((width, height))
        if (answer := answers.pop(0)) is None:
            raise DeviceError("No virtual camera could be opened.")
        return answer

    camera = VirtualCamera(open_backend=open_backend, say=said.append, clock=lambda: now)
    for seconds, tries in ((0.0, 1), (0.5, 1), (1.1, 2), (1.9, 2)):
        now = 100.0 + seconds
        with pytest.raises(DeviceError, match=r"device; vanished.*every second"):
            camera.send(picture(64, 48))
        assert len(asked) == tries
    assert first.closed == 1
    assert said == []
    now = 102.2
    camera.send(picture(32, 32))
    assert said == ["The virtual camera is back: /dev/video9."]
    assert asked == [(64, 48)] * 3
    assert [frame.shape for frame in second.frames] == [(48, 64, 3)]


def test_a_missing_package_is_told_with_its_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(DeviceError, match=r"pip install \"facemirror-live\[virtual-camera\]\""):
        open_pyvirtualcam(640, 480, 30, None)


def test_every_backends_reason_stands_in_the_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("'obs' backend: not installed\n'unitycapture' backend: no device")

    module = SimpleNamespace(Camera=refuse, PixelFormat=SimpleNamespace(BGR="BGR"))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    with pytest.raises(DeviceError) as caught:
        open_pyvirtualcam(640, 480, 30, "Cam 1")
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert all(word in sentence for word in ("Cam 1", "not installed", "no device", how_to_get()))


def test_a_device_that_another_program_writes_to_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_words: object, **_more: object) -> None:
        raise RuntimeError("'v4l2loopback' backend: Device /dev/video0 is not a video output device.")

    module = SimpleNamespace(Camera=taken, PixelFormat=SimpleNamespace(BGR=1))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    with pytest.raises(DeviceError, match="Another program sends to it already") as caught:
        open_pyvirtualcam(640, 480, 30, "/dev/video0")
    assert "modprobe" not in str(caught.value)


def test_the_real_packages_interface_is_the_one_used_here() -> None:
    module = pytest.importorskip("pyvirtualcam")
    assert hasattr(module.PixelFormat, "BGR")
    with pytest.raises(DeviceError, match="virtual camera /dev/video-that-is-not-there"):
        open_pyvirtualcam(640, 480, 30, "/dev/video-that-is-not-there")


@pytest.mark.parametrize(("platform", "word"), [("linux", "v4l2loopback"), ("darwin", "OBS"), ("win32", "OBS")])
def test_every_system_has_its_way(platform: str, word: str) -> None:
    assert word in how_to_get(platform)
