"""What pages are told of a frame: nothing unmeasured becomes a number."""

import json
import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from realtime.app.nodes.dashboard import PICTURE_SECONDS, Web
from realtime.dashboard.messages import PICTURE_HEADER, encode_picture, state_message
from realtime.types import Analysis, Expression, FaceObservation, Millimetres, RenderedFrame, Sides

IMAGE = np.zeros((720, 1280, 3), np.uint8)


def face(pose: tuple[float, float, float] | None = (1.0, 2.0, 3.0)) -> FaceObservation:
    points = np.zeros((98, 2), np.float32)
    return FaceObservation(1, np.zeros(4, np.float32), points, points, 0.9, True, pose=pose)


def shown(
    analysis: Analysis | None, *, sequence: int = 7, capture_time: float = 10.0, status: str = "measured"
) -> RenderedFrame:
    return RenderedFrame(IMAGE, sequence, capture_time, status, analysis, None if analysis is None else 0.05, None)  # type: ignore[arg-type]


def test_a_measured_frame() -> None:
    analysis = Analysis(7, 10.0, face(), au_left={12: 1.0, 6: 0.2}, au_right={12: 4.0, 6: 0.3})
    message = state_message(shown(analysis), 10.03, [6, 12])
    assert message["left"] == [0.2, 1.0]
    assert message["right"] == [0.3, 4.0]
    assert message["symmetry"] == [None, 0.25]
    assert message["overall"] == 0.25
    assert message["age_ms"] == pytest.approx(30.0)
    assert message["result_age_ms"] == 50.0
    assert message["pose"] == [1.0, 2.0, 3.0]
    assert (message["sequence"], message["capture_time"], message["status"]) == (7, 10.0, "measured")


def test_lengths_are_told_only_where_a_run_measures_them() -> None:
    plain = state_message(shown(Analysis(7, 10.0, face())), 10.0, [12])
    assert "mm" not in plain
    lengths = Millimetres(0.4, "iris", scale_state="held", commissure=Sides(30.0, 24.5), fai=-1.25)
    told = json.loads(
        json.dumps(state_message(shown(Analysis(7, 10.0, face(), millimetres=lengths)), 10.0, [12]), allow_nan=False)
    )["mm"]
    values = {value["name"]: value for value in told["values"]}
    assert (values["commissure"]["left"], values["commissure"]["right"]) == (30.0, 24.5)
    assert (values["brow_height"]["left"], values["fai"]["value"]) == (None, -1.25)
    assert (told["source"], told["state"], told["withheld"]) == ("iris", "held", "")


@pytest.mark.parametrize("analysis", [None, Analysis(7, 10.0, None), Analysis(7, 10.0, face(None), {12: math.nan}, {})])
def test_what_was_not_measured_is_null(analysis: Analysis | None) -> None:
    message = json.loads(json.dumps(state_message(shown(analysis), 10.0, [6, 12]), allow_nan=False))
    for key in ("left", "right", "symmetry"):
        assert message[key] == [None, None]
    assert message["overall"] is None
    assert message["pose"] is None


def test_openface3_has_a_scale_of_its_own() -> None:
    assert state_message(shown(None), 10.0, [6])["openface3"] is None
    found = Expression({1: 0.25, 12: math.nan}, {"happy": 0.75, "sad": 0.25}, (math.pi / 6, -math.pi / 180))
    frame = replace(shown(Analysis(7, 10.0, face())), expression=found, expression_age=0.125)
    message = json.loads(json.dumps(state_message(frame, 10.0, [6, 12]), allow_nan=False))
    assert message["openface3"] == {
        "units": [[1, 0.25], [12, None]],
        "present": 0.5,
        "emotion": "happy",
        "probability": 0.75,
        "gaze": [30.0, -1.0],
        "age_ms": 125.0,
    }
    assert message["left"] == message["right"] == [None, None], "0 to 1 is never told as an intensity"


def test_a_frame_that_was_looked_at_and_shows_nobody_says_so() -> None:
    assert state_message(shown(Analysis(7, 10.0, None)), 10.0, [])["status"] == "no face"
    assert state_message(shown(None, status="none"), 10.0, [])["status"] == "none"
    assert state_message(shown(Analysis(6, 9.9, face()), status="held"), 10.0, [])["status"] == "held"


def test_a_picture_message_is_a_header_and_a_small_jpeg() -> None:
    image = np.full((720, 1280, 3), (0, 0, 255), np.uint8)
    message = encode_picture(image, 12.5, 2**32 + 3, 640)
    assert PICTURE_HEADER.unpack(message[: PICTURE_HEADER.size]) == (12.5, 3)
    back = cv2.imdecode(np.frombuffer(message[PICTURE_HEADER.size :], np.uint8), cv2.IMREAD_COLOR)
    assert back.shape == (360, 640, 3)
    assert np.abs(back.astype(int) - (0, 0, 255)).max() < 8
    small = encode_picture(np.zeros((100, 200, 3), np.uint8), 0.0, 0, 640)
    assert cv2.imdecode(np.frombuffer(small[12:], np.uint8), cv2.IMREAD_COLOR).shape == (100, 200, 3)


class Audience:
    """Keeps what was published."""

    def __init__(self, watchers: int, picture_watchers: int) -> None:
        self.watchers, self.picture_watchers = watchers, picture_watchers
        self.published: list[str] = []
        self.newest: tuple[float, int] | None = None

    def frame_shown(self, capture_time: float, sequence: int) -> None:
        self.newest = (capture_time, sequence)

    def publish(self, kind: str, message: str | bytes) -> None:
        self.published.append(kind)


def test_without_an_open_page_nothing_is_made() -> None:
    audience = Audience(0, 0)
    Web(audience, (), lambda: 10.0).process(shown(None))
    assert audience.published == []
    assert audience.newest == (10.0, 7), "a marker by HTTP needs no page"


@pytest.mark.parametrize("rate", [30.0, 60.0, 24.0, 10.0])
def test_pictures_go_out_at_no_more_than_their_rate(rate: float) -> None:
    audience = Audience(1, 1)
    node = Web(audience, (), lambda: 10.0)
    jitter = np.random.default_rng(0).uniform(-0.002, 0.002, 600)
    frames = int(rate * 10)
    for n in range(frames):
        node.process(shown(None, sequence=n, capture_time=n / rate + jitter[n]))
    assert audience.published.count("state") == frames
    pictures = audience.published.count("picture")
    assert pictures <= 10 / PICTURE_SECONDS * 1.15
    assert pictures >= min(frames, 10 / PICTURE_SECONDS) * 0.75


def test_pictures_resume_when_capture_times_begin_anew() -> None:
    audience = Audience(1, 1)
    node = Web(audience, (), lambda: 10.0)
    node.process(shown(None, capture_time=100.0))
    node.reset("the camera came back")
    node.process(shown(None, capture_time=0.0))
    assert audience.published.count("picture") == 2


def test_the_state_of_rest_is_told_and_empty_where_nobody_asks() -> None:
    analysis = Analysis(7, 10.0, face(), rest="provisional", rest_share=0.256)
    message = state_message(shown(analysis), 10.0, [])
    assert (message["rest"], message["rest_share"]) == ("provisional", 0.26)
    for without in (None, Analysis(7, 10.0, None), Analysis(7, 10.0, face())):
        assert state_message(shown(without), 10.0, [])["rest"] is None
