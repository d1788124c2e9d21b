"""Several people through the program's nodes: turns, Action Units of each, rows, a replay, and the face that was clicked."""

import asyncio
import csv
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from realtime.action_units import ActionUnitEstimator
from realtime.action_units.model import ActionUnits
from realtime.app.controls import PatientPlace
from realtime.app.face_pipeline import FacePath
from realtime.app.nodes.compose import Compose
from realtime.app.nodes.detect_track import Detect
from realtime.app.nodes.people import MeasurePeople, TrackPeople
from realtime.app.nodes.quality import FEWER_OTHERS, Quality
from realtime.app.replay import Pictures, rerun
from realtime.config import Config, resolve
from realtime.config.conflicts import refuse_conflicts
from realtime.errors import UserInputError
from realtime.face import face_embedding
from realtime.face.face_embedding import FaceEmbedding, StoredFaceSearch
from realtime.face.landmarks import LandmarkModel
from realtime.face.patient_choice import PatientRule
from realtime.face.people import PeopleTracker
from realtime.face.point_flow import PointFlow
from realtime.face.settings import FaceSettings
from realtime.graph import Graph, Item, Latest, StopToken
from realtime.render.other_faces import OtherFaces
from realtime.render.scene import Scene
from realtime.render.status import LiveFigures
from realtime.session.decision_log import DecisionLog, read_decisions
from realtime.session.frames_csv import FramesCsv
from realtime.session.read_frames import read_rows
from realtime.session.schema import FrameRow, RowFormat
from realtime.types import Analysis, FaceObservation, Frame
from tests.face.world import CONTRACT, Disc, landmark_network, picture
from tests.session.live_like import disc_detector, units_network

DISCS = [Disc(110, 180, 50, 1), Disc(320, 180, 70, 5), Disc(530, 180, 45, 9)]
IMAGE = picture(*DISCS)
FRAMES, CLICKED_AT = 40, 12


def people_path(rule: PatientRule = "largest") -> FacePath:
    tracker = PeopleTracker(LandmarkModel(landmark_network, CONTRACT), FaceSettings(), most=4, rule=rule)

    def another() -> ActionUnitEstimator:
        return ActionUnitEstimator(ActionUnits(units_network, [1, 12]))

    return FacePath(disc_detector(), disc_detector(), tracker, another(), [], another=another)


def nodes(
    path: FacePath,
    log: DecisionLog | None = None,
    rate: float | None = 30.0,
    search: StoredFaceSearch | None = None,
) -> tuple[TrackPeople, MeasurePeople]:
    assert isinstance(path.tracker, PeopleTracker)
    quality = Quality(0.2, enabled=False, several=True)
    detect = Detect(path.detector, path.coarse, path.tracker, quality, decisions=log)
    track = TrackPeople(path.tracker, quality, detect, rate=rate, decisions=log, search=search)
    return track, MeasurePeople(path.measures, path.another, log)


def test_a_clicked_face_is_the_patient_and_a_replay_gives_the_same_rows(tmp_path: Path) -> None:
    clock = itertools.count()
    log = DecisionLog(tmp_path / "decisions.jsonl", lambda: next(clock) / 30)
    path = people_path()
    track, measure = nodes(path, log)
    live: list[Analysis] = []
    for number in range(FRAMES):
        log.raw(number, number / 30)
        if number == CLICKED_AT:
            assert not track.choose((20.0, 20.0)), "no face is there"
            assert track.choose((DISCS[1].x, DISCS[1].y))
        live.append(measure.process(track.process(Frame(IMAGE, number, number / 30))).analysis)
        log.row(FrameRow(number, number / 30, True, analysis=live[-1]))
    log.close()
    assert all(one.face is None for one in live[:CLICKED_AT])
    patient = live[-1].face
    assert patient is not None
    assert np.abs(patient.raw_points - DISCS[1].points()).max() < 3
    assert all(one.face is not None and one.face.face_id == patient.face_id for one in live[CLICKED_AT + 1 :])
    assert live[-1].au_left.keys() == {1, 12}
    looks = [len(one.others) for one in live[CLICKED_AT + 2 :]]
    assert set(looks) <= {0, 1, 2}
    assert sum(looks) / len(looks) == pytest.approx(2 * 17 / 30, abs=0.05), (
        "two others at a little more than half the rate"
    )
    assert all(other.au_left.keys() == {1, 12} for other in live[-1].others)

    decisions = list(read_decisions(log.path))
    busy = {one["n"] for one in decisions if one["kind"] == "detect"}
    assert {one["n"] for one in decisions if one.get("wait")} == busy
    rows = list(rerun(decisions, Pictures(decisions, iter([IMAGE] * FRAMES)), people_path(), lambda _number: None))
    text = RowFormat(several=True)
    for row, analysis in zip(rows, live, strict=True):
        assert text.line(row) == text.line(FrameRow(row.sequence, row.capture_time, True, analysis=analysis))


