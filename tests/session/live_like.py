"""A session as a live run leaves it, made on a schedule of delays and drops that a seed decides: no clock, no threads to race."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, cast

import numpy as np

from realtime.action_units import ActionUnitEstimator
from realtime.action_units.baseline import EMBEDDING_SIZE, Baseline
from realtime.action_units.calibration import CalibrationSettings
from realtime.action_units.model import ActionUnits
from realtime.app.face_pipeline import FacePath
from realtime.app.nodes.action_units import Measure
from realtime.app.nodes.detect_track import Detect, Track
from realtime.app.nodes.quality import COARSE_DETECTION, Quality
from realtime.face.detector import FaceDetector
from realtime.face.landmarks import LandmarkModel
from realtime.face.settings import FaceSettings
from realtime.face.tracker import Tracker
from realtime.graph import Envelope, Side
from realtime.session.writer import SessionWriter
from realtime.types import F32, U8, Detections, Frame
from tests.face.world import CONTRACT, Disc, detect, landmark_network, picture

FRAMES = 180
NEUTRAL = Baseline(np.zeros((98, 2), np.float32))
WHEN = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)


class DiscDetector:
    """RetinaFace's place; shift: how far a coarse look is off, so that mixing the two up shows."""

    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift

    def detect(self, frame: Frame, region: tuple[int, int, int, int] | None = None) -> Detections:
        found = detect(frame, [], region)
        for face in found.faces:
            face.points[:] += self.shift
            face.box[:] += self.shift
        return found


def disc_detector(shift: float = 0.0) -> FaceDetector:
    return cast("FaceDetector", DiscDetector(shift))


def units_network(blob: F32) -> dict[str, F32]:
    """Two Action Units that follow the displacement, so that another neutral gives other values."""
    shift = blob[:, :196].astype(np.float64)
    intensity = np.stack([abs(shift[:, 1] * 28), abs(shift[:, 2] * 28)], 1)
    look = np.clip(np.resize(shift, (2, EMBEDDING_SIZE)), -0.8, 0.8)
    return {"intensity": intensity.astype(np.float32), "look": look.astype(np.float32)}


def face_path(stored_baseline: Baseline | None = None) -> FacePath:
    """The networks of the world of discs, and a calibration that a short session has time for."""
    measures = ActionUnitEstimator(ActionUnits(units_network, [1, 12]), stored_baseline)
    measures.calibration.settings = CalibrationSettings(seconds=0.5, window=0.2)
    tracker = Tracker(LandmarkModel(landmark_network, CONTRACT), FaceSettings())
    return FacePath(disc_detector(), disc_detector(1.5), tracker, measures, [])


def scene(number: int) -> U8:
    """A face that comes, moves, goes for a while and returns."""
    if number < 5 or 62 <= number < 82:
        return picture()
    sway = 10 * np.sin(number / 9)
    return picture(Disc(300 + sway, 170, 60 + 3 * np.sin(number / 5), looks=7))


def make_session(folder: Path, seed: int, *, frames: int = FRAMES, **kept: Any) -> tuple[SessionWriter, list[int]]:
    """Run the real nodes over so many frames; gives what was kept, closed, and the frames that were analysed."""
    random, now = Random(seed), [0.0]
    writer = SessionWriter(folder, lambda: now[0], raw_pictures=True, **kept)
    path = face_path(writer.stored_baseline)
    quality = Quality(0.15, enabled=False)
    looking = Detect(path.detector, path.coarse, path.tracker, quality, decisions=writer.decisions)
    tracking = Track(path.tracker, quality, decisions=writer.decisions)
    measuring = Measure(path.measures, writer.decisions, writer.calibrated)
    csv, pending, analysed, waiting = writer.csv, [], [], []
    for number in range(frames):
        now[0] = 100 + number / 30 + random.uniform(0, 0.004)
        frame = Frame(scene(number), number, now[0])
        writer.captured(frame)
        writer.raw.put(frame, wait=True)
        quality.active = (COARSE_DETECTION,) if 40 <= number < 60 else ()
        if number == 100:
            path.measures.ask_for_calibration()
        if number == 85:
            tracking.reset("interrupted")
        if looking.accepts(Envelope(frame, number, now[0])):
            pending.append((number + random.randint(0, 4), looking.process(frame)))
        if random.random() < 0.75:
            ready = [found for due, found in pending if due <= number]
            pending = [(due, found) for due, found in pending if due > number]
            side = Side(ready[-1], ready[-1].sequence, ready[-1].capture_time, 0.0, True) if ready else None
            waiting.append((number + random.randint(0, 3), tracking.process(frame, side)))
            analysed.append(number)
        else:
            csv.not_measured(number, random.choice(["superseded", "overflow, late"]))
        while waiting and waiting[0][0] <= number:
            csv.measured(measuring.process(waiting.pop(0)[1]).analysis)
        if random.random() < 0.1:
            csv.dropped(number, "expired")
        else:
            csv.shown(number, random.choice([None, random.uniform(0, 0.2)]))
    for _, late in waiting:
        csv.measured(measuring.process(late).analysis)
    writer.close()
    return writer, analysed
