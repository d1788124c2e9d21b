"""The public face: five lines from a picture and five from a video to the first numbers, and nothing else happens."""

import ast
import asyncio
import itertools
import json
import math
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import psutil
import pytest

import realtime
from realtime import FaceAnalyzer, FaceTracker, Sides
from realtime.analyze import still_search
from realtime.analyze.results import Faces, TrackedFace
from realtime.errors import DeviceError, ModelFileError, PictureError, UserInputError
from realtime.session.schema import column_names
from realtime.types import U8
from tests.conftest import ROOT

pytestmark = pytest.mark.timeout(180)  # the first picture on a machine compiles


@pytest.fixture(scope="module")
def analyze() -> Iterator[FaceAnalyzer]:
    with FaceAnalyzer() as analyzer:
        yield analyzer


@pytest.fixture(scope="module")
def frames() -> list[TrackedFace]:
    """The first twenty results of the demo clip."""
    with FaceTracker("demo") as tracker:
        return list(itertools.islice(tracker, 20))


@pytest.fixture(scope="module")
def portrait(frames: list[TrackedFace]) -> U8:
    """A picture of one face."""
    return frames[5].frame.image


def test_importing_is_quick_and_loads_neither_opencv_nor_numba() -> None:
    code = (
        "import sys, time; began = time.process_time();"
        "from realtime import Face, FaceAnalyzer, FaceTracker, Frame, Graph, Sides, __version__;"
        "FaceAnalyzer(); FaceTracker();"
        "print(time.process_time() - began, *(m for m in ('cv2', 'numba', 'onnxruntime', 'av') if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60
    )
    seconds, *loaded = done.stdout.split()
    assert not loaded
    assert float(seconds) < 0.5


def test_every_public_name_is_there_and_no_other() -> None:
    assert {"FaceAnalyzer", "FaceTracker", "Sides", "Frame", "Graph", "__version__"} <= set(realtime.__all__)
    assert set(realtime.__all__) <= set(dir(realtime))
    with pytest.raises(AttributeError, match="no attribute 'FaceMaker'"):
        realtime.FaceMaker  # noqa: B018


def test_a_still_gives_every_face_with_all_its_measures(analyze: FaceAnalyzer, portrait: U8) -> None:
    height, width = portrait.shape[:2]
    both = np.ascontiguousarray(np.hstack([portrait, portrait[:, ::-1]]))
    faces = analyze(both)
    assert len(faces) == 2
    left, right = sorted(faces, key=lambda face: face.box[0])
    for face in faces:
        assert face.points.shape == (98, 2)
        assert face.covariance.shape == (98, 2, 2)
        assert face.pose is not None
        assert len(face.pose) == 3
        assert 0.9 < face.presence <= 1
        assert isinstance(face.action_units, Sides)
        assert 0 <= face.action_units.left[12] <= 5
        assert 0 <= face.action_units.right[12] <= 5
        assert face.baseline == "none"
    assert left.points[:, 0].max() < width < right.points[:, 0].min()
    assert height > left.points[:, 1].max()
    # The right half shows the mirror image: the patient's sides change places.
    for unit in (12, 25, 45):
        assert left.action_units.left[unit] == pytest.approx(right.action_units.right[unit], abs=0.35)


def test_a_video_says_how_well_rest_is_known_and_a_still_does_not(
    analyze: FaceAnalyzer, portrait: U8, frames: list[TrackedFace]
) -> None:
    last = frames[-1].face
    assert last is not None
    assert last.rest == "provisional"
    assert (last.to_row()["rest"], last.to_dict()["rest_share"]) == ("provisional", last.rest_share)
    (still,) = analyze(portrait)
    assert (still.baseline, still.rest, still.to_row()["rest_share"]) == ("none", "", None)


