"""Every picture is searched; faces at the edge, small ones and turned ones too."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from realtime.app.face_pipeline import registry_of
from realtime.app.face_search import face_search, open_face_search
from realtime.config import Config
from realtime.media.demux_options import demo_clip
from realtime.render.face_search import FaceSearch, _turned_back
from realtime.types import Detections, Frame

av = pytest.importorskip("av")


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """The demo's head, 384 x 384."""
    with av.open(str(demo_clip())) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="bgr24")
    width = picture.shape[1]
    scale = width / 640
    x, y, half = 304 * scale, 240 * scale, 120 * scale
    return cv2.resize(picture[round(y - half) : round(y + half), round(x - half) : round(x + half)], (384, 384))


@pytest.fixture(scope="module")
def search() -> FaceSearch:
    return open_face_search(Config(), 30.0)


def scene(face: np.ndarray, x: int, y: int, side: int, rotation: int | None = None) -> np.ndarray:
    """A grey wall with one face whose middle is at x, y."""
    picture = np.full((720, 1280, 3), 120, np.uint8)
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    if rotation is not None:
        small = cv2.rotate(small, rotation)
    left, top = x - side // 2, y - side // 2
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, 1280), min(top + side, 720)
    picture[y0:y1, x0:x1] = small[y0 - top : y1 - top, x0 - left : x1 - left]
    return picture


def found(search: FaceSearch, picture: np.ndarray, x: int, y: int, side: int) -> bool:
    """Is the face found within one period of the search?"""
    for number in range(search.period):
        for box in search.find(Frame(picture, number, 0.0)) or ():
            middle = (box[:2] + box[2:]) / 2
            if np.abs(middle - (x, y)).max() < side / 3:
                return True
    return False


@pytest.mark.parametrize(
    ("x", "y", "side"),
    [(640, 360, 400), (0, 360, 400), (1280, 360, 400), (640, 0, 400), (300, 200, 70)],
    ids=["middle", "half out on the left", "half out on the right", "half out on top", "small"],
)
def test_a_face_is_found_wherever_it_is(search: FaceSearch, face: np.ndarray, x: int, y: int, side: int) -> None:
    assert found(search, scene(face, x, y, side), x, y, side)


@pytest.mark.parametrize("rotation", [cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE])
def test_a_turned_face_is_found(search: FaceSearch, face: np.ndarray, rotation: int) -> None:
    assert found(search, scene(face, 800, 300, 360, rotation), 800, 300, 360)


@pytest.mark.parametrize(
    ("rotation", "quarters"), [(cv2.ROTATE_90_CLOCKWISE, 1), (cv2.ROTATE_180, 2), (cv2.ROTATE_90_COUNTERCLOCKWISE, 3)]
)
def test_boxes_are_turned_back(rotation: int, quarters: int) -> None:
    picture = np.zeros((60, 100), np.uint8)
    picture[10:25, 30:70] = 1
    ys, xs = np.nonzero(cv2.rotate(picture, rotation))
    box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float32)
    assert _turned_back(box, quarters, (60, 100)).tolist() == [30, 10, 70, 25]


def test_a_search_that_fails_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def detector_at(_side: int) -> Callable[[Frame, tuple[int, int, int, int]], Detections]:
        def detect(_frame: Frame, _region: tuple[int, int, int, int]) -> Detections:
            raise RuntimeError("the network is gone")

        return detect

    search = FaceSearch(detector_at)
    assert search.find(Frame(np.zeros((48, 64, 3), np.uint8), 0, 0.0)) is None
    assert search.find(Frame(np.zeros((48, 64, 3), np.uint8), 1, 0.1)) is None
    assert search.failures == 2
    assert sum("hidden as a whole" in record.message for record in caplog.records) == 1


def test_values_that_are_no_numbers_are_no_answer(search: FaceSearch) -> None:
    class Broken:
        spec = registry_of(Config()).manifest.find("detector")
        provider = "cpu"

        def run(self, blob: np.ndarray) -> dict[str, np.ndarray]:
            return {name: np.full((1, 10, 4), np.nan, np.float32) for name in ("loc", "conf", "landmarks")}

    assert face_search(Broken(), 30.0).find(Frame(np.zeros((48, 64, 3), np.uint8), 0, 0.0)) is None
