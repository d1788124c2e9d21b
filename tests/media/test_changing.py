"""Another source in the middle of a run: the one before is let go of, the sequence goes on, and a refusal goes back."""

import threading
from collections.abc import Sequence
from csv import DictReader
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import numpy as np
import pytest

from realtime.app.controls import CameraChoice, camera_choice
from realtime.app.nodes.capture import Capture
from realtime.config import Config
from realtime.dashboard.choices import Fixed
from realtime.errors import DeviceError
from realtime.graph import Graph, Latest, Restart, VirtualClock
from realtime.media import video_source as module
from realtime.media.cameras import Camera
from realtime.media.decoder import Decoded
from realtime.media.demux_options import Attempt, OpenPlan
from realtime.media.source_spec import SourceSpec, parse_source
from realtime.media.stream_info import StreamInfo
from realtime.media.video_source import VideoSource
from realtime.session.frames_csv import FramesCsv
from realtime.types import Frame
from tests.media.clips import FakeClock

KNOWN = [Camera(0, "Inside", "/dev/video0"), Camera(2, "Outside", "/dev/video2"), Camera(4, "Broken", "/dev/video4")]


class Device:
    """A decoder that gives one grey picture of its camera every 1/30 s of the clock."""

    open_now: ClassVar[list[str]] = []

    def __init__(self, opening: OpenPlan, clock: FakeClock, **_more: Any) -> None:
        self.name, self._clock, self.cut_short = opening.name, clock, None
        self._arrival, self._left = clock(), 40

    def open(self) -> StreamInfo:
        if "Broken" in self.name or self.name in self.open_now:
            raise DeviceError(f"{self.name} is in use.")
        self.open_now.append(self.name)
        return StreamInfo(self.name, "v4l2", "rawvideo", "gray", 64, 48, 30.0, 0, True, None)

    def next(self) -> Decoded | None:
        self._arrival, self._left = self._arrival + 1 / 30, self._left - 1
        return Decoded(self.name, None, self._arrival, 0) if self._left else None  # type: ignore[arg-type]

    def close(self) -> None:
        if self.name in self.open_now:
            self.open_now.remove(self.name)


class SameThread:
    """Stands for a `DecoderThread`: reads when it is asked, so that a virtual clock rules everything."""

    def __init__(self, decoder: Device, *_more: Any, **_options: Any) -> None:
        self._decoder = decoder

    def open(self, _stop: Any = None) -> StreamInfo:
        return self._decoder.open()

    def take(self, _stop: Any) -> Decoded | None:
        return self._decoder.next()

    def close(self) -> None:
        self._decoder.close()

    def join(self, _seconds: float) -> bool:
        return True


class OwnThread(SameThread):
    """Lets go of its camera only after somebody has waited a few times, as a reader inside libav does."""

    waits: ClassVar[int] = 3

    def __init__(self, decoder: Device, *_more: Any, **_options: Any) -> None:
        super().__init__(decoder)
        self._left: int | None = None

    def close(self) -> None:
        self._left = self.waits

    def join(self, seconds: float) -> bool:
        if self._left is None:
            return False
        self._left -= seconds > 0
        if self._left == 0:
            self._decoder.close()
        return self._left <= 0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Cameras without devices; a picture's grey says which one it is from."""

    def plan(spec: SourceSpec, *_wish: Any) -> OpenPlan:
        camera = next(camera for camera in KNOWN if camera.index == spec.camera_index)
        return OpenPlan(camera.label, (Attempt(camera.address),), always_live=True, device=True)

    class Convert:
        def __init__(self, **_more: Any) -> None: ...

        def convert(self, name: str) -> np.ndarray:
            return np.full((48, 64, 3), int(name.split()[0]), np.uint8)

    Device.open_now.clear()
    monkeypatch.setattr(module, "plan", plan)
    monkeypatch.setattr(module, "Decoder", Device)
    monkeypatch.setattr(module, "DecoderThread", SameThread)
    monkeypatch.setattr(module, "ToBgr", Convert)
    return FakeClock(100.0)


def frames(reader: Capture, count: int) -> list[Any]:
    found = []
    for _ in range(count):
        item = reader.read(threading.Event())  # type: ignore[arg-type]
        assert item is not None
        found.append(item)
    return found


def test_another_camera_is_a_gap_and_is_noted(clock: FakeClock) -> None:
    source = VideoSource(parse_source("camera:0"), clock)
    reader = Capture(source)
    choice = CameraChoice(source, KNOWN)
    reader.open()
    before = frames(reader, 3)
    assert choice.value == "0 (Inside)"
    choice.choose("2 (Outside)")
    with pytest.raises(DeviceError, match="Changing from camera:0 to camera:2"):
        frames(reader, 1)
    reader.close()
    assert Device.open_now == [], "the first camera is free before the second is opened"
    clock.now = before[-1].capture_time + 0.5
    reader.open()
    after = frames(reader, 2)
    assert [int(item.payload.image[0, 0, 0]) for item in (*before, *after)] == [0, 0, 0, 2, 2]
    assert [item.sequence for item in before] == [0, 1, 2]
    assert after[0].sequence == 2 + 1 + 14, "half a second at 30 frames a second, less the one that came"
    assert choice.value == "2 (Outside)"
    (change,) = source.changes
    assert (change.source, change.from_sequence) == ("camera:2", after[0].sequence)
    assert change.from_capture_time == after[0].capture_time
    assert source.notices == []


