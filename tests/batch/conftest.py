"""Short recordings, cut from the embedded clip, and the networks that measure them."""

import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.batch.follow import Networks
from realtime.batch.measure import open_networks
from realtime.config import Config
from realtime.media.demux_options import demo_clip

SIZE = (640, 360)


def write_recording(path: Path, pictures: list[np.ndarray], fps: int = 30) -> Path:
    """A small H.264 file of (H, W, 3) BGR pictures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def pictures() -> list[np.ndarray]:
    """The first 40 frames of the embedded clip, smaller: one face."""
    found = []
    with av.open(str(demo_clip())) as container:
        for frame in container.decode(video=0):
            found.append(frame.reformat(*SIZE, format="bgr24").to_ndarray())
            if len(found) == 40:
                break
    return found


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory, pictures: list[np.ndarray]) -> Path:
    """A folder with two recordings of one name in two folders, one without a face, and one that is no video."""
    folder = tmp_path_factory.mktemp("clips")
    write_recording(folder / "one" / "clip.mp4", pictures[:24])
    write_recording(folder / "two" / "clip.mp4", pictures[16:36])
    write_recording(folder / "empty.mp4", [np.full((180, 320, 3), 90, np.uint8)] * 5)
    (folder / "broken.mp4").write_bytes(b"no video" * 100)
    return folder


@pytest.fixture
def clips(originals: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(originals, tmp_path / "clips"))


@pytest.fixture(scope="session")
def networks() -> Networks:
    return open_networks(Config())
