"""Which face is followed: asked for by key, logged, said on the picture, and repeated by a replay."""

import itertools
from pathlib import Path

import numpy as np

from realtime.app.controls import FaceChoice
from realtime.app.nodes.detect_track import Detect, Track
from realtime.app.nodes.quality import Quality
from realtime.app.replay import Pictures, rerun
from realtime.face.landmarks import LandmarkModel
from realtime.face.settings import FaceSettings
from realtime.face.tracker import Tracker
from realtime.render.face_change import FaceChangeNotice
from realtime.session.decision_log import DecisionLog, read_decisions
from realtime.session.schema import FrameRow
from realtime.types import Analysis, FaceObservation, Frame
from tests.face.world import CONTRACT, Disc, landmark_network, picture
from tests.session.live_like import disc_detector, face_path

LEFT, RIGHT = Disc(150, 180, 80, 1), Disc(480, 180, 45, 5)
IMAGE = picture(LEFT, RIGHT)
ASKED_AT, FRAMES = 40, 70


def test_the_next_face_is_followed_logged_and_replayed(tmp_path: Path) -> None:
    clock = itertools.count()
    log = DecisionLog(tmp_path / "decisions.jsonl", lambda: next(clock) / 30)
    tracker, quality = Tracker(LandmarkModel(landmark_network, CONTRACT), FaceSettings()), Quality(0.2, enabled=False)
    detect = Detect(disc_detector(), disc_detector(), tracker, quality, decisions=log)
    track = Track(tracker, quality, detect, decisions=log)
    choice = FaceChoice(track)
    assert choice.options == ("none yet", choice.NEXT)
    live = []
    for number in range(FRAMES):
        frame = Frame(IMAGE, number, number / 30)
        log.raw(number, number / 30)
        if number == ASKED_AT:
            choice.choose("face 1")  # the one of now: nothing happens
            choice.choose(choice.NEXT)
        live.append(track.process(frame).analysis)
        log.measure(number, calibrate=False)
        log.row(FrameRow(number, number / 30, True, analysis=live[-1]))
    log.close()
    followed = [found.face.face_id for found in live]
    changed_at = followed.index(2)
    assert ASKED_AT <= changed_at <= ASKED_AT + 2
    assert followed == [1] * changed_at + [2] * (FRAMES - changed_at)
    assert choice.value == "face 2"
    decisions = list(read_decisions(log.path))
    assert [d["n"] for d in decisions if d.get("next")] == [ASKED_AT]
    changes = [(d["n"], d["before"], d["now"]) for d in decisions if d["kind"] == "face"]
    assert changes == [(changed_at, 1, 2)]
    rows = list(rerun(decisions, Pictures(decisions, iter([IMAGE] * FRAMES)), face_path(), lambda _number: None))
    for row, found in zip(rows, live, strict=True):
        assert row.analysis.face.face_id == found.face.face_id
        np.testing.assert_array_equal(row.analysis.face.points, found.face.points)


def test_the_picture_says_for_some_seconds_that_the_face_changed() -> None:
    notice = FaceChangeNotice()
    points, written = LEFT.points(), []
    for time, face_id in ((0.0, 1), (1.0, 1), (2.0, 2), (5.9, 2), (6.1, 2)):
        face = FaceObservation(face_id, np.zeros(4, np.float32), points, points, 1.0, True)
        canvas = np.zeros((360, 640, 3), np.uint8)
        notice.draw(canvas, Analysis(0, time, face))
        written.append(bool(canvas.any()))
    assert written == [False, False, True, True, False]
