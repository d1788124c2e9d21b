"""The script of the demo clip, and the committed clip and truth against it."""

import csv
import gzip
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.types import F64
from tools.synth.demo_script import DURATION, FPS, SCRIPT, ease, envelope, moment
from tools.synth.kit import EXPRESSION_INDEX, EXPRESSION_NAMES

ASSETS = Path(__file__).resolve().parents[3] / "realtime" / "media" / "assets"


def test_ease_is_smooth_and_monotonic() -> None:
    x = np.linspace(-0.5, 1.5, 401)
    y = np.array([ease(float(v)) for v in x])
    assert y[0] == 0
    assert y[-1] == 1
    assert (np.diff(y) >= 0).all()
    assert np.abs(np.diff(y, 2)).max() < 2e-3


def test_envelope_is_whole_in_the_middle_and_nothing_outside() -> None:
    assert envelope(1.5, 1, 2, 0.3) == 1
    assert envelope(0.99, 1, 2, 0.3) == 0
    assert envelope(2.01, 1, 2, 0.3) == 0


def test_every_movement_is_labelled_at_its_middle_and_does_what_it_says() -> None:
    for movement in SCRIPT:
        assert moment((movement.start + movement.end) / 2).label == movement.label
    smile = moment(4.85).expression
    assert smile[EXPRESSION_INDEX["mouthSmile_L"]] == pytest.approx(1)
    assert smile[EXPRESSION_INDEX["mouthSmile_R"]] == 0
    assert moment(0.3).label == "neutral"


def test_the_committed_truth_is_the_scripts() -> None:
    with gzip.open(ASSETS / "demo_truth.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == round(DURATION * FPS)
    for i in range(0, len(rows), 9):
        now = moment(i / FPS)
        row = rows[i]
        assert row["movement"] == now.label
        np.testing.assert_allclose([float(row[n]) for n in EXPRESSION_NAMES], now.expression, atol=6e-5)
        np.testing.assert_allclose([float(row[f"{n}_deg"]) for n in ("yaw", "pitch", "roll")], now.pose, atol=6e-4)
    gone = [row for row in rows if row["visible"] == "0"]
    assert 10 < len(gone) < 60
    assert all(row["movement"] == "out_of_frame" for row in gone)


def test_truth_points_show_the_movements_on_the_right_side() -> None:
    with gzip.open(ASSETS / "demo_truth.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))

    def points(time: float) -> F64:
        row = rows[round(time * FPS)]
        return np.array([[float(row[f"x_{i}"]), float(row[f"y_{i}"])] for i in range(98)])

    def opening(p: F64, first: int) -> float:
        return float(np.linalg.norm(p[first + 2] - p[first + 6]) / np.linalg.norm(p[first] - p[first + 4]))

    rest, shut, smile = points(0.3), points(3.45), points(4.85)
    assert rest[60, 0] < rest[72, 0]
    for eye in (60, 68):
        assert opening(shut, eye) < 0.3 * opening(rest, eye)
    eyes = np.linalg.norm(rest[60] - rest[72])
    lifted = (rest[[82, 76], 1] - rest[[60, 72], 1].mean()) - (smile[[82, 76], 1] - smile[[60, 72], 1].mean())
    assert lifted[0] > 0.04 * eyes
    assert lifted[0] > 4 * abs(lifted[1])


def test_the_committed_clip_is_what_the_program_expects() -> None:
    file = ASSETS / "demo.mp4"
    assert file.stat().st_size <= 1_500_000
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (1280, 720)
        assert stream.average_rate == FPS
        assert stream.frames == round(DURATION * FPS)
