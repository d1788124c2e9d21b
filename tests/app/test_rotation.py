"""`--rotate`: pictures are turned before anything sees them, and auto finds by how much."""

import itertools
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime import FaceAnalyzer, FaceTracker
from realtime.app.rotation import find_rotation, upright_rotation
from realtime.graph import StopToken
from realtime.media.convert import QUARTER_TURNS, ROTATIONS, Rotation, rotated
from realtime.media.source_spec import parse_source
from realtime.media.video_source import VideoSource
from realtime.types import U8

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def pictures() -> list[U8]:
    with FaceTracker("demo") as tracker:
        return [result.frame.image for result in itertools.islice(tracker, 8)]


def clip(path: Path, pictures: list[U8]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.height, stream.width = pictures[0].shape[:2]
        for image in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_every_picture_is_turned_clockwise(rotation: Rotation, tmp_path: Path) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32] = 255  # top left
    path = clip(tmp_path / "corner.mp4", [image] * 3)
    source = VideoSource(parse_source(str(path)), time.monotonic, speed="max", rotate=rotation)
    info = source.open()
    frame = source.read(StopToken())
    source.close()
    height, width = (64, 48) if rotation in (90, 270) else (48, 64)
    assert (info.height, info.width) == frame.image.shape[:2] == (height, width)
    assert info.rotation == -rotation % 360
    corners = frame.image[[0, 0, -1, -1], [0, -1, -1, 0], 0] > 127
    assert list(corners) == [turn == rotation for turn in (0, 90, 180, 270)]
    assert not frame.image.flags.writeable
    assert source.notices == []


def test_nothing_is_copied_where_nothing_is_turned() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    assert rotated(image, 0) is image


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_turn_that_makes_the_face_upright_is_found(pictures: list[U8], rotation: Rotation) -> None:
    """The picture is turned against it, whatever the detector makes of faces that lie on their side."""
    back = QUARTER_TURNS[ROTATIONS[str(-rotation % 360)]]
    with FaceAnalyzer() as analyze:
        image = pictures[5] if back is None else cv2.rotate(pictures[5], back)
        assert upright_rotation(image, analyze) == rotation


def test_auto_looks_at_the_beginning_and_says_what_it_found(pictures: list[U8], tmp_path: Path) -> None:
    said: list[str] = []
    upside = clip(tmp_path / "upside.mp4", [image[::-1, ::-1] for image in pictures])
    assert find_rotation(parse_source(str(upside)), weights=None, say=said.append) == 180
    empty = clip(tmp_path / "empty.mp4", [np.full((180, 320, 3), 90, np.uint8)] * 3)
    assert find_rotation(parse_source(str(empty)), weights=None, say=said.append) == 0
    assert said == [
        "--rotate auto: the pictures are turned by 180 degrees.",
        "--rotate auto: no face is seen at the beginning, so the pictures are not turned.",
    ]
