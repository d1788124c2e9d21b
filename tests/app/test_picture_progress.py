"""A detection pass gives way to the frame's own picture, and only while a face is followed."""

import threading
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from realtime.app.nodes.compose import Compose
from realtime.app.nodes.detect_track import Detect
from realtime.app.nodes.picture_progress import PictureProgress
from realtime.app.nodes.quality import Quality
from realtime.config import Config
from realtime.face.point_flow import PointFlow
from realtime.face.tracker import State
from realtime.render.scene import Scene
from realtime.types import Frame
from tests.session.live_like import disc_detector

BLANK = np.zeros((48, 64, 3), np.uint8)


class Noted(PictureProgress):
    """Notes who waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[int] = []

    def wait_for(self, sequence: int, seconds: float) -> bool:
        self.waits.append(sequence)
        assert 0 < seconds < 1 / 30, "shorter than the time between two frames"
        return True


def test_a_wait_ends_with_the_frames_picture_or_a_later_one() -> None:
    progress, ended = PictureProgress(), threading.Event()
    assert not progress.wait_for(3, 0.0)
    waiting = threading.Thread(target=lambda: ended.set() if progress.wait_for(3, 60.0) else None)
    waiting.start()
    progress.shown(2)
    assert not ended.is_set()
    progress.shown(4)
    waiting.join(60.0)
    assert ended.is_set()
    progress.restart()
    assert not progress.wait_for(0, 0.0), "a source that begins again counts from the beginning"


@pytest.mark.parametrize(("state", "waits"), [(State.TRACKING, [7]), (State.SEARCHING, []), (State.CANDIDATE, [])])
def test_only_a_followed_face_can_wait_for_the_detector(state: State, waits: list[int]) -> None:
    pictures, tracker = Noted(), cast("Any", SimpleNamespace(state=state, region=None))
    detect = Detect(disc_detector(), disc_detector(), tracker, Quality(0.1), pictures=pictures)
    assert detect.process(Frame(BLANK, 7, 0.0)).sequence == 7
    assert pictures.waits == waits


def test_every_composed_picture_is_told_also_one_that_failed() -> None:
    progress, times = PictureProgress(), iter((0.0, 0.1))
    compose = Compose(Scene("raw", ()), PointFlow(Config().flow), times.__next__, Quality(0.1), progress=progress)
    for number in range(2):
        compose.process(Frame(BLANK, number, number / 30))
        assert progress.wait_for(number, 0.0)
    with pytest.raises(StopIteration):
        compose.process(Frame(BLANK, 2, 0.2))
    assert progress.wait_for(2, 0.0), "a detection pass does not wait for a picture that will never be"
    compose.reset("interrupted")
    assert not progress.wait_for(2, 0.0)