def test_the_stored_person_is_chosen_once_the_face_lives_and_a_replay_needs_no_stored_face(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_embedding, "_CLEAR", 5)
    log = DecisionLog(tmp_path / "decisions.jsonl", lambda: 0.0)
    path = people_path("person")
    stored = FaceEmbedding().of(IMAGE, DISCS[2].points())
    lives = [False]
    assert isinstance(path.tracker, PeopleTracker)
    monkeypatch.setattr(path.tracker, "is_alive", lambda _number: lives[0])
    track, measure = nodes(path, log, search=StoredFaceSearch(stored))
    live: list[Analysis] = []
    for number in range(FRAMES):
        log.raw(number, number / 30)
        if number == 30:
            assert all(one.face is None for one in live), "a photograph of the person is not the person"
            lives[0] = True
        live.append(measure.process(track.process(Frame(IMAGE, number, number / 30))).analysis)
        log.row(FrameRow(number, number / 30, True, analysis=live[-1]))
    log.close()
    patient = live[-1].face
    assert patient is not None
    assert np.abs(patient.raw_points - DISCS[2].points()).max() < 3
    decisions = list(read_decisions(log.path))
    again = rerun(decisions, Pictures(decisions, iter([IMAGE] * FRAMES)), people_path("person"), lambda _number: None)
    text = RowFormat(several=True)
    assert [text.line(row) for row in again] == [
        text.line(FrameRow(number, number / 30, True, analysis=one)) for number, one in enumerate(live)
    ]


def test_a_camera_that_halves_its_rate_in_the_dark_does_not_halve_the_looks_at_the_others() -> None:
    track, _ = nodes(people_path())
    times = [*np.arange(60) / 30, *(2 + np.arange(90) / 15)]
    found = [track.process(Frame(IMAGE, number, float(time))) for number, time in enumerate(times)]
    dark = [one.analysis.others for one in found[-45:]]
    looks = [face.face.face_id for others in dark for face in others if face.face is not None]
    assert min(looks.count(number) for number in set(looks)) / 3 >= 14.5, "of 15 frames a second"


def test_offline_everybody_is_looked_at_on_every_frame() -> None:
    track, _ = nodes(people_path(), rate=None)
    counts = [len(track.process(Frame(IMAGE, number, number / 30)).analysis.others) for number in range(10)]
    assert counts == [3] * 10


def test_the_first_thing_given_up_is_how_often_the_others_are_looked_at() -> None:
    assert Quality(0.1, several=True).steps[0] == FEWER_OTHERS
    assert FEWER_OTHERS not in Quality(0.1).steps


def observed(number: int) -> FaceObservation:
    points = DISCS[number].points()
    return FaceObservation(number + 1, np.zeros(4, np.float32), points, points, 0.9, True)


def test_rows_of_several_people_stand_together_and_readers_take_the_patients(tmp_path: Path) -> None:
    rows = FramesCsv(tmp_path / "frames.csv", lambda: 0.0, several=True)
    others = tuple(Analysis(1, 1 / 30, observed(n), {12: 3.0}, {12: 3.0}) for n in (0, 2))
    found = [
        Analysis(0, 0.0, None, others=(Analysis(0, 0.0, observed(0)),)),
        Analysis(1, 1 / 30, observed(1), {12: 1.5}, {12: 0.5}, others=others),
    ]
    for number, analysis in enumerate(found):
        rows.captured(number, number / 30)
        rows.shown(number, 0.0)
        rows.measured(analysis)
    rows.close()
    with rows.path.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["sequence"], row["face_id"], row["person"]) for row in table] == [
        ("0", "", ""),
        ("0", "1", "other"),
        ("1", "2", "patient"),
        ("1", "1", "other"),
        ("1", "3", "other"),
    ]
    read = read_rows(rows.path)
    assert read.sequences.tolist() == [0, 1]
    assert read.left[12][1] == 1.5


