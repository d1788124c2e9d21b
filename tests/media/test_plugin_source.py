"""Plug-in sources: what one gives is delivered, paced and stopped like any other source; what it does wrong is one sentence."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime import FaceTracker, entry_points
from realtime.errors import DeviceError, FacemirrorError, PictureError, UserInputError
from realtime.media.source_spec import SourceKind, parse_source
from realtime.media.video_source import Speed, VideoSource
from realtime.types import U8, Frame
from tests.conftest import ROOT
from tests.media.clips import FakeClock, Stop, number_of, numbered


class Numbered:
    """Ten numbered pictures, the last of which come with a gap of their times."""

    live = False
    fps = 10
    made: "list[Numbered]" = []  # noqa: RUF012  what a test looks at

    def __init__(self, words: str) -> None:
        self.words = words
        self.count = 0
        self.calls: list[str] = []
        self.buffer = np.zeros((48, 64, 3), np.uint8)
        Numbered.made.append(self)

    def open(self) -> None:
        self.calls.append("open")

    def read(self) -> tuple[U8, float] | None:
        if self.count == 10:
            return None
        self.buffer[:] = numbered(self.count)
        self.count += 1
        return self.buffer, (self.count - 1) * 0.1 + (2.0 if self.count > 5 else 0.0)

    def close(self) -> None:
        self.calls.append("close")


class Broken(Numbered):
    """Fails at its fourth picture."""

    live = True

    def read(self) -> tuple[U8, float] | None:
        if self.count == 3:
            raise OSError("the cable\nis out.\n")
        return super().read()


class Bare:
    """The least that is a source: five pictures, no times."""

    def __init__(self, _words: str) -> None:
        self.left = 5

    def read(self) -> U8 | None:
        self.left -= 1
        return numbered(5 - self.left) if self.left >= 0 else None


class Grey(Bare):
    def read(self) -> U8 | None:
        image = super().read()
        return None if image is None else image[..., 0]


class BadTime(Bare):
    def read(self) -> Any:
        return super().read(), "noon"


class BadRate(Bare):
    fps = -5


class Empty(Bare):
    def __init__(self, _words: str) -> None:
        self.left = 0


class Unopened(Bare):
    def open(self) -> None:
        raise RuntimeError("no licence")


class Refusing(Bare):
    def open(self) -> None:
        raise UserInputError("The grabber needs firmware 3; install it first.")


KINDS: tuple[Callable[[str], object], ...] = (
    Numbered, Broken, Bare, Grey, BadTime, BadRate, Empty, Unopened, Refusing, len,
)  # fmt: skip


class Installed(EntryPoint):
    """An entry point whose distribution is here."""

    def load(self) -> Any:
        return {kind.__name__: kind for kind in KINDS}[self.name]


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    points = tuple(Installed(kind.__name__, f"somewhere:{kind.__name__}", "realtime.sources") for kind in KINDS)
    monkeypatch.setattr(entry_points, "entry_points", lambda group: points if group == "realtime.sources" else ())
    Numbered.made.clear()


def source(words: str, clock: FakeClock | None = None, speed: Speed = "max") -> VideoSource:
    clock = clock or FakeClock()
    return VideoSource(parse_source(words), clock, speed=speed, sleep=clock.sleep)


def frames_of(opened: VideoSource) -> list[Frame]:
    stop, frames = Stop(), list[Frame]()
    opened.open()
    try:
        while (frame := opened.read(stop)) is not None:
            frames.append(frame)
    finally:
        thread = opened._thread
        opened.close()
        assert thread is None or thread.join(5)
    return frames


def test_a_recordings_pictures_come_all_in_order_and_at_their_times() -> None:
    clock = FakeClock()
    opened = source("plugin:Numbered:left camera:2", clock, "realtime")
    frames = frames_of(opened)
    assert [number_of(frame.image) for frame in frames] == list(range(10)), "the plug-in's one buffer is copied"
    assert [frame.sequence for frame in frames] == list(range(10))
    due = [frame.capture_time - frames[0].capture_time for frame in frames]
    assert due == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 2.5, 2.6, 2.7, 2.8, 2.9])
    assert sum(clock.slept) == pytest.approx(2.9)
    (made,) = Numbered.made
    assert (made.words, made.calls) == ("left camera:2", ["open", "close"])


def test_what_it_gives_is_described() -> None:
    opened = source("plugin:Numbered")
    info = opened.open()
    opened.close()
    assert info is not None
    assert (info.width, info.height, info.fps, info.live, info.duration) == (64, 48, 10.0, False, None)
    assert info.source == "the plug-in source Numbered"
    assert str(opened.spec) == "plugin:Numbered"


def test_a_source_of_one_method_is_live_and_numbered() -> None:
    opened = source("plugin:Bare")
    info = opened.open()
    assert info is not None
    assert (info.live, info.fps) == (True, None)
    opened.close()
    assert frames_of(source("plugin:Bare"))[0].sequence == 0


def test_a_failure_is_one_sentence_and_the_source_can_be_opened_again() -> None:
    opened = source("plugin:Broken")
    for _ in range(2):
        with pytest.raises(DeviceError, match=r"^the plug-in source Broken fails \(OSError: the cable is out\)\.$"):
            frames_of(opened)
    assert len(Numbered.made) == 2


@pytest.mark.parametrize(
    ("words", "kind", "sentence"),
    [
        ("plugin:", UserInputError, "needs the name of an installed plug-in"),
        ("plugin:Numbers", UserInputError, r"plugin:Numbers: no such plug-in is installed \(installed: BadRate, .*\)"),
        ("plugin:Grey", PictureError, "plug-in source Grey gave no picture that can be used. The picture is grey"),
        ("plugin:BadTime", DeviceError, "gave 'noon' as a picture's time"),
        ("plugin:BadRate", UserInputError, "says -5 frames per second"),
        ("plugin:Empty", UserInputError, "Empty gives no picture"),
        ("plugin:Unopened", DeviceError, r"cannot be opened \(RuntimeError: no licence\)"),
        ("plugin:Refusing", UserInputError, "^The grabber needs firmware 3; install it first.$"),
        ("plugin:len:abc", UserInputError, r"gave an object without a method read\(\) \(int\)"),
    ],
)
def test_a_plug_in_that_is_none_is_refused_in_one_sentence(
    words: str, kind: type[FacemirrorError], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence) as caught:
        source(words).open()
    assert "\n" not in str(caught.value)


def test_the_words_come_back_as_they_were_said() -> None:
    spec = parse_source("plugin:grabber:serial=5:rate=60")
    assert (spec.kind, spec.target, str(spec)) == (
        SourceKind.PLUGIN,
        "grabber:serial=5:rate=60",
        "plugin:grabber:serial=5:rate=60",
    )


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example's distribution as pip would leave it, and a folder of pictures."""
    info = tmp_path / "site" / "picture_folder-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: picture-folder\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[realtime.sources]\npictures = plugin_source:PictureFolder\n")
    folder = tmp_path / "pictures"
    folder.mkdir()
    with FaceTracker("demo") as tracker:
        for number, result in zip(range(12), tracker, strict=False):
            assert result.frame is not None
            cv2.imwrite(str(folder / f"{number:03d}.jpg"), result.frame.image)
    return folder


@pytest.mark.timeout(180)
def test_the_example_reads_a_folder_in_the_program(example: Path) -> None:
    paths = [str(ROOT), str(example.parent / "site"), str(ROOT / "docs" / "examples")]
    run = [sys.executable, "-m", "realtime", "run", "--headless", "--speed", "max", "--session", "session", "--source"]
    answers = [
        subprocess.run(
            [*run, f"plugin:pictures:{name}"],
            capture_output=True,
            text=True,
            cwd=example.parent,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            timeout=150,
            check=False,
        )
        for name in ("pictures", "site")
    ]
    assert answers[0].returncode == 0, answers[0].stderr
    rows = (example.parent / "session" / "frames.csv").read_text().splitlines()
    assert len(rows) == 1 + 12
    assert sum(bool(row.split(",")[rows[0].split(",").index("face_id")]) for row in rows[1:]) >= 9
    assert answers[1].returncode == 2
    assert answers[1].stderr.strip().splitlines()[-1].endswith("site holds no .jpg or .png picture.")
    assert "Traceback" not in answers[1].stderr
