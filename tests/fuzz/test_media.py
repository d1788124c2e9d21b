"""Films and pictures that anybody may have damaged: frames, or one sentence, never else, and never for ever."""

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import FacemirrorError
from realtime.graph import StopToken
from realtime.media.lossless import read_raw
from realtime.media.source_spec import parse_source
from realtime.media.video_source import VideoSource
from tests.fuzz.mutations import bounded, changes, damaged
from tests.media.clips import quadrants, write_clip

FILMS = {
    "a.mp4": ("libx264", "yuv420p"),
    "a.mkv": ("mpeg4", "yuv420p"),
    "a.avi": ("mjpeg", "yuvj420p"),
    "a.webm": ("libvpx", "yuv420p"),
    "a.ts": ("libx264", "yuv420p"),
    "a.mov": ("png", "rgb24"),
    "b.mkv": ("ffv1", "yuv420p"),
}
PICTURES = ("p.png", "p.jpg", "p.bmp", "p.tiff", "p.webp")
MOST = 100
PATIENCE = 20.0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every kind of file, undamaged."""
    folder = tmp_path_factory.mktemp("whole")
    rng = np.random.default_rng(0)
    images = [cv2.add(quadrants(), rng.integers(0, 30, (48, 64, 3), np.uint8)) for _ in range(12)]
    for name, (codec, pixels) in FILMS.items():
        write_clip(folder / name, images, codec=codec, pixel_format=pixels)
    for name in PICTURES:
        cv2.imwrite(str(folder / name), images[0])
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@bounded(60)
@given(name=st.sampled_from([*FILMS, *PICTURES]), how=changes)
def test_a_damaged_file_gives_frames_or_one_sentence(
    whole: dict[str, bytes], tmp_path: Path, name: str, how: list[tuple[str, float, int, int]]
) -> None:
    path = tmp_path / name
    path.write_bytes(damaged(whole[name], how))
    began, complaint = time.monotonic(), ""
    source, stop, frames = VideoSource(parse_source(str(path)), time.monotonic, speed="max"), StopToken(), 0
    try:
        source.open()
        while frames < MOST and (frame := source.read(stop)) is not None:
            assert frame.image.dtype == np.uint8
            assert frame.image.ndim == 3
            frames += 1
    except FacemirrorError as error:
        complaint = str(error)
    finally:
        source.close()
    assert "\n" not in complaint
    assert not complaint or str(path) in complaint
    assert time.monotonic() - began < PATIENCE
    assert all("\n" not in notice for notice in source.notices)


@bounded(20)
@given(how=changes)
def test_a_damaged_raw_recording_gives_pictures_or_one_sentence(
    whole: dict[str, bytes], tmp_path: Path, how: list[tuple[str, float, int, int]]
) -> None:
    path = tmp_path / "raw.mkv"
    path.write_bytes(damaged(whole["b.mkv"], how))
    complaint = ""
    try:
        for number, image in enumerate(read_raw(path)):
            assert image.dtype == np.uint8
            assert number < MOST
    except FacemirrorError as error:
        complaint = str(error)
    assert "\n" not in complaint


@bounded(100)
@given(
    text=st.one_of(
        st.text(max_size=40), st.builds("a".__mul__, st.integers(200, 6000)), st.text("~/.:\0\udcff²é ", max_size=9)
    )
)
def test_any_word_after_source_is_understood_or_refused_in_one_sentence(text: str) -> None:
    complaint = ""
    try:
        parse_source(text)
    except FacemirrorError as error:
        complaint = str(error)
    assert "\n" not in complaint
    assert len(complaint) < 1000
    complaint.encode()