def test_a_still_and_a_video_say_which_parts_are_hidden(
    analyze: FaceAnalyzer, portrait: U8, frames: list[TrackedFace]
) -> None:
    last = frames[-1].face
    assert last is not None
    assert (last.hidden, last.to_row()["hidden"]) == ((), "none")
    covered = portrait.copy()
    (seen,) = analyze(portrait)
    lips = seen.points[76:88]
    (x0, y0), (x1, y1) = lips.min(axis=0).astype(int) - 55, lips.max(axis=0).astype(int) + 55
    covered[y0:y1, x0:x1] = (60, 90, 150)
    (found,) = analyze(covered)
    assert (seen.hidden, found.hidden) == ((), ("mouth",))
    assert (found.to_row()["hidden"], found.to_dict()["hidden"]) == ("mouth", ["mouth"])
    assert np.isnan(found.action_units.left[12])


@pytest.mark.parametrize(
    ("side", "hidden"), [("left", ("left brow", "left eye")), ("top", ("left brow", "right brow")), ("chin", ())]
)
def test_what_the_picture_cuts_off_is_hidden_and_the_rest_is_found_where_it_is(
    analyze: FaceAnalyzer, portrait: U8, side: str, hidden: tuple[str, ...]
) -> None:
    (whole,) = analyze(portrait)
    eye, brows, chin = whole.points[97], whole.points[33:51], whole.points[16]
    cut = {
        "left": portrait[:, : int(eye[0])],
        "top": portrait[int(brows[:, 1].max()) + 3 :],
        "chin": portrait[: int(chin[1]) - 20],
    }[side]
    (found,) = analyze(np.ascontiguousarray(cut))
    assert found.hidden == hidden
    there = found.points + np.array((0, portrait.shape[0] - cut.shape[0] if side == "top" else 0))
    inside = (found.points >= 0).all(axis=1) & (found.points <= np.array(cut.shape[1::-1]) - 1).all(axis=1)
    apart = np.linalg.norm(there - whole.points, axis=1)[inside] / np.linalg.norm(whole.points[60] - whole.points[72])
    assert apart.mean() < 0.03
    assert all(math.isnan(found.action_units.left[unit]) == ("left brow" in hidden) for unit in (1, 2, 4))


@pytest.mark.parametrize("room", [0.02, 0.15])
def test_a_face_that_fills_the_picture_is_found_once_and_where_it_is(
    analyze: FaceAnalyzer, portrait: U8, room: float
) -> None:
    (whole,) = analyze(portrait)
    low, high = whole.points.min(axis=0), whole.points.max(axis=0)
    (left, top), (right, bottom) = (low - room * (high - low)).astype(int), (high + room * (high - low)).astype(int)
    (found,) = analyze(np.ascontiguousarray(portrait[top:bottom, left:right]))
    apart = np.linalg.norm(found.points + np.array((left, top)) - whole.points, axis=1)
    assert apart.mean() < 0.015 * np.linalg.norm(whole.points[60] - whole.points[72])
    assert found.presence > 0.99