def test_a_camera_that_cannot_be_opened_leaves_the_one_before(clock: FakeClock) -> None:
    source = VideoSource(parse_source("camera:2"), clock)
    reader = Capture(source)
    choice = CameraChoice(source, KNOWN)
    reader.open()
    frames(reader, 1)
    choice.choose("4 (Broken)")
    with pytest.raises(DeviceError):
        frames(reader, 1)
    reader.close()
    reader.open()
    assert int(frames(reader, 1)[0].payload.image[0, 0, 0]) == 2
    assert choice.value == "2 (Outside)"
    assert source.notices == ["4 (Broken) is in use. Going on with camera:2."]
    assert source.changes == []
    choice.choose("2 (Outside)")
    frames(reader, 1)


def test_a_camera_opened_again_waits_for_its_own_reader(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DecoderThread", OwnThread)
    source = VideoSource(parse_source("camera:2"), clock)
    source.open()
    source.close()
    assert Device.open_now == ["2 (Outside)"], "its reader is still inside the camera"
    source.open()
    source.choose(parse_source("camera:4"))
    source.close()
    source.open()
    assert source.notices == ["4 (Broken) is in use. Going on with camera:2."]
    source.close()


def test_a_reader_that_never_lets_go_is_not_waited_for_without_end(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DecoderThread", OwnThread)
    monkeypatch.setattr(OwnThread, "waits", 1000)
    source = VideoSource(parse_source("camera:2"), clock)
    source.open()
    source.close()
    with pytest.raises(DeviceError, match="in use"):
        source.open()


def test_in_the_graph_the_tracker_starts_anew_and_the_rows_show_the_gap(clock: FakeClock, tmp_path: Path) -> None:
    virtual = VirtualClock(100.0)
    source = VideoSource(parse_source("camera:0"), virtual.now)
    source.open()
    csv = FramesCsv(tmp_path / "frames.csv", virtual.now)
    graph = Graph("changing", clock=virtual)
    listeners = [lambda frame: csv.captured(frame.sequence, frame.capture_time)]
    camera = graph.source("camera", Capture(source, listeners), restart=Restart(attempts=20))
    choice, seen, resets = CameraChoice(source, KNOWN), [], []

    class Track:
        def process(self, frame: Frame) -> None:
            seen.append((frame.sequence, int(frame.image[0, 0, 0])))
            csv.shown(frame.sequence)
            if len(seen) == 10:
                choice.choose("2 (Outside)")

        def reset(self, reason: str) -> None:
            resets.append((len(seen), reason))

    graph.connect(camera, graph.sink("track", Track()), Latest())
    report = virtual.run(graph.run())
    csv.close()
    assert report.failures == {}
    numbers, greys = zip(*seen, strict=True)
    switched = greys.index(2)
    assert set(greys[:switched]) == {0}
    assert set(greys[switched:]) == {2}
    assert len(greys) - switched > 30, "the second camera was read to its end"
    assert resets == [(switched, "DeviceError: Changing from camera:0 to camera:2.")]
    gap = numbers[switched] - numbers[switched - 1]
    assert gap > 5, "a quarter of a second at 30 frames a second"
    with (tmp_path / "frames.csv").open(newline="") as file:
        rows = [int(row["sequence"]) for row in DictReader(file)]
    assert rows == list(numbers)
    assert source.changes[0].from_sequence == numbers[switched]


@pytest.mark.parametrize(
    ("word", "cameras", "settings", "reason"),
    [
        ("demo", KNOWN, {}, "no camera"),
        ("camera:0", KNOWN[:1], {}, "no other camera"),
        ("camera:0", KNOWN, {"reconnect_attempts": 0}, "reconnect_attempts"),
        ("camera:0", KNOWN, {"record": "raw"}, "one camera"),
        ("camera:0", KNOWN, {"au": "openface2"}, "one camera"),
    ],
)
def test_where_it_cannot_be_chosen_the_page_says_why(
    word: str, cameras: Sequence[Camera], settings: dict[str, Any], reason: str
) -> None:
    source: Any = SimpleNamespace(spec=parse_source(word), stream_info=SimpleNamespace(live=True))
    offered = camera_choice(Config(source=word, **settings), source, cameras)
    assert isinstance(offered, Fixed)
    assert reason in offered.reason
    choice = camera_choice(
        Config(source="camera:0"),
        cast("VideoSource", SimpleNamespace(spec=parse_source("camera:0"), stream_info=SimpleNamespace(live=True))),
        KNOWN,
    )
    assert isinstance(choice, CameraChoice)
    assert choice.options == ("0 (Inside)", "2 (Outside)", "4 (Broken)")
