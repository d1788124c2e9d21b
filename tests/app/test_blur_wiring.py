"""--blur-face everywhere: what window, virtual camera and page get is drawn on a frame whose faces are hidden."""

import numpy as np
import pytest

from realtime.app.nodes.compose import Compose
from realtime.app.nodes.quality import Quality
from realtime.app.nodes.sinks import Record
from realtime.app.pipeline import _blurs
from realtime.config import Config
from realtime.face.point_flow import PointFlow
from realtime.graph import Side
from realtime.render.blur import FaceBlur, LiveBlur
from realtime.render.scene import Scene
from realtime.types import U8, Analysis, FaceObservation, Frame, TrackedFrame, View

HEIGHT, WIDTH = 360, 640
FACE = np.array([180, 130, 260, 230], np.float32)
OTHER = np.array([480, 130, 560, 230], np.float32)


def tracked(frame: Frame) -> Side[TrackedFrame]:
    rng = np.random.default_rng(0)
    points = rng.uniform(FACE[:2], FACE[2:], (98, 2)).astype(np.float32)
    points[0], points[1] = FACE[:2], FACE[2:]
    face = FaceObservation(1, FACE, points, points, 0.9, True)
    found = TrackedFrame(Analysis(frame.sequence, frame.capture_time, face), frame)
    return Side(found, frame.sequence, frame.capture_time, 0.0, True)


def noise(number: int) -> Frame:
    picture = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    return Frame(picture, number, number / 30)


def kept(image: U8, captured: U8) -> float:
    """Share of the tracked face's pixels that are as they were captured."""
    return float((image == captured)[140:220, 190:250].all(axis=2).mean())


def detail(image: U8) -> float:
    """Share of neighbouring pixels that differ."""
    return float((np.abs(np.diff(image.astype(int), axis=1)).sum(axis=2) > 0).mean())


@pytest.mark.parametrize("mode", ["raw", "overlay", "mirrored", "split"])
def test_nothing_that_is_shown_has_an_open_face(mode: View) -> None:
    compose = Compose(
        Scene(mode, ()),
        PointFlow(),
        lambda: 0.0,
        Quality(0.1),
        live=False,
        blur=LiveBlur(lambda _frame: (FACE, OTHER)),
    )
    for number in range(3):
        frame = noise(number)
        before = frame.image.copy()
        shown = compose.process(frame, tracked(frame))
        if mode in ("raw", "overlay"):
            assert detail(shown.image[140:220, 490:550]) == 0
            assert kept(shown.image, before) < 0.01
        else:
            assert detail(shown.image[: HEIGHT - 30]) < 0.5
        assert shown.frame is frame
        assert np.array_equal(frame.image, before), "tracking needs the frame as it is"
        assert shown.faces is not None


def test_the_recording_uses_what_the_picture_path_has_found() -> None:
    """With everywhere, frames are searched once, and the recording still looks ahead."""
    live, recorded = _blurs(Config.model_validate({"blur_face": "everywhere"}), (), 30.0, recorded=True)
    assert live is not None
    assert recorded is not None
    compose = Compose(
        Scene("raw", ()), PointFlow(), lambda: 0.0, Quality(0.1), live=False, blur=LiveBlur(lambda _f: (FACE,))
    )
    frame = noise(0)
    (image, _), *more = recorded.add(compose.process(frame, tracked(frame))) + recorded.drain()
    assert more == []
    assert kept(image, frame.image) < 0.01
    assert np.array_equal(image[:, 400:], frame.image[:, 400:])


def test_without_the_option_nothing_is_searched() -> None:
    assert _blurs(Config(), (), 30.0, recorded=True) == (None, None)


class Kept:
    """Stands where a recorder is."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.closed = False

    def write(self, _image: U8, capture_time: float) -> bool:
        self.times.append(capture_time)
        return True

    def close(self) -> None:
        self.closed = True


def test_the_frames_that_still_wait_are_recorded_at_the_end() -> None:
    kept = Kept()
    record = Record(kept, FaceBlur(lambda _frame: (FACE,), (), ahead=8))
    compose = Compose(Scene("raw", ()), PointFlow(), lambda: 0.0, Quality(0.1), live=False)
    for number in range(12):
        frame = noise(number)
        record.process(compose.process(frame, tracked(frame)))
    assert len(kept.times) == 4
    record.close()
    assert kept.times == [number / 30 for number in range(12)]
    assert kept.closed