def test_a_large_face_that_a_border_hides_is_found_without(
    analyze: FaceAnalyzer, portrait: U8, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it hides people who lie on their side: two of 26 photographs, turned."""
    (whole,) = analyze(portrait)
    size = float(np.ptp(whole.points, axis=0).max())
    left, top = (whole.points.min(axis=0) - 0.4 * size).clip(0).astype(int)
    close = np.ascontiguousarray(portrait[top : top + round(1.8 * size), left : left + round(1.8 * size)])
    monkeypatch.setattr(still_search, "_with_border", lambda *_: iter(()))
    (found,) = analyze(close)
    apart = found.points + np.array((left, top)) - whole.points
    assert np.linalg.norm(apart, axis=1).mean() < 0.03 * size


def test_each_still_stands_alone(analyze: FaceAnalyzer, portrait: U8) -> None:
    """No face, id, smoothing or rest of one picture enters the next."""
    first = analyze(portrait).to_dict()
    assert analyze(np.zeros_like(portrait)) == ()
    shifted = np.ascontiguousarray(np.roll(portrait, 40, axis=1))
    analyze(shifted)
    assert analyze(portrait).to_dict() == first
    assert FaceAnalyzer()(portrait).to_dict() == first


def test_a_picture_of_another_kind_is_refused_before_any_model_opens(portrait: U8) -> None:
    with FaceAnalyzer(weights="/nonexistent") as closed, FaceTracker(weights="/nonexistent") as tracker:
        wrong: Any
        for wrong in (portrait.astype(np.float32), portrait[..., 0], np.dstack([portrait, portrait[..., :1]])):
            with pytest.raises(PictureError):
                closed(wrong)
            with pytest.raises(PictureError):
                tracker.update(wrong, 0.0)
        with pytest.raises(ModelFileError, match="manifest"):
            closed(portrait)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"mirror_average": "sometimes"}, "mirror_average is one of off, some, every"),
        ({"crop_average": 5}, "crop_average is 1, 2 or 3"),
        ({"millimetres": "iris"}, r'ScaleChoice\("iris"\), not \'iris\''),
        ({"weights": 3}, "weights is the path of a folder, not 3"),
        ({"size": "640x480"}, r"such as \(1280, 720\), not '640x480'"),
        ({"size": (640, 0)}, r"not \(640, 0\)"),
        ({"fps": -3}, "above 0, not -3"),
        ({"source": (np.zeros((8, 8, 3), np.uint8) for _ in range(2))}, "not a value of type generator; feed pictures"),
        ({"source": [np.zeros((900, 900, 3), np.uint8)]}, "not a value of type list; feed pictures"),
        ({"source": b"clip.mp4"}, "not b'clip.mp4'"),
        ({"source": -1}, "not -1"),
    ],
)
def test_a_wrong_argument_is_told_in_one_sentence_where_it_is_given(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(UserInputError, match=says) as caught:
        FaceTracker(**wrong)
    assert len(str(caught.value)) < 250


def test_a_stills_arguments_are_checked_where_they_are_given(portrait: U8) -> None:
    words: Any = "off"  # would count as True
    with pytest.raises(UserInputError, match="True or False, not 'off'"):
        FaceAnalyzer(mirror_average=words)
    with pytest.raises(UserInputError, match="96 or more, not 0"):
        FaceAnalyzer(width=0)
    words = "iris"
    with pytest.raises(UserInputError, match="ScaleChoice"):
        FaceAnalyzer(millimetres=words)
    wrong: Any
    for wrong, hint in ((None, r"cannot read\)"), ("face.jpg", "read a file with cv2.imread")):
        with pytest.raises(PictureError, match=hint):
            FaceAnalyzer()(wrong)


def test_a_cameras_number_is_a_source_as_for_opencv() -> None:
    with pytest.raises(DeviceError, match=r"[Nn]o camera"):
        next(iter(FaceTracker(77)))


def test_the_callers_process_stays_as_it_is(portrait: U8, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_args: object, **_more: object) -> None:
        raise AssertionError("this belongs to the program")

    monkeypatch.setattr("realtime.app.memory.release_start_up", forbidden)
    monkeypatch.setattr("realtime.face.kernel_cache.prepare", forbidden)
    monkeypatch.setattr(subprocess, "Popen", forbidden)
    before, threads = cv2.getNumThreads(), threading.active_count()
    children, interval = len(psutil.Process().children()), sys.getswitchinterval()
    with FaceAnalyzer() as analyzer, FaceTracker() as tracker:
        analyzer(portrait)
        tracker.update(portrait, 0.0)
        assert len(psutil.Process().children()) == children
    assert cv2.getNumThreads() == before
    assert threading.active_count() == threads
    assert sys.getswitchinterval() == interval
    assert portrait.flags.writeable is False  # as it was given


def test_the_callers_picture_stays_writable_and_as_it_was(analyze: FaceAnalyzer, portrait: U8) -> None:
    own = portrait.copy()
    analyze(own)
    with FaceTracker() as tracker:
        tracker.update(own, 1.5)
    assert own.flags.writeable
    assert np.array_equal(own, portrait)


def test_a_source_is_followed_frame_by_frame(frames: list[TrackedFace]) -> None:
    assert [result.frame.sequence for result in frames] == list(range(20))
    assert all(result.face is not None for result in frames[3:])
    assert {result.face.face_id for result in frames[3:]} == {1}
    assert not all(result.face.detected for result in frames[3:])


def test_fed_frames_give_what_the_source_gives(frames: list[TrackedFace]) -> None:
    with FaceTracker() as tracker:
        fed = [tracker.update(frame.image, frame.capture_time) for frame, _ in frames]
    for face, (_, expected) in zip(fed, frames, strict=True):
        assert (face and face.to_dict()) == (expected and expected.to_dict())


def test_times_must_rise_and_reset_begins_again(portrait: U8) -> None:
    with FaceTracker() as tracker:
        for wrong in (math.nan, "noon", None):
            with pytest.raises(UserInputError, match="seconds, a finite number"):
                tracker.update(portrait, wrong)  # type: ignore[arg-type]
        first = tracker.update(portrait, 10.0)
        with pytest.raises(UserInputError, match="not later than the last"):
            tracker.update(portrait, 10.0)
        tracker.reset()
        assert tracker.update(portrait, 0.0).face_id == first.face_id + 1


def test_closing_ends_a_running_iteration_and_says_so_afterwards() -> None:
    tracker = FaceTracker("demo")
    seen = 0
    for _ in tracker:
        seen += 1
        if seen == 3:
            closer = threading.Thread(target=tracker.close)
            closer.start()
            closer.join(20)
    assert seen == 3
    tracker.close()
    with pytest.raises(UserInputError, match="closed"):
        next(iter(tracker))
    with pytest.raises(UserInputError, match="closed"):
        tracker.update(np.zeros((8, 8, 3), np.uint8), 0.0)
    analyzer = FaceAnalyzer()
    analyzer.close()
    with pytest.raises(UserInputError, match="closed"):
        analyzer(np.zeros((8, 8, 3), np.uint8))


def test_a_tracker_without_a_source_cannot_be_iterated_and_a_missing_file_is_named() -> None:
    with pytest.raises(UserInputError, match="no source"):
        list(FaceTracker())
    with pytest.raises(UserInputError, match=r"nowhere\.mp4"):
        list(FaceTracker("nowhere.mp4"))


_OPTION = re.compile(r"(?<![-\w])--[a-z][a-z-]+")


@pytest.mark.parametrize("room", ["analyze", "media", "models", "face", "action_units", "clinic"])
def test_what_a_python_user_is_told_names_no_option_of_the_command_line(room: str) -> None:
    named = []
    for path in sorted((ROOT / "realtime" / room).glob("**/*.py")):
        raised = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Raise)]
        texts = [ast.unparse(node) for node in raised]
        named += [f"{path.name}: {text}" for text in texts if _OPTION.search(text.replace("with --record raw", ""))]
    assert not named


@pytest.mark.parametrize("source", ["", "gopher://x/y", "lavfi:", "plugin:", "plugin:none", "no/such/file.mp4", "."])
def test_a_wrong_source_is_told_in_words_of_python(source: str) -> None:
    with pytest.raises(UserInputError) as caught:
        next(iter(FaceTracker(source)))
    assert not _OPTION.search(str(caught.value))


def test_results_become_plain_values_and_data_frames(
    analyze: FaceAnalyzer, portrait: U8, frames: list[TrackedFace]
) -> None:
    faces = analyze(portrait)
    assert json.loads(json.dumps(faces.to_dict()))[0]["action_units"]["left"]["12"] == faces[0].action_units.left[12]
    table = faces.to_pandas()
    assert len(table) == 1
    assert table["AU12_left"][0] == faces[0].action_units.left[12]
    assert set(table.columns) <= set(column_names())
    row = frames[5].to_row()
    assert set(row) <= set(column_names())
    assert row["sequence"] == 5
    assert json.dumps(frames[5].to_dict())
    assert frames[5]._replace(face=None).to_dict()["face"] is None


def test_one_analyzer_serves_many_threads(analyze: FaceAnalyzer, portrait: U8) -> None:
    expected, found = analyze(portrait).to_dict(), []
    workers = [threading.Thread(target=lambda: found.append(analyze(portrait).to_dict())) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert found == [expected] * 3


def test_it_works_where_an_event_loop_runs(analyze: FaceAnalyzer, portrait: U8) -> None:
    """As in a notebook's cell."""

    async def cell() -> Faces:
        return analyze(portrait)

    assert len(asyncio.run(cell())) == 1