def test_one_person_s_rows_are_as_ever(tmp_path: Path) -> None:
    rows = FramesCsv(tmp_path / "frames.csv", lambda: 0.0)
    rows.close()
    assert not rows.path.read_text().strip().endswith("person")


def test_others_go_on_as_they_moved_between_two_looks_and_vanish_when_they_are_gone() -> None:
    faces = OtherFaces()
    here = observed(0)
    there = FaceObservation(1, here.box, here.points + np.float32(6), here.points, 0.9, True)
    faces.at(Analysis(0, 0.0, None, others=(Analysis(0, 0.0, here),)), 0.0)
    faces.at(Analysis(2, 2 / 30, None, others=(Analysis(2, 2 / 30, there),)), 2 / 30)
    (moved,) = faces.at(None, 3 / 30)
    np.testing.assert_allclose(moved.points, here.points + 9, atol=0.01)
    assert faces.at(None, 0.5) == ()


FIGURES = LiveFigures(30.0, 10.0, 0.0, 0, "tracked", "")


@pytest.mark.parametrize(("panel", "selfie"), [("off", False), ("off", True), ("strip", False)])
def test_a_click_finds_the_pixel_that_is_shown_there(panel: str, selfie: bool) -> None:
    scene = Scene("overlay", (1, 12), selfie=selfie, panel=panel)  # type: ignore[arg-type]
    assert scene.place_in_frame(0.5, 0.5) is None, "nothing was drawn yet"
    image = np.zeros((720, 1280, 3), np.uint8)
    image[355:366, 195:206] = 255
    drawn = scene.draw(image, None, None, FIGURES)
    rows, columns = np.nonzero(drawn[100:650, : 900 if panel == "strip" else 1280].min(axis=2) > 200)
    middle = ((columns.mean() + 0.5) / 1280, (rows.mean() + 100.5) / 720)
    place = scene.place_in_frame(*middle)
    assert place == pytest.approx((200, 360), abs=2)
    if panel == "strip":
        assert scene.place_in_frame(0.5, 0.01) is None, "beside the picture"
    scene.mode = "mirrored"
    assert scene.place_in_frame(*middle) is None


def test_a_click_beside_every_face_says_so() -> None:
    track, _ = nodes(people_path())
    scene = Scene("raw", ())
    track.process(Frame(IMAGE, 0, 0.0))
    scene.draw(IMAGE, None, None, FIGURES)
    place = PatientPlace(track, scene)
    place.choose(320 / 640, 180 / 360)
    with pytest.raises(UserInputError, match="No face is followed"):
        place.choose(0.02, 0.02)


def test_people_was_the_folder_of_calibrations_once(tmp_path: Path) -> None:
    assert resolve({"people": str(tmp_path)}, environment={}).config == Config(people_folder=tmp_path)
    assert resolve({"people": "4"}, environment={}).config.people == 4
    assert Config.model_validate({"people": None}).people == 1
    for wrong in ("0", "9", "-1", "2.5"):
        with pytest.raises(UserInputError, match="people"):
            resolve({"people": wrong}, environment={})


@pytest.mark.parametrize(
    ("words", "said"), [({"blur_face": "others"}, "--people 2"), ({"people": 2, "au": "openface2"}, "openface2")]
)
def test_what_does_not_go_together_is_refused(words: dict[str, object], said: str) -> None:
    with pytest.raises(UserInputError, match=said):
        refuse_conflicts(Config.model_validate(words))


def test_the_picture_path_draws_once_on_its_own_thread_before_frames_flow() -> None:
    drawn: list[str] = []
    compose = Compose(
        Scene("overlay", (12,)),
        PointFlow(),
        lambda: 0.0,
        Quality(0.1),
        rehearse=lambda: drawn.append(threading.current_thread().name),
    )
    assert drawn == [], "on the thread that builds it OpenCV's letters would be unpacked in vain"
    graph = Graph("one picture")
    frames = iter([Frame(IMAGE, 0, 0.0)])
    camera = graph.source("camera", ReadFrames(frames))
    composed = graph.transform("compose", compose, run_on="thread:picture")
    graph.connect(camera, composed, Latest())
    asyncio.run(graph.run())
    assert len(drawn) == 1
    assert drawn[0] != threading.current_thread().name


class ReadFrames:
    """Gives some frames."""

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames

    def read(self, _stop: StopToken) -> Item[Frame] | None:
        frame = next(self._frames, None)
        return None if frame is None else Item(frame, frame.sequence, frame.capture_time)
