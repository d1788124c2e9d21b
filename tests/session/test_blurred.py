"""--blur-face through the whole program: what is in the file."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.cli import main
from realtime.media.demux_options import demo_clip

FRAMES = 10
FACE = (slice(168, 330), slice(222, 386))
"""Rows and columns around the demo's face at 640x360, brows to chin."""


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    with av.open(str(demo_clip())) as container:
        decoded = container.decode(video=0)
        return [
            cv2.resize(next(decoded).to_ndarray(format="bgr24"), (640, 360), interpolation=cv2.INTER_AREA)
            for _ in range(FRAMES)
        ]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, pictures: list[NDArray[np.uint8]]) -> Path:
    path = tmp_path_factory.mktemp("clip") / "face.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        out.mux(stream.encode(None))
    return path


def recorded(clip: Path, folder: Path, *words: str) -> list[NDArray[np.uint8]]:
    run = ["run", "--source", str(clip), "--speed", "max", "--headless", "--quiet", "--record", "--view", "raw"]
    assert main([*run, "--session", str(folder), *words]) == 0
    with av.open(str(folder / "video.mp4")) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Correlation of what tells a face: the detail in the middle of it, without broad light and shade."""
    details = []
    for picture in (one, other):
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
        details.append((cv2.GaussianBlur(grey, (0, 0), 1.5) - cv2.GaussianBlur(grey, (0, 0), 6))[FACE].ravel())
    return float(np.corrcoef(*details)[0, 1])


def test_no_picture_of_the_recording_shows_the_face(
    clip: Path, pictures: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    plain, blurred = recorded(clip, tmp_path / "plain"), recorded(clip, tmp_path / "blurred", "--blur-face")
    assert len(plain) == len(blurred) == FRAMES
    assert min(likeness(a, b) for a, b in zip(pictures, plain, strict=True)) > 0.9
    assert max(likeness(a, b) for a, b in zip(pictures, blurred, strict=True)) < 0.3
    assert {path.suffix for path in (tmp_path / "blurred").iterdir()} == {".mp4", ".csv", ".json"}
